import { describe, expect, it } from "vitest";

import { RateLimitedError } from "../errors.js";
import type { ProductCall } from "../gateway/product-calls.js";
import { buildInstallation } from "./installation.fixture.js";
import { ProductPlaces } from "./product-places.js";

const LIMITS = { maxPerOrigin: 20, maxPerService: 4, maxPerPerson: 2 };
const { tenant } = buildInstallation();

const call = (serviceId: string, accountId: string, of = tenant) =>
  ({ tenant: of, caller: { serviceId, accountId } }) as ProductCall;

/** How many of these find a place. */
function takeAll(places: ProductPlaces, calls: readonly ProductCall[], origin = "https://a"): number {
  return calls.filter((each) => {
    try {
      places.take(origin, each);
      return true;
    } catch (error) {
      if (error instanceof RateLimitedError) return false;
      throw error;
    }
  }).length;
}

const many = (one: ProductCall): ProductCall[] => Array.from({ length: 100 }, () => one);

describe("places of a site", () => {
  it("are for one person of one service as long as half of them are free, and leave the others to others", () => {
    const places = new ProductPlaces(LIMITS);
    expect(takeAll(places, many(call("greedy", "grace")))).toBe(10);
    expect(takeAll(places, many(call("greedy", "linus")))).toBe(0);
    expect(takeAll(places, many(call("modest", "grace")))).toBe(2);
    expect(takeAll(places, many(call("modest", "linus")))).toBe(2);
    expect(takeAll(places, many(call("modest", "ada")))).toBe(0);
    expect(takeAll(places, many(call("modest", "ada", { ...tenant, id: "confluence" })))).toBe(2);
    expect(takeAll(places, many(call("greedy", "grace")), "https://b")).toBe(10);
  });

  it("are so many and no more, whoever comes", () => {
    const places = new ProductPlaces(LIMITS);
    const crowd = Array.from({ length: 100 }, (_, nth) => call(`service-${nth}`, "grace"));
    expect(takeAll(places, crowd)).toBe(LIMITS.maxPerOrigin);
  });

  it("are free again once, when their call is over", () => {
    const places = new ProductPlaces({ ...LIMITS, maxPerOrigin: 2 });
    const leave = places.take("https://a", call("one", "grace"));
    places.take("https://a", call("two", "grace"));
    leave();
    leave();
    expect(takeAll(places, many(call("one", "grace")))).toBe(1);
  });
});
