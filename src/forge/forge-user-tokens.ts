import type { Clock } from "../clock.js";
import { createExpiringCache } from "../expiring-cache.js";
import { bearerTokenSchema } from "../gateway/user-token-grant.js";
import type { Tenant } from "../tenants/tenant.js";

const MAX_TOKENS = 10_000;
const MAX_SECONDS = 60;

/**
 * Tokens of people that came with calls of the app's pages, for as long as such a call may take. Nothing binds one to
 * the call: whoever holds an account's call can send anybody's token beside it. So what a token says counts only once it
 * has said whose it is.
 */
export class ForgeUserTokens {
  readonly #clock: Clock;
  readonly #tokens;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tokens = createExpiringCache<string>({ clock, maxEntries: MAX_TOKENS, ttlSeconds: MAX_SECONDS });
  }

  /** The newest call's counts, also when its token is useless. */
  note(tenant: Tenant, accountId: string, userToken: string, expiresAt: Date): void {
    const key = keyOf(tenant, accountId);
    const ttl = Math.min(expiresAt.getTime() - this.#clock.now().getTime(), MAX_SECONDS * 1000);
    this.#tokens.delete(key);
    if (ttl > 0 && accountId !== "" && bearerTokenSchema.safeParse(userToken).success) {
      this.#tokens.set(key, userToken, { ttl });
    }
  }

  find(tenant: Tenant, accountId: string): string | null {
    return this.#tokens.get(keyOf(tenant, accountId)) ?? null;
  }
}

function keyOf({ id, generation }: Tenant, accountId: string): string {
  return `${id} ${generation} ${accountId}`;
}
