import { expect, it } from "vitest";

import { buildInstallation } from "../connect/installation.fixture.js";
import type { Product, Tenant } from "../tenants/tenant.js";
import { createForgeAccountPageUrl, type DeployedApp } from "./forge-pages.js";

const APP = "5f0c7a52-2b0e-4c1f-9d0a-6d3c2f1b7e90";
const ENVIRONMENT = "aa911f10-c54b-4b93-9e27-dd2947840b9e";
const deployed: DeployedApp = {
  appId: `ari:cloud:ecosystem::app/${APP}`,
  environmentId: `ari:cloud:ecosystem::environment/${APP}/${ENVIRONMENT}`,
};

function tenantOf(product: Product, overrides: Partial<Tenant> = {}): Tenant {
  const baseUrl = `https://api.atlassian.com/ex/${product}/4c822e2f-510f-48b9-b8d0-8419d0932949`;
  return buildInstallation({ tenant: { product, baseUrl, ...overrides } }).tenant;
}

it.each<[Product, url: string]>([
  ["jira", `https://acme.atlassian.net/jira/settings/personal/apps/${APP}/${ENVIRONMENT}`],
  ["confluence", `https://acme.atlassian.net/wiki/apps/${APP}/${ENVIRONMENT}/cloudflare-access`],
])("in %s, the page is where Forge puts it on the site", (product, url) => {
  const tenant = tenantOf(product);
  expect(createForgeAccountPageUrl(tenant, deployed)).toBe(url);
  expect(createForgeAccountPageUrl(tenant, deployed, { kind: "service", id: "a b" })).toBe(
    `${url}?ac.service=a%20b`,
  );
});

it.each([
  ["an ARI without the app", `ari:cloud:ecosystem::environment/${ENVIRONMENT}`],
  ["an id alone", ENVIRONMENT],
])("the environment may be named by %s", (_how, environmentId) => {
  expect(createForgeAccountPageUrl(tenantOf("jira"), { ...deployed, environmentId })).toBe(
    `https://acme.atlassian.net/jira/settings/personal/apps/${APP}/${ENVIRONMENT}`,
  );
});

it("what isn't plain in an id stays a part of the path", () => {
  const url = createForgeAccountPageUrl(tenantOf("jira"), { ...deployed, environmentId: "a?b#c" });
  expect(url).toMatch(/\/a%3Fb%23c$/);
});

it.each<[Product, url: string]>([
  ["jira", "https://acme.atlassian.net/"],
  ["confluence", "https://acme.atlassian.net/wiki/"],
])("in %s, it is the front page as long as nobody knows what is deployed", (product, url) => {
  expect(createForgeAccountPageUrl(tenantOf(product), null)).toBe(url);
});
