import { constants, createHmac, sign, type KeyObject } from "node:crypto";

/** The signature under a signing input. */
export type Signer = (input: Buffer) => Buffer;

type Bits = 256 | 384 | 512;

export function hmac(secret: string | Buffer, bits: Bits = 256): Signer {
  return (input) => createHmac(`sha${bits}`, secret).update(input).digest();
}

/** RS256, RS384, RS512. */
export function rsa(key: KeyObject, bits: Bits = 256): Signer {
  return (input) => sign(`sha${bits}`, input, key);
}

/** PS256. */
export function pss(key: KeyObject): Signer {
  return (input) => sign("sha256", input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
}

/** ES256. */
export function ecdsa(key: KeyObject): Signer {
  return (input) => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" });
}

export function eddsa(key: KeyObject): Signer {
  return (input) => sign(null, input, key);
}
