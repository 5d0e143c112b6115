import { LRUCache } from "lru-cache";

import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import type { Database } from "../stores.js";
import type { ForgeInstallation } from "../tenants/forge-installation.js";
import { parseHostBaseUrl, type AllowedHosts } from "../tenants/site.js";
import type { Tenant } from "../tenants/tenant.js";
import { ForgeJwtInvalidError } from "./forge-jwt-errors.js";
import type { DeployedApp } from "./forge-pages.js";
import type { ForgeUserCall } from "./forge-verifier.js";
import { createApiUrl, type InstalledPlace, type InstalledPlaces } from "./installed-place.js";
import {
  enabledTenant,
  findObstacle,
  findTenantOf,
  installIn,
  isFarewell,
  isOfInstallation,
  storeInstallation,
  storeTenant,
  winSite,
} from "./settle-tenant.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly hosts: AllowedHosts;
}

const MAX_REMEMBERED = 10_000;
const DAY_SECONDS = 24 * 3600;

/**
 * Whom a page's call is about. A tenant is known by the site's cloud id and the product, which stay the same over
 * reinstalls and renamings; its row is made by the first page that tells which site it is.
 */
export class ForgeInstallations implements InstalledPlaces {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #hosts: AllowedHosts;
  readonly #deployed = new LRUCache<string, DeployedApp>({ max: MAX_REMEMBERED });

  constructor({ database, audit, clock, hosts }: Dependencies) {
    this.#database = database;
    this.#audit = audit;
    this.#clock = clock;
    this.#hosts = hosts;
  }

  /** The tenant, enabled. Throws ForgeJwtInvalidError when the call is overtaken, or its site may not install. */
  async requireTenant(call: ForgeUserCall, by: Initiator): Promise<Tenant> {
    const site = this.#findSite(call);
    const { forgeInstallations, tenants } = this.#database.read;
    const row = await forgeInstallations.find(call.place.cloudId, call.product);
    const tenant = await findTenantOf(row, tenants);
    if (row && tenant && isSettled(row, tenant, call, site)) {
      this.#remember(row);
      if (call.issuedAt - row.lastCallAt > DAY_SECONDS) await this.#noteCall(call);
      return tenant;
    }
    return this.#settle(call, site, by);
  }

  async findPlace(tenantId: string): Promise<InstalledPlace | null> {
    const row = await this.#database.read.forgeInstallations.findByTenant(tenantId);
    if (!row) return null;
    this.#remember(row);
    const { cloudId, product, apiBaseUrl, systemToken } = row;
    return { cloudId, product, apiBaseUrl, systemToken };
  }

  /** As far as it is known without asking the database; the next time it is. */
  findDeployed(tenantId: string): DeployedApp | null {
    const deployed = this.#deployed.get(tenantId) ?? null;
    if (deployed === null) this.findPlace(tenantId).catch(() => undefined);
    return deployed;
  }

  /**
   * Gives an unproven tenant its site, unless an enabled tenant of another door has it whose own product still takes it:
   * that one is asked through `hasEnded`.
   */
  async claimSite(tenant: Tenant, hasEnded: (rival: Tenant) => Promise<boolean>): Promise<boolean> {
    const { site, product } = tenant;
    const others = await this.#database.read.tenants.listEnabledOfSite(site, product);
    const rival = others.find(({ door, proven }) => door !== "forge" && proven);
    if (rival && !(await hasEnded(rival))) return false;
    return this.#database.write(async (stores) => {
      const current = rival && (await stores.tenants.findById(rival.id));
      if (current?.generation === rival?.generation && current?.proven)
        await stores.tenants.updateTenant({ ...current, proven: false }, this.#clock.now());
      return winSite(stores, tenant, false);
    });
  }

  /** Where pages are looked at the app isn't gone, whatever has become of the triggers. */
  async #noteCall({ place, issuedAt }: ForgeUserCall): Promise<void> {
    await this.#database.write(async (stores) => {
      const row = await stores.forgeInstallations.find(place.cloudId, place.product);
      if (row && row.lastCallAt < issuedAt)
        await stores.forgeInstallations.update({ ...row, lastCallAt: issuedAt }, this.#clock.now());
    });
  }

  async #settle(call: ForgeUserCall, site: string | null, by: Initiator): Promise<Tenant> {
    return this.#database.write(async (stores) => {
      const { place } = call;
      const row = await stores.forgeInstallations.find(place.cloudId, place.product);
      const before = await findTenantOf(row, stores.tenants);
      // Somebody else was faster.
      if (row && before && isSettled(row, before, call, site)) return before;
      const obstacle = findObstacle(row, call, place);
      if (obstacle !== null) throw new ForgeJwtInvalidError(obstacle);
      if (row && isFarewell(row, before, call))
        throw new ForgeJwtInvalidError("The app was just uninstalled.");
      const known = site ?? before?.site;
      if (known === undefined)
        throw new ForgeJwtInvalidError("The token doesn't tell which site it is, and nobody knows.");
      const after = await storeTenant(stores, before, enabledTenant(before, place, known), {
        isVouched: site !== null,
        clock: this.#clock,
      });
      const installation = { ...installIn(row, call, place), tenantId: after.id, lastCallAt: call.issuedAt };
      await storeInstallation(stores, row, installation, this.#clock);
      this.#remember(installation);
      await this.#audit.tenantInstalled(stores.audit, by, before, after);
      return after;
    });
  }

  /** Null when the token doesn't tell, as it may. */
  #findSite({ siteUrl }: ForgeUserCall): string | null {
    if (siteUrl === null) return null;
    // Jira stands at a site's root.
    const address = parseHostBaseUrl(siteUrl, "jira", this.#hosts);
    if (address === null) throw new ForgeJwtInvalidError("This host may not install the app.");
    return address.site;
  }

  #remember({ tenantId, appId, environmentId }: ForgeInstallation): void {
    if (tenantId !== null) this.#deployed.set(tenantId, { appId, environmentId });
  }
}

function isSettled(
  row: ForgeInstallation,
  tenant: Tenant,
  call: ForgeUserCall,
  site: string | null,
): boolean {
  return (
    isOfInstallation(row, call, call.place) &&
    tenant.state === "enabled" &&
    tenant.door === "forge" &&
    tenant.baseUrl === createApiUrl(call.place) &&
    (site === null || tenant.site === site)
  );
}
