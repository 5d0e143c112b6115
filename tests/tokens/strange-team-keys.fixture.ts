import { createHash, generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";

import { ecdsa, hmac, pss, rsa, type Signer } from "./signers.fixture.js";
import { encode, type Change } from "./token-kind.fixture.js";

const STRONG = generateKeyPairSync("rsa", { modulusLength: 2048 });
const OTHER = generateKeyPairSync("rsa", { modulusLength: 2048 });
const SHORT = generateKeyPairSync("rsa", { modulusLength: 1024 });
const NEARLY = generateKeyPairSync("rsa", { modulusLength: 2047 });
const CUBIC = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** What the team publishes beside its keys, and what tries to make use of it. */
export const STRANGE_TEAM_KEYS: readonly (readonly [
  what: string,
  published: readonly JsonWebKey[],
  change: Change,
])[] = [
  ["a good one", [jwk(STRONG, "plain")], { header: { kid: "nobody's" }, sign: rsa(STRONG.privateKey) }],
  [
    "two of one name, the first",
    [jwk(STRONG, "twin"), jwk(OTHER, "twin")],
    using("twin", rsa(STRONG.privateKey)),
  ],
  ["two of one name, the second", [], using("twin", rsa(OTHER.privateKey))],
  ["one twice", [jwk(STRONG, "doubled"), jwk(STRONG, "doubled")], using("doubled", rsa(STRONG.privateKey))],
  [
    "a symmetric one, used as such",
    [{ kty: "oct", k: encode("published"), kid: "oct", alg: "HS256" }],
    using("oct", hmac("published"), "HS256"),
  ],
  ["a symmetric one, used under the name RS256", [], using("oct", hmac("published"))],
  [
    "an elliptic one, used as such",
    [{ ...EC.publicKey.export({ format: "jwk" }), kid: "ec", alg: "ES256", use: "sig" }],
    using("ec", ecdsa(EC.privateKey), "ES256"),
  ],
  ["an elliptic one, used under the name RS256", [], using("ec", ecdsa(EC.privateKey))],
  ["a short one", [jwk(SHORT, "short")], using("short", rsa(SHORT.privateKey))],
  ["one that is one bit short", [jwk(NEARLY, "nearly")], using("nearly", rsa(NEARLY.privateKey))],
  [
    "one with exponent 1, for which anybody can sign",
    [jwk(STRONG, "e1", { e: "AQ" })],
    using("e1", asExponentOne),
  ],
  ["one with exponent 3", [jwk(CUBIC, "e3")], using("e3", rsa(CUBIC.privateKey))],
  ["one for encrypting", [jwk(STRONG, "enc", { use: "enc" })], using("enc", rsa(STRONG.privateKey))],
  [
    "one whose key_ops lack verify",
    [jwk(STRONG, "ops", { key_ops: ["encrypt", "sign"] })],
    using("ops", rsa(STRONG.privateKey)),
  ],
  ["one for RS384", [jwk(STRONG, "rs384", { alg: "RS384" })], using("rs384", rsa(STRONG.privateKey))],
  ["one for RS384, used as such", [], using("rs384", rsa(STRONG.privateKey, 384), "RS384")],
  [
    "one for PS256, used as such",
    [jwk(STRONG, "ps256", { alg: "PS256" })],
    using("ps256", pss(STRONG.privateKey), "PS256"),
  ],
  ["one for PS256, used for RS256", [], using("ps256", rsa(STRONG.privateKey))],
  [
    "a private one",
    [{ ...STRONG.privateKey.export({ format: "jwk" }), kid: "private" }],
    using("private", rsa(STRONG.privateKey)),
  ],
  ["one whose name is a number", [jwk(STRONG, "7", { kid: 7 })], using("7", rsa(STRONG.privateKey))],
  ["one whose name is a number, which the token names", [], using(7, rsa(STRONG.privateKey))],
  ["one without a name", [jwk(STRONG, "", { kid: undefined })], using("undefined", rsa(STRONG.privateKey))],
  ["one without a name, which the token doesn't name", [], using(undefined, rsa(STRONG.privateKey))],
];

/** Signs under the kid `plain`. */
export const PLAIN_KEY = STRONG.privateKey;

function jwk(
  { publicKey }: { readonly publicKey: KeyObject },
  kid: string,
  changes: object = {},
): JsonWebKey {
  return { ...publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig", ...changes };
}

function using(kid: unknown, sign: Signer, alg = "RS256"): Change {
  return { header: { alg, kid }, sign };
}

/** RFC 8017 §9.2: what a signature is before the private key comes in. With exponent 1 it is the signature. */
function asExponentOne(input: Buffer): Buffer {
  const hash = createHash("sha256").update(input).digest();
  const digestInfo = Buffer.concat([Buffer.from("3031300d060960864801650304020105000420", "hex"), hash]);
  const padding = Buffer.alloc(2048 / 8 - 3 - digestInfo.length, 0xff);
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), digestInfo]);
}
