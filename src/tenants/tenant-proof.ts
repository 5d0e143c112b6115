import type { Clock } from "../clock.js";
import { createExpiringCache } from "../expiring-cache.js";
import type { Logger } from "../logger.js";
import type { Database } from "../stores.js";
import type { HostDirectory } from "./host-directory.js";
import type { Tenant } from "./tenant.js";

interface Dependencies {
  readonly database: Database;
  readonly host: Pick<HostDirectory, "acceptsInstallation" | "isAdmin">;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_AFTER_SECONDS = 60;

/**
 * Security rule 4: the body of an install event is unsigned, so its host counts for nothing until that host has
 * accepted the secret in a call that we made. Asked right after installing, and again (once a minute at most) when
 * somebody needs the tenant.
 */
export class TenantProof {
  readonly #database: Database;
  readonly #host: Dependencies["host"];
  readonly #logger: Logger;
  readonly #outcomes;

  constructor({ database, host, clock, logger }: Dependencies) {
    this.#database = database;
    this.#host = host;
    this.#logger = logger;
    this.#outcomes = createExpiringCache<Promise<boolean>>({
      clock,
      maxEntries: 10_000,
      ttlSeconds: RETRY_AFTER_SECONDS,
    });
  }

  /** Tries to prove a tenant unless that was tried in the last minute, and says whether it is proven. Never throws. */
  async prove(tenant: Tenant): Promise<boolean> {
    if (tenant.proven) return true;
    const key = `${tenant.id} ${tenant.generation}`;
    const known = this.#outcomes.get(key);
    if (known) return known;
    const asking = this.#ask(tenant);
    this.#outcomes.set(key, asking);
    // A yes isn't remembered: the tenant is proven then, until another takes its place.
    if (await asking) this.#outcomes.delete(key);
    return asking;
  }

  /** A host has accepted this generation's base URL and secret. */
  async markProven(tenant: Tenant): Promise<void> {
    await this.#database.write((stores) => stores.tenants.markProven(tenant.id, tenant.generation));
  }

  async #ask(tenant: Tenant): Promise<boolean> {
    try {
      // A site that is taken by somebody else is lost to a tenant that its host accepts, too.
      if (await this.#host.acceptsInstallation(tenant)) return await this.#isProven(tenant);
      // Not every product answers for the app itself; each answers for somebody it knows.
      const { items } = await this.#database.read.audit.list(
        tenant.id,
        { kind: null, action: "settings.changed", actor: "user", from: null, to: null },
        { limit: 1, cursor: null },
      );
      const accountId = items[0]?.actor.accountId;
      if (accountId) await this.#host.isAdmin(tenant, accountId);
      return await this.#isProven(tenant);
    } catch (error) {
      this.#logger.info({ err: error, tenant: tenant.id }, "the host did not prove this installation");
      return false;
    }
  }

  async #isProven(tenant: Tenant): Promise<boolean> {
    return (await this.#database.read.tenants.findById(tenant.id))?.proven ?? false;
  }
}
