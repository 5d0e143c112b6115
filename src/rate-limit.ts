import { LRUCache } from "lru-cache";

import type { Clock } from "./clock.js";
import { RateLimitedError } from "./errors.js";

/** So many calls in so many seconds. */
export interface Rate {
  readonly calls: number;
  readonly perSeconds: number;
}

interface Window {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  calls: number;
}

/**
 * Enough for everybody who is busy at one time. Beyond it the key that was idle longest is forgotten and starts anew:
 * whoever has that many addresses to call from is not held back by their count anyway, and must not fill the memory.
 */
export const MAX_KEYS = 10_000;

/** Counts calls per key in fixed windows, each beginning with the key's first call. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #calls: number;
  readonly #windowMilliseconds: number;
  readonly #windows: LRUCache<string, Window>;

  constructor({ clock, calls, perSeconds, maxKeys = MAX_KEYS }: Rate & { clock: Clock; maxKeys?: number }) {
    this.#clock = clock;
    this.#calls = calls;
    this.#windowMilliseconds = perSeconds * 1000;
    this.#windows = new LRUCache({ max: maxKeys });
  }

  /** Counts a call, or throws RateLimitedError once the key has used up its calls: then nothing is counted. */
  consume(key: string): void {
    this.requireLeft(key);
    this.count(key);
  }

  /** Throws RateLimitedError once the key has used up its calls. Counts nothing. */
  requireLeft(key: string): void {
    const waitSeconds = this.findWaitSeconds(key);
    if (waitSeconds !== null) throw new RateLimitedError(waitSeconds);
  }

  /** How long until the key may call again; null when it may call now. Counts nothing. */
  findWaitSeconds(key: string): number | null {
    const window = this.#findWindow(key);
    if (!window || window.calls < this.#calls) return null;
    const remaining = window.startedAt + this.#windowMilliseconds - this.#now();
    return Math.max(1, Math.ceil(remaining / 1000));
  }

  count(key: string): void {
    const window = this.#findWindow(key);
    if (window) window.calls += 1;
    else this.#windows.set(key, { startedAt: this.#now(), calls: 1 });
  }

  #findWindow(key: string): Window | null {
    const window = this.#windows.get(key);
    if (!window) return null;
    const age = this.#now() - window.startedAt;
    // A clock that was set back must not make a window last longer.
    return age >= 0 && age < this.#windowMilliseconds ? window : null;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}
