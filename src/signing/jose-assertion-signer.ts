import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { z } from "zod";

import type { KeyPair } from "../assertions/assertion-key.js";
import type { AssertionClaims, AssertionSigner } from "../assertions/assertion-signer.js";

const ALGORITHM = "ES256";

const publicKeySchema = z.object({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  x: z.base64url(),
  y: z.base64url(),
});
const privateKeySchema = publicKeySchema.extend({ d: z.base64url() });

/** ECDSA over P-256: short signatures, and every JOSE library verifies them. */
export class JoseAssertionSigner implements AssertionSigner {
  async createKeyPair(): Promise<KeyPair> {
    const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    const jwk = privateKeySchema.parse(await exportJWK(privateKey));
    const publicKey = publicKeySchema.parse(jwk);
    // RFC 7638: named by what it is, so that no two keys share a name.
    return { kid: await calculateJwkThumbprint(publicKey), publicKey, privateKey: JSON.stringify(jwk) };
  }

  async sign({ kid, privateKey }: KeyPair, claims: AssertionClaims): Promise<string> {
    const jwk = privateKeySchema.parse(JSON.parse(privateKey));
    const key = await importJWK(jwk, ALGORITHM);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM, typ: "assertion+jwt", kid })
      .sign(key);
  }
}
