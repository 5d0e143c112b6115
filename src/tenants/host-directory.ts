import type { Tenant } from "./tenant.js";

export type AccountStanding = "person" | "not_a_person" | "inactive" | "unknown";

export interface HostAccount {
  /** `unknown` when the product can't or won't tell. */
  readonly standing: AccountStanding;
  /** As the product shows it; null when it doesn't tell. */
  readonly displayName: string | null;
}

/**
 * What the app asks the product itself. Each call is made with the tenant's own credentials, within a time limit.
 * Throws AppError `upstream_failed` or `upstream_timeout`.
 */
export interface HostDirectory {
  /** True only when the product answered 200 and named the exact permission for this account. */
  isAdmin(tenant: Tenant, accountId: string): Promise<boolean>;
  /** Never throws. */
  findAccount(tenant: Tenant, accountId: string): Promise<HostAccount>;
  /** Whether the product accepts the tenant's current base URL and secret; never throws. */
  acceptsInstallation(tenant: Tenant): Promise<boolean>;
}
