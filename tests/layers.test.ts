import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const DEPCRUISE = path.join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");

/** A tree of its own in which every forbidden import is planted, one per file. */
const PLANTED: readonly { readonly file: string; readonly text: string; readonly rule: string }[] = [
  { file: "src/links/a.ts", text: 'import "../storage/target.js";', rule: "core-knows-only-itself" },
  { file: "src/links/b.ts", text: 'await import("../access/target.js");', rule: "core-knows-only-itself" },
  { file: "src/links/c.ts", text: 'export * from "../web/target.js";', rule: "core-knows-only-itself" },
  {
    file: "src/tenants/a.ts",
    text: 'import type { T } from "../connect/target.js"; export type U = T;',
    rule: "core-knows-only-itself",
  },
  { file: "src/services/a.ts", text: 'import "express";', rule: "core-uses-no-library-of-the-edges" },
  { file: "src/audit/a.ts", text: 'await import("jose");', rule: "core-uses-no-library-of-the-edges" },
  { file: "src/access/a.ts", text: 'import "../connect/target.js";', rule: "worlds-do-not-know-each-other" },
  {
    file: "src/storage/a.ts",
    text: 'await import("../access/target.js");',
    rule: "worlds-do-not-know-each-other",
  },
  {
    file: "src/connect/a.ts",
    text: 'import "../web/target.js";',
    rule: "worlds-import-core-types-and-kernel-only",
  },
  {
    file: "src/web/a.ts",
    text: 'import "../storage/target.js";',
    rule: "entrances-reach-worlds-only-through-the-context",
  },
  {
    file: "src/web/b.ts",
    text: 'await import("../context.js");',
    rule: "entrances-reach-worlds-only-through-the-context",
  },
  { file: "src/web/c.ts", text: 'import "jose";', rule: "jose-only-in-its-folder" },
  { file: "src/assertions/a.ts", text: 'import "../signing/target.js";', rule: "core-knows-only-itself" },
  { file: "src/assertions/b.ts", text: 'import "jose";', rule: "core-uses-no-library-of-the-edges" },
  { file: "src/signing/a.ts", text: 'import "../storage/target.js";', rule: "worlds-do-not-know-each-other" },
  { file: "src/signing/b.ts", text: 'import "undici";', rule: "undici-only-in-its-folder" },
  { file: "src/storage/b.ts", text: 'import "jose";', rule: "jose-only-in-its-folder" },
  {
    file: "src/web/g.ts",
    text: 'import "../signing/target.js";',
    rule: "entrances-reach-worlds-only-through-the-context",
  },
  { file: "src/forge/a.ts", text: 'import "../connect/target.js";', rule: "worlds-do-not-know-each-other" },
  {
    file: "src/remote-keys/a.ts",
    text: 'import "../access/target.js";',
    rule: "remote-keys-import-the-kernel-only",
  },
  {
    file: "src/web/h.ts",
    text: 'import "../remote-keys/target.js";',
    rule: "entrances-reach-worlds-only-through-the-context",
  },
  { file: "src/web/d.ts", text: 'import "sequelize";', rule: "sequelize-and-sqlite-only-in-its-folder" },
  { file: "src/access/b.ts", text: 'import "express";', rule: "express-only-in-its-folder" },
  { file: "src/errors.ts", text: 'import "./links/target.js";', rule: "kernel-imports-nothing-of-the-parts" },
  { file: "src/config/a.ts", text: 'import "../links/target.js";', rule: "config-stands-alone" },
  { file: "src/web/e.ts", text: 'import "../../sandbox/target.js";', rule: "nothing-imports-the-sandbox" },
  { file: "src/web/f.ts", text: 'import "./nowhere.js";', rule: "no-unresolvable" },
  { file: "src/links/d.ts", text: 'import "./e.js";', rule: "no-cycles" },
  {
    file: "public/account/account-page.js",
    text: 'import "../connect-host.js";',
    rule: "pages-do-not-know-their-host",
  },
  {
    file: "public/parts.js",
    text: 'import "../src/web/target.js";',
    rule: "pages-share-only-types-with-the-app",
  },
  { file: "public/page.js", text: 'import "lit-html";', rule: "pages-share-only-types-with-the-app" },
  {
    file: "public/account.js",
    text: 'import "../forge/pages/target.js";',
    rule: "nothing-of-the-app-imports-forge",
  },
  { file: "forge/pages/a.js", text: 'import "../../src/web/target.js";', rule: "forge-shows-the-pages" },
  { file: "forge/pages/b.js", text: 'import "../../public/connect-host.js";', rule: "forge-shows-the-pages" },
  { file: "forge/pages/c.js", text: 'import "@forge/bridge";', rule: "bridge-only-in-its-host" },
  {
    file: "src/web/i.ts",
    text: 'import "../../forge/pages/target.js";',
    rule: "nothing-of-the-app-imports-forge",
  },
  { file: "examples/a.js", text: 'import "../src/web/target.js";', rule: "examples-stand-alone" },
];

const TARGETS = [
  "src/storage",
  "src/access",
  "src/connect",
  "src/signing",
  "src/remote-keys",
  "src/web",
  "src/links",
  "sandbox",
];

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

describe("the lint of the layers", () => {
  let folder: string;
  let violations: readonly Violation[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "access-layers-"));
    for (const name of [".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) {
      copyFileSync(path.join(ROOT, name), path.join(folder, name));
    }
    symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    const files = [
      ...TARGETS.map((target) => ({ file: `${target}/target.ts`, text: "export type T = 1;" })),
      { file: "src/context.ts", text: "" },
      { file: "public/connect-host.js", text: "" },
      { file: "forge/pages/target.js", text: "" },
      { file: "src/links/e.ts", text: 'import "./d.js";' },
      ...PLANTED,
    ];
    for (const { file, text } of files) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), `${text}\nexport {};\n`);
    }
    violations = await cruise(folder);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PLANTED)("finds $text in $file", ({ file, rule }) => {
    expect(violations.filter(({ from }) => from === file).map((violation) => violation.rule.name)).toContain(
      rule,
    );
  });
});

async function cruise(folder: string): Promise<readonly Violation[]> {
  const json = ["--config", ".dependency-cruiser.cjs", "--output-type", "json"];
  const args = [DEPCRUISE, ...json, "src", "public", "forge", "examples"];
  // It exits with the number of violations; what it found stands on its standard output.
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: unknown) => error as { stdout: string });
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}
