import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

import { NOT_PLAYED } from "../sandbox/refusal-scenes.js";
import { PROBLEMS } from "../src/errors.js";
import { findMissingTitle } from "./test-titles.fixture.js";

const WITH_TESTS = ["docs/security-rules.md", "docs/THREATS.md"];

interface Reference {
  readonly file: string;
  readonly titles: readonly string[];
}

/** `tests/file.test.ts` › "title", "another": a file, and what it has of tests, describes and rows of tables. */
function findReferences(markdown: string): Reference[] {
  const pattern = /`(?<file>(?:src|tests|sandbox|public)\/[\w./-]+)`(?<titles>(?:\s*[›,]\s*"[^"]+")*)/gu;
  return [...markdown.matchAll(pattern)].map(({ groups }) => ({
    file: groups?.["file"] ?? "",
    titles: [...(groups?.["titles"] ?? "").matchAll(/"([^"]+)"/g)].map(([, title = ""]) =>
      title.replace(/\s+/g, " "),
    ),
  }));
}

function findMissing({ file, titles }: Reference): string[] {
  if (!existsSync(file)) return [file];
  return titles.map((title) => findMissingTitle(file, title)).filter((missing) => missing !== null);
}

describe("the docs refer only to what is there", () => {
  it.each(WITH_TESTS)("tests, by their titles: %s", (doc) => {
    const references = findReferences(readFileSync(doc, "utf8"));
    expect(references.length).toBeGreaterThan(0);
    expect(references.flatMap(findMissing)).toEqual([]);
  });

  it("each other, by files that exist", () => {
    const inDocs = readdirSync("docs", { recursive: true, encoding: "utf8" });
    const docs = [...readdirSync("."), ...inDocs.map((name) => `docs/${name}`)].filter((name) =>
      name.endsWith(".md"),
    );
    expect(docs.length).toBeGreaterThan(5);
    const broken = docs.flatMap((doc) => {
      const targets = [...readFileSync(doc, "utf8").matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)];
      return targets
        .map(([, target = ""]) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(path.join(path.dirname(doc), target)))
        .map((target) => `${doc}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});

it("docs/api.md says what a service does about each refusal that it can meet", () => {
  const refusals = readFileSync("docs/api.md", "utf8").split(/^## /m)[2] ?? "";
  // A page meets the one, and says itself what it does then.
  const met = Object.keys(PROBLEMS).filter((code) => !(code in NOT_PLAYED) && code !== "consent_changed");
  expect(met.length).toBeGreaterThan(20);
  expect(met.filter((code) => !new RegExp(`\\b${code}\\b`).test(refusals))).toEqual([]);
});

it("each security rule names the tests that try it", () => {
  const rules = readFileSync("docs/security-rules.md", "utf8")
    .split(/^(?=\d+\. )/m)
    .slice(1);
  const withTests = rules.filter((rule) => findReferences(rule).length > 0).map((rule) => parseInt(rule, 10));
  expect(withTests).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
});
