import { AppError } from "../errors.js";
import type { TenantReader } from "./tenant-store.js";
import type { Tenant } from "./tenant.js";

/**
 * Inside a write: the tenant whose token the guard accepted may have been uninstalled, disabled or reinstalled
 * meanwhile, and nothing may be stored for it then. Throws `connect_jwt_invalid`, as the guard would now.
 */
export async function requireCurrentTenant(tenants: TenantReader, tenant: Tenant): Promise<void> {
  const current = await tenants.findById(tenant.id);
  if (current?.state !== "enabled" || current.generation !== tenant.generation) {
    throw new AppError("connect_jwt_invalid", "The installation has changed meanwhile. Load the page again.");
  }
}
