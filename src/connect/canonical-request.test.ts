import { createHash } from "node:crypto";
import { parse } from "node:querystring";

import * as atlassianJwt from "atlassian-jwt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createCanonicalRequest, hashCanonicalRequest } from "./canonical-request.js";

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

  it.each(["%", "%z", "%zz", "%ff", "%e2%82", "%ED%A0%80", "a=%&%=b"])(
    "takes the malformed escape %s as Express does, without failing",
    (query) => {
      expect(createCanonicalRequest({ method: "GET", target: `/x?${query}`, basePath: "" })).toBe(
        canonicalOfAtlassian("/x", query),
      );
    },
  );

  it("agrees with atlassian-jwt on any query", () => {
    const piece = fc.constantFrom(..."abAB01=&&==%+%2B%26%20[]()*!'~?/#,;:@\u00e9".split(""), "jwt", "rep=");
    const query = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(query, (text) => {
        expect(createCanonicalRequest({ method: "GET", target: `/x?${text}`, basePath: "" })).toBe(
          canonicalOfAtlassian("/x", text),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with atlassian-jwt on any names and values", () => {
    const text = fc.string({ unit: "binary", maxLength: 8 });
    const pairs = fc.array(fc.tuple(text, text), { maxLength: 8 });
    fc.assert(
      fc.property(pairs, (parameters) => {
        fc.pre(!parameters.some(([name]) => name === "__proto__"));
        const query = new URLSearchParams(parameters).toString();
        expect(createCanonicalRequest({ method: "GET", target: `/x?${query}`, basePath: "" })).toBe(
          canonicalOfAtlassian("/x", query),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("agrees with atlassian-jwt on any path under the base path", () => {
    const path = fc
      .array(fc.constantFrom("/", "a", "base", "%2F", "&", ".", "~", ":", ";"), { maxLength: 12 })
      .map((pieces) => `/base/${pieces.join("")}`);
    fc.assert(
      fc.property(path, (text) => {
        expect(createCanonicalRequest({ method: "POST", target: text, basePath: "/base" })).toBe(
          canonicalOfAtlassian(text, "", "POST", "https://app.example.com/base"),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("is changed by anything appended to the query", () => {
    const name = fc.oneof(fc.constantFrom("__proto__", "constructor", "a", "A"), fc.stringMatching(/^\w+$/));
    fc.assert(
      fc.property(name, fc.stringMatching(/^\w*$/), (parameter, value) => {
        fc.pre(parameter !== "jwt");
        const target = "/admin?a=1&xdm_e=https%3A%2F%2Facme.atlassian.net";
        expect(hashCanonicalRequest({ method: "GET", target, basePath: "" })).not.toBe(
          hashCanonicalRequest({ method: "GET", target: `${target}&${parameter}=${value}`, basePath: "" }),
        );
      }),
      { numRuns: 200 },
    );
  });
});

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
