import { createPublicKey } from "node:crypto";

import { importSPKI, type CryptoKey } from "jose";

import { fetchBounded } from "../bounded-fetch.js";
import type { Clock } from "../clock.js";
import { AppError, RateLimitedError } from "../errors.js";
import type { Logger } from "../logger.js";
import { ConnectJwtInvalidError } from "./connect-jwt-errors.js";
import { createExpiringCache } from "../expiring-cache.js";
import { SingleFlight } from "../single-flight.js";

interface Dependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asked in turn for `<url>/<kid>`. */
  readonly cdnUrls: readonly string[];
}

interface CachedKey {
  readonly key: CryptoKey;
  /** Milliseconds since the epoch. */
  freshUntil: number;
}

const FRESH_SECONDS = 60 * 60;
const USABLE_SECONDS = 24 * 60 * 60;
const RETRY_SECONDS = 60;
const ABSENT_SECONDS = 60;
/** For one caller, so that nobody who makes up kids keeps others from installing; and for all of them together. */
const UNKNOWN_KIDS_PER_MINUTE = { caller: 300, all: 3000 };
const MIN_RSA_BITS = 2048;

// A kid may hold a slash, and becomes part of a URL.
const SAFE_KID = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w.~-]+(?:\/[\w.~-]+)*$/;
const MAX_KID_CHARACTERS = 200;

/** Atlassian's public keys of lifecycle tokens, one file per key id. */
export class InstallKeys {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #cdnUrls: readonly string[];
  readonly #keys;
  readonly #absentKids;
  readonly #flights = new SingleFlight<CryptoKey>();
  readonly #unknownKids;

  constructor({ clock, logger, cdnUrls }: Dependencies) {
    this.#clock = clock;
    this.#logger = logger;
    this.#cdnUrls = cdnUrls;
    this.#keys = createExpiringCache<CachedKey>({ clock, maxEntries: 100, ttlSeconds: USABLE_SECONDS });
    this.#absentKids = createExpiringCache<true>({ clock, maxEntries: 1000, ttlSeconds: ABSENT_SECONDS });
    this.#unknownKids = createExpiringCache<{ count: number }>({ clock, maxEntries: 10_000, ttlSeconds: 60 });
  }

  /**
   * `caller` is the address of whoever sent the token. Throws AppError `connect_jwt_invalid` when there is no such key,
   * `keys_unavailable` when that can't be told, and `rate_limited` to a caller who has named too many that don't exist.
   */
  async getKey(kid: string, caller: string): Promise<CryptoKey> {
    if (kid.length > MAX_KID_CHARACTERS || !SAFE_KID.test(kid)) {
      throw new ConnectJwtInvalidError("The kid can't be part of a URL.");
    }
    const cached = this.#keys.get(kid);
    if (cached && cached.freshUntil > this.#now()) return cached.key;
    if (this.#absentKids.has(kid)) throw new ConnectJwtInvalidError("The kid was unknown a moment ago.");
    return this.#flights.run(kid, () =>
      cached ? this.#refresh(kid, cached) : this.#fetchUnknown(kid, caller),
    );
  }

  async #refresh(kid: string, cached: CachedKey): Promise<CryptoKey> {
    try {
      return await this.#fetch(kid);
    } catch (error) {
      if (!(error instanceof AppError && error.code === "keys_unavailable")) throw error;
      cached.freshUntil = this.#now() + RETRY_SECONDS * 1000;
      return cached.key;
    }
  }

  /** Tokens with made-up kids must not make the app hammer Atlassian. */
  async #fetchUnknown(kid: string, caller: string): Promise<CryptoKey> {
    if (this.#countUnknown(`of ${caller}`) > UNKNOWN_KIDS_PER_MINUTE.caller) throw new RateLimitedError(60);
    if (this.#countUnknown("of all") > UNKNOWN_KIDS_PER_MINUTE.all) throw keysUnavailable();
    return this.#fetch(kid);
  }

  #countUnknown(whose: string): number {
    const counter = this.#unknownKids.get(whose) ?? { count: 0 };
    if (counter.count === 0) this.#unknownKids.set(whose, counter);
    counter.count += 1;
    return counter.count;
  }

  async #fetch(kid: string): Promise<CryptoKey> {
    let isComplete = true;
    for (const cdnUrl of this.#cdnUrls) {
      try {
        const key = await findKey(`${cdnUrl}/${kid}`);
        if (!key) continue;
        this.#keys.set(kid, { key, freshUntil: this.#now() + FRESH_SECONDS * 1000 });
        return key;
      } catch (error) {
        isComplete = false;
        this.#logger.warn({ err: error, cdnUrl }, "an install key can't be fetched");
      }
    }
    if (!isComplete) throw keysUnavailable();
    this.#keys.delete(kid);
    this.#absentKids.set(kid, true);
    throw new ConnectJwtInvalidError("No usable key has this kid.");
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

/** Null when the server has no such key, or one that is too weak; throws when it gave no usable answer. */
async function findKey(url: string): Promise<CryptoKey | null> {
  const { status, body } = await fetchBounded(url, { timeoutSeconds: 5, maxBytes: 64 * 1024 });
  if (status === 404) return null;
  if (status !== 200) throw new Error(`The key server answered ${status}.`);
  const pem = body.toString("latin1").trim();
  const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
  // RFC 7518 §3.3: RS256 needs 2048 bits or more.
  if (asymmetricKeyType !== "rsa" || (asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) return null;
  return importSPKI(pem, "RS256");
}

function keysUnavailable(): AppError {
  return new AppError(
    "keys_unavailable",
    "Atlassian's public keys can't be fetched right now, so the token can be neither accepted nor refused. Try again in a minute.",
  );
}
