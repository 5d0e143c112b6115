import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "data/", "coverage/", "forge/static/"] },
  {
    files: ["**/*.ts", "examples/**/*.js"],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
  },
  {
    files: ["public/**/*", "sandbox/pages/**/*", "forge/**/*"],
    languageOptions: {
      parserOptions: {
        projectService: false,
        project: "./tsconfig.public.json",
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    files: ["**/*.ts", "public/**/*.js", "sandbox/pages/**/*.js", "forge/**/*.{js,mjs}", "examples/**/*.js"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
      // Callbacks of vitest and handlers of Express 5 may return promises: both await them.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only src/config/env.ts reads the environment." },
      ],
      "no-restricted-imports": [
        "error",
        ...["process", "node:process"].map((name) => ({
          name,
          importNames: ["env"],
          message: "Only src/config/env.ts reads the environment.",
        })),
      ],
      eqeqeq: "error",
      "no-console": "error",
      "object-shorthand": "error",
      "prefer-template": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/doors.ts", "src/{connect,forge,storage}/**", "**/*.{test,fixture}.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...["MemberExpression[property.name='door']", "ObjectPattern > Property[key.name='door']"].map(
          (selector) => ({
            selector,
            message: "Only doors.ts and the worlds behind it ask which door a tenant came through.",
          }),
        ),
      ],
    },
  },
  {
    files: ["sandbox/**/*.ts", "bench/**/*.ts", "tests/**/*.ts", "examples/**/*.js"],
    rules: { "no-console": "off" },
  },
  {
    files: [
      "src/config/env.ts",
      "sandbox/main.ts",
      "sandbox/build-server.ts",
      "forge/build.mjs",
      "tests/**/*.ts",
      "examples/**/*.js",
      "**/*.config.ts",
    ],
    rules: { "no-restricted-properties": "off", "no-restricted-imports": "off" },
  },
  {
    files: ["**/*.test.ts"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off" },
  },
);
