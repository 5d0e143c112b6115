import { expect, it } from "vitest";

import { listModules, PUBLIC_VERSION } from "./public-files.js";

it("lists what a script imports, directly or not, each once, and no types", () => {
  const modules = listModules("refusal.js");

  expect(modules).toEqual(["connect-host.js", "errors.js"]);
});

it("follows imports into the library", () => {
  expect(listModules("page.js")).toContain("vendor/lit-html/lit-html.js");
});

it("names a release by its files", () => {
  expect(PUBLIC_VERSION).toMatch(/^[0-9a-f]{16}$/);
});
