import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { AUDIENCE, createSigningKey, signAccessJwt } from "./access-team.fixture.js";
import type { AccessJwtOverrides } from "./access-team.fixture.js";
import { parseAccessJwt } from "./access-jwt.js";

const key = createSigningKey();
const good = signAccessJwt(key);
const [goodHeader = "", goodPayload = "", goodSignature = ""] = good.split(".");

/** The other encodings of a last character whose unused bits are zero. */
function setTrailingBits(segment: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(segment.at(-1) ?? "");
  return segment.slice(0, -1) + alphabet.charAt(last + 1);
}

function nest(depth: number): unknown {
  return depth === 0 ? 1 : [nest(depth - 1)];
}

describe("parseAccessJwt", () => {
  it("reads a person's token", () => {
    const { header, claims } = parseAccessJwt(good);
    expect(header).toEqual({ alg: "RS256", kid: key.kid, typ: "JWT" });
    expect(claims).toMatchObject({ aud: [AUDIENCE], type: "app", email: "ann@acme.com" });
  });

  it.each<[string, NonNullable<AccessJwtOverrides["claims"]>]>([
    ["a string as aud", { aud: AUDIENCE }],
    ["neither nbf nor sub nor e-mail", { nbf: undefined, sub: undefined, email: undefined }],
    ["claims of the identity provider", { custom: { groups: ["a", "a"], deep: nest(10) } }],
    ["strings that look like structure", { country: '}]{"iss":"x","iss":"y\\"' }],
    ["a member of another name within", { custom: { iss: "x", sub: 1 } }],
    ["a member that is called __proto__", '{"__proto__":{},"iss":"x","aud":"x","exp":1,"iat":1}'],
    ["spaces between the members", '\n{ "iss" :\t"x" , "aud": "x","exp":1 ,"iat":1 }\r\n'],
  ])("reads a payload with %s", (_name, claims) => {
    expect(() => parseAccessJwt(signAccessJwt(key, { claims }))).not.toThrow();
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["an object", { token: good }],
    ["an array of one token", [good]],
    ["nothing", ""],
    ["dots", ".."],
    ["one part", goodHeader],
    ["two parts", `${goodHeader}.${goodPayload}`],
    ["four parts", `${good}.${goodSignature}`],
    ["five parts, like a JWE", `${good}.${goodPayload}.${goodSignature}`],
    ["an empty header", `.${goodPayload}.${goodSignature}`],
    ["an empty payload", `${goodHeader}..${goodSignature}`],
    ["an empty signature", `${goodHeader}.${goodPayload}.`],
    [
      "the JSON serialisation",
      JSON.stringify({ protected: goodHeader, payload: goodPayload, signature: goodSignature }),
    ],
    ["a scheme in front", `Bearer ${good}`],
    ["a space at the end", `${good} `],
    ["a line end", `${good}\n`],
    ["a tab within", `${goodHeader}.\t${goodPayload}.${goodSignature}`],
    ["padding", `${good}==`],
    ["base64 instead of base64url", `${goodHeader}.${goodPayload}.${goodSignature.slice(0, -2)}+/`],
    ["a letter outside the alphabet", `${goodHeader}.${goodPayload}.${goodSignature.slice(0, -2)}éa`],
    ["a length that no bytes have", `${goodHeader}.${goodPayload}.${goodSignature}AAA`],
    ["set trailing bits in the signature", `${goodHeader}.${goodPayload}.${setTrailingBits(goodSignature)}`],
    ["more than 16 KiB", signAccessJwt(key, { claims: { pad: "x".repeat(16 * 1024) } })],
  ])("refuses %s", (_name, token) => {
    expectMalformed(token);
  });

  it.each<[string, string | Buffer]>([
    ["that isn't JSON", "header"],
    ["that is an array", "[]"],
    ["that is null", "null"],
    ["that is a string", '"x"'],
    ["that is a number", "1"],
    ["with a byte order mark", Buffer.from("\ufeff{}")],
    ["that isn't UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["in UTF-16", Buffer.from("{}", "utf16le")],
    ["with text behind it", "{} {}"],
    ["with a comment", "{/**/}"],
    ["that names a member twice", '{"a":1,"a":1}'],
    ["that names a member twice, once escaped", '{"a":1,"\\u0061":1}'],
    ["that names a member twice, after a nested object", '{"a":{"b":[]},"c":"\\"}","a" :1}'],
    ["nested too deeply", JSON.stringify({ a: nest(16) })],
    ["nested thousands deep", `{"a":${"[".repeat(4000)}${"]".repeat(4000)}}`],
  ])("refuses a header or payload %s", (_name, text) => {
    expectMalformed(signAccessJwt(key, { header: text }));
    expectMalformed(signAccessJwt(key, { claims: text }));
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
