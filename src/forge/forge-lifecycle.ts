import type { AuditLog, Initiator } from "../audit/audit-log.js";
import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import { bearerTokenSchema } from "../gateway/user-token-grant.js";
import { sha256Hex } from "../identifiers.js";
import type { Database, WriteStores } from "../stores.js";
import { eraseTenant, toUninstalled } from "../tenants/erase-tenant.js";
import type { ForgeInstallation } from "../tenants/forge-installation.js";
import type { TenantMemory } from "../tenants/tenant-memory.js";
import { ForgeJwtInvalidError } from "./forge-jwt-errors.js";
import type { ForgePlace } from "./forge-place.js";
import type { ForgeCall, ForgeVerifier } from "./forge-verifier.js";
import {
  enabledTenant,
  findObstacle,
  findTenantOf,
  installIn,
  isFarewell,
  isOfInstallation,
  storeInstallation,
  storeTenant,
} from "./settle-tenant.js";
import { findTokenExpiry } from "./token-expiry.js";

interface Dependencies {
  readonly verifier: Pick<ForgeVerifier, "verifyTrigger">;
  readonly database: Database;
  readonly audit: AuditLog;
  readonly memory: Pick<TenantMemory, "forgetTenant">;
  readonly clock: Clock;
}

/** The manifest's keys: a trigger's own and its endpoint's. */
const TRIGGERS = {
  installed: ["installations", "on-installed"],
  hourly: ["fresh-system-token", "on-hour"],
  uninstalled: ["farewell", "on-uninstall"],
} as const;

const SILENT_SECONDS = 30 * 24 * 3600;
const BY_HOUSEKEEPING: Initiator = {
  actor: { type: "system", accountId: null },
  ip: null,
  reference: null,
};

/**
 * What Forge's triggers tell of installations. Only the token counts, nothing of the body; a token is obeyed once, and
 * may be sent again as often as it isn't.
 */
export class ForgeLifecycle {
  readonly #verifier: Dependencies["verifier"];
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #memory: Dependencies["memory"];
  readonly #clock: Clock;

  constructor({ verifier, database, audit, memory, clock }: Dependencies) {
    this.#verifier = verifier;
    this.#database = database;
    this.#audit = audit;
    this.#memory = memory;
    this.#clock = clock;
  }

  /** Installed or upgraded: with a token for the app itself, and the app works again where it was uninstalled. */
  async install(token: string, systemToken: string | null, by: Initiator): Promise<void> {
    await this.#keepToken("installed", await this.#verify(token, "installed"), systemToken, by);
  }

  /** A fresh token for the app itself. */
  async refresh(token: string, systemToken: string | null, by: Initiator): Promise<void> {
    await this.#keepToken("hourly", await this.#verify(token, "hourly"), systemToken, by);
  }

  /** Erases what an uninstalled app has no business with; settings and audit stay for a reinstall. */
  async uninstall(token: string, by: Initiator): Promise<void> {
    const call = await this.#verify(token, "uninstalled");
    const erased = await this.#database.write(async (stores) => {
      if (!(await this.#spend(stores, call, "uninstalled"))) return [];
      const tenants: string[] = [];
      for (const place of call.places) {
        const tenantId = await this.#uninstallIn(stores, call, place, by);
        if (tenantId !== null) tenants.push(tenantId);
      }
      return tenants;
    });
    for (const tenantId of erased) this.#memory.forgetTenant(tenantId);
    await this.#database.overwriteDeleted();
  }

