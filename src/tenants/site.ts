import { isLoopbackHost } from "../ip-network.js";
import type { Product, Tenant } from "./tenant.js";

/** Where Atlassian puts the products of a site. */
export const PRODUCT_PATHS: Readonly<Record<Product, string>> = { jira: "", confluence: "/wiki" };

export interface HostAddress {
  /** Host in lower case, with its port if it has one. */
  readonly site: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
}

export interface AllowedHosts {
  /** `*.atlassian.net`: `*` stands for exactly one label. */
  readonly patterns: readonly string[];
  /** For development: also localhost, by http too. */
  readonly allowsLoopback: boolean;
}

// Nothing that URL parsers disagree about, or that would have to be normalised; `/wiki` for Confluence.
const PLAIN_URL =
  /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?(?:\/[a-z0-9_-]+)*\/?$/i;

/**
 * The base URL that an install event names; null when it is no plain https URL of a host that may install, or not where
 * this product lives there. Nothing but the product's own place will do: with the other product's, whoever administers
 * one could have it vouch for an installation in the other.
 */
export function parseHostBaseUrl(
  text: string,
  product: Product,
  { patterns, allowsLoopback }: AllowedHosts,
): HostAddress | null {
  if (!PLAIN_URL.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  const path = url.pathname.replace(/\/$/, "");
  const isForDevelopment = allowsLoopback && isLoopbackHost(url.hostname);
  const isAllowed =
    isForDevelopment ||
    (url.protocol === "https:" &&
      url.port === "" &&
      patterns.some((pattern) => matchesHost(pattern, url.hostname)));
  // A site on a laptop may have Confluence at its root; what Atlassian puts elsewhere is Jira's nowhere.
  const isOfProduct =
    path === PRODUCT_PATHS[product] || (isForDevelopment && product === "confluence" && path === "");
  return isAllowed && isOfProduct ? { site: url.host, baseUrl: `${url.origin}${path}` } : null;
}

/** Where people open the product, without a trailing slash: on a laptop, by the scheme of its API. */
export function createProductUrl({
  site,
  product,
  baseUrl,
}: Pick<Tenant, "site" | "product" | "baseUrl">): string {
  const url = new URL(`https://${site}`);
  const scheme = isLoopbackHost(url.hostname) ? new URL(baseUrl).protocol : url.protocol;
  return `${scheme}//${site}${PRODUCT_PATHS[product]}`;
}

/** `{site}` of the service API: any case; null when it can't be a host. */
export function parseSite(text: string): string | null {
  const site = text.toLowerCase();
  return /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/.test(site) && site.length <= 255
    ? site
    : null;
}

function matchesHost(pattern: string, host: string): boolean {
  const wanted = pattern.split(".");
  const labels = host.split(".");
  return (
    wanted.length === labels.length &&
    wanted.every((label, index) => label === "*" || label === labels[index])
  );
}
