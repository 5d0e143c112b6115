import { describe, expect, it } from "vitest";

import { buildConsent, insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, openTestDatabase } from "./test-database.fixture.js";

const AUDIENCE = "a".repeat(64);

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
      buildConsent({ decidedAt: minutesAfter(2) }),
      buildConsent({ serviceId: "service-2", state: "withdrawn", decidedAt: minutesAfter(1) }),
      buildConsent({ accountId: "account-2" }),
    ];
    await database.write(async (stores) => {
      for (const consent of consents) await stores.consents.put(tenant.id, consent);
    });
    const { read } = database;
    expect(await read.consents.find(tenant.id, "account-1", "service-1")).toEqual(consents[0]);
    expect(await read.consents.listOfAccount(tenant.id, "account-1")).toEqual([consents[1], consents[0]]);
    expect(await read.consents.listOfAccount(tenant.id, "account-2")).toEqual([consents[2]]);
  });

  it("are replaced by the next decision about the same service", async () => {
    const { database, tenant } = await openWithTenants();
    const later = buildConsent({
      digest: "e".repeat(64),
      state: "withdrawn",
      decidedAt: minutesAfter(9),
    });
    await database.write(async (stores) => {
      await stores.consents.put(tenant.id, buildConsent());
      await stores.consents.put(tenant.id, later);
    });
    expect(await database.read.consents.listOfAccount(tenant.id, "account-1")).toEqual([later]);
  });

  it("are hidden from other tenants, and safe from them", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    const [mine, theirs] = [buildConsent(), buildConsent({ state: "withdrawn" })];
    const { read } = database;
    await database.write((stores) => stores.consents.put(tenant.id, mine));
    expect(await read.consents.find(stranger.id, mine.accountId, mine.serviceId)).toBeNull();
    expect(await read.consents.listOfAccount(stranger.id, mine.accountId)).toEqual([]);
    await database.write(async (stores) => {
      await stores.consents.put(stranger.id, theirs);
      await stores.consents.retireWithdrawn(stranger.id, mine.serviceId, AUDIENCE);
      await stores.consents.adoptWithdrawn(tenant.id, AUDIENCE, mine.serviceId);
      expect(await stores.consents.deleteAgreed(stranger.id, mine.serviceId)).toBe(0);
      await stores.consents.deleteOfService(stranger.id, mine.serviceId);
      await stores.consents.deleteOfTenant(stranger.id);
    });
    expect(await read.consents.find(tenant.id, mine.accountId, mine.serviceId)).toEqual(mine);
  });

  it("stay withdrawn for their service and for the next one of its audience, over what was agreed to there", async () => {
    const { database, tenant } = await openWithTenants();
    const withdrawn = buildConsent({ serviceId: "moved", state: "withdrawn" });
    await database.write(async ({ consents }) => {
      await consents.put(tenant.id, withdrawn);
      await consents.put(tenant.id, buildConsent({ serviceId: "moved", accountId: "account-3" }));
      await consents.put(tenant.id, buildConsent({ serviceId: "other", state: "withdrawn" }));
      await consents.put(tenant.id, buildConsent({ serviceId: "next" }));
      await consents.put(tenant.id, buildConsent({ serviceId: "next", accountId: "account-2" }));
      await consents.retireWithdrawn(tenant.id, "moved", AUDIENCE);
      // Of the audience that it has now: of the one that it had, the withdrawal stands.
      await consents.put(tenant.id, buildConsent({ serviceId: "moved" }));
    });
    const { consents } = database.read;
    const expectStates = async (serviceId: string, states: Readonly<Record<string, string | undefined>>) => {
      for (const [accountId, state] of Object.entries(states)) {
        expect((await consents.find(tenant.id, accountId, serviceId))?.state).toBe(state);
      }
    };
    expect(await consents.listOfAccount(tenant.id, "account-1")).toHaveLength(3);

    await database.write((stores) => stores.consents.adoptWithdrawn(tenant.id, AUDIENCE, "next"));
    expect(await consents.find(tenant.id, "account-1", "next")).toEqual({ ...withdrawn, serviceId: "next" });
    await expectStates("next", { "account-2": "agreed", "account-3": undefined });
    await expectStates("other", { "account-1": "withdrawn" });
    await expectStates("moved", { "account-1": "agreed" });

    await database.write(async (stores) => {
      await stores.consents.adoptWithdrawn(tenant.id, AUDIENCE, "later");
      await stores.consents.deleteOfService(tenant.id, "next");
    });
    await expectStates("later", { "account-1": undefined });
    await expectStates("next", { "account-1": undefined, "account-2": undefined });
  });

  it("are kept for an audience once for each account, as they were last withdrawn", async () => {
    const { database, tenant } = await openWithTenants();
    const again = buildConsent({ state: "withdrawn", decidedAt: minutesAfter(5) });
    await database.write(async ({ consents }) => {
      for (const withdrawn of [{ ...again, decidedAt: minutesAfter(1) }, again]) {
        await consents.put(tenant.id, withdrawn);
        await consents.retireWithdrawn(tenant.id, again.serviceId, AUDIENCE);
      }
      await consents.adoptWithdrawn(tenant.id, AUDIENCE, "next");
    });
    expect(await database.read.consents.find(tenant.id, "account-1", "next")).toEqual({
      ...again,
      serviceId: "next",
    });
  });

  it("are counted and deleted where they were given, and left where they were withdrawn", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    const digest = "e".repeat(64);
    await database.write(async ({ consents }) => {
      for (const accountId of ["account-1", "account-2"]) {
        await consents.put(tenant.id, buildConsent({ accountId, digest }));
        await consents.put(stranger.id, buildConsent({ accountId, digest }));
      }
      await consents.put(tenant.id, buildConsent({ accountId: "account-3", digest, state: "withdrawn" }));
      await consents.put(tenant.id, buildConsent({ accountId: "account-4" }));
      await consents.put(tenant.id, buildConsent({ serviceId: "service-2", digest }));
    });
    const { consents } = database.read;
    expect(await consents.countAgreed(tenant.id, "service-1", digest)).toBe(2);
    expect(await database.write((stores) => stores.consents.deleteAgreed(tenant.id, "service-1"))).toBe(3);
    expect(await consents.countAgreed(tenant.id, "service-1", digest)).toBe(0);
    expect(await consents.find(tenant.id, "account-3", "service-1")).toMatchObject({ state: "withdrawn" });
    expect(await consents.countAgreed(tenant.id, "service-2", digest)).toBe(1);
    expect(await consents.countAgreed(stranger.id, "service-1", digest)).toBe(2);
  });

  it("are deleted with all of their tenant", async () => {
    const { database, tenant } = await openWithTenants();
    await database.write(async (stores) => {
      await stores.consents.put(tenant.id, buildConsent());
      await stores.consents.deleteOfTenant(tenant.id);
    });
    expect(await database.read.consents.listOfAccount(tenant.id, "account-1")).toEqual([]);
  });

  it("fail loudly when something else has written over them", async () => {
    const file = createTestFile();
    const { database, tenant } = await openWithTenants(file);
    await database.write((stores) => stores.consents.put(tenant.id, buildConsent()));
    await execute(file, "UPDATE consents SET state = 'given'");
    await expect(database.read.consents.find(tenant.id, "account-1", "service-1")).rejects.toMatchObject({
      code: "internal_error",
    });
  });
});
