import type { KeyObject } from "node:crypto";

import type { Claims } from "../../sandbox/jwt.js";
import type { Attacker } from "./attacker.fixture.js";
import { ecdsa, eddsa, hmac, pss, rsa, type Signer } from "./signers.fixture.js";
import { encode, type Change, type CommonRow, type Making, type Scene } from "./token-kind.fixture.js";

const NONES = ["none", "None", "NONE", "nOnE", " none", "none\0"];

/** The algorithm is pinned by the place where the token stands, never chosen by the token. */
export const ALGORITHMS: readonly CommonRow[] = [
  ...NONES.map((alg): CommonRow => [
    `alg ${JSON.stringify(alg)} above the issuer's signature`,
    { header: { alg } },
    "untrusted",
  ]),
  ...NONES.map((alg): CommonRow => [
    `alg ${JSON.stringify(alg)} and no signature`,
    { header: { alg }, token: cutSignature },
    "unreadable",
  ]),
  [
    "alg none and a signature of one byte",
    { header: { alg: "none" }, sign: () => Buffer.from([0]) },
    "untrusted",
  ],
  ["no signature under the right alg", { token: cutSignature }, "unreadable"],
  ["its alg in lower case", ({ kind }) => ({ header: { alg: kind.algorithm.toLowerCase() } }), "untrusted"],
  ["a space behind its alg", ({ kind }) => ({ header: { alg: `${kind.algorithm} ` } }), "untrusted"],
  ["its alg in a list", ({ kind }) => ({ header: { alg: [kind.algorithm] } }), "untrusted"],
  ["its alg in an object", ({ kind }) => ({ header: { alg: { 0: kind.algorithm } } }), "untrusted"],
  [
    "its alg under another name",
    ({ kind }) => ({ header: { alg: undefined, ALG: kind.algorithm } }),
    "untrusted",
  ],
  ["a number as alg", { header: { alg: 256 } }, "untrusted"],
  ["null as alg", { header: { alg: null } }, "untrusted"],
  ["true as alg", { header: { alg: true } }, "untrusted"],
  ["an empty alg", { header: { alg: "" } }, "untrusted"],
  ["no alg", { header: { alg: undefined } }, "untrusted"],
  ["an empty header", { header: () => "{}" }, "untrusted"],
  [
    "ES256 by a stranger",
    ({ attacker }) => ({ header: { alg: "ES256" }, sign: ecdsa(attacker.ec) }),
    "untrusted",
  ],
  [
    "EdDSA by a stranger",
    ({ attacker }) => ({ header: { alg: "EdDSA" }, sign: eddsa(attacker.ed25519) }),
    "untrusted",
  ],
  [
    "PS256 by a stranger",
    ({ attacker }) => ({ header: { alg: "PS256" }, sign: pss(attacker.rsa.privateKey) }),
    "untrusted",
  ],
  [
    "RS256 by a stranger",
    ({ attacker }) => ({ header: { alg: "RS256" }, sign: rsa(attacker.rsa.privateKey) }),
    "untrusted",
  ],
  ["RS256 by a stranger, under the name of a trusted key", underTrustedKid, "untrusted"],
  ["HS256 by a made-up secret", { header: { alg: "HS256" }, sign: hmac("secret") }, "untrusted"],
  ["HS256 by an empty secret", { header: { alg: "HS256" }, sign: hmac("") }, "untrusted"],
  ...publicKeyForms("its PEM", (key) => key.export({ type: "spki", format: "pem" }).toString()),
  ...publicKeyForms("its PEM without the last line end", (key) =>
    key.export({ type: "spki", format: "pem" }).toString().trimEnd(),
  ),
  ...publicKeyForms("its PKCS #1 PEM", (key) => key.export({ type: "pkcs1", format: "pem" }).toString()),
  ...publicKeyForms("its DER", (key) => key.export({ type: "spki", format: "der" })),
  ...publicKeyForms("its JWK", (key) => JSON.stringify(key.export({ format: "jwk" }))),
  ...publicKeyForms("its modulus", (key) => Buffer.from(modulusOf(key), "base64url")),
];

/** Only the issuer could make these, and none of its tokens looks like that. */
export const OTHER_ALGORITHMS_OF_THE_KEY: Readonly<Record<"HS256" | "RS256", readonly CommonRow[]>> = {
  HS256: [
    ["HS384 by its secret", bySecret("HS384", (secret) => hmac(secret, 384)), "untrusted"],
    ["HS512 by its secret", bySecret("HS512", (secret) => hmac(secret, 512)), "untrusted"],
    [
      "SHA-384 by its secret under the name HS256",
      bySecret("HS256", (secret) => hmac(secret, 384)),
      "untrusted",
    ],
    [
      "SHA-512 by its secret under the name HS256",
      bySecret("HS256", (secret) => hmac(secret, 512)),
      "untrusted",
    ],
  ],
  RS256: [
    ["RS384 by its key", byKey("RS384", (key) => rsa(key, 384)), "untrusted"],
    ["RS512 by its key", byKey("RS512", (key) => rsa(key, 512)), "untrusted"],
    ["PS256 by its key", byKey("PS256", pss), "untrusted"],
    ["SHA-384 by its key under the name RS256", byKey("RS256", (key) => rsa(key, 384)), "untrusted"],
    ["PSS padding by its key under the name RS256", byKey("RS256", pss), "untrusted"],
  ],
};

