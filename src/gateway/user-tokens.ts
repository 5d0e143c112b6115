import type { Clock } from "../clock.js";
import { AppError, RateLimitedError } from "../errors.js";
import { createExpiringCache } from "../expiring-cache.js";
import type { HostDirectory } from "../tenants/host-directory.js";
import type { Tenant } from "../tenants/tenant.js";
import type { GrantOutcome, GrantRefusal, UserTokenGrant, UserTokenRequest } from "./user-token-grant.js";

interface Dependencies {
  readonly clock: Clock;
  readonly grant: UserTokenGrant;
  readonly host: Pick<HostDirectory, "acceptsInstallation">;
  readonly maxTokens?: number;
}

type Refusal = Exclude<GrantRefusal, "account_or_installation">;
type Outcome = { readonly token: string } | { readonly refusal: Refusal };

interface Owner {
  readonly tenantId: string;
  readonly accountId: string;
}

interface Entry extends Owner {
  readonly outcome: Outcome;
}

interface Flight extends Owner {
  readonly outcome: Promise<Outcome>;
}

const MAX_TOKENS = 10_000;
/** A token that is about to expire could do so on its way. */
const MARGIN_SECONDS = 60;
/** Whatever Atlassian says: a token that was taken back somewhere else is used no longer than this. */
const MAX_TOKEN_SECONDS = 60 * 60;
/** Atlassian counts how often it is asked; whoever calls in a loop for a deactivated account uses up everybody's share. */
const REFUSAL_SECONDS = 30;
const MAX_WAIT_SECONDS = 5 * 60;

/**
 * Tokens with which the app acts as a person, in memory only. One belongs to a tenant, its secret, an account and a
 * scope; those who want the same one at the same time share one attempt.
 */
export class UserTokens {
  readonly #clock: Clock;
  readonly #grant: UserTokenGrant;
  readonly #host: Dependencies["host"];
  readonly #entries;
  readonly #flights = new Map<string, Flight>();
  /** Whose token the product has rejected lately. */
  readonly #rejections;
  /** Until when Atlassian wants to be left alone, in milliseconds since the epoch, by tenant. */
  readonly #waits;

