import { afterEach, expect, it, vi } from "vitest";

import { Housekeeping } from "./housekeeping.js";
import { silentLogger } from "./logger.js";
import { buildAttempt, insertTenant } from "./storage/builders.fixture.js";
import { minutesAfter, openTestDatabase } from "./storage/test-database.fixture.js";

afterEach(() => {
  vi.useRealTimers();
});

it("removes what has expired and renews what is due at the start and every ten minutes, until it is stopped", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const database = await openTestDatabase();
  const attempts = await database.write(async (stores) => {
    const tenant = await insertTenant(stores);
    const expiring = [5, 15, 25].map((minutes) => buildAttempt(tenant, { expiresAt: minutesAfter(minutes) }));
    for (const attempt of expiring) await stores.attempts.insert(attempt);
    await stores.tokens.bind("token", "used", minutesAfter(5));
    return expiring;
  });
  let minutes = 6;
  const assertionKeys = { renewDue: vi.fn(() => Promise.resolve()) };
  const clock = { now: () => minutesAfter(minutes) };
  const countLeft = async () => {
    // Writes go one after the other.
    await database.write(() => Promise.resolve());
    const found = await Promise.all(attempts.map(({ idHash }) => database.read.attempts.find(idHash)));
    return found.filter((attempt) => attempt !== null).length;
  };

  const housekeeping = new Housekeeping({
    database,
    assertionKeys,
    forge: null,
    clock,
    logger: silentLogger,
  });
  expect(await countLeft()).toBe(2);
  const bound = await database.write((stores) => stores.tokens.bind("token", "again", minutesAfter(60)));
  expect(bound.isNew).toBe(true);
  expect(assertionKeys.renewDue).toHaveBeenCalledOnce();
  minutes = 16;
  vi.advanceTimersByTime(10 * 60_000);
  expect(await countLeft()).toBe(1);
  expect(assertionKeys.renewDue).toHaveBeenCalledTimes(2);
  housekeeping.stop();
  minutes = 26;
  vi.advanceTimersByTime(60 * 60_000);
  expect(await countLeft()).toBe(1);
});

it("only warns, of each part by itself, when the database can't be used", async () => {
  const database = await openTestDatabase();
  await database.close();
  const warn = vi.fn();
  const housekeeping = new Housekeeping({
    database,
    assertionKeys: { renewDue: () => Promise.reject(new Error("closed")) },
    forge: { eraseSilent: () => Promise.reject(new Error("closed")) },
    clock: { now: () => minutesAfter(0) },
    logger: { ...silentLogger, warn },
  });
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(3), { timeout: 10_000 });
  expect(warn.mock.calls.map(([, words]: unknown[]) => words)).toEqual([
    "expired rows could not be removed",
    "assertion keys could not be looked through",
    "installations that have gone could not be erased",
  ]);
  housekeeping.stop();
});
