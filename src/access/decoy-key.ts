import { randomBytes } from "node:crypto";

import type { CryptoKey } from "jose";

import { importModulus } from "../remote-keys/remote-key-set.js";

/**
 * A public key without a private one: a random number of the size of a modulus. No signature fits it, and finding
 * that out takes as long as with a team's key.
 */
export function createDecoyKey(): Promise<CryptoKey> {
  const modulus = randomBytes(2048 / 8);
  modulus.writeUInt8(modulus.readUInt8(0) | 0x80, 0);
  const last = modulus.length - 1;
  modulus.writeUInt8(modulus.readUInt8(last) | 1, last);
  return importModulus(modulus.toString("base64url"));
}
