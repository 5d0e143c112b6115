import { z } from "zod";

import { fetchBounded, FetchFailedError } from "../bounded-fetch.js";
import type { Clock } from "../clock.js";
import { AppError, RateLimitedError } from "../errors.js";
import {
  bearerTokenSchema,
  parseRetryAfter,
  type GrantOutcome,
  type UserTokenGrant,
  type UserTokenRequest,
} from "../gateway/user-token-grant.js";
import { parseJson } from "../parse-json.js";
import { RateLimit, type Rate } from "../rate-limit.js";
import { findSystemToken, getPlace, type InstalledPlace, type InstalledPlaces } from "./installed-place.js";

interface Dependencies {
  readonly clock: Clock;
  /** Without a trailing slash. */
  readonly apiUrl: string;
  readonly places: InstalledPlaces;
  readonly timeoutSeconds?: number;
}

/**
 * Atlassian answers 1,000 of these in a minute, for all the app's sites together. No minute has a part in more than
 * seven windows, so that it has 980 at most.
 */
export const GRANT_RATE: Rate = { calls: 140, perSeconds: 10 };
/** Security rule 5: a third is what one tenant may use up for the others. */
export const TENANT_GRANT_RATE: Rate = { calls: 46, perSeconds: 10 };

const ALL = "all";
const MAX_BYTES = 64 * 1024;

/** https://developer.atlassian.com/platform/forge/remote/calling-product-apis/#offline-user-impersonation */
const MUTATION = `mutation actAs($input: OfflineUserAuthTokenInput!) {
  offlineUserAuthToken(input: $input) { success errors { message } authToken { token ttl } }
}`;

const grantedSchema = z.object({
  success: z.literal(true),
  authToken: z.object({ token: bearerTokenSchema, ttl: z.int().positive() }),
});
const answerSchema = z.object({
  data: z.object({ offlineUserAuthToken: z.looseObject({ success: z.boolean() }).nullish() }).nullish(),
  errors: z.array(z.unknown()).nullish(),
});

/**
 * Forge's way to act as a person: the app's own token in a place buys one for an account. Neither of the two is in any
 * error: what is thrown carries no cause and none of Atlassian's own words. What the token may be used for, the app's
 * manifest says, so each scope gets the same.
 */
export class OfflineUserGrant implements UserTokenGrant {
  readonly #clock: Clock;
  readonly #apiUrl: string;
  readonly #places: InstalledPlaces;
  readonly #timeoutSeconds: number;
  readonly #limit: RateLimit;
  readonly #tenantLimit: RateLimit;

  constructor({ clock, apiUrl, places, timeoutSeconds = 10 }: Dependencies) {
    this.#clock = clock;
    this.#apiUrl = apiUrl;
    this.#places = places;
    this.#timeoutSeconds = timeoutSeconds;
    this.#limit = new RateLimit({ clock, ...GRANT_RATE });
    this.#tenantLimit = new RateLimit({ clock, ...TENANT_GRANT_RATE });
  }

  async request({ tenant, accountId }: UserTokenRequest): Promise<GrantOutcome> {
    const place = await getPlace(this.#places, tenant);
    const systemToken = findSystemToken(place, this.#clock.now());
    // The trigger that brings a new one every hour has stopped: the site is gone, or its admin hasn't agreed to a new version.
    if (systemToken === null) return { refusal: "installation" };
    this.#limit.requireLeft(ALL);
    this.#tenantLimit.consume(tenant.id);
    this.#limit.count(ALL);
    return readAnswer(await this.#post(systemToken, { contextIds: [contextId(place)], userId: accountId }));
  }

  async #post(systemToken: string, input: object): ReturnType<typeof fetchBounded> {
    try {
      return await fetchBounded(`${this.#apiUrl}/graphql`, {
        timeoutSeconds: this.#timeoutSeconds,
        maxBytes: MAX_BYTES,
        headers: { accept: "application/json", authorization: `Bearer ${systemToken}` },
        posted: { query: MUTATION, variables: { input } },
      });
    } catch (error) {
      if (!(error instanceof FetchFailedError)) throw error;
      if (error.failure === "timeout") throw new AppError("upstream_timeout");
      throw upstreamFailed(`Atlassian's GraphQL API: ${error.message}`);
    }
  }
}

function contextId({ product, cloudId }: InstalledPlace): string {
  return `ari:cloud:${product}::site/${cloudId}`;
}

function readAnswer({ status, headers, body }: Awaited<ReturnType<typeof fetchBounded>>): GrantOutcome {
  if (status === 429) throw new RateLimitedError(parseRetryAfter(headers.get("retry-after")));
  // The app's own token isn't good any more.
  if (status === 401 || status === 403) return { refusal: "installation" };
  if (status !== 200) throw upstreamFailed(`Atlassian's GraphQL API answered ${status}.`);
  const answer = answerSchema.safeParse(parseJson(body)).data;
  const result = answer?.data?.offlineUserAuthToken;
  // Atlassian documents no codes for its reasons, so nothing is read from them.
  if (result?.success === false || (answer?.errors?.length ?? 0) > 0) {
    return { refusal: "account_or_installation" };
  }
  const granted = grantedSchema.safeParse(result).data;
  if (!granted) throw upstreamFailed("Atlassian's GraphQL API answered 200 without a token.");
  return { token: granted.authToken.token, expiresInSeconds: granted.authToken.ttl };
}

function upstreamFailed(reason: string): AppError {
  return new AppError("upstream_failed", undefined, { reason });
}
