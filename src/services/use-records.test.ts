import { describe, expect, it, onTestFinished, vi } from "vitest";

import type { AuditEvent } from "../audit/audit-event.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import { buildAuditEvent, buildTenant } from "../storage/builders.fixture.js";
import type { Database, WriteStores } from "../stores.js";
import { UseRecords } from "./use-records.js";

const TENANTS = [buildTenant(), buildTenant()] as const;

function createEvent(reference: string, tenant = TENANTS[0]): AuditEvent {
  return buildAuditEvent(tenant, { reference });
}

/** A database that writes when it is let, and remembers what was written together. */
class FakeDatabase implements Pick<Database, "writeFirst"> {
  isBroken = false;
  /** Of this tenant there is something that can't be stored. */
  unstorableTenantId: string | null = null;
  readonly writes: (string | null)[][] = [];
  #gate: Promise<void> = Promise.resolve();

  hold(): () => void {
    let release: () => void = () => undefined;
    this.#gate = new Promise((resolve) => (release = resolve));
    return release;
  }

  async writeFirst<T>(work: (stores: WriteStores) => Promise<T>): Promise<T> {
    await this.#gate;
    if (this.isBroken) throw new AppError("store_unavailable");
    const written: (string | null)[] = [];
    const appendAll = (tenantId: string, events: readonly AuditEvent[]) => {
      expect(events.map((event) => event.tenantId)).toEqual(events.map(() => tenantId));
      if (tenantId === this.unstorableTenantId) return Promise.reject(new AppError("malformed_request"));
      written.push(...events.map(({ reference }) => reference));
      return Promise.resolve();
    };
    const result = await work({ audit: { appendAll } } as unknown as WriteStores);
    this.writes.push(written);
    return result;
  }
}

function setUp({ maxRecords = 10, maxRecordsOfTenant = 10 } = {}) {
  const database = new FakeDatabase();
  const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() } satisfies Logger;
  const limits = { maxRecords, maxRecordsOfTenant, gatherMilliseconds: 15 };
  const records = new UseRecords({ database, logger, ...limits });
  onTestFinished(() => {
    database.isBroken = false;
    database.unstorableTenantId = null;
    return records.drain();
  });
  const open = (tenant = TENANTS[0]) => records.open(tenant.id);
  return { database, logger, records, open };
}

const refusal = expect.objectContaining({ code: "store_unavailable" }) as Error;

const waitAMoment = () => new Promise((resolve) => setTimeout(resolve, 40));