  /**
   * Erases the same where nothing has been heard of the app for thirty days: Forge's farewell is a best effort. Not sooner:
   * an outage of triggers must not cost anybody's links.
   */
  async eraseSilent(): Promise<void> {
    const now = epochSeconds(this.#clock);
    const silent = await this.#database.read.forgeInstallations.listSilentSince(now - SILENT_SECONDS);
    for (const { cloudId, product } of silent) {
      const erased = await this.#database.write(async (stores) => {
        const row = await stores.forgeInstallations.find(cloudId, product);
        const isSilent = row && Math.max(row.lastCallAt, row.lastEventAt) < now - SILENT_SECONDS;
        return isSilent ? this.#eraseIn(stores, row, now, BY_HOUSEKEEPING) : null;
      });
      if (erased === null) continue;
      this.#memory.forgetTenant(erased);
      await this.#database.overwriteDeleted();
    }
  }

  #verify(token: string, trigger: keyof typeof TRIGGERS): Promise<ForgeCall> {
    return this.#verifier.verifyTrigger(token, TRIGGERS[trigger]);
  }

  async #keepToken(
    trigger: "installed" | "hourly",
    call: ForgeCall,
    systemToken: string | null,
    by: Initiator,
  ): Promise<void> {
    const token = bearerTokenSchema.safeParse(systemToken).data;
    if (token === undefined) throw new ForgeJwtInvalidError("There is no system token beside it.");
    const kept = { token, expiresAt: findTokenExpiry(token, this.#clock.now()) };
    await this.#database.write(async (stores) => {
      // Another token beside a call that was obeyed isn't Forge's.
      if (!(await this.#spend(stores, call, `${trigger} ${sha256Hex(token)}`))) return;
      const obstacles: string[] = [];
      for (const place of call.places) {
        const row = await stores.forgeInstallations.find(place.cloudId, place.product);
        const obstacle = findObstacle(row, call, place);
        if (obstacle !== null) {
          obstacles.push(obstacle);
          continue;
        }
        const installation = await this.#reviveIn(stores, { trigger, call, place, row, by });
        const isOvertaken = installation?.systemToken && call.issuedAt < installation.lastCallAt;
        if (installation === null || isOvertaken) continue;
        const lastCallAt = Math.max(call.issuedAt, installation.lastCallAt);
        const fresh = { ...installation, systemToken: kept, lastCallAt };
        await storeInstallation(stores, row, fresh, this.#clock);
      }
      const [obstacle] = obstacles;
      if (obstacle !== undefined && obstacles.length === call.places.length)
        throw new ForgeJwtInvalidError(obstacle);
    });
  }

  /** The place, with its tenant enabled if there is one; null when an uninstalled one stays so. */
  async #reviveIn(
    stores: WriteStores,
    { trigger, call, place, row, by }: Revival,
  ): Promise<ForgeInstallation | null> {
    const before = await findTenantOf(row, stores.tenants);
    const isSame = row !== null && isOfInstallation(row, call, place);
    if (isSame && (before === null || before.state === "enabled")) return row;
    if (row && trigger === "hourly" && isFarewell(row, before, call)) return null;
    if (before) {
      const after = await storeTenant(stores, before, enabledTenant(before, place, before.site), {
        isVouched: false,
        clock: this.#clock,
      });
      await this.#audit.tenantInstalled(stores.audit, by, before, after);
    }
    return installIn(row, call, place);
  }

  async #uninstallIn(
    stores: WriteStores,
    call: ForgeCall,
    place: ForgePlace,
    by: Initiator,
  ): Promise<string | null> {
    const row = await stores.forgeInstallations.find(place.cloudId, place.product);
    // An installation that another has followed has nothing left to take along.
    if (row?.installationId !== call.installationId || row.appId !== call.appId) return null;
    if (findObstacle(row, call, place) !== null) return null;
    return this.#eraseIn(stores, row, call.issuedAt, by);
  }

  async #eraseIn(
    stores: WriteStores,
    row: ForgeInstallation,
    at: number,
    by: Initiator,
  ): Promise<string | null> {
    const gone = { ...row, systemToken: null, lastEventAt: at };
    await stores.forgeInstallations.update(gone, this.#clock.now());
    const tenant = await findTenantOf(row, stores.tenants);
    if (!tenant || tenant.state === "uninstalled") return null;
    await eraseTenant(stores, tenant.id);
    await stores.tenants.updateTenant(toUninstalled(tenant), this.#clock.now());
    await this.#audit.tenantUninstalled(stores.audit, by, tenant);
    return tenant.id;
  }

  /** Whether the call is to be obeyed: false for one that was. */
  async #spend(stores: WriteStores, { hash, expiresAt }: ForgeCall, use: string): Promise<boolean> {
    const forgottenAt = new Date((expiresAt + CLOCK_TOLERANCE_SECONDS) * 1000);
    const bound = await stores.tokens.bind(hash, `forge ${use}`, forgottenAt);
    if (bound.use !== `forge ${use}`)
      throw new ForgeJwtInvalidError("This token was already used for something else.");
    return bound.isNew;
  }
}

interface Revival {
  readonly trigger: "installed" | "hourly";
  readonly call: ForgeCall;
  readonly place: ForgePlace;
  readonly row: ForgeInstallation | null;
  readonly by: Initiator;
}
