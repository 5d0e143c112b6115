import { describe, expect, it } from "vitest";

import { buildConsent, insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, openTestDatabase } from "./test-database.fixture.js";

async function openWithTenants(file = createTestFile()) {
  const database = await openTestDatabase({ file });
  const [tenant, stranger] = await database.write(async (stores) => [
    await insertTenant(stores),
    await insertTenant(stores),
  ]);
  return { database, tenant, stranger };
}

describe("consents", () => {
  it("come back whole, one for each account and service", async () => {
    const { database, tenant } = await openWithTenants();
    const consents = [
      buildConsent(tenant, { decidedAt: minutesAfter(2) }),
      buildConsent(tenant, { serviceId: "service-2", state: "withdrawn", decidedAt: minutesAfter(1) }),
      buildConsent(tenant, { accountId: "account-2" }),
    ];
    await database.write(async (stores) => {
      for (const consent of consents) await stores.consents.put(consent);
    });
    const { read } = database;
    expect(await read.consents.find(tenant.id, "account-1", "service-1")).toEqual(consents[0]);
    expect(await read.consents.listOfAccount(tenant.id, "account-1")).toEqual([consents[1], consents[0]]);
    expect(await read.consents.listOfAccount(tenant.id, "account-2")).toEqual([consents[2]]);
  });

  it("are replaced by the next decision about the same service", async () => {
    const { database, tenant } = await openWithTenants();
    const later = buildConsent(tenant, {
      digest: "e".repeat(64),
      state: "withdrawn",
      decidedAt: minutesAfter(9),
    });
    await database.write(async (stores) => {
      await stores.consents.put(buildConsent(tenant));
      await stores.consents.put(later);
    });
    expect(await database.read.consents.listOfAccount(tenant.id, "account-1")).toEqual([later]);
  });

  it("are hidden from other tenants, and safe from them", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    const [mine, theirs] = [buildConsent(tenant), buildConsent(stranger, { state: "withdrawn" })];
    const { read } = database;
    await database.write((stores) => stores.consents.put(mine));
    expect(await read.consents.find(stranger.id, mine.accountId, mine.serviceId)).toBeNull();
    expect(await read.consents.listOfAccount(stranger.id, mine.accountId)).toEqual([]);
    await database.write(async (stores) => {
      await stores.consents.put(theirs);
      expect(await stores.consents.deleteOfServices(stranger.id, [mine.serviceId])).toBe(1);
      await stores.consents.deleteOfTenant(stranger.id);
    });
    expect(await read.consents.find(tenant.id, mine.accountId, mine.serviceId)).toEqual(mine);
  });

  it("are deleted with their services, everybody's", async () => {
    const { database, tenant } = await openWithTenants();
    await database.write(async (stores) => {
      for (const accountId of ["account-1", "account-2"]) {
        for (const serviceId of ["a", "b", "c"]) {
          await stores.consents.put(buildConsent(tenant, { accountId, serviceId }));
        }
      }
      expect(await stores.consents.deleteOfServices(tenant.id, ["a", "c", "unknown"])).toBe(4);
      expect(await stores.consents.deleteOfServices(tenant.id, [])).toBe(0);
    });
    const left = await database.read.consents.listOfAccount(tenant.id, "account-2");
    expect(left.map(({ serviceId }) => serviceId)).toEqual(["b"]);
  });

  it("are deleted with all of their tenant", async () => {
    const { database, tenant } = await openWithTenants();
    await database.write(async (stores) => {
      await stores.consents.put(buildConsent(tenant));
      await stores.consents.deleteOfTenant(tenant.id);
    });
    expect(await database.read.consents.listOfAccount(tenant.id, "account-1")).toEqual([]);
  });

  it("fail loudly when something else has written over them", async () => {
    const file = createTestFile();
    const { database, tenant } = await openWithTenants(file);
    await database.write((stores) => stores.consents.put(buildConsent(tenant)));
    await execute(file, "UPDATE consents SET state = 'given'");
    await expect(database.read.consents.find(tenant.id, "account-1", "service-1")).rejects.toMatchObject({
      code: "internal_error",
    });
  });
});
