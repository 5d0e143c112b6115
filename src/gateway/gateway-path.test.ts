import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Product } from "../tenants/tenant.js";
import { findTargetRefusal } from "./gateway-path.js";
import { formatTarget } from "./gateway-target.js";

const BASE_URLS = { jira: "https://acme.atlassian.net", confluence: "https://acme.atlassian.net/wiki" };
const PRODUCTS = ["jira", "confluence"] as const;

const refusalOf = (path: string, query: string | null = null, product: Product = "jira") =>
  findTargetRefusal({ product, path, query });

describe("a path", () => {
  it.each([
    "/",
    "/rest/api/3/issue/SAND-1",
    "/rest/api/3/user/assignable/multiProjectSearch",
    "/rest/api/3/issue/SAND-1/",
    "/rest/api/3/project/712020:1f0c-4e/~me/a,b(c)='d'!$&*+@e",
    "/rest/api/3/issue/SAND-1/properties/a%20key%5Bof%5D%23mine%3F",
    "/rest/api/3/issue/%C3%BC%F0%9F%90%9F",
    "/rest/.../..a/a..",
    "/rest/wiki/gateway",
    "/wikis",
  ])("passes as it is: %s", (path) => {
    expect(refusalOf(path)).toBeNull();
  });

  const ATTACKS: readonly (readonly [attack: string, path: string])[] = [
    ["nothing", ""],
    ["no slash in front", "rest/api/3/myself"],
    ["another host", "https://evil.example/"],
    ["a host after the slashes", "//evil.example/rest"],
    ["a host glued to ours", "@evil.example/"],
    ["a port glued to ours", ":8080/"],
    ["an empty segment", "/rest//api"],
    ["empty segments at the end", "/rest/api//"],
    ["climbing", "/rest/../secure"],
    ["climbing at the end", "/rest/.."],
    ["climbing at the start", "/../wiki"],
    ["standing still", "/rest/./api"],
    ["climbing, encoded", "/rest/%2e%2e/secure"],
    ["climbing, in upper case", "/rest/%2E%2E/secure"],
    ["climbing, half encoded", "/rest/.%2e/secure"],
    ["climbing, encoded twice", "/rest/%252e%252e/secure"],
    ["climbing past a parameter", "/rest/..;/secure"],
    ["climbing past an encoded parameter", "/rest/..%3b/secure"],
    ["a path parameter", "/rest;jsessionid=1/api"],
    ["a backslash", "/rest\\api"],
    ["an encoded backslash", "/rest%5capi"],
    ["an encoded slash", "/rest%2fapi"],
    ["an encoded slash in upper case", "/rest%2Fapi"],
    ["an encoded slash, encoded again", "/rest%252Fapi"],
    ["an encoded percent sign", "/rest/100%25"],
    ["a dot that needs no encoding", "/rest/a%2ejson"],
    ["a fragment", "/rest#/api"],
    ["a query in the path", "/rest?a=1"],
    ["a space", "/rest /api"],
    ["a line break", "/rest\r\nHost: evil.example"],
    ["an encoded line break", "/rest%0d%0aX: 1"],
    ["a NUL", "/rest\0"],
    ["an encoded NUL", "/rest%00"],
    ["an encoded DEL", "/rest%7f"],
    ["an encoded C1 control", "/rest%c2%85"],
    ["raw characters beyond ASCII", "/rest/ü"],
    ["a fullwidth dot", "/rest/．．/secure"],
    ["a damaged escape", "/rest/%zz"],
    ["a damaged escape at the end", "/rest/%2"],
    ["a lone percent sign", "/rest/%"],
    ["an escape of another kind", "/rest/%u002e%u002e"],
    ["an overlong slash", "/rest%c0%af.."],
    ["an overlong dot", "/rest/%c0%ae%c0%ae"],
    ["an overlong slash of three bytes", "/rest%e0%80%af"],
    ["Latin-1 bytes", "/rest/%fc"],
    ["half of a surrogate pair", "/rest/%ed%a0%80"],
    ["a cut sequence", "/rest/%e2%82"],
    ["brackets that nobody encoded", "/rest/[a]"],
    ["a caret, which URL parsers disagree about", "/rest/a^b"],
    ["quotes and angles", '/rest/"<a>"'],
  ];
  it.each(ATTACKS)("is refused with %s", (_attack, path) => {
    for (const product of PRODUCTS) expect(refusalOf(path, null, product)).toMatch(/^The path.* .*\.$/);
  });

  it.each([
    "/wiki",
    "/wiki/",
    "/wiki/rest/api/user",
    "/WIKI/rest",
    "/%77iki/rest",
    "/wik%49",
    "/gateway/api/graphql",
  ])("to another product on Jira's host is refused: %s", (path) => {
    expect(refusalOf(path)).toBe("This path doesn't belong to Jira.");
    expect(refusalOf(path, null, "confluence")).toBeNull();
  });
});

