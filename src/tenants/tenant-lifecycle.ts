import type { AuditLog, Initiator } from "../audit/audit-log.js";
import { CLOCK_TOLERANCE_SECONDS, type Clock } from "../clock.js";
import { AppError, ValidationError } from "../errors.js";
import { createId } from "../identifiers.js";
import { RateLimit, type Rate } from "../rate-limit.js";
import type { Database, WriteStores } from "../stores.js";
import { eraseTenant, toUninstalled } from "./erase-tenant.js";
import type { TenantMemory } from "./tenant-memory.js";
import type { Installation } from "./tenant-store.js";
import type { Product, Tenant } from "./tenant.js";

/** The signed half of a lifecycle event: all that the token vouches for. */
export interface EventToken {
  readonly clientKey: string;
  /** Epoch seconds, like the next. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly hash: string;
}

/** The unsigned half: taken only together with a token that was never seen with another body. */
export interface InstallBody {
  readonly product: Product;
  readonly site: string;
  readonly baseUrl: string;
  readonly sharedSecret: string;
  readonly oauthClientId: string | null;
}

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly memory: Pick<TenantMemory, "forgetTenant">;
  readonly clock: Clock;
  /** Of one client key: how often it may be installed and uninstalled, and how often enabled and disabled. */
  readonly rate: Rate;
}

const MAX_TOKEN_LIFETIME_SECONDS = 24 * 3600;

/**
 * What Atlassian tells of installations (security rule 4). Repeating an event that was obeyed changes nothing. Only what
 * is obeyed is counted, and the two kinds apart: neither a caught token nor the tenant's secret keeps Atlassian from
 * installing the app again. Every method throws RateLimitedError.
 */
export class TenantLifecycle {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #memory: Dependencies["memory"];
  readonly #clock: Clock;
  readonly #installEvents: RateLimit;
  readonly #toggleEvents: RateLimit;

  constructor({ database, audit, memory, clock, rate }: Dependencies) {
    this.#database = database;
    this.#audit = audit;
    this.#memory = memory;
    this.#clock = clock;
    this.#installEvents = new RateLimit({ clock, ...rate });
    this.#toggleEvents = new RateLimit({ clock, ...rate });
  }

  /** Throws `connect_jwt_invalid` for a stale token or one that came with another body, ValidationError for the body. */
  async install(token: EventToken, body: InstallBody, bodyHash: string, by: Initiator): Promise<Tenant> {
    return this.#database.write(async (stores) => {
      const isNew = await this.#spend(stores, token, `installed ${bodyHash}`);
      const before = await stores.tenants.findInstallation(token.clientKey);
      if (!isNew && before) return before.tenant;
      requireNotOlder(token, before?.lastInstallEventAt ?? 0);
      const after = before ? reinstalled(before, token, body) : installed(token, body);
      this.#installEvents.consume(token.clientKey);
      if (before) await stores.tenants.updateInstallation(after, this.#clock.now());
      else await stores.tenants.insertInstallation(after, this.#clock.now());
      await this.#audit.tenantInstalled(stores.audit, by, before?.tenant ?? null, after.tenant);
      return after.tenant;
    });
  }

