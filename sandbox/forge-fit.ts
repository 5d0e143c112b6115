import { randomUUID } from "node:crypto";

import type { Product } from "../src/tenants/tenant.js";
import { epochSeconds, type Claims } from "./jwt.js";

export const FORGE_APP_ID = "ari:cloud:ecosystem::app/5f0c7a52-2b0e-4c1f-9d0a-6d3c2f1b7e90";
export const FORGE_ENVIRONMENT_ID = "ari:cloud:ecosystem::environment/5f0c7a52/production";

/** One installation of the Forge app, in the products of a site. */
export interface ForgeSender {
  readonly cloudId: string;
  /** ARI; another after each reinstall. */
  readonly installationId: string;
  /** Without a trailing slash. */
  readonly siteUrl: string;
  readonly products: readonly Product[];
  /** Of `api.atlassian.com`, without a trailing slash. */
  readonly apiUrl: string;
}

export function createForgeSender(overrides: Partial<ForgeSender> = {}): ForgeSender {
  return {
    cloudId: randomUUID(),
    installationId: createInstallationId(),
    siteUrl: "https://acme.atlassian.net",
    products: ["jira"],
    apiUrl: "https://api.atlassian.com",
    ...overrides,
  };
}

export function createInstallationId(): string {
  return `ari:cloud:ecosystem::installation/${randomUUID()}`;
}

export function apiBaseUrl({ apiUrl, cloudId }: ForgeSender, product: Product): string {
  return `${apiUrl}/ex/${product}/${cloudId}`;
}

interface Occasion {
  readonly type: string;
  readonly key: string;
  readonly now?: number;
}

/** The claims that each Forge Invocation Token has. */
function buildClaims(sender: ForgeSender, product: Product, { type, key, now = epochSeconds() }: Occasion) {
  const contexts = sender.products.map((name) => ({ name, apiBaseUrl: apiBaseUrl(sender, name) }));
  return {
    iss: "forge/invocation-token",
    aud: FORGE_APP_ID,
    iat: now,
    nbf: now,
    exp: now + 25,
    jti: randomUUID(),
    app: {
      id: FORGE_APP_ID,
      installationId: sender.installationId,
      apiBaseUrl: apiBaseUrl(sender, product),
      appVersion: "2.0.0",
      environment: { type: "PRODUCTION", id: FORGE_ENVIRONMENT_ID },
      module: { type, key },
      installation: { id: sender.installationId, contexts },
    },
  };
}

interface PageOptions {
  readonly product?: Product;
  readonly page?: "account" | "admin";
  readonly now?: number;
}

/** Of a call from one of the app's pages. */
export function pageClaims(
  sender: ForgeSender,
  accountId: string,
  { product = "jira", page = "account", now = epochSeconds() }: PageOptions = {},
) {
  const moduleKey = `${product}-${page}`;
  const type = product === "jira" ? "jira:adminPage" : "confluence:globalPage";
  return {
    ...buildClaims(sender, product, { type, key: moduleKey, now }),
    context: {
      cloudId: sender.cloudId,
      siteUrl: sender.siteUrl,
      moduleKey,
      accountId,
      accountType: "licensed",
    },
    principal: accountId,
  };
}

/** Of a call that a trigger makes: nobody's, and without the site's address. */
export function triggerClaims(
  sender: ForgeSender,
  moduleKey: string,
  { product = sender.products[0] ?? "jira", now = epochSeconds() }: { product?: Product; now?: number } = {},
): Claims & ReturnType<typeof buildClaims> {
  return {
    ...buildClaims(sender, product, { type: "core:endpoint", key: moduleKey, now }),
    context: { cloudId: sender.cloudId, moduleKey },
  };
}
