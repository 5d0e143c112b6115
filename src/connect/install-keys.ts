import { createPublicKey, type KeyObject } from "node:crypto";

import { importSPKI, type CryptoKey } from "jose";

import { fetchBounded } from "../bounded-fetch.js";
import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import { ConnectJwtInvalidError } from "./connect-jwt-errors.js";
import { createExpiringCache } from "../expiring-cache.js";
import { countedNetwork } from "../ip-network.js";
import { RateLimit } from "../rate-limit.js";
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
const MAX_KNOWN_KEYS = 1000;
/** Two servers in turn: whoever waits for both has an answer within ten seconds. */
export const FETCH_TIMEOUT_SECONDS = 4;
/** Somebody waits for it, though there is a key that would do. */
export const RENEWAL_TIMEOUT_SECONDS = 1;
/**
 * For one caller, and for all together. The second thousands are for callers who have named few, so that a handful of
 * addresses that make up kids keep nobody else from installing.
 */
export const UNKNOWN_KIDS_PER_MINUTE = { ofCaller: 300, ofNewcomer: 3, ofAll: 3000, ofAllNewcomers: 6000 };
const EVERYBODY = "everybody";
// As Atlassian's keys have it. With a small exponent signatures can be forged.
const RSA_EXPONENT = 65537n;
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

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
    this.#keys = createExpiringCache<CachedKey>({
      clock,
      maxEntries: MAX_KNOWN_KEYS,
      ttlSeconds: USABLE_SECONDS,
    });
    this.#absentKids = createExpiringCache<true>({ clock, maxEntries: 1000, ttlSeconds: ABSENT_SECONDS });
    const limit = (calls: number) => new RateLimit({ clock, calls, perSeconds: 60 });
    this.#unknownKids = {
      ofCaller: limit(UNKNOWN_KIDS_PER_MINUTE.ofCaller),
      ofNewcomer: limit(UNKNOWN_KIDS_PER_MINUTE.ofNewcomer),
      ofAll: limit(UNKNOWN_KIDS_PER_MINUTE.ofAll),
      ofAllNewcomers: limit(UNKNOWN_KIDS_PER_MINUTE.ofAllNewcomers),
    };
  }

  /**
   * `caller` is the address of whoever sent the token. Throws AppError `connect_jwt_invalid` when there is no such key,
   * `keys_unavailable` when that can't be told or too many have asked, and `rate_limited` to a caller who has named too many that don't exist.
   */
  async getKey(kid: string, caller: string): Promise<CryptoKey> {
    if (kid.length > MAX_KID_CHARACTERS || !SAFE_KID.test(kid)) {
      throw new ConnectJwtInvalidError("The kid can't be part of a URL.");
    }
    const cached = this.#keys.get(kid);
    if (cached && cached.freshUntil > this.#now()) return cached.key;
    if (this.#absentKids.has(kid)) throw new ConnectJwtInvalidError("The kid was unknown a moment ago.");
    return this.#flights.run(kid, () => {
      if (cached) return this.#renew(kid, cached);
      this.#countUnknown(caller);
      return this.#fetch(kid, FETCH_TIMEOUT_SECONDS);
    });
  }

  async #renew(kid: string, cached: CachedKey): Promise<CryptoKey> {
    try {
      return await this.#fetch(kid, RENEWAL_TIMEOUT_SECONDS);
    } catch (error) {
      if (!(error instanceof AppError && error.code === "keys_unavailable")) throw error;
      cached.freshUntil = this.#now() + RETRY_SECONDS * 1000;
      return cached.key;
    }
  }

  /** Tokens with made-up kids must not make the app hammer Atlassian. */
  #countUnknown(caller: string): void {
    const { ofCaller, ofNewcomer, ofAll, ofAllNewcomers } = this.#unknownKids;
    // IPv6 by what one customer may get: the networks of a /48 are as good as endless.
    const network = countedNetwork(caller, 48);
    ofCaller.requireLeft(network);
    const isNewcomer = ofNewcomer.findWaitSeconds(network) === null;
    if ((isNewcomer ? ofAllNewcomers : ofAll).findWaitSeconds(EVERYBODY) !== null) throw tooManyUnknown();
    for (const limit of [ofCaller, ofNewcomer]) limit.count(network);
    for (const limit of [ofAll, ofAllNewcomers]) limit.count(EVERYBODY);
  }

  async #fetch(kid: string, timeoutSeconds: number): Promise<CryptoKey> {
    let isComplete = true;
    for (const cdnUrl of this.#cdnUrls) {
      try {
        const key = await findKey(`${cdnUrl}/${kid}`, timeoutSeconds);
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

/** Null when the server has no such key, or one of another kind or size; throws when it gave no usable answer. */
async function findKey(url: string, timeoutSeconds: number): Promise<CryptoKey | null> {
  const { status, body } = await fetchBounded(url, { timeoutSeconds, maxBytes: 64 * 1024 });
  if (status === 404) return null;
  if (status !== 200) throw new Error(`The key server answered ${status}.`);
  const pem = body.toString("latin1").trim();
  const publicKey = createPublicKey(pem);
  // It reads certificates and private keys too, and stops after the first key: which of two is meant can only be guessed.
  if (withoutSpaces(pem) !== withoutSpaces(publicKey.export({ type: "spki", format: "pem" }).toString())) {
    throw new Error("The key server answered with something else than one public key.");
  }
  return isStrongRsa(publicKey) ? importSPKI(pem, "RS256") : null;
}

/** RFC 7518 §3.3: RS256 needs 2048 bits or more. Work grows with the square of the length, and it is done for anybody. */
function isStrongRsa({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = 0, publicExponent } = asymmetricKeyDetails ?? {};
  return (
    asymmetricKeyType === "rsa" &&
    modulusLength >= MIN_RSA_BITS &&
    modulusLength <= MAX_RSA_BITS &&
    publicExponent === RSA_EXPONENT
  );
}

function withoutSpaces(pem: string): string {
  return pem.replaceAll(/\s/g, "");
}

/** No refusal of this caller's: others have used up what may be asked of Atlassian. */
function tooManyUnknown(): AppError {
  return new AppError(
    "keys_unavailable",
    "Too many install events with unknown keys arrive right now, so this one's key isn't looked up. Try again in a minute.",
  );
}

function keysUnavailable(): AppError {
  return new AppError(
    "keys_unavailable",
    "Atlassian's public keys can't be fetched right now, so the token can be neither accepted nor refused. Try again in a minute.",
  );
}
