import type { Tenant } from "../tenants/tenant.js";

/** What a person is to look at on the app's page in the product. */
export interface AccountPageEntry {
  readonly kind: "service" | "link";
  readonly id: string;
}

/** Where a person finds the app's page in the product, at its top or at one entry. */
export type AccountPageUrl = (tenant: Tenant, entry?: AccountPageEntry) => string;
