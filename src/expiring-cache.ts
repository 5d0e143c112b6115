import { LRUCache } from "lru-cache";

import type { Clock } from "./clock.js";

interface ExpiringCacheOptions {
  readonly clock: Clock;
  readonly maxEntries: number;
  readonly ttlSeconds: number;
}

/** A bounded cache whose entries live by the injected clock. */
export function createExpiringCache<V extends object | string | true>({
  clock,
  maxEntries,
  ttlSeconds,
}: ExpiringCacheOptions): LRUCache<string, V> {
  return new LRUCache({
    max: maxEntries,
    ttl: ttlSeconds * 1000,
    ttlResolution: 0,
    perf: { now: () => clock.now().getTime() },
  });
}
