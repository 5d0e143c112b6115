import type { Clock } from "../clock.js";
import { createExpiringCache } from "../expiring-cache.js";
import { SingleFlight } from "../single-flight.js";
import { UNKNOWN_ACCOUNT } from "./account-answer.js";
import type { HostAccount } from "./host-directory.js";
import type { Tenant } from "./tenant.js";

const MAX_CACHED_ACCOUNTS = 10_000;
const ADMIN_SECONDS = 60;
const ACCOUNT_SECONDS = 5 * 60;
// A product that hangs is not waited for by every page, and one that is well again is soon believed (ADR 9).
const UNKNOWN_ACCOUNT_SECONDS = 30;
// Accounts of portal customers, who aren't members of the site.
const PORTAL_CUSTOMER = "qm:";

/** What products have said of people, for a while; whoever asks the same at the same time shares one question. */
export class HostAnswers {
  readonly #admins;
  readonly #adminFlights = new SingleFlight<boolean>();
  readonly #accounts;
  readonly #accountFlights = new SingleFlight<HostAccount>();

  constructor(clock: Clock) {
    const cached = { clock, maxEntries: MAX_CACHED_ACCOUNTS };
    this.#admins = createExpiringCache<true>({ ...cached, ttlSeconds: ADMIN_SECONDS });
    this.#accounts = createExpiringCache<HostAccount>({ ...cached, ttlSeconds: ACCOUNT_SECONDS });
  }

  /** Only a yes is kept. */
  async isAdmin(tenant: Tenant, accountId: string, ask: () => Promise<boolean>): Promise<boolean> {
    // Security rule 1: for no account, a product may answer for the app itself.
    if (accountId === "") throw new Error("There is no account to ask for.");
    const key = cacheKey(tenant, accountId);
    if (this.#admins.has(key)) return true;
    return this.#adminFlights.run(key, async () => {
      const isAdmin = await ask();
      if (isAdmin) this.#admins.set(key, true);
      return isAdmin;
    });
  }

  async findAccount(
    tenant: Tenant,
    accountId: string,
    ask: () => Promise<HostAccount>,
  ): Promise<HostAccount> {
    if (accountId === "") return UNKNOWN_ACCOUNT;
    if (accountId.startsWith(PORTAL_CUSTOMER)) return { standing: "not_a_person", displayName: null };
    const key = cacheKey(tenant, accountId);
    const cached = this.#accounts.get(key);
    if (cached) return cached;
    return this.#accountFlights.run(key, async () => {
      const account = await ask();
      const ttlSeconds = account.standing === "unknown" ? UNKNOWN_ACCOUNT_SECONDS : ACCOUNT_SECONDS;
      this.#accounts.set(key, account, { ttl: ttlSeconds * 1000 });
      return account;
    });
  }
}

/** What was learnt under another secret or base URL doesn't count. */
function cacheKey({ id, generation }: Tenant, accountId: string): string {
  return `${id} ${generation} ${accountId}`;
}