describe("a query", () => {
  it.each([
    "",
    "jql=assignee%20%3D%20currentUser()&fields=summary,status",
    "a=1&a=2&b&=c&&",
    "a=%zz&b=%2e%2e%2f&c=100%",
    "q=jwt&author=os_username",
    "ajwt=1&jwts=1&cos_x=1&my_access_token=1",
    "u=\"'<>`{}|\\^",
  ])("passes as it is: %s", (query) => {
    expect(refusalOf("/rest", query)).toBeNull();
  });

  it.each([
    "jwt=x",
    "a=1&jwt=x",
    "JWT=x",
    "%6awt=x",
    "%4A%57%54=x",
    "jwt",
    "+jwt=x",
    "jwt%20=x",
    "a=1;jwt=x",
    "acpt=x",
    "access_token=x",
    "Access%5FToken=x",
    "oauth_token=x",
    "os_username=a&os_password=b",
    "OS_authType=basic",
    "os%5fpassword=b",
    "os_=1",
    "os_%0Apassword=1",
    "o%73_cookie=1",
    "jwt%00=x",
    "jwt%00.png=x",
    "jwt[]=x",
    "jwt%5B0%5D=x",
    "os_username[]=x",
  ])("that carries credentials is refused: %s", (query) => {
    expect(refusalOf("/rest", query)).toContain("credentials");
  });

  it.each(["a=b#c", "a=b c", "a=ü", "a=\r\nX: 1", "a=\u007f", "%zz=1", "%c0%af=1", "%"])(
    "that can't be read one way only is refused: %s",
    (query) => {
      expect(refusalOf("/rest", query)).toMatch(/^The (?:query has a character|name of a query parameter)/);
    },
  );
});

describe("whatever is accepted", () => {
  const character = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Array.from("abzAZ09-._~!$&'()*+,=:@")) },
    {
      weight: 2,
      arbitrary: fc.constantFrom("/", ".", "..", "//", "/./", "wiki", "\\", ";", "#", "?", "^", "[", "|"),
    },
    {
      weight: 2,
      arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, "0")}`),
    },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 1 }).map(encodeURIComponent) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 1 }) },
  );
  const text = fc.array(character, { maxLength: 12 }).map((parts) => parts.join(""));
  const target = fc.record({
    product: fc.constantFrom(...PRODUCTS),
    path: text.map((rest) => `/${rest}`),
    query: fc.option(text),
  });

  it("is read by every URL parser as it was written, on the same host and below the product's base", () => {
    let acceptedCount = 0;
    fc.assert(
      fc.property(target, (given) => {
        if (findTargetRefusal(given) !== null) return;
        acceptedCount += 1;
        const base = new URL(BASE_URLS[given.product]);
        const url = new URL(`${BASE_URLS[given.product]}${given.path}`);
        expect(url.origin).toBe(base.origin);
        expect(url.pathname).toBe(`${base.pathname.replace(/\/$/, "")}${given.path}`);
        expect([url.search, url.hash, url.username]).toEqual(["", "", ""]);
        expect(formatTarget(given).startsWith(given.path)).toBe(true);
      }),
      { numRuns: 5000 },
    );
    expect(acceptedCount).toBeGreaterThan(500);
  });

  it("has segments that hold nothing with a meaning in paths, decoded once or twice", () => {
    fc.assert(
      fc.property(target, (given) => {
        if (findTargetRefusal(given) !== null) return;
        for (const segment of given.path.slice(1).split("/")) {
          const once = decodeURIComponent(segment);
          expect(once).not.toMatch(/[/\\;%\p{Cc}]/u);
          expect(decodeURIComponent(once)).toBe(once);
          expect(["..", "."]).not.toContain(once);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
