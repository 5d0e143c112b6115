import { expect } from "vitest";

import { createForgeSender, pageClaims, triggerClaims, type ForgeSender } from "../../sandbox/forge-fit.js";
import { GRACE } from "../../sandbox/people.js";
import { ME, MISSING } from "./connect-kinds.fixture.js";
import type { TokenKind } from "./token-kind.fixture.js";
import { NOBODY_LISTENS, type TokenWorld } from "./token-world.fixture.js";

export const FORGE_INVALID = [401, "forge_jwt_invalid"] as const;

const FORGE_REFUSALS = {
  absent: MISSING,
  spaced: MISSING,
  oversized: [431, "headers_too_large"],
  unreadable: FORGE_INVALID,
  untrusted: FORGE_INVALID,
  expired: [401, "forge_jwt_expired"],
} as const satisfies TokenKind["refusals"];

/** What Forge puts on each call of a page of the app. */
export function forgePageTokens(at: () => TokenWorld): TokenKind {
  return {
    ...forgeTokens(at),
    name: "a Forge Invocation Token of a page",
    claims: () => pageClaims(at().forgeSite, GRACE.accountId),
    send: (token) => at().send("GET", ME, { authorization: `Bearer ${token}` }),
    expectAccepted: (reply) =>
      expect(reply.expect(200).body).toMatchObject({
        accountId: GRACE.accountId,
        site: "forge.atlassian.net",
      }),
  };
}

const TRIGGER_KEYS = {
  installed: "on-installed",
  hourly: "on-hour",
  uninstalled: "on-uninstall",
} as const;

export type ForgeTrigger = keyof typeof TRIGGER_KEYS;

/** What Forge puts on a trigger's call. Each is about an installation of its own, unless it is made for one. */
export function forgeTriggerTokens(
  at: () => TokenWorld,
  trigger: ForgeTrigger,
  { of }: { readonly of?: () => ForgeSender } = {},
): TokenKind {
  let newest = createForgeSender({ apiUrl: NOBODY_LISTENS });
  return {
    ...forgeTokens(at),
    name: `a Forge Invocation Token of ${trigger}`,
    claims: () => triggerClaims(of?.() ?? newest, TRIGGER_KEYS[trigger]),
    send: (token) =>
      at().send("POST", `/forge/${trigger}`, {
        authorization: `Bearer ${token}`,
        "x-forge-oauth-system": "a-system-token",
      }),
    expectAccepted: (reply) => expect(reply.status, reply.text).toBe(204),
    prepare: () => {
      newest = createForgeSender({ apiUrl: NOBODY_LISTENS });
      return Promise.resolve();
    },
  };
}

function forgeTokens(at: () => TokenWorld) {
  return {
    algorithm: "RS256",
    header: () => ({ alg: "RS256", kid: at().forgeKeys.signingKey.kid }),
    key: () => at().forgeKeys.signingKey.privateKey,
    publicKey: () => at().forgeKeys.signingKey,
    refusals: FORGE_REFUSALS,
  } as const;
}
