import type { WriteStores } from "../stores.js";
import type { Tenant } from "./tenant.js";

/** What an uninstalled app has no business with; settings and audit stay for a reinstall. */
export async function eraseTenant(stores: WriteStores, tenantId: string): Promise<void> {
  await stores.links.deleteOfTenant(tenantId);
  await stores.removedLinks.deleteOfTenant(tenantId);
  await stores.attempts.deleteOfTenant(tenantId);
  await stores.consents.deleteOfTenant(tenantId);
  await stores.serviceUse.deleteOfTenant(tenantId);
  await stores.newsMarks.deleteOfTenant(tenantId);
  await stores.assertionKeys.deleteOfTenant(tenantId);
}

export function toUninstalled(tenant: Tenant): Tenant {
  return { ...tenant, state: "uninstalled", generation: tenant.generation + 1, proven: false };
}
