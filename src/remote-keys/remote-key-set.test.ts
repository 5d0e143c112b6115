import { generateKeyPairSync, type JsonWebKey } from "node:crypto";

import { describe, expect, it } from "vitest";

import { createSigningKey } from "../access/access-team.fixture.js";
import { parseRemoteKeySet, RemoteKeysError } from "./remote-key-set.js";

const good = createSigningKey("good");
const other = createSigningKey("other");
const short = createSigningKey("short", 1024);
const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });

function parse(document: unknown): ReturnType<typeof parseRemoteKeySet> {
  return parseRemoteKeySet(Buffer.from(JSON.stringify(document)), "somebody");
}

function change(overrides: Record<string, unknown>): JsonWebKey {
  return { ...good.jwk, kid: "changed", ...overrides };
}

describe("parseRemoteKeySet", () => {
  it.each<[string, JsonWebKey]>([
    ["as Access publishes it", change({})],
    ["without alg and use", change({ alg: undefined, use: undefined })],
    ["for verifying, said by key_ops", change({ key_ops: ["verify"] })],
    ["with members nobody knows", change({ extra: 1, x5t: "x" })],
  ])("takes an RSA key %s", async (_name, jwk) => {
    const keys = await parse({ keys: [jwk] });
    expect(keys.get("changed")?.modulus).toBe(good.jwk.n);
  });

  it.each<[string, unknown]>([
    ["a symmetric key", { kty: "oct", k: "c2VjcmV0", kid: "changed", alg: "HS256" }],
    ["an elliptic key", { ...elliptic, kid: "changed" }],
    ["a key for another algorithm", change({ alg: "RS384" })],
    ["a key for PS256", change({ alg: "PS256" })],
    ["a key for encrypting", change({ use: "enc" })],
    ["a key whose key_ops lack verify", change({ key_ops: ["encrypt"] })],
    ["a private key", { ...good.privateKey.export({ format: "jwk" }), kid: "changed" }],
    ["a key without kid", change({ kid: undefined })],
    ["a key with an empty kid", change({ kid: "" })],
    ["a key whose kid is too long", change({ kid: "k".repeat(257) })],
    ["a key whose kid is a number", change({ kid: 1 })],
    ["a key shorter than 2048 bits", { ...short.jwk, kid: "changed" }],
    ["a key longer than 8192 bits", change({ n: `_${"A".repeat(1367)}` })],
    ["a key with exponent 1, for which anybody can sign", change({ e: "AQ" })],
    ["a key with exponent 3", change({ e: "Aw" })],
    ["a key without modulus", change({ n: undefined })],
    ["a key with an empty modulus", change({ n: "" })],
    ["a key whose modulus isn't base64url", change({ n: "+/==" })],
    ["a thing that isn't a key", "changed"],
    ["null", null],
  ])("skips %s", async (_name, jwk) => {
    const keys = await parse({ keys: [jwk, other.jwk] });
    expect([...keys.keys()]).toEqual(["other"]);
  });

  it("takes neither of two keys with the same kid", async () => {
    const keys = await parse({ keys: [good.jwk, other.jwk, { ...other.jwk, kid: "good" }] });
    expect([...keys.keys()]).toEqual(["other"]);
  });

  it.each<[string, string, RegExp]>([
    ["text", "Not found", /isn't JSON/],
    ["nothing", "", /isn't JSON/],
    ["half an answer", '{"keys":[', /isn't JSON/],
    ["null", "null", /isn't a list of keys/],
    ["a bare list", JSON.stringify([good.jwk]), /isn't a list of keys/],
    ["certificates only", '{"public_certs":[]}', /isn't a list of keys/],
    ["keys by name", JSON.stringify({ keys: { good: good.jwk } }), /isn't a list of keys/],
    ["no key", '{"keys":[]}', /no usable key/],
    ["no usable key", JSON.stringify({ keys: [elliptic, short.jwk] }), /no usable key/],
    ["one key twice", JSON.stringify({ keys: [good.jwk, good.jwk] }), /no usable key/],
    ["too many keys", JSON.stringify({ keys: Array(21).fill(good.jwk) }), /more than 20 keys/],
  ])("says what is wrong with an answer that is %s", async (_name, body, problem) => {
    const parsed = parseRemoteKeySet(Buffer.from(body), "somebody");
    await expect(parsed).rejects.toThrow(RemoteKeysError);
    await expect(parsed).rejects.toThrow(problem);
  });
});
