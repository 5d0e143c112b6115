import { createHash } from "node:crypto";
import { parse } from "node:querystring";

import * as atlassianJwt from "atlassian-jwt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { sha256Hex } from "../identifiers.js";
import { createCanonicalRequest, hashCanonicalRequest, isHashOfRequest } from "./canonical-request.js";
import {
  anyChange,
  anyQuery,
  applyChange,
  describeCanonicalRequest,
  describeQsh,
  meaningOf,
  parametersOf,
} from "./request-meaning.fixture.js";

describe("createCanonicalRequest", () => {
  it.each([
    ["/base/config/?jwt=x&b=2&a=1&A=3", "/config&A=3&a=1&b=2"],
    ["/base", "/&"],
    ["/base/", "/&"],
    ["/base?a=1", "/&a=1"],
    ["/base/x?q=a+b", "/x&q=a%20b"],
    ["/base/x?q=a%20b", "/x&q=a%20b"],
    ["/base/x?q=a%2Bb", "/x&q=a%2Bb"],
    ["/base/x?rep=b&rep=a&rep=c%2Cd", "/x&rep=a,b,c%2Cd"],
    ["/base/x?empty=&flag", "/x&empty=&flag="],
    ["/base/x?=nameless", "/x&=nameless"],
    ["/base/x?", "/x&"],
    ["/base/x?&&a=1&", "/x&a=1"],
    ["/base/x%2Fy", "/x%2Fy&"],
    ["/base/a&b", "/a%26b&"],
    ["/base/x?c=*!'()~", "/x&c=%2A%21%27%28%29~"],
    ["/base/x?a[b]=1&a[]=2", "/x&a%5B%5D=2&a%5Bb%5D=1"],
    ["/base/x?t=%C3%A9", "/x&t=%C3%A9"],
    ["/base/x?a=1?b=2", "/x&a=1%3Fb%3D2"],
    ["/base/x?jwt=one&jwt=two&JWT=kept", "/x&JWT=kept"],
    ["/base/x?constructor=1&toString=2", "/x&constructor=1&toString=2"],
  ])("reads %s as %s", (target, canonical) => {
    expect(createCanonicalRequest({ method: "get", target, basePath: "/base" })).toBe(`GET&${canonical}`);
    expect(hashCanonicalRequest({ method: "GET", target, basePath: "/base" })).toBe(
      createHash("sha256").update(`GET&${canonical}`).digest("hex"),
    );
  });

  it("strips the base path only as whole segments", () => {
    expect(createCanonicalRequest({ method: "GET", target: "/basement", basePath: "/base" })).toBe(
      "GET&/basement&",
    );
    expect(createCanonicalRequest({ method: "GET", target: "/base/x", basePath: "" })).toBe("GET&/base/x&");
  });

  it("signs __proto__ like any other parameter", () => {
    expect(createCanonicalRequest({ method: "GET", target: "/x?__proto__=1&a=2", basePath: "" })).toBe(
      "GET&/x&__proto__=1&a=2",
    );
  });

  it("signs every one of thousands of parameters", () => {
    const query = Array.from({ length: 5000 }, (_, index) => `p${index}=v`);
    const whole = createCanonicalRequest({ method: "GET", target: `/x?${query.join("&")}`, basePath: "" });
    expect(whole.split("&")).toHaveLength(5002);
  });

  it.each([
    ["/x?a0=1&a[b]=2", "a%5Bb%5D=2&a0=1", "a0=1&a%5Bb%5D=2"],
    ["/x?a.b=1&a:b=2", "a%3Ab=2&a.b=1", "a.b=1&a%3Ab=2"],
    ["/x?z=1&%C3%A9=2", "%C3%A9=2&z=1", "z=1&%C3%A9=2"],
  ])(
    "sorts %s as the products do, and takes the order of Atlassian's library too",
    (target, encoded, decoded) => {
      const request = { method: "GET", target, basePath: "" };
      expect(createCanonicalRequest(request)).toBe(`GET&/x&${encoded}`);
      expect(createCanonicalRequest(request, "decoded")).toBe(`GET&/x&${decoded}`);
      for (const query of [encoded, decoded]) {
        expect(isHashOfRequest(sha256Hex(`GET&/x&${query}`), request)).toBe(true);
      }
      expect(isHashOfRequest(sha256Hex(`GET&/x&${decoded}&`), request)).toBe(false);
    },
  );

  it("agrees with Atlassian's description on any path and query", () => {
    fc.assert(
      fc.property(anyBasePath, anyPath, anyQuery, (basePath, path, query) => {
        const target = `${basePath}${path}?${query}`;
        expect(createCanonicalRequest({ method: "GET", target, basePath })).toBe(
          describeCanonicalRequest("GET", target, basePath),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("agrees with Atlassian's library on any query, but for __proto__, which that leaves unsigned", () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        fc.pre(!parametersOf(`/x?${query}`).some(([name]) => name === "__proto__"));
        expect(
          createCanonicalRequest({ method: "GET", target: `/x?${query}`, basePath: "" }, "decoded"),
        ).toBe(canonicalOfAtlassian("/x", query));
      }),
      { numRuns: 500 },
    );
    expect(canonicalOfAtlassian("/x", "__proto__=1&a=2")).toBe("GET&/x&a=2");
  });

  it("agrees with Atlassian's library on any names and values", () => {
    const text = fc.string({ unit: "binary", maxLength: 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (parameters) => {
        fc.pre(!parameters.some(([name]) => name === "__proto__"));
        const query = new URLSearchParams(parameters).toString();
        expect(
          createCanonicalRequest({ method: "GET", target: `/x?${query}`, basePath: "" }, "decoded"),
        ).toBe(canonicalOfAtlassian("/x", query));
      }),
      { numRuns: 300 },
    );
  });

  it("agrees with Atlassian's library on any path under the base path", () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const target = `/base${path}`;
        expect(createCanonicalRequest({ method: "POST", target, basePath: "/base" })).toBe(
          canonicalOfAtlassian(target, "", "POST", "https://app.example.com/base"),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe("the qsh of a request", () => {
  it("is that of another one just when the two mean the same, which one changed character seldom leaves", () => {
    fc.assert(
      fc.property(anyBasePath, anyPath, anyQuery, anyChange, (basePath, path, query, change) => {
        const target = `${basePath}${path}?${query}`;
        const changed = applyChange(target, change);
        fc.pre(changed.startsWith("/"));
        const qsh = describeQsh("GET", target, basePath);
        expect(isHashOfRequest(qsh, { method: "GET", target, basePath })).toBe(true);
        expect(isHashOfRequest(qsh, { method: "GET", target: changed, basePath })).toBe(
          meaningOf(changed, basePath) === meaningOf(target, basePath),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(["POST", "HEAD", "GETT", "GE", "G"])("for GET isn't that for %s", (method) => {
    const request = { target: "/x?a=1", basePath: "" };
    expect(isHashOfRequest(hashCanonicalRequest({ ...request, method: "GET" }), { ...request, method })).toBe(
      false,
    );
  });
});

const anyBasePath = fc.constantFrom("", "/base", "/some/path");
const anyPath = fc
  .array(
    fc.constantFrom("/", "/", "a", "b", "&", ".", "~", ":", ";", "%", "base", "/base", "%2F", "%26", "%25"),
    { maxLength: 12 },
  )
  .map((pieces) => `/${pieces.join("")}`);

function canonicalOfAtlassian(pathname: string, query: string, method = "GET", baseUrl = ""): string {
  return atlassianJwt.createCanonicalRequest(
    {
      method,
      pathname,
      query: parse(query, "&", "=", { maxKeys: 0 }),
    },
    false,
    baseUrl,
  );
}
