import type { RemoteKeyFetch } from "./fetch-remote-keys.js";
import type { RemoteKey } from "./remote-key-set.js";

const MINUTE_MS = 60 * 1000;
const FRESH_MS = 60 * MINUTE_MS;
const PAUSE_BETWEEN_FETCHES_MS = MINUTE_MS;

/** What is known of the keys at one place, and since when. */
export class RemoteKeyRing {
  readonly #keptMs: number;
  #latest: RemoteKeyFetch | null = null;
  #latestGood: RemoteKeyFetch | null = null;
  #latestCounted: RemoteKeyFetch | null = null;

  /** `keptDays`: how long keys count while nothing newer can be fetched. */
  constructor({ keptDays }: { readonly keptDays: number }) {
    this.#keptMs = keptDays * 24 * 60 * MINUTE_MS;
  }

  /** What an admin asked for: it is limited elsewhere. */
  recordCheck(fetched: RemoteKeyFetch): void {
    this.#latest = fetched;
    // What was fetched replaces what was known: a key that is no longer listed no longer verifies.
    if (fetched.keys) this.#latestGood = fetched;
  }

  /**
   * What requests made necessary. The first good fetch doesn't count, so that a rotation right after it is seen. All who
   * waited for a fetch record it.
   */
  record(fetched: RemoteKeyFetch): void {
    const isFirstGood = this.#latestGood === null || this.#latestGood === fetched;
    if (!fetched.keys || !isFirstGood) this.#latestCounted = fetched;
    this.recordCheck(fetched);
  }

  /** Null too when nothing could be fetched for so long that its keys no longer count. */
  findKey(kid: string, now: Date): RemoteKey | null {
    return this.hasKeys(now) ? (this.#latestGood?.keys?.get(kid) ?? null) : null;
  }

  hasKeys(now: Date): boolean {
    return isWithin(this.#keptMs, this.#latestGood, now);
  }

  isFresh(now: Date): boolean {
    return isWithin(FRESH_MS, this.#latestGood, now);
  }

  /** At most once a minute, whether the last answer was good or not; the first good one apart. */
  mayFetch(now: Date): boolean {
    return !isWithin(PAUSE_BETWEEN_FETCHES_MS, this.#latestCounted, now);
  }

  /** Why the last fetch gave nothing; null when it was good or there was none. */
  get problem(): string | null {
    return this.#latest?.problem ?? null;
  }
}

function isWithin(spanMs: number, fetched: RemoteKeyFetch | null, now: Date): boolean {
  if (!fetched) return false;
  const ageMs = now.getTime() - fetched.startedAt.getTime();
  // A clock that was set back says nothing about age.
  return ageMs >= 0 && ageMs < spanMs;
}
