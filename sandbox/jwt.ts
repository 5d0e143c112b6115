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

const TOKEN = /eyJ[\w-]+\.[\w-]*(?:\.[\w-]*)?/;

/** What a token says, unverified, for people to read; null when there is none in the text. */
export function findClaims(text: string): Claims | null {
  const payload = TOKEN.exec(text)?.[0].split(".")[1];
  if (!payload) return null;
  try {
    return JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims;
  } catch {
    return null;
  }
}

/** Tokens are worth as much as passwords: on a screen, only their first characters. */
export function shortenTokens(text: string): string {
  return text.replace(new RegExp(TOKEN, "g"), (token) => `${token.slice(0, 8)}…`);
}
