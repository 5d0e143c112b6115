import { describe, expect, it } from "vitest";

import type { KeyUse, PersonalUse, ServiceDay } from "../services/service-use-store.js";
import { insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

async function openWithTenants(file = createTestFile()) {
  const database = await openTestDatabase({ file });
  const [tenant, stranger] = await database.write(async (stores) => [
    await insertTenant(stores),
    await insertTenant(stores),
  ]);
  return { database, tenant, stranger };
}

function buildDay(overrides: Partial<ServiceDay> = {}): ServiceDay {
  return { serviceId: "one", day: "2026-11-22", outcome: "acted", calls: 1, lastAt: NOW, ...overrides };
}

function buildUse(overrides: Partial<PersonalUse> = {}): PersonalUse {
  return { serviceId: "one", accountId: "account-1", calls: 1, lastAt: NOW, knownAt: NOW, ...overrides };
}

function buildKeyUse(overrides: Partial<KeyUse> = {}): KeyUse {
  return { serviceId: "one", keyId: "key-1", lastAt: NOW, ...overrides };
}

describe("service use", () => {
  it("adds calls to the same service, day and outcome, and keeps the rest apart", async () => {
    const { database, tenant } = await openWithTenants();
    const others = [
      buildDay({ serviceId: "two" }),
      buildDay({ day: "2026-11-23" }),
      buildDay({ outcome: "paused" }),
    ];
    await database.write(async (stores) => {
      await stores.serviceUse.addToDay(tenant.id, buildDay({ calls: 2 }));
      for (const other of others) await stores.serviceUse.addToDay(tenant.id, other);
      await stores.serviceUse.addToDay(tenant.id, buildDay({ calls: 40, lastAt: minutesAfter(1) }));
    });
    const days = await database.read.serviceUse.listDays(tenant.id, ["one", "two"], "2026-11-22");
    expect(days).toHaveLength(4);
    for (const day of [buildDay({ calls: 42, lastAt: minutesAfter(1) }), ...others])
      expect(days).toContainEqual(expect.objectContaining(day));
    expect(await database.read.serviceUse.listDays(tenant.id, ["one"], "2026-11-23")).toHaveLength(1);
  });

  it("adds calls to the same person, whose first one stays", async () => {
    const { database, tenant } = await openWithTenants();
    const later = { lastAt: minutesAfter(6), knownAt: minutesAfter(7) };
    await database.write(async (stores) => {
      await stores.serviceUse.addToPerson(tenant.id, buildUse());
      await stores.serviceUse.addToPerson(tenant.id, buildUse({ ...later, calls: 2 }));
      await stores.serviceUse.addToPerson(tenant.id, buildUse({ ...later, accountId: "account-2" }));
      await stores.serviceUse.addToPerson(tenant.id, buildUse({ serviceId: "two" }));
    });
    const { read } = database;
    expect(await read.serviceUse.listOfAccount(tenant.id, "account-1")).toMatchObject([
      buildUse({ calls: 3, lastAt: later.lastAt }),
      buildUse({ serviceId: "two" }),
    ]);
    const count = (since: Date) => read.serviceUse.countPeople(tenant.id, ["one", "two", "three"], since);
    expect(await count(NOW)).toEqual(
      new Map([
        ["one", 2],
        ["two", 1],
      ]),
    );
    expect(await count(minutesAfter(1))).toEqual(new Map([["one", 2]]));
  });

  it("is hidden from other tenants, and goes with its service or its tenant alone", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    const { read } = database;
    const list = async (id: string) => [
      ...(await read.serviceUse.listDays(id, ["one", "two"], "2026-01-01")),
      ...(await read.serviceUse.listOfAccount(id, "account-1")),
    ];
    await database.write(async (stores) => {
      for (const serviceId of ["one", "two"]) {
        await stores.serviceUse.addToDay(tenant.id, buildDay({ serviceId }));
        await stores.serviceUse.addToPerson(tenant.id, buildUse({ serviceId }));
      }
      for (const id of ["one", "two"]) await stores.serviceUse.deleteOfService(stranger.id, id);
      await stores.serviceUse.deleteOfTenant(stranger.id);
    });
    expect(await list(stranger.id)).toEqual([]);
    expect(await list(tenant.id)).toHaveLength(4);
    await database.write((stores) => stores.serviceUse.deleteOfService(tenant.id, "one"));
    expect(await list(tenant.id)).toMatchObject([{ serviceId: "two" }, { serviceId: "two" }]);
    await database.write((stores) => stores.serviceUse.deleteOfTenant(tenant.id));
    expect(await list(tenant.id)).toEqual([]);
  });

  it("knows of each key when it was last shown, until the key or its service goes", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    const list = async () => {
      const uses = await database.read.serviceUse.listKeyUses(tenant.id);
      return Object.fromEntries(uses.map(({ keyId, lastAt }) => [keyId, lastAt]));
    };
    const lastAt = minutesAfter(1);
    await database.write(async ({ serviceUse }) => {
      await serviceUse.putKeyUse(tenant.id, buildKeyUse());
      await serviceUse.putKeyUse(tenant.id, buildKeyUse({ lastAt }));
      await serviceUse.putKeyUse(tenant.id, buildKeyUse({ keyId: "key-2" }));
      await serviceUse.putKeyUse(tenant.id, buildKeyUse({ keyId: "key-3", serviceId: "two" }));
      await serviceUse.putKeyUse(stranger.id, buildKeyUse({ keyId: "key-4" }));
      for (const keyId of ["key-1", "key-4"]) await serviceUse.deleteOfKey(stranger.id, keyId);
    });
    expect(await list()).toEqual({ "key-1": lastAt, "key-2": NOW, "key-3": NOW });
    expect(await database.read.serviceUse.listKeyUses(stranger.id)).toEqual([]);

    await database.write(({ serviceUse }) => serviceUse.deleteOfKey(tenant.id, "key-2"));
    // Keys outlive an uninstallation, as the settings do that they are in.
    await database.write(({ serviceUse }) => serviceUse.deleteOfTenant(tenant.id));
    expect(await list()).toEqual({ "key-1": lastAt, "key-3": NOW });
    await database.write(({ serviceUse }) => serviceUse.deleteOfService(tenant.id, "two"));
    expect(await list()).toEqual({ "key-1": lastAt });
  });

  it("fails loudly when something else has written over it", async () => {
    const file = createTestFile();
    const { database, tenant } = await openWithTenants(file);
    await database.write((stores) => stores.serviceUse.addToPerson(tenant.id, buildUse()));
    await execute(file, "UPDATE service_people SET calls = 'many'");
    await expect(database.read.serviceUse.listOfAccount(tenant.id, "account-1")).rejects.toMatchObject({
      code: "internal_error",
    });
  });
});

describe("what people have been told", () => {
  it("is each person's own in each tenant, replaced by the next, and goes with the tenant", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    const { read } = database;
    expect(await read.newsMarks.findSeenUntil(tenant.id, "account-1")).toBeNull();
    await database.write(async (stores) => {
      await stores.newsMarks.put(tenant.id, "account-1", NOW);
      await stores.newsMarks.put(tenant.id, "account-1", minutesAfter(1));
      await stores.newsMarks.put(stranger.id, "account-1", NOW);
      await stores.newsMarks.deleteOfTenant(stranger.id);
    });
    expect(await read.newsMarks.findSeenUntil(tenant.id, "account-1")).toEqual(minutesAfter(1));
    expect(await read.newsMarks.findSeenUntil(tenant.id, "account-2")).toBeNull();
    expect(await read.newsMarks.findSeenUntil(stranger.id, "account-1")).toBeNull();
  });
});
