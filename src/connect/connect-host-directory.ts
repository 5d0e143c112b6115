import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import { createExpiringCache } from "../expiring-cache.js";
import type { Logger } from "../logger.js";
import { parseJson } from "../parse-json.js";
import { SingleFlight } from "../single-flight.js";
import type { HostAccount, HostDirectory } from "../tenants/host-directory.js";
import type { Installation } from "../tenants/tenant-store.js";
import type { Tenant } from "../tenants/tenant.js";
import type { HostClient } from "./host-client.js";
import {
  acceptsInstallationQuestion,
  accountQuestion,
  isAdminQuestion,
  UNKNOWN_ACCOUNT,
  type HostQuestion,
} from "./host-questions.js";

interface Dependencies {
  readonly hostClient: HostClient;
  readonly appKey: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly findInstallationByTenant: (tenantId: string) => Promise<Installation | null>;
  /** An unproven tenant's host has accepted a call that was signed with its secret (security rule 4). */
  readonly onAccepted: (tenant: Tenant) => Promise<void>;
}

const MAX_CACHED_ACCOUNTS = 10_000;
const ADMIN_SECONDS = 60;
const ACCOUNT_SECONDS = 5 * 60;
// A product that hangs is not waited for by every page, and one that is well again is soon believed (ADR 9).
const UNKNOWN_ACCOUNT_SECONDS = 30;
// Accounts of portal customers, who aren't members of the site.
const PORTAL_CUSTOMER = "qm:";

/** Asks Jira and Confluence by their REST APIs. */
export class ConnectHostDirectory implements HostDirectory {
  readonly #hostClient: HostClient;
  readonly #appKey: string;
  readonly #logger: Logger;
  readonly #findInstallationByTenant: Dependencies["findInstallationByTenant"];
  readonly #onAccepted: Dependencies["onAccepted"];
  readonly #admins;
  readonly #adminFlights = new SingleFlight<boolean>();
  readonly #accounts;
  readonly #accountFlights = new SingleFlight<HostAccount>();

  constructor(dependencies: Dependencies) {
    this.#hostClient = dependencies.hostClient;
    this.#appKey = dependencies.appKey;
    this.#logger = dependencies.logger;
    this.#findInstallationByTenant = dependencies.findInstallationByTenant;
    this.#onAccepted = dependencies.onAccepted;
    const cached = { clock: dependencies.clock, maxEntries: MAX_CACHED_ACCOUNTS };
    this.#admins = createExpiringCache<true>({ ...cached, ttlSeconds: ADMIN_SECONDS });
    this.#accounts = createExpiringCache<HostAccount>({ ...cached, ttlSeconds: ACCOUNT_SECONDS });
  }

  async isAdmin(tenant: Tenant, accountId: string): Promise<boolean> {
    // Security rule 1: for no account, Jira would answer for the app itself.
    if (accountId === "") throw new Error("There is no account to ask for.");
    const key = cacheKey(tenant, accountId);
    if (this.#admins.has(key)) return true;
    return this.#adminFlights.run(key, async () => {
      const isAdmin = (await this.#ask(tenant, isAdminQuestion(tenant.product, accountId))) ?? false;
      if (isAdmin) {
        this.#admins.set(key, true);
        await this.#noteProof(tenant);
      }
      return isAdmin;
    });
  }

  async findAccount(tenant: Tenant, accountId: string): Promise<HostAccount> {
    if (accountId === "") return UNKNOWN_ACCOUNT;
    if (accountId.startsWith(PORTAL_CUSTOMER)) return { standing: "not_a_person", displayName: null };
    const key = cacheKey(tenant, accountId);
    const cached = this.#accounts.get(key);
    if (cached) return cached;
    return this.#accountFlights.run(key, async () => {
      const account = await this.#askAccount(tenant, accountId);
      const ttlSeconds = account.standing === "unknown" ? UNKNOWN_ACCOUNT_SECONDS : ACCOUNT_SECONDS;
      this.#accounts.set(key, account, { ttl: ttlSeconds * 1000 });
      return account;
    });
  }

  async acceptsInstallation(tenant: Tenant): Promise<boolean> {
    try {
      const isAccepted = (await this.#ask(tenant, acceptsInstallationQuestion(this.#appKey))) ?? false;
      if (isAccepted) await this.#noteProof(tenant);
      return isAccepted;
    } catch (error) {
      this.#logger.info({ err: error, tenant: tenant.id }, "the product didn't accept the installation");
      return false;
    }
  }

  async #askAccount(tenant: Tenant, accountId: string): Promise<HostAccount> {
    try {
      return (await this.#ask(tenant, accountQuestion(tenant.product, accountId))) ?? UNKNOWN_ACCOUNT;
    } catch (error) {
      this.#logger.warn({ err: error, tenant: tenant.id }, "the product didn't tell about an account");
      return UNKNOWN_ACCOUNT;
    }
  }

  /** Null when the product refuses to tell, knows nothing of it, or answers something else. */
  async #ask<T>(tenant: Tenant, { request, answer }: HostQuestion<T>): Promise<T | null> {
    const installation = await this.#findInstallationByTenant(tenant.id);
    if (installation?.tenant.generation !== tenant.generation) {
      throw upstreamFailed("The installation has changed meanwhile.");
    }
    const { status, body } = await this.#hostClient.send(installation.clientKey, request);
    if (status === 403 || status === 404) return null;
    if (status !== 200) throw upstreamFailed(`The product answered ${status}.`);
    const json = parseJson(body);
    if (json === undefined) throw upstreamFailed("The product's answer isn't JSON.");
    const parsed = answer.safeParse(json);
    return parsed.success ? parsed.data : null;
  }

  /** Only for a yes that nobody but the app itself would get: other answers a host might give to anybody. */
  async #noteProof(tenant: Tenant): Promise<void> {
    if (!tenant.proven) await this.#onAccepted(tenant);
  }
}

/** What was learnt under another secret or base URL doesn't count. */
function cacheKey({ id, generation }: Tenant, accountId: string): string {
  return `${id} ${generation} ${accountId}`;
}

function upstreamFailed(reason: string): AppError {
  return new AppError("upstream_failed", undefined, { reason });
}