  /** Erases the secret, links, consents, assertion keys and attempts at once; settings and audit stay for a reinstall. */
  async uninstall(token: EventToken, bodyHash: string, by: Initiator): Promise<void> {
    const uninstalledId = await this.#database.write(async (stores) => {
      const isNew = await this.#spend(stores, token, `uninstalled ${bodyHash}`);
      const before = await stores.tenants.findInstallation(token.clientKey);
      if (!isNew || !before) return null;
      requireNotOlder(token, before.lastInstallEventAt);
      this.#installEvents.consume(token.clientKey);
      const { tenant } = before;
      await eraseTenant(stores, tenant.id);
      await stores.tenants.updateInstallation(
        {
          ...before,
          sharedSecret: null,
          lastInstallEventAt: token.issuedAt,
          tenant: toUninstalled(tenant),
        },
        this.#clock.now(),
      );
      await this.#audit.tenantUninstalled(stores.audit, by, tenant);
      return tenant.id;
    });
    if (uninstalledId !== null) this.#memory.forgetTenant(uninstalledId);
    await this.#database.overwriteDeleted();
  }

  async setEnabled(token: EventToken, bodyHash: string, isEnabled: boolean, by: Initiator): Promise<void> {
    const state = isEnabled ? "enabled" : "disabled";
    await this.#database.write(async (stores) => {
      const isNew = await this.#spend(stores, token, `${state} ${bodyHash}`);
      const before = await stores.tenants.findInstallation(token.clientKey);
      if (!isNew || !before || before.tenant.state === "uninstalled") return;
      // These may be signed by the site, installed by another service of Atlassian's: their clocks may differ.
      requireNotOlder(
        token,
        Math.max(before.lastToggleEventAt, before.lastInstallEventAt - CLOCK_TOLERANCE_SECONDS),
      );
      this.#toggleEvents.consume(token.clientKey);
      const after: Installation = {
        ...before,
        lastToggleEventAt: token.issuedAt,
        tenant: { ...before.tenant, state },
      };
      await stores.tenants.updateInstallation(after, this.#clock.now());
      if (before.tenant.state !== state) {
        await this.#audit.tenantToggled(stores.audit, by, after.tenant, isEnabled);
      }
    });
  }

  async #spend(stores: WriteStores, token: EventToken, use: string): Promise<boolean> {
    // It is remembered until it expires, so it must.
    if (token.expiresAt - token.issuedAt > MAX_TOKEN_LIFETIME_SECONDS) {
      throw new AppError("connect_jwt_invalid", "A lifecycle event's token may be valid for a day at most.");
    }
    const expiresAt = new Date((token.expiresAt + CLOCK_TOLERANCE_SECONDS) * 1000);
    const bound = await stores.tokens.bind(token.hash, use, expiresAt);
    if (bound.use !== use) {
      throw new AppError("connect_jwt_invalid", "This token was already used for another lifecycle event.");
    }
    return bound.isNew;
  }
}

function requireNotOlder(token: EventToken, lastEventAt: number): void {
  if (token.issuedAt < lastEventAt) {
    throw new AppError("connect_jwt_invalid", "This lifecycle event is older than the last one of its site.");
  }
}

function installed(token: EventToken, body: InstallBody): Installation {
  return {
    clientKey: token.clientKey,
    sharedSecret: body.sharedSecret,
    oauthClientId: body.oauthClientId,
    lastInstallEventAt: token.issuedAt,
    lastToggleEventAt: 0,
    tenant: {
      id: createId(),
      door: "connect",
      product: body.product,
      site: body.site,
      baseUrl: body.baseUrl,
      state: "enabled",
      generation: 1,
      proven: false,
      suspended: false,
    },
  };
}

function reinstalled(before: Installation, token: EventToken, body: InstallBody): Installation {
  const { tenant } = before;
  // The body is unsigned: a Jira tenant's settings and links must not turn into those of Confluence.
  if (body.product !== tenant.product) {
    throw ValidationError.of(
      "productType",
      `This client key belongs to an installation in ${tenant.product}.`,
    );
  }
  const isUnchanged = body.sharedSecret === before.sharedSecret && body.baseUrl === tenant.baseUrl;
  return {
    ...before,
    sharedSecret: body.sharedSecret,
    oauthClientId: body.oauthClientId,
    lastInstallEventAt: token.issuedAt,
    tenant: {
      ...tenant,
      site: body.site,
      baseUrl: body.baseUrl,
      // Atlassian sends it after a site was renamed or the app was upgraded, too: that enables nobody.
      state: tenant.state === "disabled" ? "disabled" : "enabled",
      generation: isUnchanged ? tenant.generation : tenant.generation + 1,
      proven: isUnchanged && tenant.proven,
      suspended: tenant.suspended || body.site !== tenant.site,
    },
  };
}
