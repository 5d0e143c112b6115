import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { hashFiles, listModules, PUBLIC_VERSION } from "./public-files.js";

it("lists what a script imports, directly or not, each once, and no types", () => {
  const modules = listModules("refusal.js");

  expect(modules).toEqual(expect.arrayContaining(["connect-host.js", "errors.js"]));
  expect(new Set(modules).size).toBe(modules.length);
  expect(modules).not.toContain("types.js");
});

it("follows imports into the library", () => {
  expect(listModules("page.js")).toContain("vendor/lit-html/lit-html.js");
});

it("leaves out what is imported once a page stands", () => {
  const modules = listModules("admin.js");

  expect(modules).toEqual(expect.arrayContaining(["admin/load-later-parts.js", "admin/service-view.js"]));
  const later = ["admin/later-parts.js", "admin/link-list-view.js", "admin/audit-list-view.js"];
  expect(modules.filter((module) => later.includes(module))).toEqual([]);
});

it("names a release by its files: another byte, or another name, is another release", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "public-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "page.js");
  const hash = (text: string, name: string) => {
    writeFileSync(file, text);
    return hashFiles([{ name, file }]);
  };

  const first = hash("one", "page.js");
  expect(hash("one", "page.js")).toBe(first);
  expect(hash("two", "page.js")).not.toBe(first);
  expect(hash("one", "other.js")).not.toBe(first);
  expect(PUBLIC_VERSION).toMatch(/^[0-9a-f]{16}$/);
});
