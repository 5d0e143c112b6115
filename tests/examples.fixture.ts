import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";

import { audienceOf } from "../sandbox/access-team.js";
import { json, startServer, type Server } from "../sandbox/http-server.js";

export const SITE = "acme.atlassian.net";
export const TEAM_DOMAIN = "acme.cloudflareaccess.com";
export const AUDIENCE = audienceOf("The example");
export const TENANT = "0c4e7b52-the-tenant";

const HOUR = 60 * 60;

const ALGORITHMS = ["ES256", "RS256", "PS256"] as const;
type Algorithm = (typeof ALGORITHMS)[number];

export interface Token {
  readonly alg: Algorithm;
  readonly typ: string | undefined;
  readonly iss: string;
  readonly aud: string | string[];
  readonly sub: string;
  readonly jti?: string | undefined;
  readonly tenant?: string;
  /** From now on. */
  readonly seconds: number;
}

/** Plays the app to an example: publishes the keys of its tokens, and answers as it is told. */
export interface Publisher {
  readonly server: Server;
  sign(token: Token): Promise<string>;
}

/** One key for each algorithm, wherever somebody asks for them: that a signature holds is never the question. */
export async function startPublisher(): Promise<Publisher> {
  const published: JWK[] = [];
  const keys = new Map<Algorithm, CryptoKey>();
  for (const alg of ALGORITHMS) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    keys.set(alg, privateKey);
    published.push({ ...(await exportJWK(publicKey)), kid: alg });
  }
  const server = await startServer();
  server.routes.push(["GET", /\/(?:jwks\.json|certs)$/, () => json(200, { keys: published })]);
  return { server, sign: (token) => sign(keys, token) };
}

async function sign(
  keys: ReadonlyMap<Algorithm, CryptoKey>,
  { alg, typ, seconds, jti, ...claims }: Token,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const key = keys.get(alg);
  if (!key) throw new Error(`There is no key for ${alg}.`);
  return new SignJWT({ ...claims, ...(jti !== undefined && { jti }), iat: now - HOUR, exp: now + seconds })
    .setProtectedHeader({ alg, kid: alg, ...(typ !== undefined && { typ }) })
    .sign(key);
}
