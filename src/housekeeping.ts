import type { Clock } from "./clock.js";
import type { Logger } from "./logger.js";
import type { Database } from "./stores.js";

const EVERY_SECONDS = 600;

/** Removes what has expired, at start and then every ten minutes. */
export class Housekeeping {
  readonly #timer: NodeJS.Timeout;

  constructor({ database, clock, logger }: { database: Database; clock: Clock; logger: Logger }) {
    const tidy = (): void => {
      database
        .write(async (stores) => {
          await stores.attempts.deleteExpired(clock.now());
          await stores.removedLinks.deleteExpired(clock.now());
          await stores.tokens.deleteExpired(clock.now());
        })
        .catch((error: unknown) => logger.warn({ err: error }, "expired rows could not be removed"));
    };
    this.#timer = setInterval(tidy, EVERY_SECONDS * 1000).unref();
    tidy();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
