import { describe, expect, it } from "vitest";

import { parseTeamDomain } from "./team-domain.js";

describe("parseTeamDomain", () => {
  it.each([
    "acme.cloudflareaccess.com",
    "  acme.cloudflareaccess.com\n",
    "ACME.CloudflareAccess.com",
    "https://acme.cloudflareaccess.com",
    "https://acme.cloudflareaccess.com/",
    "https://acme.cloudflareaccess.com:443",
    "https://acme.cloudflareaccess.com/cdn-cgi/access/login/app?redirect_url=%2Fwiki",
    "acme.cloudflareaccess.com#keys.evil.example",
  ])("takes %j as people paste it", (text) => {
    expect(parseTeamDomain(text)).toBe("acme.cloudflareaccess.com");
  });

  it("takes a FedRAMP team", () => {
    expect(parseTeamDomain("acme.fed.cloudflareaccess.com")).toBe("acme.fed.cloudflareaccess.com");
  });

  it.each([
    "",
    " ",
    "acme",
    "cloudflareaccess.com",
    ".cloudflareaccess.com",
    "evilcloudflareaccess.com",
    "-acme.cloudflareaccess.com",
    "acme-.cloudflareaccess.com",
    "a.b.cloudflareaccess.com",
    "acme.cloudflareaccess.com.",
    "acme.cloudflareaccess.com.evil.example",
    "acme.cloudflareaccess.com:8443",
    "acme.cloudflareaccess.com@evil.example",
    "user:password@acme.cloudflareaccess.com",
    "keys.evil.example#.cloudflareaccess.com",
    "keys.evil.example/x.cloudflareaccess.com",
    "keys.evil.example?x=.cloudflareaccess.com",
    "keys.evil.example\\.cloudflareaccess.com",
    "%61cme.cloudflareaccess.com",
    "ac me.cloudflareaccess.com",
    "acme\u0000.cloudflareaccess.com",
    "ａcme.cloudflareaccess.com",
    "ftp://acme.cloudflareaccess.com",
    "javascript:acme.cloudflareaccess.com",
    `${"a".repeat(64)}.cloudflareaccess.com`,
  ])("refuses %j", (text) => {
    expect(parseTeamDomain(text)).toBeNull();
  });
});
