import { LRUCache } from "lru-cache";

import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import { RateLimit } from "../rate-limit.js";
import { fetchRemoteKeys, type RemoteKeyFetch } from "../remote-keys/fetch-remote-keys.js";
import { RemoteKeyRing } from "../remote-keys/remote-key-ring.js";
import type { RemoteKey } from "../remote-keys/remote-key-set.js";
import { SingleFlight } from "../single-flight.js";
import { ForgeJwtInvalidError } from "./forge-jwt-errors.js";

interface Dependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keysUrl: string;
  /** Where isolated clouds publish theirs, with IC_LABEL_PLACE for the label; null when the app is in none. */
  readonly isolatedKeysUrl: string | null;
}

/** In FORGE_ISOLATED_KEYS_URL. */
const IC_LABEL_PLACE = "{IC_LABEL}";
/** Atlassian's own rule for labels. It becomes part of a URL. */
const IC_LABEL = /^[a-z0-9_-]{1,50}$/;
const MAX_ISOLATED_CLOUDS = 50;
/** Labels are read from tokens that nobody has verified yet: whoever makes some up makes the app ask few. */
const UNKNOWN_CLOUDS = { calls: 10, perSeconds: 60 };
export const FORGE_KEYS_TIMEOUT_SECONDS = 5;
// Keys were seen to change twice within four days, without a word.
const KEPT_DAYS = 1;
const SHARED_CLOUD = "";

/**
 * The public keys of Forge Invocation Tokens. Used for an hour, then refreshed behind the back of requests, and kept for
 * a day while they can't be fetched. Unknown names make the app ask once a minute at most.
 */
export class ForgeKeys {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #keysUrl: string;
  readonly #isolatedKeysUrl: string | null;
  readonly #shared = createRing();
  /** Of clouds that really have keys: no made-up label takes the place of one. */
  readonly #isolated = new LRUCache<string, RemoteKeyRing>({ max: MAX_ISOLATED_CLOUDS });
  readonly #unknown: RateLimit;
  readonly #flights = new SingleFlight<RemoteKeyFetch>();

  constructor({ clock, logger, keysUrl, isolatedKeysUrl }: Dependencies) {
    this.#clock = clock;
    this.#unknown = new RateLimit({ clock, ...UNKNOWN_CLOUDS });
    this.#logger = logger;
    this.#keysUrl = keysUrl;
    this.#isolatedKeysUrl = isolatedKeysUrl;
  }

  /** Throws ForgeJwtInvalidError when there is no such key, and AppError `keys_unavailable` or RateLimitedError when that can't be told. */
  async getKey(kid: string, icLabel: string | undefined): Promise<RemoteKey> {
    const cloud = icLabel === undefined ? SHARED_CLOUD : this.#requireLabel(icLabel);
    const ring = this.#openRing(cloud);
    const atHand = ring.findKey(kid, this.#now());
    if (atHand) {
      if (!ring.isFresh(this.#now())) void this.#refresh(cloud, ring);
      return atHand;
    }
    await this.#refresh(cloud, ring);
    if (cloud !== SHARED_CLOUD && ring.hasKeys(this.#now())) this.#isolated.set(cloud, ring);
    const key = ring.findKey(kid, this.#now());
    if (key) return key;
    if (ring.problem === null && ring.hasKeys(this.#now())) {
      throw new ForgeJwtInvalidError("Forge has no key of this kid.");
    }
    throw new AppError("keys_unavailable", undefined, {
      reason: `Forge's keys can't be fetched. ${ring.problem ?? ""}`,
    });
  }

  #requireLabel(icLabel: string): string {
    if (this.#isolatedKeysUrl === null)
      throw new ForgeJwtInvalidError(
        "The token is of an isolated cloud, and FORGE_ISOLATED_KEYS_URL is empty.",
      );
    if (!IC_LABEL.test(icLabel)) throw new ForgeJwtInvalidError("The icLabel isn't one.");
    return icLabel;
  }

  #openRing(cloud: string): RemoteKeyRing {
    if (cloud === SHARED_CLOUD) return this.#shared;
    const known = this.#isolated.get(cloud);
    if (known) return known;
    this.#unknown.consume("");
    return createRing();
  }

  async #refresh(cloud: string, ring: RemoteKeyRing): Promise<void> {
    if (ring.mayFetch(this.#now())) ring.record(await this.#flights.run(cloud, () => this.#fetch(cloud)));
  }

  async #fetch(cloud: string): Promise<RemoteKeyFetch> {
    const publisher = {
      name: "Forge",
      getUrl: () =>
        cloud === SHARED_CLOUD ? this.#keysUrl : (this.#isolatedKeysUrl ?? "").replace(IC_LABEL_PLACE, cloud),
      explainStatus: (status: number) => `Forge's server of keys answered with status ${status}.`,
    };
    const limits = { clock: this.#clock, timeoutSeconds: FORGE_KEYS_TIMEOUT_SECONDS };
    const fetched = await fetchRemoteKeys(publisher, limits);
    if (fetched.keys) {
      this.#logger.info({ cloud, kids: [...fetched.keys.keys()] }, "fetched Forge's keys");
    } else {
      this.#logger.warn(
        { cloud, problem: fetched.problem, err: fetched.cause },
        "could not fetch Forge's keys",
      );
    }
    return fetched;
  }

  #now(): Date {
    return this.#clock.now();
  }
}

function createRing(): RemoteKeyRing {
  return new RemoteKeyRing({ keptDays: KEPT_DAYS });
}
