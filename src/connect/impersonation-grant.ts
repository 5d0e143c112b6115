import { SignJWT } from "jose";
import { z } from "zod";

import { fetchBounded, FetchFailedError } from "../bounded-fetch.js";
import { epochSeconds, type Clock } from "../clock.js";
import { AppError, RateLimitedError } from "../errors.js";
import {
  bearerTokenSchema,
  parseRetryAfter,
  type GrantOutcome,
  type GrantRefusal,
  type UserTokenGrant,
  type UserTokenRequest,
} from "../gateway/user-token-grant.js";
import { parseJson } from "../parse-json.js";
import type { Installation } from "../tenants/tenant-store.js";

interface Dependencies {
  readonly clock: Clock;
  /** Audience of assertions, and where they are sent, without a trailing slash. */
  readonly oauthUrl: string;
  readonly findInstallationByTenant: (tenantId: string) => Promise<Installation | null>;
  readonly timeoutSeconds?: number;
}

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_SECONDS = 60;
const MAX_BYTES = 64 * 1024;

// RFC 6749 §5.1
const grantedSchema = z.object({
  access_token: bearerTokenSchema,
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.int().positive(),
});
const refusedSchema = z.object({ error: z.string() });

/** RFC 6749 §5.2 and RFC 7523 §3.1; what isn't here is a mistake of the app's own, or nonsense. */
const REFUSALS: ReadonlyMap<string, GrantRefusal> = new Map<string, GrantRefusal>([
  ["access_denied", "account"],
  ["invalid_scope", "scope"],
  // The app lacks ACT_AS_USER: it is known, but this grant isn't for it.
  ["unauthorized_client", "scope"],
  ["invalid_client", "installation"],
  // The signature, or the person that it vouches for.
  ["invalid_grant", "account_or_installation"],
]);

/**
 * Connect's way to act as a person: an assertion signed with the installation's secret buys a token for one account.
 * Neither of the two is in any error: what is thrown carries no cause and none of Atlassian's own words.
 */
export class ImpersonationGrant implements UserTokenGrant {
  readonly #clock: Clock;
  readonly #oauthUrl: string;
  readonly #findInstallationByTenant: Dependencies["findInstallationByTenant"];
  readonly #timeoutSeconds: number;

  constructor({ clock, oauthUrl, findInstallationByTenant, timeoutSeconds = 10 }: Dependencies) {
    this.#clock = clock;
    this.#oauthUrl = oauthUrl;
    this.#findInstallationByTenant = findInstallationByTenant;
    this.#timeoutSeconds = timeoutSeconds;
  }

  async request({ tenant, accountId, scope }: UserTokenRequest): Promise<GrantOutcome> {
    const installation = await this.#findInstallationByTenant(tenant.id);
    if (installation?.tenant.generation !== tenant.generation) {
      throw upstreamFailed("The installation has changed meanwhile.");
    }
    const { sharedSecret, oauthClientId } = installation;
    if (sharedSecret === null) return { refusal: "installation" };
    // Atlassian names a client only for apps that may act as people.
    if (oauthClientId === null) return { refusal: "scope" };
    const assertion = await new SignJWT({ tnt: tenant.baseUrl })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(`urn:atlassian:connect:clientid:${oauthClientId}`)
      .setSubject(`urn:atlassian:connect:useraccountid:${accountId}`)
      .setAudience(this.#oauthUrl)
      .setIssuedAt(epochSeconds(this.#clock))
      .setExpirationTime(epochSeconds(this.#clock) + ASSERTION_SECONDS)
      .sign(Buffer.from(sharedSecret));
    return readAnswer(await this.#post(new URLSearchParams({ grant_type: GRANT_TYPE, assertion, scope })));
  }

  async #post(form: URLSearchParams): Promise<Answer> {
    try {
      return await fetchBounded(`${this.#oauthUrl}/oauth2/token`, {
        timeoutSeconds: this.#timeoutSeconds,
        maxBytes: MAX_BYTES,
        headers: { accept: "application/json" },
        posted: form,
      });
    } catch (error) {
      if (!(error instanceof FetchFailedError)) throw error;
      if (error.failure === "timeout") throw new AppError("upstream_timeout");
      throw upstreamFailed(`Atlassian's authorization server: ${error.message}`);
    }
  }
}

type Answer = Awaited<ReturnType<typeof fetchBounded>>;

function readAnswer({ status, headers, body }: Answer): GrantOutcome {
  if (status === 429) throw new RateLimitedError(parseRetryAfter(headers.get("retry-after")));
  const json = parseJson(body);
  if (status === 200) {
    const granted = grantedSchema.safeParse(json);
    if (!granted.success)
      throw upstreamFailed("Atlassian's authorization server answered 200 without a token.");
    return { token: granted.data.access_token, expiresInSeconds: granted.data.expires_in };
  }
  const refusal =
    status >= 400 && status < 500 ? REFUSALS.get(refusedSchema.safeParse(json).data?.error ?? "") : undefined;
  if (refusal === undefined) throw upstreamFailed(`Atlassian's authorization server answered ${status}.`);
  return { refusal };
}

function upstreamFailed(reason: string): AppError {
  return new AppError("upstream_failed", undefined, { reason });
}
