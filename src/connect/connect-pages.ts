import type { AccountPageEntry } from "../links/account-page.js";
import type { Tenant } from "../tenants/tenant.js";

/** Where a person finds the app's page in the product: Connect's documented path of a general page. */
export function createConnectAccountPageUrl(
  appKey: string,
  tenant: Tenant,
  entry?: AccountPageEntry,
): string {
  const url = `${tenant.baseUrl}/plugins/servlet/ac/${encodeURIComponent(appKey)}/account`;
  // Connect leaves parameters whose names begin so to the app.
  return entry === undefined ? url : `${url}?ac.${entry.kind}=${encodeURIComponent(entry.id)}`;
}
