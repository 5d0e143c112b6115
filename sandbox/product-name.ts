import type { Product } from "../src/tenants/tenant.js";

export function productName(product: Product): string {
  return product === "jira" ? "Jira" : "Confluence";
}
