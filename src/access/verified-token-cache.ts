import { LRUCache } from "lru-cache";

import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import type { VerifiedAccessJwt } from "../links/verified-access-jwt.js";
import type { RemoteKey } from "../remote-keys/remote-key-set.js";

const MAX_TOKENS = 10_000;

/** A token whose signature was checked, and with which key: it counts while the team still has that very key. */
interface VerifiedToken {
  readonly accessToken: VerifiedAccessJwt;
  readonly key: RemoteKey;
}

/** Remembers tokens by their hash until they expire, so that a repeated one costs no signature check. */
export class VerifiedTokenCache {
  readonly #clock: Clock;
  readonly #tokens = new LRUCache<string, VerifiedToken>({ max: MAX_TOKENS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(hash: string): VerifiedToken | null {
    const token = this.#tokens.get(hash);
    if (!token) return null;
    if (epochSeconds(this.#clock) < token.accessToken.expiresAt + CLOCK_TOLERANCE_SECONDS) return token;
    this.#tokens.delete(hash);
    return null;
  }

  remember(token: VerifiedToken): void {
    this.#tokens.set(token.accessToken.hash, token);
  }
}
