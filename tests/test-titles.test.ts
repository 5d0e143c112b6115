import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findMissingTitle } from "./test-titles.fixture.js";

const SOURCE = `
// it("only a comment", () => {});
const said = "only a text";
const listed = ["only a list"];
describe("a group", () => {
  it("a test", () => expect("only an argument").toBe(said));
  it.each([["a row", "only a second cell"]])("a test of rows: %s", () => {});
  it.each(["a bare row"])("another", () => {});
  describe.each(ROWS)(\`a group of \${n} rows\`, () => {});
});
const ROWS = [["a row elsewhere", 1]];
const NAMED = { "a named row": { isGood: true } };
const NAMES = [{ name: "a row's name" }];
describeRules(ROWS, "a helper's test", [["a helper's row"]]);
it.skip("a test that is skipped", () => {});
describe.skip("a group that is skipped", () => {
  it("a test in a group that is skipped", () => {});
});
it.todo("a test to come");
`;

describe("a title that somebody refers to", () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "test-titles-"));
    file = path.join(folder, "some.test.ts");
    writeFileSync(file, SOURCE);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    "a group",
    "a test",
    "a row",
    "a test of rows: %s",
    "a bare row",
    "a group of ${n} rows",
    "a row elsewhere",
    "a named row",
    "a row's name",
    "a helper's test",
    "a helper's row",
  ])("is there: %s", (title) => {
    expect(findMissingTitle(file, title)).toBeNull();
  });

  it.each([
    "a tes",
    "only a comment",
    "only a text",
    "only a list",
    "only an argument",
    "only a second cell",
    "a test that is skipped",
    "a group that is skipped",
    "a test in a group that is skipped",
    "a test to come",
  ])("is missing: %s", (title) => {
    expect(findMissingTitle(file, title)).toBe(`${file} › ${title}`);
  });

  it("is missing where there is no such file", () => {
    const gone = path.join(folder, "gone.test.ts");
    expect(findMissingTitle(gone, "a test")).toBe(gone);
  });
});
