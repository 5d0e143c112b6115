import { beforeEach, describe, expect, it } from "vitest";

import { RateLimitedError } from "./errors.js";
import { RateLimit } from "./rate-limit.js";

let nowMs: number;
const clock = { now: () => new Date(nowMs) };
beforeEach(() => {
  nowMs = Date.UTC(2026, 0, 1);
});

describe("a rate limit", () => {
  it("lets as many calls through as it says, then says how long to wait", () => {
    const limit = createLimit();
    callTimes(limit, 3);
    nowMs += 20_500;

    expect(refusalOf(limit)?.extras.retryAfterSeconds).toBe(40);
  });

  it("begins a window with the first call, and the next with the first call after it", () => {
    const limit = createLimit();
    callTimes(limit, 3);
    nowMs += 59_999;
    expect(refusalOf(limit)?.extras.retryAfterSeconds).toBe(1);
    nowMs += 1;
    callTimes(limit, 3);
    nowMs += 59_999;

    expect(refusalOf(limit)).not.toBeNull();
  });

  it("doesn't let refused calls put off the end of the window", () => {
    const limit = createLimit();
    callTimes(limit, 3);
    for (let second = 0; second < 60; second += 1) {
      expect(refusalOf(limit)).not.toBeNull();
      nowMs += 1000;
    }

    expect(refusalOf(limit)).toBeNull();
  });

  it("counts each key apart", () => {
    const limit = createLimit();
    callTimes(limit, 3, "one");

    expect(refusalOf(limit, "other")).toBeNull();
    expect(refusalOf(limit, "one")).not.toBeNull();
  });

  it("can be asked without counting, and told without asking", () => {
    const limit = createLimit();
    for (let times = 0; times < 10; times += 1) expect(limit.findWaitSeconds("a")).toBeNull();
    for (let times = 0; times < 10; times += 1) limit.count("a");

    expect(limit.findWaitSeconds("a")).toBe(60);
    expect(() => limit.requireLeft("a")).toThrow(RateLimitedError);
  });

  it("begins anew when the clock is set back", () => {
    const limit = createLimit();
    callTimes(limit, 3);
    nowMs -= 3_600_000;

    expect(refusalOf(limit)).toBeNull();
  });

  it("remembers no more keys than it may, and the busy ones longest", () => {
    const limit = createLimit({ maxKeys: 100 });
    callTimes(limit, 3, "busy");
    for (let nth = 0; nth < 1000; nth += 1) {
      limit.count(`passer-by ${nth}`);
      expect(refusalOf(limit, "busy")).not.toBeNull();
    }
    callTimes(limit, 3, "passer-by 0");
  });
});

function createLimit({ maxKeys }: { maxKeys?: number } = {}): RateLimit {
  return new RateLimit({ clock, calls: 3, perSeconds: 60, ...(maxKeys !== undefined && { maxKeys }) });
}

function callTimes(limit: RateLimit, times: number, key = "a"): void {
  for (let nth = 0; nth < times; nth += 1) limit.consume(key);
}

function refusalOf(limit: RateLimit, key = "a"): RateLimitedError | null {
  try {
    limit.consume(key);
    return null;
  } catch (error) {
    if (error instanceof RateLimitedError) return error;
    throw error;
  }
}
