import { inspect } from "node:util";

import { describe, expect, it } from "vitest";

import { parseAccessJwt } from "./access-jwt.js";
import { AUDIENCE, createSigningKey, signAccessJwt, type AccessJwtOverrides } from "./access-team.fixture.js";

const key = createSigningKey();
const good = signAccessJwt(key);

describe("parseAccessJwt", () => {
  it("reads a person's token", () => {
    const { header, claims } = parseAccessJwt(good);
    expect(header).toEqual({ alg: "RS256", kid: key.kid, typ: "JWT" });
    expect(claims).toMatchObject({ aud: [AUDIENCE], type: "app", email: "ann@acme.com" });
  });

  it.each<[string, NonNullable<AccessJwtOverrides["claims"]>]>([
    ["a string as aud", { aud: AUDIENCE }],
    ["neither nbf nor sub nor e-mail", { nbf: undefined, sub: undefined, email: undefined }],
    ["claims of the identity provider", { custom: { groups: ["a", "a"], iss: "x", sub: 1 } }],
    ["a member that is called __proto__", '{"__proto__":{},"iss":"x","aud":"x","exp":1,"iat":1}'],
  ])("reads a payload with %s", (_name, claims) => {
    expect(() => parseAccessJwt(signAccessJwt(key, { claims }))).not.toThrow();
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["an object", { token: good }],
    ["an array of one token", [good]],
    ["what isn't a compact JWS", `${good}.`],
    ["a payload that isn't an object", signAccessJwt(key, { claims: "[]" })],
    ["a header that names a member twice", signAccessJwt(key, { header: '{"alg":"RS256","alg":"none"}' })],
  ])("refuses %s, and says so in sentences", (_name, token) => {
    expect(expectMalformed(token).message).toMatch(/^The [^.]+\.(?: Send [^.]+\.)?$/);
  });

  it.each<[string, Record<string, unknown>]>([
    ["iss", { iss: undefined }],
    ["iss", { iss: ["https://acme.cloudflareaccess.com"] }],
    ["aud", { aud: undefined }],
    ["aud", { aud: "" }],
    ["aud", { aud: [] }],
    ["aud", { aud: [AUDIENCE, ""] }],
    ["aud", { aud: [AUDIENCE, 1] }],
    ["aud", { aud: [[AUDIENCE]] }],
    ["aud", { aud: { 0: AUDIENCE } }],
    ["aud", { aud: null }],
    ["exp", { exp: undefined }],
    ["exp", { exp: null }],
    ["exp", { exp: "1795348740" }],
    ["exp", { exp: 1795348740.5 }],
    ["exp", { exp: -1 }],
    ["exp", { exp: 2 ** 53 }],
    ["exp", { exp: 253_402_300_800 }],
    ["iat", { iat: undefined }],
    ["iat", { iat: true }],
    ["nbf", { nbf: "now" }],
    ["nbf", { nbf: null }],
    ["sub", { sub: 1 }],
    ["sub", { sub: null }],
    ["email", { email: ["ann@acme.com"] }],
    ["common_name", { common_name: {} }],
    ["type", { type: ["app"] }],
  ])("names %s when it is %j", (name, claims) => {
    expect(expectMalformed(signAccessJwt(key, { claims })).message).toContain(`"${name}"`);
  });

  it("refuses a time that isn't finite", () => {
    const claims = '{"iss":"https://acme.cloudflareaccess.com","aud":"x","exp":1e999,"iat":1}';
    expectMalformed(signAccessJwt(key, { claims }));
  });

  it("takes no claim from a member that is called __proto__", () => {
    const claims = '{"__proto__":{"iss":"x","aud":"x","exp":1,"iat":1}}';
    expectMalformed(signAccessJwt(key, { claims }));
  });

  it.each<[string, NonNullable<AccessJwtOverrides["claims"]>]>([
    ["claims of the wrong type", { "ann@acme.com": 1, exp: "ann@acme.com" }],
    ["a payload that isn't JSON", '{"email":ann@acme.com}'],
  ])("repeats nothing of the token, neither to the caller nor for the log: %s", (_name, claims) => {
    const refusal = expectMalformed(signAccessJwt(key, { claims }));
    expect(inspect(refusal)).not.toContain("ann");
  });
});

function expectMalformed(token: unknown): Error {
  let refusal: unknown;
  try {
    parseAccessJwt(token);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({ code: "access_jwt_malformed" });
  return refusal as Error;
}
