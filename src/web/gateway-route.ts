import type { GatewayTarget } from "../gateway/gateway-target.js";
import { PRODUCTS } from "../tenants/tenant.js";

export interface GatewayRoute {
  /** As it was sent. */
  readonly site: string;
  readonly target: GatewayTarget;
}

/**
 * Reads what stands behind `/api/v1/sites/`: `{site}/jira/{path}?{query}`. Nothing is decoded and nothing normalised
 * (security rule 15); null for any other path.
 */
export function findGatewayRoute(rest: string): GatewayRoute | null {
  const [, path = "", , query = null] = /^([^?]*)(\?(.*))?$/.exec(rest) ?? [];
  const [, site = "", name, pathOfProduct = ""] = /^([^/]*)\/([^/]*)(\/.*)$/.exec(path) ?? [];
  const product = PRODUCTS.find((each) => each === name);
  return product === undefined ? null : { site, target: { product, path: pathOfProduct, query } };
}
