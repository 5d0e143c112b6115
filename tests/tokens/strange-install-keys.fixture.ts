import { generateKeyPairSync, type KeyObject } from "node:crypto";

import { createCertificate, toPem } from "./certificate.fixture.js";
import { INVALID } from "./connect-kinds.fixture.js";
import { ecdsa, hmac, pss, rsa, type Signer } from "./signers.fixture.js";
import type { Row } from "./token-kind.fixture.js";

const STRONG = generateKeyPairSync("rsa", { modulusLength: 2048 });
const OTHER = generateKeyPairSync("rsa", { modulusLength: 2048 });
const SHORT = generateKeyPairSync("rsa", { modulusLength: 1024 });
const NEARLY = generateKeyPairSync("rsa", { modulusLength: 2047 });
const CUBIC = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
const PSS = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
const EC = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ED25519 = generateKeyPairSync("ed25519");
const SECRET = "a secret that somebody published";

const pemOf = ({ publicKey }: { readonly publicKey: KeyObject }) =>
  publicKey.export({ type: "spki", format: "pem" }).toString();

/** What stands where Atlassian publishes the key of this name, and what tries to make use of it. */
export const STRANGE_INSTALL_KEYS: readonly (readonly [
  what: string,
  file: string,
  alg: string,
  sign: Signer,
  ...refusal: readonly [number, Row[3]],
])[] = [
  ["a short RSA key", pemOf(SHORT), "RS256", rsa(SHORT.privateKey), ...INVALID],
  ["an RSA key that is one bit short", pemOf(NEARLY), "RS256", rsa(NEARLY.privateKey), ...INVALID],
  ["an RSA key with exponent 3", pemOf(CUBIC), "RS256", rsa(CUBIC.privateKey), ...INVALID],
  ["an elliptic key, used as such", pemOf(EC), "ES256", ecdsa(EC.privateKey), ...INVALID],
  ["an elliptic key, used under the name RS256", pemOf(EC), "RS256", ecdsa(EC.privateKey), ...INVALID],
  ["an Edwards key, used under the name RS256", pemOf(ED25519), "RS256", ecdsa(EC.privateKey), ...INVALID],
  ["a key for PSS only, used as such", pemOf(PSS), "PS256", pss(PSS.privateKey), ...INVALID],
  ["a key for PSS only, used under the name RS256", pemOf(PSS), "RS256", pss(PSS.privateKey), ...INVALID],
  [
    "a certificate",
    toPem("CERTIFICATE", createCertificate(STRONG)),
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  [
    "a private key",
    STRONG.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  [
    "a PKCS #1 key",
    STRONG.publicKey.export({ type: "pkcs1", format: "pem" }).toString(),
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  [
    "two keys, used the first",
    pemOf(STRONG) + pemOf(OTHER),
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  [
    "two keys, used the second",
    pemOf(OTHER) + pemOf(STRONG),
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  [
    "a key and a private key",
    pemOf(STRONG) + STRONG.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  [
    "words in front of a key",
    `Here is the key:\n${pemOf(STRONG)}`,
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  [
    "a JWK",
    JSON.stringify(STRONG.publicKey.export({ format: "jwk" })),
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  ["a secret, used as such", SECRET, "HS256", hmac(SECRET), ...INVALID],
  ["a secret, used under the name RS256", SECRET, "RS256", hmac(SECRET), 503, "keys_unavailable"],
  [
    "a web page",
    "<html>Sign in to the network</html>",
    "RS256",
    rsa(STRONG.privateKey),
    503,
    "keys_unavailable",
  ],
  ["nothing", "", "RS256", rsa(STRONG.privateKey), 503, "keys_unavailable"],
];

export const PLAIN_KEY = STRONG.privateKey;
export const PLAIN_FILE = pemOf(STRONG);