/** The header may name the key; it can't bring one, nor change how the token is read. */
export const HEADERS: readonly CommonRow[] = [
  ["crit with a claim that is there", { header: { crit: ["exp"] } }, "untrusted"],
  ["crit with a member that is there", { header: { crit: ["exp"], exp: 1 } }, "untrusted"],
  ["an empty crit", { header: { crit: [] } }, "untrusted"],
  ["null as crit", { header: { crit: null } }, "untrusted"],
  ["b64 as it is anyway", { header: { b64: true } }, "untrusted"],
  ["b64 false", { header: { b64: false } }, "untrusted"],
  ["b64 false, called critical", { header: { b64: false, crit: ["b64"] } }, "untrusted"],
  ["claims that aren't encoded, as b64 says", unencodedClaims, "unreadable"],
  ["a stranger's key in jwk", ({ attacker }) => byStranger(attacker, { jwk: attacker.jwk }), "untrusted"],
  ["a stranger's key in jwk, under the name of a trusted one", strangersKeyUnderTrustedKid, "untrusted"],
  [
    "a stranger's secret in jwk",
    { header: { alg: "HS256", jwk: { kty: "oct", k: encode("mine") } }, sign: hmac("mine") },
    "untrusted",
  ],
  [
    "a trusted key in jwk",
    ({ kind }) => ({ header: { jwk: kind.publicKey().key.export({ format: "jwk" }) } }),
    "untrusted",
  ],
  ["null as jwk", { header: { jwk: null } }, "untrusted"],
  [
    "the URL of a stranger's keys in jku",
    ({ attacker }) => byStranger(attacker, { jku: `${attacker.url}/keys` }),
    "untrusted",
  ],
  ["an unused URL in jku", ({ attacker }) => ({ header: { jku: `${attacker.url}/keys` } }), "untrusted"],
  [
    "the URL of a stranger's certificate in x5u",
    ({ attacker }) => byStranger(attacker, { x5u: `${attacker.url}/certificate` }),
    "untrusted",
  ],
  [
    "an unused URL in x5u",
    ({ attacker }) => ({ header: { x5u: `${attacker.url}/certificate` } }),
    "untrusted",
  ],
  [
    "a stranger's certificate in x5c",
    ({ attacker }) => byStranger(attacker, { x5c: [attacker.certificate.toString("base64")] }),
    "untrusted",
  ],
  [
    "an unused certificate in x5c",
    ({ attacker }) => ({ header: { x5c: [attacker.certificate.toString("base64")] } }),
    "untrusted",
  ],
  ["a number as kid", { header: { kid: 0 } }, "untrusted"],
  ["null as kid", { header: { kid: null } }, "untrusted"],
  ["true as kid", { header: { kid: true } }, "untrusted"],
  ["its key's name in a list", ({ kind }) => ({ header: { kid: [kind.publicKey().kid] } }), "untrusted"],
  [
    "its key's name in an object",
    ({ kind }) => ({ header: { kid: { toString: kind.publicKey().kid } } }),
    "untrusted",
  ],
];

function cutSignature(token: string): string {
  return token.replace(/[^.]*$/, "");
}

function underTrustedKid({ kind, attacker }: Scene): Change {
  return { header: { alg: "RS256", kid: kind.publicKey().kid }, sign: rsa(attacker.rsa.privateKey) };
}

function strangersKeyUnderTrustedKid({ kind, attacker }: Scene): Change {
  const { kid } = kind.publicKey();
  return { header: { alg: "RS256", kid, jwk: { ...attacker.jwk, kid } }, sign: rsa(attacker.rsa.privateKey) };
}

function byStranger(attacker: Attacker, header: Claims): Change {
  const { kid } = attacker.jwk;
  return { header: { alg: "RS256", kid, ...header }, sign: rsa(attacker.rsa.privateKey) };
}

/** RFC 7797 §5.2, as far as it goes without a dot in the claims. */
function unencodedClaims({ kind }: Scene): Change {
  return {
    header: { b64: false, crit: ["b64"] },
    encoded: (header) => [header, JSON.stringify(kind.claims()).replaceAll(".", "\\u002e")],
  };
}

/** Whoever takes the key from its name and the algorithm from the token makes a public key a shared secret. */
function publicKeyForms(form: string, exported: (key: KeyObject) => string | Buffer): CommonRow[] {
  const made =
    (alg: string): Making =>
    ({ kind }) => {
      const { kid, key } = kind.publicKey();
      return { header: { alg, kid }, sign: hmac(exported(key)) };
    };
  return [
    [`HS256 by a trusted public key: ${form}`, made("HS256"), "untrusted"],
    [`HS256 by a trusted public key under the name RS256: ${form}`, made("RS256"), "untrusted"],
  ];
}

function modulusOf(key: KeyObject): string {
  return String(key.export({ format: "jwk" }).n);
}

function bySecret(alg: string, signer: (secret: string) => Signer): Making {
  return ({ kind }) => ({ header: { alg }, sign: signer(kind.key() as string) });
}

function byKey(alg: string, signer: (key: KeyObject) => Signer): Making {
  return ({ kind }) => ({ header: { alg }, sign: signer(kind.key() as KeyObject) });
}
