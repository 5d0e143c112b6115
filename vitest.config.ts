import { defineConfig } from "vitest/config";

export default defineConfig({
  // The pages import the library from where the app serves it.
  resolve: {
    alias: [
      { find: /^(?:\.{1,2}\/)+vendor\/lit-html\/lit-html\.js$/, replacement: "lit-html" },
      { find: /^(?:\.{1,2}\/)+vendor\/lit-html\/directives\//, replacement: "lit-html/directives/" },
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "public/**/*.test.ts", "sandbox/**/*.test.ts", "tests/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
