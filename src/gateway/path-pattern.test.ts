import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { settingsDocument } from "../services/settings-document.js";
import { findMatchingPattern } from "./path-pattern.js";

const matches = (pattern: string, path: string) =>
  findMatchingPattern([{ methods: ["GET"], path: pattern }], "GET", path) !== null;

describe("a path pattern", () => {
  it.each([
    ["/", "/"],
    ["/rest/api/3/myself", "/rest/api/3/myself"],
    ["/rest/api/3/issue/*", "/rest/api/3/issue/SAND-1"],
    ["/rest/api/3/issue/*", "/rest/api/3/issue/*"],
    ["/rest/api/3/issue/*", "/rest/api/3/issue/a%20b"],
    ["/rest/api/3/issue/*/comment", "/rest/api/3/issue/SAND-1/comment"],
    ["/rest/*/3/*", "/rest/api/3/x"],
    ["/rest/**", "/rest/api"],
    ["/rest/**", "/rest/api/3/issue/SAND-1/comment"],
    ["/rest/*/**", "/rest/api/3"],
    ["/**", "/x"],
  ])("%s fits %s", (pattern, path) => {
    expect(matches(pattern, path)).toBe(true);
  });

  it.each([
    ["/", "/rest"],
    ["/", "//"],
    ["/**", "/"],
    ["/*", "/"],
    ["/rest", "/Rest"],
    ["/rest", "/rest/"],
    ["/rest", "/re%73t"],
    ["/rest", "/rest2"],
    ["/rest/api", "/rest"],
    ["/rest/api/3/issue/*", "/rest/api/3/issue"],
    ["/rest/api/3/issue/*", "/rest/api/3/issue/"],
    ["/rest/api/3/issue/*", "/rest/api/3/issue/SAND-1/comment"],
    ["/rest/api/3/issue/*", "/rest/api/3/issue/SAND-1/"],
    ["/rest/api/3/issue/*/comment", "/rest/api/3/issue//comment"],
    ["/rest/**", "/rest"],
    ["/rest/**", "/rest/"],
    ["/rest/**", "/rest/api/"],
    ["/rest/**", "/restless/api"],
    ["/rest/*/**", "/rest/api"],
    ["/rest/a.c", "/rest/abc"],
  ])("%s doesn't fit %s", (pattern, path) => {
    expect(matches(pattern, path)).toBe(false);
  });

  it("counts for the methods that it names, as they are written", () => {
    const patterns = [{ methods: ["GET", "POST"], path: "/**" }];
    for (const method of ["GET", "POST"]) expect(findMatchingPattern(patterns, method, "/x")).not.toBeNull();
    for (const method of ["HEAD", "get", "PUT", "OPTIONS", ""]) {
      expect(findMatchingPattern(patterns, method, "/x")).toBeNull();
    }
  });

  it("is named when it is the first of several that fit, and nothing fits where there is none", () => {
    const patterns = ["/a/b", "/a/*", "/**"].map((path) => ({ methods: ["GET"], path }));
    expect(findMatchingPattern(patterns, "GET", "/a/c")).toBe(patterns[1]);
    expect(findMatchingPattern([], "GET", "/a/c")).toBeNull();
  });
});

describe("every pattern that settings accept", () => {
  const literal = fc.string({
    unit: fc.constantFrom(...Array.from("abcABC123-_.:~+")),
    minLength: 1,
    maxLength: 4,
  });
  const segment = literal.filter((text) => text !== "." && text !== "..");
  const wanted = fc.array(fc.oneof(segment, fc.constant("*")), { minLength: 1, maxLength: 4 });

  const accepted = (path: string) =>
    settingsDocument.shape.services.element.safeParse({
      label: "A tool",
      audience: "0".repeat(64),
      purposes: ["identify"],
      limits: { requests: [{ methods: ["GET"], path }] },
    }).success;

  it("fits the paths that are made from it, and none with a segment more, less or changed", () => {
    fc.assert(
      fc.property(wanted, segment, fc.nat(), (parts, filling, at) => {
        const pattern = `/${parts.join("/")}`;
        expect(accepted(pattern)).toBe(true);
        const filled = parts.map((part) => (part === "*" ? filling : part));
        expect(matches(pattern, `/${filled.join("/")}`)).toBe(true);
        expect(matches(pattern, `/${[...filled, filling].join("/")}`)).toBe(false);
        expect(matches(pattern, `/${filled.slice(1).join("/")}`)).toBe(false);
        const index = at % parts.length;
        const changed = filled.with(index, `${filled[index] ?? ""}!`);
        expect(matches(pattern, `/${changed.join("/")}`)).toBe(parts[index] === "*");
      }),
    );
  });

  it("with ** at its end fits whatever is below, however deep", () => {
    fc.assert(
      fc.property(wanted, fc.array(segment, { maxLength: 5 }), segment, (parts, below, filling) => {
        const pattern = `/${parts.join("/")}/**`;
        expect(accepted(pattern)).toBe(true);
        const filled = parts.map((part) => (part === "*" ? filling : part));
        expect(matches(pattern, `/${[...filled, ...below].join("/")}`)).toBe(below.length > 0);
      }),
    );
  });
});
