import { describe, expect, it } from "vitest";

import { parseHostBaseUrl, parseSite } from "./site.js";

const production = { patterns: ["*.atlassian.net", "*.jira.com"], allowsLoopback: false };
const development = { ...production, allowsLoopback: true };

describe("parseHostBaseUrl", () => {
  it.each([
    ["https://acme.atlassian.net", "acme.atlassian.net", "https://acme.atlassian.net"],
    ["https://ACME.atlassian.net/", "acme.atlassian.net", "https://acme.atlassian.net"],
    ["https://acme.atlassian.net/wiki", "acme.atlassian.net", "https://acme.atlassian.net/wiki"],
    ["https://acme.jira.com", "acme.jira.com", "https://acme.jira.com"],
  ])("takes %j", (text, site, baseUrl) => {
    expect(parseHostBaseUrl(text, production)).toEqual({ site, baseUrl });
  });

  it.each([
    "http://localhost:4000",
    "https://localhost:4000/wiki",
    "http://127.0.0.1:4000",
    "http://[::1]:4000",
  ])("takes %j in development only", (text) => {
    expect(parseHostBaseUrl(text, development)).not.toBeNull();
    expect(parseHostBaseUrl(text, production)).toBeNull();
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
    expect(parseHostBaseUrl(text, development)).toBeNull();
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
