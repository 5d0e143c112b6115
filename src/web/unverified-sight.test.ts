import { describe, expect, it } from "vitest";

import { findUnverifiedSight } from "./unverified-sight.js";

function tokenOf(claims: unknown): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode({ alg: "RS256" })}.${encode(claims)}.c2ln`;
}

const AUDIENCE = "a".repeat(64);

describe("what an unverified token says of itself", () => {
  it("is its team, its AUD tags and its e-mail", () => {
    const claims = { iss: "https://acme.cloudflareaccess.com", aud: [AUDIENCE], email: "grace@acme.example" };
    expect(findUnverifiedSight(tokenOf(claims))).toEqual({
      teamDomain: "acme.cloudflareaccess.com",
      audiences: [AUDIENCE],
      email: "grace@acme.example",
    });
  });

  it.each<[what: string, claims: object, seen: object]>([
    ["an aud that is one string", { aud: AUDIENCE }, { audiences: [AUDIENCE] }],
    [
      "no more than five AUD tags",
      { aud: Array<string>(9).fill("b") },
      { audiences: Array<string>(5).fill("b") },
    ],
    ["no more than the beginning of a long one", { aud: "c".repeat(999) }, { audiences: ["c".repeat(100)] }],
    ["no address that isn't a team's", { iss: "https://evil.example" }, { teamDomain: null }],
    [
      "nothing where claims have other types",
      { iss: 1, aud: {}, email: [] },
      { teamDomain: null, audiences: [], email: null },
    ],
  ])("has %s", (_what, claims, seen) => {
    expect(findUnverifiedSight(tokenOf(claims))).toMatchObject(seen);
  });

  it.each([
    ["a mark of direction", "\u202e"],
    ["a character without a shape", "\u200b"],
    ["a line break", "\n"],
    ["a separator of lines", "\u2028"],
    ["a separator of paragraphs", "\u2029"],
    ["half a surrogate pair", "\ud800"],
    ["a control character", "\u0085"],
  ])("leaves out an AUD tag and an e-mail with %s", (_what, character) => {
    const claims = { aud: [`aud${character}ience`, AUDIENCE], email: `grace@${character}acme.example` };
    expect(findUnverifiedSight(tokenOf(claims))).toMatchObject({ audiences: [AUDIENCE], email: null });
  });

  it.each([[undefined], [""], ["not a token"], ["a.b.c"]])("is nothing for %j", (token) => {
    expect(findUnverifiedSight(token)).toBeNull();
  });
});
