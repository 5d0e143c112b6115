import { findTargetRefusal } from "./gateway-path.js";
import { formatTarget, type GatewayTarget } from "./gateway-target.js";

export interface RedirectContext {
  /** What was asked for: `Location` may be relative to it. */
  readonly target: GatewayTarget;
  /** The product's base URL, without a trailing slash. */
  readonly productUrl: string;
  /** Where the gateway serves this product: `https://app.example.com/api/v1/sites/acme.atlassian.net/jira`. */
  readonly gatewayUrl: string;
}

/**
 * A product's `Location` as the caller gets to see it; null when it is no web address. What the gateway would pass on
 * leads back to the gateway. Anything else stays what it was, in full, for the caller to judge: nobody follows it with
 * the user's token.
 */
export function rewriteLocation(location: string, context: RedirectContext): string | null {
  const { target, productUrl, gatewayUrl } = context;
  const asked = `${productUrl}${formatTarget(target)}`;
  if (!URL.canParse(location, asked)) return null;
  const url = new URL(location, asked);
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  const path = findPathBelow(url, new URL(productUrl));
  if (path === null) return url.href;
  const query = url.search === "" ? null : url.search.slice(1);
  const next = { product: target.product, path, query };
  if (findTargetRefusal(next) !== null) return url.href;
  return `${gatewayUrl}${formatTarget(next)}${url.hash}`;
}

function findPathBelow(url: URL, base: URL): string | null {
  if (url.origin !== base.origin || url.username !== "" || url.password !== "") return null;
  const basePath = base.pathname.replace(/\/$/, "");
  return url.pathname.startsWith(`${basePath}/`) ? url.pathname.slice(basePath.length) : null;
}
