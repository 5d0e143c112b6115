import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { watchWindow } from "./linking-window.js";

const NOW = new Date("2030-01-01T00:00:00.000Z");
const LASTS_MS = 300_000;

const onExpiry = vi.fn();

function watch(expiresAt: number): () => void {
  const attempt = { id: "attempt", url: "", expiresAt: new Date(expiresAt).toISOString() };
  const nothing = () => undefined;
  return watchWindow(attempt, () => null, {
    onCode: nothing,
    onDeclined: nothing,
    onClosed: nothing,
    onSilence: nothing,
    onExpiry,
  });
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.stubGlobal("window", { addEventListener: vi.fn(), removeEventListener: vi.fn() });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  onExpiry.mockReset();
});

describe("watching a linking window", () => {
  it("says when its attempt is over, and not before", () => {
    watch(NOW.getTime() + LASTS_MS);
    vi.advanceTimersByTime(LASTS_MS - 1);
    expect(onExpiry).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onExpiry).toHaveBeenCalledOnce();
  });

  it("says nothing any more once nobody waits", () => {
    watch(NOW.getTime() + LASTS_MS)();
    vi.advanceTimersByTime(LASTS_MS);
    expect(onExpiry).not.toHaveBeenCalled();
  });

  it.each([
    ["ahead", -3_600_000],
    ["behind", 40 * 24 * 3_600_000],
  ])("leaves it to the app where this machine's clock is far %s", (_how, offset) => {
    watch(NOW.getTime() + LASTS_MS + offset);
    vi.advanceTimersByTime(LASTS_MS);
    expect(onExpiry).not.toHaveBeenCalled();
  });
});
