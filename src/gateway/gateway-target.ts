import type { Product } from "../tenants/tenant.js";

/** What a caller wants of a product: the request target behind `/jira` or `/confluence`, exactly as it was sent. */
export interface GatewayTarget {
  readonly product: Product;
  /** Below the product's base URL, starting with `/`. */
  readonly path: string;
  /** Without the `?`; null when there is none. */
  readonly query: string | null;
}

/** The target in one piece. */
export function formatTarget({ path, query }: Pick<GatewayTarget, "path" | "query">): string {
  return query === null ? path : `${path}?${query}`;
}
