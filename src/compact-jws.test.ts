import { inspect } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { CompactJwsError, findRefusedHeader, parseCompactJws } from "./compact-jws.js";

const HEADER = encode('{"alg":"RS256"}');
const PAYLOAD = encode('{"sub":"ann@acme.com"}');
const SIGNATURE = encode(Buffer.alloc(256, 0xfa));
const GOOD = `${HEADER}.${PAYLOAD}.${SIGNATURE}`;

function encode(bytes: string | Buffer): string {
  return Buffer.from(bytes).toString("base64url");
}

/** The other encodings of a last character whose unused bits are zero. */
function setTrailingBits(segment: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(segment.at(-1) ?? "");
  return segment.slice(0, -1) + alphabet.charAt(last + 1);
}

function nest(depth: number): unknown {
  return depth === 0 ? 1 : [nest(depth - 1)];
}

function failureOf(token: string): Error {
  try {
    parseCompactJws(token);
  } catch (error) {
    expect(error).toBeInstanceOf(CompactJwsError);
    return error as Error;
  }
  return expect.fail("The token was read.");
}

describe("parseCompactJws", () => {
  it("reads header and payload", () => {
    expect(parseCompactJws(GOOD)).toEqual({ header: { alg: "RS256" }, payload: { sub: "ann@acme.com" } });
  });

  it("reads every plain JSON object as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 10 })), fc.nat(3), (value, spaces) => {
        const json = JSON.stringify(value, null, spaces);
        const { header, payload } = parseCompactJws(`${encode(json)}.${encode(json)}.${SIGNATURE}`);
        expect([header, payload]).toEqual([JSON.parse(json), JSON.parse(json)]);
      }),
    );
  });

  it.each<[string, string]>([
    ["the same name within", '{"a":{"a":1,"b":[{"a":1}]}}'],
    ["strings that look like structure", '{"a":"}]{\\"b\\":\\"x","b":"\\\\"}'],
    ["a member that is called __proto__", '{"__proto__":{"a":1}}'],
    ["spaces between the members", '\n{ "a" :\t"x" , "b": "x"}\r\n'],
    ["16 levels", JSON.stringify({ a: nest(15) })],
  ])("reads an object with %s", (_name, json) => {
    const { payload } = parseCompactJws(`${HEADER}.${encode(json)}.${SIGNATURE}`);
    expect(JSON.stringify(payload)).toBe(JSON.stringify(JSON.parse(json)));
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["dots", ".."],
    ["one part", HEADER],
    ["two parts", `${HEADER}.${PAYLOAD}`],
    ["four parts", `${GOOD}.${SIGNATURE}`],
    ["five parts, like a JWE", `${GOOD}.${PAYLOAD}.${SIGNATURE}`],
    ["an empty header", `.${PAYLOAD}.${SIGNATURE}`],
    ["an empty payload", `${HEADER}..${SIGNATURE}`],
    ["an empty signature", `${HEADER}.${PAYLOAD}.`],
    ["the JSON serialisation", JSON.stringify({ protected: HEADER, payload: PAYLOAD, signature: SIGNATURE })],
    ["a scheme in front", `Bearer ${GOOD}`],
    ["a space at the end", `${GOOD} `],
    ["a line end", `${GOOD}\n`],
    ["a tab within", `${HEADER}.\t${PAYLOAD}.${SIGNATURE}`],
    ["padding", `${GOOD}==`],
    ["base64 instead of base64url", `${HEADER}.${PAYLOAD}.${SIGNATURE.slice(0, -2)}+/`],
    ["a letter outside the alphabet", `${HEADER}.${PAYLOAD}.${SIGNATURE.slice(0, -2)}éa`],
    ["a length that no bytes have", `${HEADER}.${PAYLOAD}.${SIGNATURE}AAA`],
    ["set trailing bits in the signature", `${HEADER}.${PAYLOAD}.${setTrailingBits(SIGNATURE)}`],
    ["more than 16 KiB", `${HEADER}.${encode(`{"a":"${"x".repeat(16 * 1024)}"}`)}.${SIGNATURE}`],
  ])("refuses %s", (_name, token) => {
    failureOf(token);
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
    ["with single quotes", "{'a':1}"],
    ["that names a member twice", '{"a":1,"a":1}'],
    ["that names a member twice, once escaped", '{"a":1,"\\u0061":1}'],
    ["that names a member twice, after a nested object", '{"a":{"b":[]},"c":"\\"}","a" :1}'],
    ["that names __proto__ twice", '{"__proto__":1,"__proto__":2}'],
    ["nested too deeply", JSON.stringify({ a: nest(16) })],
    ["nested thousands deep", `{"a":${"[".repeat(4000)}${"]".repeat(4000)}}`],
  ])("refuses a header or payload %s", (_name, text) => {
    failureOf(`${encode(text)}.${PAYLOAD}.${SIGNATURE}`);
    failureOf(`${HEADER}.${encode(text)}.${SIGNATURE}`);
  });

  it("repeats nothing of what was sent", () => {
    const failure = failureOf(`${HEADER}.${encode('{"email":ann@acme.com}')}.${SIGNATURE}`);
    expect(inspect(failure)).not.toContain("ann");
  });
});

describe("findRefusedHeader", () => {
  it.each(["crit", "b64", "jwk", "jku", "x5u", "x5c"])("finds %s, whatever it holds", (name) => {
    for (const value of [null, true, "", [name], {}]) {
      expect(findRefusedHeader({ header: { alg: "RS256", [name]: value }, payload: {} })).toBe(name);
    }
  });

  it("finds nothing in a header whose members say only which key signed how", () => {
    const header = { alg: "RS256", kid: "crit", typ: "JWT", x5t: "abc", extra: { jwk: {} } };
    expect(findRefusedHeader({ header, payload: { jwk: {} } })).toBeNull();
  });
});
