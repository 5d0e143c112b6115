import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

import { RateLimitedError } from "./errors.js";

/** Counts calls per key in a fixed window. */
export class RateLimit {
  readonly #limiter: RateLimiterMemory;

  constructor(options: { readonly calls: number; readonly perSeconds: number }) {
    this.#limiter = new RateLimiterMemory({ points: options.calls, duration: options.perSeconds });
  }

  /** Throws RateLimitedError once the key has used up its calls. */
  async consume(key: string): Promise<void> {
    try {
      await this.#limiter.consume(key);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw new RateLimitedError(Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)));
    }
  }
}
