import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import { expect, it } from "vitest";

import type { AssertionClaims } from "../assertions/assertion-signer.js";
import { JoseAssertionSigner } from "./jose-assertion-signer.js";

const CLAIMS: AssertionClaims = {
  iss: "https://app.example/sites/acme.atlassian.net/jira",
  aud: "ab".repeat(32),
  sub: "account-1",
  iat: 1_800_000_000,
  exp: 1_800_000_060,
  jti: "assertion-1",
  tenant: "tenant-1",
  site: "acme.atlassian.net",
  product: "jira",
};

const signer = new JoseAssertionSigner();

it("signs what it is given, and nothing else, so that the public half verifies it", async () => {
  const pair = await signer.createKeyPair();
  const token = await signer.sign(pair, CLAIMS);

  const key = await importJWK(pair.publicKey, "ES256");
  const { payload } = await jwtVerify(token, key, { currentDate: new Date(CLAIMS.iat * 1000) });
  expect(payload).toEqual(CLAIMS);
  expect(decodeProtectedHeader(token)).toEqual({ alg: "ES256", typ: "assertion+jwt", kid: pair.kid });
});

it("makes another key each time, named by its thumbprint, whose public half is only that", async () => {
  const [one, other] = [await signer.createKeyPair(), await signer.createKeyPair()];
  expect(one.kid).toBe(await calculateJwkThumbprint(one.publicKey));
  expect(Object.keys(one.publicKey).sort()).toEqual(["crv", "kty", "x", "y"]);
  expect(one.kid).not.toBe(other.kid);
  const token = await signer.sign(one, CLAIMS);
  const key = await importJWK(other.publicKey, "ES256");
  const currentDate = new Date(CLAIMS.iat * 1000);
  await expect(jwtVerify(token, key, { currentDate })).rejects.toMatchObject({
    code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
  });
});

it("takes no key of another kind", async () => {
  const pair = await signer.createKeyPair();
  const withoutPrivateHalf = pair.publicKey;
  for (const jwk of [withoutPrivateHalf, { ...withoutPrivateHalf, kty: "oct", k: "AAAA" }]) {
    await expect(signer.sign({ ...pair, privateKey: JSON.stringify(jwk) }, CLAIMS)).rejects.toThrow();
  }
});