  constructor({ clock, grant, host, maxTokens = MAX_TOKENS }: Dependencies) {
    this.#clock = clock;
    this.#grant = grant;
    this.#host = host;
    this.#entries = createExpiringCache<Entry>({ clock, maxEntries: maxTokens, ttlSeconds: REFUSAL_SECONDS });
    this.#rejections = createExpiringCache<true>({
      clock,
      maxEntries: maxTokens,
      ttlSeconds: REFUSAL_SECONDS,
    });
    this.#waits = createExpiringCache<{ readonly until: number }>({
      clock,
      maxEntries: 1000,
      ttlSeconds: MAX_WAIT_SECONDS,
    });
  }

  /** One that is there already. */
  findToken(request: UserTokenRequest): string | null {
    const outcome = this.#entries.get(keyOf(request))?.outcome;
    return outcome && "token" in outcome ? outcome.token : null;
  }

  /**
   * Throws AppError `account_inactive`, `scope_not_granted`, `installation_expired`, `rate_limited`, `upstream_failed`
   * or `upstream_timeout`.
   */
  async getToken(request: UserTokenRequest): Promise<string> {
    // Security rule 1: a token for no account could be one for the app itself.
    if (request.accountId === "") throw new Error("There is no account to act as.");
    const key = keyOf(request);
    const outcome = this.#entries.get(key)?.outcome ?? (await this.#join(key, request));
    if ("token" in outcome) return outcome.token;
    throw toAppError(outcome.refusal);
  }

  /**
   * The product has answered 401 to this token. Says whether there is, or may be, another one; a newer one, which
   * somebody else may have got meanwhile, stays. Some paths answer 401 to good tokens, too: whoever calls them in a loop
   * gets one new token for it now and then.
   */
  forgetRejected(request: UserTokenRequest, token: string): boolean {
    const key = keyOf(request);
    const outcome = this.#entries.peek(key)?.outcome;
    const isOther = outcome !== undefined && !("token" in outcome && outcome.token === token);
    if (isOther || this.#flights.has(key)) return true;
    if (this.#rejections.get(key)) return false;
    this.#rejections.set(key, true);
    this.#entries.delete(key);
    return true;
  }

  forgetAccount(tenantId: string, accountId: string): void {
    this.#forget((owner) => owner.tenantId === tenantId && owner.accountId === accountId);
  }

  forgetTenant(tenantId: string): void {
    this.#forget((owner) => owner.tenantId === tenantId);
    this.#waits.delete(tenantId);
  }

  #forget(isMeant: (owner: Owner) => boolean): void {
    for (const [key, entry] of [...this.#entries.entries()]) if (isMeant(entry)) this.#entries.delete(key);
    // Nobody joins what is under way any more, and what comes of it isn't kept.
    for (const [key, flight] of this.#flights) if (isMeant(flight)) this.#flights.delete(key);
  }

  #join(key: string, request: UserTokenRequest): Promise<Outcome> {
    const inFlight = this.#flights.get(key);
    if (inFlight) return inFlight.outcome;
    const isOurs = () => this.#flights.get(key) === flight;
    const outcome = this.#fetch(key, request, isOurs).finally(() => {
      if (isOurs()) this.#flights.delete(key);
    });
    const flight: Flight = { tenantId: request.tenant.id, accountId: request.accountId, outcome };
    this.#flights.set(key, flight);
    return outcome;
  }

  async #fetch(key: string, request: UserTokenRequest, isWanted: () => boolean): Promise<Outcome> {
    const { tenant, accountId } = request;
    this.#refuseWhileWaiting(tenant.id);
    // Counted from before the question: the answer may have been long on its way.
    const askedAt = this.#now();
    const granted = await this.#ask(request);
    const outcome =
      "token" in granted
        ? { token: granted.token }
        : { refusal: await this.#explain(tenant, granted.refusal) };
    const until =
      "token" in granted
        ? askedAt + usableSeconds(granted.expiresInSeconds) * 1000
        : this.#now() + REFUSAL_SECONDS * 1000;
    const ttl = until - this.#now();
    if (ttl > 0 && isWanted()) this.#entries.set(key, { tenantId: tenant.id, accountId, outcome }, { ttl });
    return outcome;
  }

  async #ask(request: UserTokenRequest): Promise<GrantOutcome> {
    try {
      return await this.#grant.request(request);
    } catch (error) {
      if (error instanceof RateLimitedError) this.#wait(request.tenant.id, error);
      throw error;
    }
  }

  /** The product itself can tell: it knows the app's secret, whoever the app wants to act as. */
  async #explain(tenant: Tenant, refusal: GrantRefusal): Promise<Refusal> {
    if (refusal !== "account_or_installation") return refusal;
    return (await this.#host.acceptsInstallation(tenant)) ? "account" : "installation";
  }

  #wait(tenantId: string, { extras }: RateLimitedError): void {
    const seconds = Math.min(extras.retryAfterSeconds ?? REFUSAL_SECONDS, MAX_WAIT_SECONDS);
    this.#waits.set(tenantId, { until: this.#now() + seconds * 1000 });
  }

  #refuseWhileWaiting(tenantId: string): void {
    const seconds = Math.ceil(((this.#waits.get(tenantId)?.until ?? 0) - this.#now()) / 1000);
    if (seconds > 0) throw new RateLimitedError(seconds);
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

/** What was granted under another secret or base URL doesn't count. */
function keyOf({ tenant, accountId, scope }: UserTokenRequest): string {
  return `${tenant.id} ${tenant.generation} ${scope} ${accountId}`;
}

function usableSeconds(expiresInSeconds: number): number {
  return Math.min(expiresInSeconds - MARGIN_SECONDS, MAX_TOKEN_SECONDS);
}

function toAppError(refusal: Refusal): AppError {
  switch (refusal) {
    case "account":
      return new AppError(
        "account_inactive",
        "Atlassian doesn't let the app act as this account: it is deactivated, or may not use this product any more.",
      );
    case "scope":
      return new AppError("scope_not_granted");
    case "installation":
      return new AppError("installation_expired");
  }
}
