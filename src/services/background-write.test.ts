import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { BackgroundWrite } from "./background-write.js";

const EVERY = 100;

/** Stores all that waits, each time it is let. */
function setUp() {
  const stored: string[][] = [];
  let waiting: string[] = [];
  let isFailing = false;
  let gate = Promise.resolve();
  const background = new BackgroundWrite(async () => {
    const now = waiting;
    waiting = [];
    await gate;
    if (isFailing) waiting = [...now, ...waiting];
    else stored.push(now);
    return waiting.length === 0;
  }, EVERY);
  return {
    stored,
    background,
    add: (text: string) => {
      waiting.push(text);
      background.soon();
    },
    fail: (isTrue: boolean) => (isFailing = isTrue),
    hold: () => {
      let release: () => void = () => undefined;
      gate = new Promise((resolve) => (release = resolve));
      return () => release();
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a write in the background", () => {
  it("takes what comes together, and rests when there is nothing", async () => {
    const { stored, add } = setUp();
    add("a");
    await vi.advanceTimersByTimeAsync(EVERY - 1);
    add("b");
    expect(stored).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(stored).toEqual([["a", "b"]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tries again what it couldn't store, and goes on with what came meanwhile", async () => {
    const { stored, add, fail, hold } = setUp();
    fail(true);
    add("a");
    await vi.advanceTimersByTimeAsync(3 * EVERY);
    fail(false);
    const release = hold();
    await vi.advanceTimersByTimeAsync(EVERY);
    add("b");
    release();
    await vi.advanceTimersByTimeAsync(EVERY);
    expect(stored).toEqual([["a"], ["b"]]);
  });

  it("misses nothing that comes when a write has looked for the last time and isn't over", async () => {
    const stored: string[] = [];
    const waiting = ["a"];
    const background = new BackgroundWrite(() => {
      stored.push(...waiting.splice(0));
      const over = Promise.resolve(true);
      if (stored.length === 1) void over.then(addAnother);
      return over;
    }, EVERY);
    const addAnother = () => {
      waiting.push("b");
      background.soon();
    };
    background.soon();
    await vi.advanceTimersByTimeAsync(2 * EVERY);
    expect(stored).toEqual(["a", "b"]);
  });

  it("has nothing left to do when it is drained, though a write was under way that left something", async () => {
    const { stored, background, add, hold } = setUp();
    const release = hold();
    add("a");
    await vi.advanceTimersByTimeAsync(EVERY);
    add("b");
    const drained = background.drain();
    release();
    await drained;
    expect(stored).toEqual([["a"], ["b"]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
