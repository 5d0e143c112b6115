import type { Product } from "../tenants/tenant.js";

/** As people know it. */
export function productName(product: Product): string {
  return product === "jira" ? "Jira" : "Confluence";
}
