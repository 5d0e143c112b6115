import type { AuditLog } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import type { AccountPageUrl } from "../links/account-page.js";
import type { Logger } from "../logger.js";
import type { Database } from "../stores.js";
import type { AllowedHosts } from "../tenants/site.js";
import type { TenantMemory } from "../tenants/tenant-memory.js";
import type { Tenant } from "../tenants/tenant.js";
import { ForgeApiClient } from "./forge-api-client.js";
import { ForgeHostDirectory } from "./forge-host-directory.js";
import { ForgeInstallations } from "./forge-installations.js";
import { ForgeKeys } from "./forge-keys.js";
import { ForgeLifecycle } from "./forge-lifecycle.js";
import { createForgeAccountPageUrl } from "./forge-pages.js";
import { ForgeSuccession } from "./forge-succession.js";
import { ForgeUserTokens } from "./forge-user-tokens.js";
import { ForgeVerifier } from "./forge-verifier.js";
import { OfflineUserGrant } from "./offline-user-grant.js";

interface Options {
  readonly appIds: readonly string[];
  readonly environment: string;
  readonly keysUrl: string;
  readonly isolatedKeysUrl: string | null;
  readonly apiUrl: string;
  readonly hosts: AllowedHosts;
}

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly memory: Pick<TenantMemory, "forgetTenant">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether a tenant that came through another door is no longer known to its own product. */
  readonly hasEnded: (rival: Tenant) => Promise<boolean>;
  /** Asks that product. */
  readonly isAdminThere: (rival: Tenant, accountId: string) => Promise<boolean>;
  readonly prove: (tenant: Tenant) => Promise<boolean>;
}

/** Joins the parts of the Forge door. */
export function createForgeDoor(options: Options, dependencies: Dependencies) {
  const { apiUrl, hosts } = options;
  const { database, audit, memory, clock, logger, hasEnded, isAdminThere, prove } = dependencies;
  const verifier = new ForgeVerifier({
    ...options,
    clock,
    keys: new ForgeKeys({ ...options, clock, logger }),
  });
  const installations = new ForgeInstallations({ database, audit, clock, hosts });
  const userTokens = new ForgeUserTokens(clock);
  const asked = { places: installations, clock, logger };
  const accountPageUrl: AccountPageUrl = (tenant, entry) =>
    createForgeAccountPageUrl(tenant, installations.findDeployed(tenant.id), entry);
  return {
    verifier,
    installations,
    userTokens,
    lifecycle: new ForgeLifecycle({ verifier, database, audit, memory, clock }),
    host: new ForgeHostDirectory({ ...asked, api: new ForgeApiClient(), userTokens }),
    grant: new OfflineUserGrant({ ...asked, apiUrl }),
    accountPageUrl,
    claimSite: (tenant: Tenant) => installations.claimSite(tenant, hasEnded),
    succession: new ForgeSuccession({ database, audit, clock, isAdminThere, prove }),
  };
}

export type ForgeDoor = ReturnType<typeof createForgeDoor>;
