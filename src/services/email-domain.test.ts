import { describe, expect, it } from "vitest";

import { isEmailAllowed, parseEmailDomainPattern } from "./email-domain.js";

describe("parseEmailDomainPattern", () => {
  it.each([
    ["acme.com", "acme.com"],
    [" ACME.com ", "acme.com"],
    ["@acme.com", "acme.com"],
    ["*.acme.com", "*.acme.com"],
    ["*.eu.acme.co.uk", "*.eu.acme.co.uk"],
    ["münchen.de", "xn--mnchen-3ya.de"],
    ["acme.internal", "acme.internal"],
    // A Cyrillic letter in front: what is stored doesn't look like acme.com.
    ["\u0430cme.com", "xn--cme-5cd.com"],
  ])("takes %j as %j", (text, pattern) => {
    expect(parseEmailDomainPattern(text)).toBe(pattern);
  });

  it.each([
    "",
    "*",
    "*.",
    "com",
    "*.com",
    "*.co.uk",
    "co.uk",
    "*.github.io",
    "*.*.acme.com",
    "a*.com",
    "a..com",
    "me@acme.com",
    "acme.com,evil.com",
    "partner.com/acme.com",
    "partner.com\\acme.com",
    "partner.com?acme.com",
    "partner.com#acme.com",
    "partner.com:443",
    "partner%2ecom",
    "*.xn--p1ai",
    "*.\u0440\u0444",
    "*.\uff43\uff4f\uff4d",
    "*\u3002com",
    "*.com.",
    "*.c\u200bom",
    "*.0.0.1",
    "2130706433",
  ])("refuses %j", (text) => {
    expect(parseEmailDomainPattern(text)).toBeNull();
  });
});

describe("isEmailAllowed", () => {
  it.each([
    ["ada@acme.com", ["acme.com"], true],
    ["Ada@ACME.com", ["acme.com"], true],
    ["ada@acme.com", ["other.com", "acme.com"], true],
    ["ada@acme.com", [], true],
    ["ada@eu.acme.com", ["*.acme.com"], true],
    ["ada@a.b.acme.com", ["*.acme.com"], true],
    ["ada@acme.com", ["*.acme.com"], false],
    ["ada@eu.acme.com", ["acme.com"], false],
    ["ada@notacme.com", ["acme.com"], false],
    ["ada@notacme.com", ["*.acme.com"], false],
    ["ada@acme.com.evil.example", ["acme.com"], false],
    ["ada@acme.com@evil.example", ["acme.com"], false],
    ["acme.com", ["acme.com"], false],
    ["@acme.com", ["acme.com"], false],
    // The Kelvin sign: full Unicode lower-casing would make it a k.
    ["ada@acme.\u212A", ["acme.k"], false],
    ["ada@ac\u00ADme.com", ["acme.com"], false],
    ["ada@acme.com\0", ["acme.com"], false],
    ["ada@.acme.com", ["*.acme.com"], false],
  ])("%j with %j is %j", (email, patterns, isAllowed) => {
    expect(isEmailAllowed(email, patterns)).toBe(isAllowed);
  });
});
