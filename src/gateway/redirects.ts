import { findTargetRefusal } from "./gateway-path.js";
import { formatTarget, type GatewayTarget } from "./gateway-target.js";

export interface RedirectContext {
  /** What was asked for: `Location` may be relative to it. */
  readonly target: GatewayTarget;
  /** Base URLs of the product, without a trailing slash: first where it was asked, last where people go. */
  readonly productUrls: readonly [string, ...string[]];
  /** Where the gateway serves this product: `https://app.example.com/api/v1/sites/acme.atlassian.net/jira`. */
  readonly gatewayUrl: string;
}

/**
 * A product's `Location` as the caller gets to see it; null when it is no web address. What the gateway would pass on
 * leads back to the gateway. Anything else stays what it was, in full, for the caller to judge: nobody follows it with
 * the user's token.
 */
export function rewriteLocation(location: string, { target, ...context }: RedirectContext): string | null {
  let full: string | null = null;
  for (const productUrl of context.productUrls) {
    const url = resolve(location, `${productUrl}${formatTarget(target)}`);
    if (url === null) return null;
    const path = findPathBelow(url, new URL(productUrl));
    const query = url.search === "" ? null : url.search.slice(1);
    const next = path === null ? null : { product: target.product, path, query };
    if (next && findTargetRefusal(next) === null) {
      return `${context.gatewayUrl}${formatTarget(next)}${url.hash}`;
    }
    // A product that doesn't know behind which address it is asked means its own.
    full = url.href;
  }
  return full;
}

function resolve(location: string, asked: string): URL | null {
  if (!URL.canParse(location, asked)) return null;
  const url = new URL(location, asked);
  return url.protocol === "https:" || url.protocol === "http:" ? url : null;
}

function findPathBelow(url: URL, base: URL): string | null {
  if (url.origin !== base.origin || url.username !== "" || url.password !== "") return null;
  const basePath = base.pathname.replace(/\/$/, "");
  return url.pathname.startsWith(`${basePath}/`) ? url.pathname.slice(basePath.length) : null;
}
