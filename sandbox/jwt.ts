import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { createQueryStringHash, fromMethodAndUrl } from "atlassian-jwt";
import { CompactSign } from "jose";

/** A claim or header that is undefined is left out, so that tests can take one away. */
export type Claims = Readonly<Record<string, unknown>>;

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export async function createRsaKeyPair(): Promise<KeyPair> {
  return promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
}

/** Signs whatever it is given, also claims that no honest issuer would write: verifiers are to be tried with those. */
export async function signJwt(header: Claims, claims: Claims, key: KeyObject | string): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: typeof key === "string" ? "HS256" : "RS256", typ: "JWT", ...header })
    .sign(typeof key === "string" ? Buffer.from(key) : key);
}

/** The `qsh` claim: it binds a token to one method, path and query, relative to the base URL of whoever receives it. */
export function queryStringHash(method: string, url: string, baseUrl: string): string {
  return createQueryStringHash(fromMethodAndUrl(method, url), false, baseUrl);
}

export function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
