import { randomUUID } from "node:crypto";
import { expect } from "vitest";

import type { LifecycleEvent } from "../../sandbox/atlassian-site.js";
import type { Call } from "../../sandbox/http-client.js";
import { epochSeconds, queryStringHash } from "../../sandbox/jwt.js";
import { GRACE } from "../../sandbox/people.js";
import { createSender, type Sender } from "../lifecycle.fixture.js";
import type { TokenKind } from "./token-kind.fixture.js";
import type { TokenWorld } from "./token-world.fixture.js";

export const ME = "/api/v1/me";
export const ACCOUNT_PAGE = "/account?cp=&lic=none&xdm_e=https%3A%2F%2Facme.atlassian.net";

/** Installing there makes the app ask nobody whose requests are counted. */
export const NOBODY_LISTENS = { baseUrl: "http://127.0.0.1:9" };

export const INVALID = [401, "connect_jwt_invalid"] as const;
export const MISSING = [401, "connect_jwt_missing"] as const;
const EXPIRED = [401, "connect_jwt_expired"] as const;
export const AMBIGUOUS = [400, "ambiguous_credentials"] as const;

const CONNECT_REFUSALS = {
  absent: MISSING,
  spaced: MISSING,
  oversized: [431, "headers_too_large"],
  unreadable: INVALID,
  untrusted: INVALID,
  expired: EXPIRED,
} as const satisfies TokenKind["refusals"];

/** What `AP.context.getToken()` gives a page of the app, on the API. */
export function contextTokens(at: () => TokenWorld): TokenKind {
  return {
    name: "a context JWT",
    algorithm: "HS256",
    header: () => ({ alg: "HS256", typ: "JWT" }),
    claims: () => tenantClaims(at().tenant, "context-qsh"),
    key: () => at().tenant.sharedSecret,
    publicKey: () => at().world.parts.installKeys.signingKey,
    send: (token) => at().send("GET", ME, { authorization: `JWT ${token}` }),
    expectAccepted: (reply) =>
      expect(reply.expect(200).body).toMatchObject({ accountId: GRACE.accountId, site: at().home.host }),
    refusals: CONNECT_REFUSALS,
  };
}

/** What the product puts into the URL of a page that it shows. */
export function urlBoundTokens(at: () => TokenWorld): TokenKind {
  return {
    name: "a URL-bound JWT",
    algorithm: "HS256",
    header: () => ({ alg: "HS256", typ: "JWT" }),
    claims: () => tenantClaims(at().tenant, qshOf(at(), "GET", ACCOUNT_PAGE)),
    key: () => at().tenant.sharedSecret,
    publicKey: () => at().world.parts.installKeys.signingKey,
    send: (token) => at().send("GET", `${ACCOUNT_PAGE}&jwt=${encodeURIComponent(token)}`, {}),
    expectAccepted: (reply) =>
      expect(reply.expect(200).headers["content-security-policy"]).toContain(
        `frame-ancestors ${at().home.url}`,
      ),
    refusals: { ...CONNECT_REFUSALS, spaced: INVALID },
  };
}

/**
 * A kind whose every accepted event is about an installation of its own, for what was accepted changes what comes after
 * it; unless it is made for one installation.
 */
export interface LifecycleKind extends TokenKind {
  readonly event: LifecycleEvent;
  /** Whom the events are about now. */
  readonly sender: () => Sender;
  buildCall(token: string): Promise<Call>;
}

export function lifecycleTokens(
  at: () => TokenWorld,
  event: LifecycleEvent,
  algorithm: TokenKind["algorithm"],
  { of }: { readonly of?: () => Sender } = {},
): LifecycleKind {
  const isByAtlassian = algorithm === "RS256";
  let newest = createSender(NOBODY_LISTENS);
  const sender = () => of?.() ?? newest;
  const kind: LifecycleKind = {
    name: `the token of ${event}, signed ${isByAtlassian ? "by Atlassian" : "by the tenant"}`,
    algorithm,
    event,
    header: () => ({ alg: algorithm, typ: "JWT", ...(isByAtlassian && { kid: kind.publicKey().kid }) }),
    claims: () => eventClaims(at(), event, sender(), isByAtlassian),
    key: () => (isByAtlassian ? at().world.parts.installKeys.signingKey.privateKey : sender().sharedSecret),
    publicKey: () => at().world.parts.installKeys.signingKey,
    sender,
    buildCall: async (token) => {
      const { headers, ...call } = await at().tenants.buildEvent(sender(), event, { sign: () => token });
      return { ...call, headers: { accept: "application/json", ...headers } };
    },
    send: async (token) => at().tenants.send(await kind.buildCall(token)),
    expectAccepted: (reply) => expect(reply.status, reply.text).toBe(204),
    refusals: CONNECT_REFUSALS,
    prepare: async () => {
      newest = createSender(NOBODY_LISTENS);
      if (event !== "installed") (await at().tenants.sendEvent(newest, "installed")).expect(204);
    },
  };
  return kind;
}

export function qshOf({ appUrl }: TokenWorld, method: string, target: string): string {
  return queryStringHash(method, `${appUrl}${target}`, appUrl);
}

function tenantClaims({ clientKey }: Sender, qsh: string) {
  const now = epochSeconds();
  return { iss: clientKey, sub: GRACE.accountId, iat: now, exp: now + 900, qsh, context: {} };
}

function eventClaims(
  world: TokenWorld,
  event: LifecycleEvent,
  { clientKey }: Sender,
  isByAtlassian: boolean,
) {
  const now = epochSeconds();
  return {
    iss: clientKey,
    iat: now,
    exp: now + 180,
    qsh: qshOf(world, "POST", `/${event}`),
    ...(isByAtlassian && { aud: [world.appUrl] }),
    jti: randomUUID(),
  };
}
