import { AppError } from "../errors.js";
import type { Database, WriteStores } from "../stores.js";

type StoreOne<T> = (stores: WriteStores, tenantId: string, whatThereIs: T) => Promise<void>;

/**
 * Stores what there is of many tenants in one go, and where that fails because of what one of them has, each tenant's
 * apart: so its trouble is its own. Answers that trouble by tenant. Throws AppError `store_unavailable`, which is
 * everybody's.
 */
export async function writeByTenant<T>(
  database: Pick<Database, "writeFirst">,
  ofTenants: ReadonlyMap<string, T>,
  storeOne: StoreOne<T>,
): Promise<ReadonlyMap<string, unknown>> {
  if (ofTenants.size === 0) return new Map();
  try {
    await database.writeFirst(async (stores) => {
      for (const [tenantId, whatThereIs] of ofTenants) await storeOne(stores, tenantId, whatThereIs);
    });
    return new Map();
  } catch (error) {
    if (error instanceof AppError && error.code === "store_unavailable") throw error;
    if (ofTenants.size === 1) return new Map([...ofTenants.keys()].map((tenantId) => [tenantId, error]));
  }
  const troubles = new Map<string, unknown>();
  for (const one of ofTenants) {
    const ofOne = await writeByTenant(database, new Map([one]), storeOne);
    for (const [tenantId, error] of ofOne) troubles.set(tenantId, error);
  }
  return troubles;
}
