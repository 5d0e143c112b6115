import { describe, expect, it } from "vitest";

import { RateLimitedError } from "../errors.js";
import type { ProductCall } from "../gateway/product-calls.js";
import { buildInstallation } from "../connect/installation.fixture.js";
import { ProductPlaces } from "./product-places.js";

const LIMITS = { maxPerTenant: 20, maxPerService: 4, maxPerPerson: 2 };
const { tenant } = buildInstallation();
const confluence = { ...tenant, id: "confluence" };

const call = (serviceId: string, accountId: string, of = tenant) =>
  ({ tenant: of, caller: { serviceId, accountId } }) as ProductCall;

/** How many of these find a place. */
function takeAll(places: ProductPlaces, calls: readonly ProductCall[]): number {
  return calls.filter((each) => {
    try {
      places.take(each);
      return true;
    } catch (error) {
      if (error instanceof RateLimitedError) return false;
      throw error;
    }
  }).length;
}

const many = (one: ProductCall): ProductCall[] => Array.from({ length: 100 }, () => one);

describe("places", () => {
  it("are for one person of one service as long as half of them are free, and leave the others to others", () => {
    const places = new ProductPlaces(LIMITS);
    expect(takeAll(places, many(call("greedy", "grace")))).toBe(10);
    expect(takeAll(places, many(call("modest", "grace")))).toBe(2);
    expect(takeAll(places, many(call("modest", "linus")))).toBe(2);
    expect(takeAll(places, many(call("modest", "ada")))).toBe(0);
    expect(takeAll(places, many(call("greedy", "grace", confluence)))).toBe(10);
  });

  it("that a person has beyond their share aren't held against the others of the service", () => {
    const places = new ProductPlaces(LIMITS);
    const leaves = Array.from({ length: 10 }, () => places.take(call("one", "grace")));
    expect(takeAll(places, many(call("one", "linus")))).toBe(2);
    expect(takeAll(places, many(call("one", "ada")))).toBe(0);
    // Hers are down to half of her share, whichever of them were first.
    for (const leave of leaves.slice(0, 9)) leave();
    expect(takeAll(places, many(call("other", "cleo")))).toBe(7);
    expect(takeAll(places, many(call("one", "ada")))).toBe(1);
  });

  it("are so many and no more of each tenant, whoever comes, so that Jira and Confluence don't keep each other out", () => {
    const places = new ProductPlaces(LIMITS);
    const crowd = (of = tenant) =>
      Array.from({ length: 100 }, (_, nth) => call(`service-${nth}`, "grace", of));
    expect(takeAll(places, crowd())).toBe(LIMITS.maxPerTenant);
    expect(takeAll(places, crowd(confluence))).toBe(LIMITS.maxPerTenant);
  });

  it("are free again once, when their call is over", () => {
    const places = new ProductPlaces({ ...LIMITS, maxPerTenant: 2 });
    const leave = places.take(call("one", "grace"));
    places.take(call("two", "grace"));
    leave();
    leave();
    expect(takeAll(places, many(call("one", "grace")))).toBe(1);
  });
});
