import { describe, expect, it, vi } from "vitest";

import { AppError } from "../errors.js";
import { silentLogger } from "../logger.js";
import { buildAuditEvent, buildService, buildSettings, insertTenant } from "../storage/builders.fixture.js";
import { NOW, openTestDatabase } from "../storage/test-database.fixture.js";
import type { Database } from "../stores.js";
import type { Tenant } from "../tenants/tenant.js";
import { firstDayOfUse, ServiceUses } from "./service-uses.js";

const DAY_MILLISECONDS = 86_400_000;
const SERVICES = [buildService({ id: "one" }), buildService({ id: "two", audience: "b".repeat(64) })];

async function setUp() {
  const database = await openTestDatabase();
  const [tenant, stranger] = await database.write(async (stores) => {
    const tenants = [await insertTenant(stores), await insertTenant(stores)] as const;
    for (const { id } of tenants)
      await stores.settings.replace(id, buildSettings({ services: SERVICES, version: 1 }), 0);
    return tenants;
  });
  let now = NOW;
  let isBroken = false;
  const writeFirst: Database["writeFirst"] = (work) =>
    isBroken ? Promise.reject(new AppError("store_unavailable")) : database.writeFirst(work);
  const clock = { now: () => now };
  const uses = new ServiceUses({
    database: { read: database.read, writeFirst },
    clock,
    logger: silentLogger,
  });
  return {
    ...{ database, tenant, stranger, uses },
    travel: (days: number) => (now = new Date(NOW.getTime() + days * DAY_MILLISECONDS)),
    break: (broken: boolean) => (isBroken = broken),
    act: (accountId: string, { of = tenant, serviceId = "one" } = {}) =>
      uses.open(of.id).record({ event: buildActed(of, serviceId, accountId, now), outcome: "acted" }),
    summarize: async (days = 30) => (await uses.summarize(tenant.id, SERVICES, days))[0]?.use,
  };
}

function buildActed(tenant: Tenant, serviceId: string, accountId: string, at: Date) {
  const actor = { type: "service", accountId } as const;
  return buildAuditEvent(tenant, {
    action: "service.acted",
    at,
    actor,
    target: { type: "service", id: serviceId },
  });
}

describe("the use of a service", () => {
  it("is nothing before there is any", async () => {
    const { summarize } = await setUp();
    expect(await summarize()).toEqual({
      ...{ days: 30, identified: 0, acted: 0, asserted: 0, people: 0, refusals: [], lastUsedAt: null },
    });
  });

  it("is added up over services, days, outcomes and people, and over what is stored already", async () => {
    const { tenant, uses, act, travel, summarize } = await setUp();
    for (const accountId of ["ada", "ada", "grace"]) act(accountId);
    act("ada", { serviceId: "two" });
    uses.count(tenant.id, "one", "identified");
    uses.count(tenant.id, "one", "not_linked");
    await uses.drain();
    travel(1);
    act("ada");
    for (let time = 0; time < 3; time += 1) uses.count(tenant.id, "one", "paused");
    uses.count(tenant.id, "one", "not_linked");
    await uses.drain();
    const lastAt = travel(1);

    expect(await summarize()).toEqual({
      days: 30,
      identified: 1,
      acted: 4,
      asserted: 0,
      people: 2,
      refusals: [
        { code: "paused", count: 3, lastAt },
        { code: "not_linked", count: 2, lastAt },
      ],
      lastUsedAt: lastAt,
    });
    expect(await uses.listOfAccount(tenant.id, "ada")).toMatchObject([
      { serviceId: "one", calls: 3, lastAt },
      { serviceId: "two", calls: 1 },
    ]);
    expect(await uses.listOfAccount(tenant.id, "linus")).toEqual([]);
  });

  it("is told of as many days as asked for, and kept for 90", async () => {
    const { database, tenant, uses, act, travel, summarize } = await setUp();
    uses.count(tenant.id, "one", "identified");
    act("ada");
    await uses.drain();
    travel(29);
    expect(await summarize()).toMatchObject({ identified: 1, people: 1 });
    expect(await summarize(29)).toMatchObject({ identified: 0, people: 0 });
    travel(30);
    expect(await summarize()).toMatchObject({ identified: 0, people: 0, lastUsedAt: null });
    for (const [days, left] of [
      [90, 1],
      [91, 0],
    ] as const) {
      const day = firstDayOfUse(travel(days));
      await database.write((stores) => stores.serviceUse.deleteDaysBefore(day));
      expect(await summarize(100)).toMatchObject({ identified: left });
    }
  });

  it("is stored by itself within about a second", async () => {
    const { tenant, uses, summarize } = await setUp();
    uses.count(tenant.id, "one", "identified");
    await vi.waitFor(async () => expect(await summarize()).toMatchObject({ identified: 1 }), 3_000);
  });

  it("waits in memory while it can't be stored, and none of it is lost", async () => {
    const { tenant, uses, break: breakDatabase, summarize, act } = await setUp();
    act("ada");
    uses.count(tenant.id, "one", "identified");
    breakDatabase(true);
    await uses.drain();
    uses.count(tenant.id, "one", "identified");
    breakDatabase(false);
    await uses.drain();
    expect(await summarize()).toMatchObject({ identified: 2, acted: 1, people: 1 });
  });

  it("counts what is refused to a known service, and nothing that isn't a refusal", async () => {
    const { tenant, uses, summarize } = await setUp();
    const [service = null] = SERVICES;
    uses.countRefusal(tenant.id, service, new AppError("paused"));
    uses.countRefusal(tenant.id, service, new Error("A fault"));
    uses.countRefusal(tenant.id, null, new AppError("paused"));
    await uses.drain();
    expect(await summarize()).toMatchObject({ refusals: [{ code: "paused", count: 1 }] });
  });

  it("is each tenant's own", async () => {
    const { stranger, uses, act, summarize } = await setUp();
    act("ada", { of: stranger });
    uses.count(stranger.id, "one", "identified");
    await uses.drain();
    expect(await summarize()).toMatchObject({ identified: 0, acted: 0, people: 0 });
  });

  it("doesn't come back after its service was removed, or its tenant", async () => {
    const { database, tenant, stranger, uses, act } = await setUp();
    act("ada");
    act("ada", { serviceId: "two" });
    act("ada", { of: stranger });
    await database.write(async (stores) => {
      const settings = await stores.settings.get(tenant.id);
      await stores.settings.replace(tenant.id, { ...settings, services: SERVICES.slice(1), version: 2 }, 1);
    });
    uses.forgetTenant(stranger.id);
    await uses.drain();
    expect(await uses.listOfAccount(tenant.id, "ada")).toMatchObject([{ serviceId: "two" }]);
    expect(await uses.listOfAccount(stranger.id, "ada")).toEqual([]);
    // The record stays: it is the audit log.
    const filter = { kind: null, action: "service.acted", actor: "ada", from: null, to: null };
    for (const { id, count } of [
      { id: tenant.id, count: 2 },
      { id: stranger.id, count: 1 },
    ]) {
      const { items } = await database.read.audit.list(id, filter, { limit: 9, cursor: null });
      expect(items).toHaveLength(count);
    }
  });
});
