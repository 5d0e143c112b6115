import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findTeamDomain, isTeamDomain } from "./team-domain.js";

describe("findTeamDomain", () => {
  it.each([
    ["https://acme.cloudflareaccess.com", "acme.cloudflareaccess.com"],
    ["https://acme.fed.cloudflareaccess.com", "acme.fed.cloudflareaccess.com"],
    ["https://a-1.cloudflareaccess.com", "a-1.cloudflareaccess.com"],
    [`https://${"a".repeat(63)}.cloudflareaccess.com`, `${"a".repeat(63)}.cloudflareaccess.com`],
  ])("finds the team of %s", (issuer, domain) => {
    expect(findTeamDomain(issuer)).toBe(domain);
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

  it("finds only hosts that a URL parser reads the same way", () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from("aZ0-.#/?@:%\\\n é")), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const domain = `${before}.cloudflareaccess.com${after}`;
        if (isTeamDomain(domain)) expect(new URL(`https://${domain}/x`).host).toBe(domain);
      }),
    );
  });
});
