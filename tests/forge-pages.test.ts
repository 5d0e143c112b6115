import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { buildPages, readAppUrl } from "../forge/build.mjs";
import { listPages } from "./forge-manifest-faults.fixture.js";
import { lintManifest, MANIFEST, parseManifest } from "./forge-manifest.fixture.js";

const APP_URL = new URL("https://access.example.com/tools/");
const PAGES = ["admin", "account"] as const;

let folder: string;

const read = (page: string, file: string) => readFileSync(path.join(folder, page, file), "utf8");

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "access-forge-pages-"));
  writeFileSync(path.join(folder, "of-an-older-build.js"), "");
  await buildPages({ appUrl: APP_URL, folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the pages' build for Forge", () => {
  it("makes the folders that the manifest names, and leaves nothing of an older build", async () => {
    const { content } = await lintManifest(MANIFEST);
    const { modules, resources } = parseManifest(content);
    expect(resources.map(({ path: resource }) => resource).sort()).toEqual(
      readdirSync(folder).map((page) => `static/${page}`),
    );
    for (const [, { key, resource }] of listPages(modules)) {
      expect([key, resource]).toEqual([key, key.endsWith("-account") ? "account" : "admin"]);
    }
  });

  it.each(PAGES)("gives %s a shell without scripts, styles and addresses of its own", (page) => {
    const shell = read(page, "index.html");
    expect(shell).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)[^>]*>|<base/i);
    const addresses = [...shell.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, address = ""]) => address);
    expect(addresses.map((address) => address.replace("./", "")).sort()).toEqual(
      readdirSync(path.join(folder, page)).filter((file) => file !== "index.html"),
    );
    expect(addresses.every((address) => address.startsWith("./"))).toBe(true);
    expect(shell).toContain(`data-app-url="${APP_URL.href}"`);
  });

  it.each(PAGES)("bundles all that %s runs, and only for Forge", (page) => {
    const script = read(page, "page.js");
    expect(script).not.toMatch(/\b(?:import|export)\s*[({*"']/);
    expect(script).not.toMatch(/\bimport\(/);
    // A page in Forge may not make code from text.
    expect(script).not.toMatch(/\beval\(|new Function\b/);
    expect(script).toContain("__bridge");
    expect(script).not.toMatch(/window\.AP\b|getToken\(/);
    expect(script).not.toContain("Lit is in dev mode");
    // Its licence asks to be named.
    expect(script).toContain("SPDX-License-Identifier: BSD-3-Clause");
  });

  it.each(PAGES)("takes the styles of %s as they are", (page) => {
    const styles = [read(page, "style.css"), read(page, "page.css")];
    expect(styles).toEqual([
      readFileSync("public/style.css", "utf8"),
      readFileSync(`public/${page}.css`, "utf8"),
    ]);
    expect(styles.join("")).not.toMatch(/url\(|@import/);
  });
});

describe("the app's address in the pages", () => {
  it.each([
    [{ APP_ORIGIN: "https://access.example.com" }, "https://access.example.com/"],
    [{ APP_ORIGIN: "https://access.example.com", BASE_PATH: "" }, "https://access.example.com/"],
    [
      { APP_ORIGIN: "https://access.example.com:8443", BASE_PATH: "/tools/a-1" },
      "https://access.example.com:8443/tools/a-1/",
    ],
  ])("is what the manifest is filled in with: %j", (environment, url) => {
    expect(readAppUrl(environment).href).toBe(url);
  });

  it.each([
    {},
    { APP_ORIGIN: "access.example.com" },
    { APP_ORIGIN: "http://access.example.com" },
    { APP_ORIGIN: "https://access.example.com/" },
    { APP_ORIGIN: "https://access.example.com/tools" },
    { APP_ORIGIN: "https://ada@access.example.com" },
    { APP_ORIGIN: "https://access.example.com", BASE_PATH: "tools" },
    { APP_ORIGIN: "https://access.example.com", BASE_PATH: "/tools/" },
    { APP_ORIGIN: "https://access.example.com", BASE_PATH: '/"><script>' },
  ])("is refused, saying what it must be: %j", (environment) => {
    expect(() => readAppUrl(environment)).toThrow(/^(?:APP_ORIGIN|BASE_PATH) must be/);
  });
});
