import { generateKeyPairSync, randomBytes, sign, type JsonWebKey, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Clock } from "../clock.js";
import { sha256Hex } from "../identifiers.js";

export const AUDIENCE = sha256Hex("an Access application");

export interface SteppedClock extends Clock {
  advance(seconds: number): void;
}

export function createSteppedClock(start = new Date("2026-11-22T12:00:00Z")): SteppedClock {
  let now = start.getTime();
  return {
    now: () => new Date(now),
    advance: (seconds) => {
      now += seconds * 1000;
    },
  };
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey;
}

export function createSigningKey(kid = randomBytes(32).toString("hex"), modulusLength = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" };
  return { kid, privateKey, publicKey, jwk };
}

export interface AccessJwtOverrides {
  /** Replaces single members; `undefined` takes one away. A string or bytes replace the whole. */
  readonly header?: Readonly<Record<string, unknown>> | string | Buffer;
  readonly claims?: Readonly<Record<string, unknown>> | string | Buffer;
  readonly teamDomain?: string;
  /** RS256 unless given. */
  readonly signWith?: (signingInput: Buffer) => Buffer;
}

/** A person's token of `acme.cloudflareaccess.com`, valid for a day around the stepped clock's start. */
export function signAccessJwt(key: SigningKey, overrides: AccessJwtOverrides = {}): string {
  const { header, claims, teamDomain = "acme.cloudflareaccess.com" } = overrides;
  const { signWith = (input: Buffer) => sign("sha256", input, key.privateKey) } = overrides;
  const issuedAt = Date.parse("2026-11-22T11:59:00Z") / 1000;
  const defaultHeader = { alg: "RS256", kid: key.kid, typ: "JWT" };
  const defaultClaims = {
    aud: [AUDIENCE],
    email: "ann@acme.com",
    exp: issuedAt + 24 * 60 * 60,
    iat: issuedAt,
    nbf: issuedAt,
    iss: `https://${teamDomain}`,
    type: "app",
    identity_nonce: "3p8RTJwHHvVZbDWB",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    country: "DE",
  };
  const signingInput = `${encodePart(header, defaultHeader)}.${encodePart(claims, defaultClaims)}`;
  return `${signingInput}.${signWith(Buffer.from(signingInput)).toString("base64url")}`;
}

function encodePart(override: AccessJwtOverrides["claims"], defaults: object): string {
  const isWhole = typeof override === "string" || Buffer.isBuffer(override);
  const bytes = isWhole ? override : JSON.stringify({ ...defaults, ...override });
  return Buffer.from(bytes).toString("base64url");
}

export type PublishedKey = SigningKey | JsonWebKey;

export type Responder = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface TeamServer {
  readonly origin: string;
  /** How often the keys were asked for. */
  readonly requestCount: number;
  /** Publishes exactly these from now on. */
  publish(...keys: PublishedKey[]): void;
  respond(responder: Responder): void;
  close(): Promise<void>;
}

/** A loopback server that answers `/cdn-cgi/access/certs`; 404, like a team that doesn't exist, until keys are published. */
export async function startTeamServer(...keys: PublishedKey[]): Promise<TeamServer> {
  let requestCount = 0;
  let responder: Responder = answerStatus(404);
  const server = createServer((request, response) => {
    if (request.url !== "/cdn-cgi/access/certs") {
      response.writeHead(404).end();
      return;
    }
    requestCount += 1;
    void responder(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const team: TeamServer = {
    origin: `http://127.0.0.1:${port}`,
    get requestCount() {
      return requestCount;
    },
    publish: (...published) => {
      const jwks = published.map((key) => ("jwk" in key ? key.jwk : key));
      responder = answerJson({ keys: jwks, public_cert: { kid: "x", cert: "x" }, public_certs: [] });
    },
    respond: (next) => {
      responder = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  if (keys.length > 0) team.publish(...keys);
  return team;
}

export function answerStatus(status: number): Responder {
  return (_request, response) => {
    response.writeHead(status).end();
  };
}

export function answerText(text: string | Buffer): Responder {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(text);
  };
}

export function answerJson(value: unknown): Responder {
  return answerText(JSON.stringify(value));
}
