import { randomUUID } from "node:crypto";
import { expect } from "vitest";

import { epochSeconds } from "../../sandbox/jwt.js";
import { GRACE } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import type { TokenKind } from "./token-kind.fixture.js";
import { ACTOR, type TokenWorld } from "./token-world.fixture.js";

export const MALFORMED = [401, "access_jwt_malformed"] as const;
export const UNTRUSTED = [401, "access_jwt_untrusted"] as const;
export const PURPOSE = [403, "purpose_not_allowed"] as const;

const ACCESS_REFUSALS = {
  absent: [401, "access_jwt_missing"],
  spaced: MALFORMED,
  oversized: [431, "headers_too_large"],
  unreadable: MALFORMED,
  untrusted: UNTRUSTED,
  expired: [401, "access_jwt_expired"],
} as const satisfies TokenKind["refusals"];

/** A service asks who its visitor is. */
export function identifyingTokens(at: () => TokenWorld): TokenKind {
  return {
    ...accessTokens(at, AUDIENCES.demo),
    name: "an Access JWT that a service forwards",
    send: (token) =>
      at().send("GET", `/api/v1/sites/${at().home.host}/identity`, { authorization: `Bearer ${token}` }),
    expectAccepted: (reply) => expect(reply.expect(200).body).toMatchObject({ accountId: GRACE.accountId }),
  };
}

/** A service acts as its visitor. */
export function actingTokens(at: () => TokenWorld): TokenKind {
  return {
    ...accessTokens(at, ACTOR.audience),
    name: "an Access JWT with which a service acts",
    send: (token) => at().act({ authorization: `Bearer ${token}` }),
    expectAccepted: (reply) => {
      expect(reply.expect(200).headers["x-gateway-upstream"]).toBe("jira");
      expect(reply.body).toMatchObject({ accountId: GRACE.accountId });
    },
  };
}

/** Access puts it on what a browser asks of the popup. */
export function popupTokens(at: () => TokenWorld, attempt: () => string): TokenKind {
  return {
    ...accessTokens(at, AUDIENCES.app),
    name: "an Access JWT at the popup",
    send: (token) => at().send("GET", `/access/link/${attempt()}`, { "cf-access-jwt-assertion": token }),
    expectAccepted: (reply) => expect(reply.expect(200).text).toContain(GRACE.email),
  };
}

/** A front end that holds both proofs sends it beside a context JWT. */
export function linkingTokens(at: () => TokenWorld): TokenKind {
  return {
    ...accessTokens(at, AUDIENCES.app),
    name: "an Access JWT that links",
    send: async (accessJwt) => {
      const contextJwt = await at().home.contextJwt("jira", GRACE.accountId);
      return at().send("POST", "/api/v1/me/links", { authorization: `JWT ${contextJwt}` }, { accessJwt });
    },
    expectAccepted: (reply) => expect(reply.expect(200).body).toMatchObject({ accountId: GRACE.accountId }),
    refusals: {
      ...ACCESS_REFUSALS,
      absent: [422, "validation_failed"],
      oversized: [422, "validation_failed"],
    },
  };
}

function accessTokens(at: () => TokenWorld, audience: string) {
  const publicKey = () => at().acme.signingKey;
  return {
    algorithm: "RS256",
    header: () => ({ alg: "RS256", kid: publicKey().kid, typ: "JWT" }),
    claims: () => {
      const now = epochSeconds();
      return {
        aud: [audience],
        email: GRACE.email,
        exp: now + 86_400,
        iat: now,
        nbf: now,
        iss: at().acme.issuer,
        type: "app",
        identity_nonce: randomUUID(),
        sub: GRACE.accessSubject,
        country: "US",
      };
    },
    key: () => at().acme.signingKey.privateKey,
    publicKey,
    refusals: ACCESS_REFUSALS,
  } as const;
}
