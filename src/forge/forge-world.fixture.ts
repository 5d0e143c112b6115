import { randomUUID } from "node:crypto";

import { ForgeApi } from "../../sandbox/forge-api.js";
import type { ForgeScopes } from "../../sandbox/forge-scopes.js";
import { PEOPLE, type Person } from "../../sandbox/people.js";
import { SiteContent } from "../../sandbox/site-content.js";
import type { SiteData } from "../../sandbox/user-api.js";
import { buildInstallation } from "../connect/installation.fixture.js";
import type { Product, Tenant } from "../tenants/tenant.js";
import { createApiUrl, type InstalledPlace } from "./installed-place.js";

export const OTHER_APP_ID = "ari:cloud:ecosystem::app/0d1f3a5c-0000-4000-8000-000000000000";

const acting = { allowImpersonation: true };
const asking = { allowImpersonation: false };
export const SCOPES: ForgeScopes = {
  "read:jira-user": asking,
  "read:confluence-user": asking,
  "read:jira-work": acting,
  "write:jira-work": acting,
  "search:confluence": acting,
  "read:page:confluence": acting,
};

export function buildSiteData(people: readonly Person[] = PEOPLE): SiteData {
  return {
    url: "https://acme.atlassian.net",
    accounts: new Map(people.map((person) => [person.accountId, person])),
    content: new SiteContent(),
  };
}

export interface ForgeWorld {
  readonly api: ForgeApi;
  readonly site: SiteData;
  readonly cloudId: string;
  /** Of another site, on which the app is installed, too, and the same people are. */
  readonly otherCloudId: string;
}

/** Two sites, each with the app, and the first with somebody else's app as well. */
export async function startForgeWorld(): Promise<ForgeWorld> {
  const api = await ForgeApi.start();
  const world = { api, site: buildSiteData(), cloudId: randomUUID(), otherCloudId: randomUUID() };
  api.install({ cloudId: world.cloudId, site: world.site, scopes: SCOPES });
  api.install({ cloudId: world.cloudId, site: world.site, scopes: SCOPES, appId: OTHER_APP_ID });
  api.install({ cloudId: world.otherCloudId, site: buildSiteData(), scopes: SCOPES });
  return world;
}

export function buildPlace(
  { api, cloudId }: ForgeWorld,
  product: Product,
  systemToken: InstalledPlace["systemToken"] = null,
): InstalledPlace {
  return { cloudId, product, apiBaseUrl: `${api.url}/ex/${product}/${cloudId}`, systemToken };
}

export function buildTenantOf(place: InstalledPlace, overrides: Partial<Tenant> = {}): Tenant {
  const baseUrl = createApiUrl(place);
  return buildInstallation({ tenant: { product: place.product, baseUrl, ...overrides } }).tenant;
}
