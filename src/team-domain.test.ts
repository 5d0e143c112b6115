import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findTeamDomain, issuerOfTeam, parseTeamDomain } from "./team-domain.js";

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

  it.each(["acme.fed.cloudflareaccess.com", "fed.fed.cloudflareaccess.com"])(
    "takes the FedRAMP team %s",
    (domain) => {
      expect(parseTeamDomain(domain)).toBe(domain);
    },
  );

  it.each([
    "",
    " ",
    "acme",
    "cloudflareaccess.com",
    "fed.cloudflareaccess.com",
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

describe("findTeamDomain", () => {
  it.each([
    ["https://acme.cloudflareaccess.com", "acme.cloudflareaccess.com"],
    ["https://acme.fed.cloudflareaccess.com", "acme.fed.cloudflareaccess.com"],
    ["https://a-1.cloudflareaccess.com", "a-1.cloudflareaccess.com"],
    [`https://${"a".repeat(63)}.cloudflareaccess.com`, `${"a".repeat(63)}.cloudflareaccess.com`],
  ])("finds the team of %s", (issuer, domain) => {
    expect(findTeamDomain(issuer)).toBe(domain);
    expect(issuerOfTeam(domain)).toBe(issuer);
  });

  it.each([
    "",
    "acme.cloudflareaccess.com",
    "http://acme.cloudflareaccess.com",
    "HTTPS://acme.cloudflareaccess.com",
    "https://acme.cloudflareaccess.com/",
    "https://acme.cloudflareaccess.com:443",
    "https://acme.cloudflareaccess.com.",
    "https://acme.cloudflareaccess.com\n",
    " https://acme.cloudflareaccess.com",
    "https://Acme.cloudflareaccess.com",
    "https://acme.CloudflareAccess.com",
    "https://cloudflareaccess.com",
    "https://fed.cloudflareaccess.com",
    "https://.cloudflareaccess.com",
    "https://evilcloudflareaccess.com",
    "https://a.b.cloudflareaccess.com",
    "https://acme.cloudflareaccess.com.evil.example",
    "https://keys.evil.example#.cloudflareaccess.com",
    "https://keys.evil.example/x.cloudflareaccess.com",
    "https://keys.evil.example?x=.cloudflareaccess.com",
    "https://evil.example\\.cloudflareaccess.com",
    "https://acme.cloudflareaccess.com@evil.example",
    "https://user@acme.cloudflareaccess.com",
    "https://ac%6de.cloudflareaccess.com",
    "https://acmé.cloudflareaccess.com",
    "https://-acme.cloudflareaccess.com",
    "https://acme-.cloudflareaccess.com",
    "https://acme.xfed.cloudflareaccess.com",
    "https://acme.fed.fed.cloudflareaccess.com",
    `https://${"a".repeat(64)}.cloudflareaccess.com`,
    "https://acme.cloudflareaccess.com/cdn-cgi/access/sso/oidc/0123",
  ])("finds no team in %j", (issuer) => {
    expect(findTeamDomain(issuer)).toBeNull();
  });

  it("finds only hosts that a URL parser reads the same way, and that are kept as they are", () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from("aZ0-.#/?@:%\\\n é")), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const issuer = `https://${before}.cloudflareaccess.com${after}`;
        const domain = findTeamDomain(issuer);
        if (domain === null) return;
        expect(new URL(`${issuer}/x`).host).toBe(domain);
        expect(parseTeamDomain(domain)).toBe(domain);
      }),
    );
  });
});
