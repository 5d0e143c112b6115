import { describe, expect, it } from "vitest";

import { createExpiringCache } from "./expiring-cache.js";

function setUp() {
  let now = Date.parse("2026-11-22T12:00:00Z");
  const advanceSeconds = (seconds: number) => {
    now += seconds * 1000;
  };
  const clock = { now: () => new Date(now) };
  const cache = createExpiringCache<string>({ clock, maxEntries: 2, ttlSeconds: 60 });
  return { cache, advanceSeconds };
}

describe("an expiring cache", () => {
  it("keeps an entry for its time by the injected clock, however often it is read", () => {
    const { cache, advanceSeconds } = setUp();
    cache.set("a", "1");
    advanceSeconds(59);
    expect(cache.get("a")).toBe("1");
    advanceSeconds(2);
    expect(cache.has("a")).toBe(false);
    expect(cache.get("a")).toBeUndefined();
  });

  it("keeps the entries that were used last when there are too many", () => {
    const { cache } = setUp();
    cache.set("a", "1").set("b", "2");
    cache.get("a");
    cache.set("c", "3");
    expect([...cache.keys()].sort()).toEqual(["a", "c"]);
  });
});
