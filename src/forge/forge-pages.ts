import type { AccountPageEntry } from "../links/account-page.js";
import { createProductUrl } from "../tenants/site.js";
import type { Product, Tenant } from "../tenants/tenant.js";

/** What is deployed to a site, as the addresses of its pages name it. */
export interface DeployedApp {
  /** ARIs. */
  readonly appId: string;
  readonly environmentId: string;
}

/** Where Jira and Confluence show the page of the manifest on which people link; the last part is the manifest's `route`. */
const ACCOUNT_PAGES: Readonly<Record<Product, (app: string, environment: string) => string>> = {
  jira: (app, environment) => `/jira/settings/personal/apps/${app}/${environment}`,
  confluence: (app, environment) => `/apps/${app}/${environment}/cloudflare-access`,
};

/** Where a person finds the app's page in the product: its front page, as long as nobody knows what is deployed there. */
export function createForgeAccountPageUrl(
  tenant: Tenant,
  deployed: DeployedApp | null,
  entry?: AccountPageEntry,
): string {
  const productUrl = createProductUrl(tenant);
  if (deployed === null) return `${productUrl}/`;
  const { appId, environmentId } = deployed;
  const url = `${productUrl}${ACCOUNT_PAGES[tenant.product](lastPart(appId), lastPart(environmentId))}`;
  return entry === undefined ? url : `${url}?ac.${entry.kind}=${encodeURIComponent(entry.id)}`;
}

/** `ari:cloud:ecosystem::environment/<app>/<environment>`, and some leave the app out: the last part is the id itself. */
function lastPart(ari: string): string {
  return encodeURIComponent(ari.slice(ari.lastIndexOf("/") + 1));
}