describe("the record", () => {
  it("is written soon, in the order in which things ended, and what ends together in one go", async () => {
    const { database, open } = setUp();
    const [slow, fast, foreign] = [open(), open(), open(TENANTS[1])];
    fast(createEvent("fast"));
    foreign(createEvent("foreign", TENANTS[1]));
    slow(createEvent("slow"));
    expect(database.writes).toEqual([]);
    await vi.waitFor(() => expect(database.writes).toEqual([["fast", "slow", "foreign"]]));
  });

  it("takes each end once, and nothing for what came to nothing", async () => {
    const { database, records, open } = setUp();
    const [giveBack, dropped] = [open(), open()];
    expect(giveBack(createEvent("once"))).toBe(true);
    expect(giveBack(createEvent("twice"))).toBe(false);
    expect(dropped(null)).toBe(true);
    expect(dropped(createEvent("late"))).toBe(false);
    await records.drain();
    expect(database.writes).toEqual([["once"]]);
  });

  it("goes on while it is being written", async () => {
    const { database, open } = setUp();
    const release = database.hold();
    open()(createEvent("first"));
    await waitAMoment();
    open()(createEvent("second"));
    release();
    await vi.waitFor(() => expect(database.writes).toEqual([["first"], ["second"]]));
  });

  it("has no place for more than it may hold, of what is under way, waits, and is being written", async () => {
    const { database, open } = setUp({ maxRecords: 3 });
    const release = database.hold();
    open()(createEvent("being written"));
    await waitAMoment();
    open()(createEvent("waiting"));
    const underWay = open();
    expect(() => open()).toThrow(refusal);
    underWay(null);
    open()(null);
    release();
    await vi.waitFor(() => expect(database.writes).toHaveLength(2));
    const places = [open(), open(), open()];
    expect(() => open()).toThrow(refusal);
    for (const giveBack of places) giveBack(null);
  });

  it("stops everything while it can't be written, keeps what happened, and then goes on, with a line for either", async () => {
    const { database, logger, open } = setUp();
    const [first, second] = [open(), open()];
    database.isBroken = true;
    first(createEvent("first"));
    await vi.waitFor(() => expect(() => open()(null)).toThrow(refusal));
    second(createEvent("second"));
    await waitAMoment();
    expect(() => open()).toThrow(refusal);
    expect(logger.error).toHaveBeenCalledTimes(1);

    database.isBroken = false;
    await vi.waitFor(() => expect(database.writes).toEqual([["first", "second"]]));
    open()(null);
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  it("has room for each tenant's part alone: what is too much for one leaves the others theirs", async () => {
    const { database, open } = setUp({ maxRecords: 5, maxRecordsOfTenant: 2 });
    const release = database.hold();
    open()(createEvent("waiting"));
    const underWay = open();
    expect(() => open()).toThrow(expect.objectContaining({ code: "rate_limited" }) as Error);
    const others = TENANTS.slice(1).map((tenant) => open(tenant));
    underWay(null);
    open()(null);
    release();
    await vi.waitFor(() => expect(database.writes).toEqual([["waiting"]]));
    const places = [open(), open()];
    expect(() => open()).toThrow(expect.objectContaining({ code: "rate_limited" }) as Error);
    for (const giveBack of [...places, ...others]) giveBack(null);
  });

  it("stops one tenant for what only it has and can't be written, until it can", async () => {
    const { database, logger, open } = setUp();
    database.unstorableTenantId = TENANTS[0].id;
    open()(createEvent("bad"));
    open(TENANTS[1])(createEvent("good", TENANTS[1]));
    await vi.waitFor(() => expect(database.writes).toEqual([["good"]]));
    expect(() => open()).toThrow(refusal);
    open(TENANTS[1])(createEvent("next", TENANTS[1]));
    await vi.waitFor(() => expect(database.writes).toEqual([["good"], ["next"]]));
    expect(logger.error).toHaveBeenCalledTimes(1);
    expect(logger.error.mock.calls[0]?.[0]).toMatchObject({ tenant: TENANTS[0].id });

    database.unstorableTenantId = null;
    await vi.waitFor(() => expect(database.writes.at(-1)).toEqual(["bad"]));
    open()(null);
    expect(logger.warn).toHaveBeenCalledTimes(1);
  });

  it("goes on for the others after an outage, though one tenant has what can't be written", async () => {
    const { database, open } = setUp();
    database.unstorableTenantId = TENANTS[0].id;
    open()(createEvent("bad"));
    await vi.waitFor(() => expect(() => open()(null)).toThrow(refusal));
    database.isBroken = true;
    await vi.waitFor(() => expect(() => open(TENANTS[1])(null)).toThrow(refusal));
    database.isBroken = false;
    await vi.waitFor(() => open(TENANTS[1])(null));
    expect(() => open()).toThrow(refusal);
  });

  it("is complete when the app stops, with what was still under way", async () => {
    const { database, records, open } = setUp();
    const [ended, underWay] = [open(), open()];
    ended(createEvent("ended"));
    const drained = records.drain();
    setTimeout(() => underWay(createEvent("under way")), 40);
    await drained;
    expect(database.writes.flat()).toEqual(["ended", "under way"]);
  });

  it("says what is lost when the app stops and it can't be written", async () => {
    const { database, logger, records, open } = setUp();
    open()(createEvent("lost"));
    database.isBroken = true;
    await records.drain();
    expect(logger.error).toHaveBeenLastCalledWith({ lost: 1 }, "what services did could not be recorded");
  });
});
