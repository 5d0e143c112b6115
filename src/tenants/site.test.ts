import { describe, expect, it } from "vitest";

import { createProductUrl, parseHostBaseUrl, parseSite } from "./site.js";

const production = { patterns: ["*.atlassian.net", "*.jira.com"], allowsLoopback: false };
const development = { ...production, allowsLoopback: true };

describe("parseHostBaseUrl", () => {
  it.each([
    ["jira", "https://acme.atlassian.net", "acme.atlassian.net", "https://acme.atlassian.net"],
    ["jira", "https://ACME.atlassian.net/", "acme.atlassian.net", "https://acme.atlassian.net"],
    [
      "confluence",
      "https://acme.atlassian.net/wiki",
      "acme.atlassian.net",
      "https://acme.atlassian.net/wiki",
    ],
    ["jira", "https://acme.jira.com", "acme.jira.com", "https://acme.jira.com"],
  ] as const)("takes %s at %j", (product, text, site, baseUrl) => {
    expect(parseHostBaseUrl(text, product, production)).toEqual({ site, baseUrl });
  });

  it.each([
    ["jira", "http://localhost:4000"],
    ["jira", "http://127.0.0.1:4000"],
    ["jira", "http://[::1]:4000"],
    ["confluence", "https://localhost:4000/wiki"],
    ["confluence", "http://localhost:4000"],
  ] as const)("takes %s at %j in development only", (product, text) => {
    expect(parseHostBaseUrl(text, product, development)).not.toBeNull();
    expect(parseHostBaseUrl(text, product, production)).toBeNull();
  });

  // Else Confluence could vouch for an installation that calls itself Jira, and its admin become anybody there.
  it.each([
    ["jira", "https://acme.atlassian.net/wiki"],
    ["jira", "http://localhost:4000/wiki"],
    ["jira", "https://acme.atlassian.net/gateway/api"],
    ["confluence", "https://acme.atlassian.net"],
    ["confluence", "https://acme.atlassian.net/wiki/wiki"],
    ["confluence", "https://acme.atlassian.net/WIKI"],
  ] as const)("refuses %s at %j, which is another product's place", (product, text) => {
    expect(parseHostBaseUrl(text, product, development)).toBeNull();
  });

  it.each([
    "",
    "acme.atlassian.net",
    "http://acme.atlassian.net",
    "https://atlassian.net",
    "https://a.b.atlassian.net",
    "https://acme.atlassian.net.evil.example",
    "https://evil.example/acme.atlassian.net",
    "https://acme.atlassian.net@evil.example",
    "https://user@acme.atlassian.net",
    "https://acme.atlassian.net:8443",
    "https://acme.atlassian.net/wiki?x=1",
    "https://acme.atlassian.net/wiki#x",
    "https://acme.atlassian.net/a%2e%2e/b",
    "https://acme.atlassian.net/a//b",
    "https://evil.example\\.atlassian.net",
    "http://localhost.evil.example",
    "http://128.0.0.1",
    "ftp://localhost",
  ])("refuses %j", (text) => {
    expect(parseHostBaseUrl(text, "jira", development)).toBeNull();
    expect(parseHostBaseUrl(text, "confluence", development)).toBeNull();
  });
});

describe("parseSite", () => {
  it.each([
    ["ACME.atlassian.net", "acme.atlassian.net"],
    ["localhost:4000", "localhost:4000"],
    ["[::1]:4000", "[::1]:4000"],
  ])("takes %j as %j", (text, site) => {
    expect(parseSite(text)).toBe(site);
  });

  it.each(["", ".", "a..b", "a/b", "a b", "a%00", "acme.atlassian.net.", "a:b", "x".repeat(256)])(
    "refuses %j",
    (text) => {
      expect(parseSite(text)).toBeNull();
    },
  );
});

describe("createProductUrl", () => {
  it.each([
    ["jira", "acme.atlassian.net", "https://acme.atlassian.net", "https://acme.atlassian.net"],
    [
      "confluence",
      "acme.atlassian.net",
      "https://acme.atlassian.net/wiki",
      "https://acme.atlassian.net/wiki",
    ],
    ["jira", "acme.atlassian.net", "https://api.atlassian.com/ex/jira/1", "https://acme.atlassian.net"],
    [
      "confluence",
      "acme.atlassian.net",
      "https://api.atlassian.com/ex/confluence/1/wiki",
      "https://acme.atlassian.net/wiki",
    ],
    ["jira", "localhost:4002", "http://127.0.0.1:4003/ex/jira/1", "http://localhost:4002"],
    ["jira", "localhost:4002", "https://api.atlassian.com/ex/jira/1", "https://localhost:4002"],
    ["jira", "acme.atlassian.net", "http://127.0.0.1:4003/ex/jira/1", "https://acme.atlassian.net"],
  ] as const)("people open %s of %s, whose API is at %s, at %s", (product, site, baseUrl, url) => {
    expect(createProductUrl({ product, site, baseUrl })).toBe(url);
  });
});
