import type { Clock } from "../clock.js";
import { createId } from "../identifiers.js";
import type { WriteStores } from "../stores.js";
import type { ForgeInstallation } from "../tenants/forge-installation.js";
import type { TenantReader } from "../tenants/tenant-store.js";
import type { Tenant } from "../tenants/tenant.js";
import type { ForgePlace } from "./forge-place.js";
import type { ForgeCall } from "./forge-verifier.js";
import { createApiUrl } from "./installed-place.js";

/** Of two apps in one place, the other counts again when the first hasn't been heard of for so long. */
const SILENT_SECONDS = 24 * 3600;
/** Triggers and pages may still be on their way while the app is being uninstalled. A reinstall has another id. */
const FAREWELL_SECONDS = 600;

export async function findTenantOf(
  row: ForgeInstallation | null,
  tenants: Pick<TenantReader, "findById">,
): Promise<Tenant | null> {
  const tenantId = row?.tenantId ?? null;
  return tenantId === null ? null : tenants.findById(tenantId);
}

/** Whether a place is held by exactly the installation that calls. */
export function isOfInstallation(
  { appId, installationId, environmentId, apiBaseUrl }: ForgeInstallation,
  call: ForgeCall,
  place: ForgePlace,
): boolean {
  return (
    appId === call.appId &&
    installationId === call.installationId &&
    environmentId === call.environmentId &&
    apiBaseUrl === place.apiBaseUrl
  );
}

/** Why a call counts for nothing in a place; null when it counts. Tokens overtake each other. */
export function findObstacle(
  row: ForgeInstallation | null,
  call: ForgeCall,
  place: ForgePlace,
): string | null {
  if (!row) return null;
  if (call.issuedAt < row.lastEventAt) return "The token is older than what the installation is known by.";
  const lastHeardAt = Math.max(row.lastCallAt, row.lastEventAt);
  const isHeld = row.systemToken !== null && call.issuedAt - lastHeardAt < SILENT_SECONDS;
  if (row.appId !== call.appId && isHeld)
    return `Another of the apps is installed in ${place.product} of this site.`;
  if (row.installationId !== call.installationId && call.issuedAt === row.lastEventAt)
    return "Two installations were begun in one second.";
  return null;
}

/** Whether a call is a late one of an installation that has just been uninstalled. */
export function isFarewell(row: ForgeInstallation, tenant: Tenant | null, call: ForgeCall): boolean {
  return (
    tenant?.state === "uninstalled" &&
    row.installationId === call.installationId &&
    call.issuedAt <= row.lastEventAt + FAREWELL_SECONDS
  );
}

/** The place as the call has it: another installation starts without a token. */
export function installIn(
  row: ForgeInstallation | null,
  call: ForgeCall,
  { cloudId, product, apiBaseUrl }: ForgePlace,
): ForgeInstallation {
  const { appId, installationId, environmentId, issuedAt } = call;
  const isSame = row?.installationId === installationId && row.appId === appId;
  return {
    ...{ id: row?.id ?? createId(), cloudId, product, tenantId: row?.tenantId ?? null },
    ...{ appId, installationId, environmentId, apiBaseUrl },
    systemToken: isSame ? row.systemToken : null,
    lastCallAt: isSame ? row.lastCallAt : 0,
    lastEventAt: issuedAt,
  };
}

/** What was learnt before is void (`generation`), and the site is to be won anew. */
export function enabledTenant(before: Tenant | null, place: ForgePlace, site: string): Tenant {
  return {
    id: before?.id ?? createId(),
    door: "forge",
    product: place.product,
    site,
    baseUrl: createApiUrl(place),
    state: "enabled",
    generation: (before?.generation ?? 0) + 1,
    proven: false,
    suspended: false,
  };
}

/**
 * Stores a tenant that has changed, and gives it its site if it can have it. `isVouched`: the call itself has told, signed,
 * which site it is.
 */
export async function storeTenant(
  stores: WriteStores,
  before: Tenant | null,
  after: Tenant,
  { isVouched, clock }: { readonly isVouched: boolean; readonly clock: Clock },
): Promise<Tenant> {
  if (before) await stores.tenants.updateTenant(after, clock.now());
  else await stores.tenants.insertTenant(after, clock.now());
  return { ...after, proven: await winSite(stores, after, isVouched) };
}

/**
 * Whether the site is the tenant's now. Of two that came through Forge the one that was vouched for last has it. Whoever
 * uses the app through another door must not lose the site by that: its store refuses.
 */
export async function winSite(stores: WriteStores, tenant: Tenant, isVouched: boolean): Promise<boolean> {
  const { id, site, product, generation } = tenant;
  const others = await stores.tenants.listEnabledOfSite(site, product);
  if (!isVouched && others.some((other) => other.proven && other.id !== id)) return false;
  return stores.tenants.markProven(id, generation);
}

export async function storeInstallation(
  stores: WriteStores,
  before: ForgeInstallation | null,
  after: ForgeInstallation,
  clock: Clock,
): Promise<void> {
  if (before) await stores.forgeInstallations.update(after, clock.now());
  else await stores.forgeInstallations.insert(after, clock.now());
}
