import type { Clock } from "./clock.js";
import type { Logger } from "./logger.js";
import { firstDayOfUse } from "./services/service-uses.js";
import type { Database } from "./stores.js";

const EVERY_SECONDS = 600;

interface Dependencies {
  readonly database: Database;
  readonly assertionKeys: { renewDue(): Promise<void> };
  /** Null when the app isn't deployed to Forge. */
  readonly forge: { eraseSilent(): Promise<void> } | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Removes what has expired, and renews what is about to, at start and then every ten minutes. */
export class Housekeeping {
  readonly #timer: NodeJS.Timeout;

  constructor({ database, assertionKeys, forge, clock, logger }: Dependencies) {
    const warnOf = (what: string) => (error: unknown) => logger.warn({ err: error }, what);
    const tidy = async (): Promise<void> => {
      await database
        .write(async (stores) => {
          await stores.attempts.deleteExpired(clock.now());
          await stores.removedLinks.deleteExpired(clock.now());
          await stores.tokens.deleteExpired(clock.now());
          await stores.serviceUse.deleteDaysBefore(firstDayOfUse(clock.now()));
          await stores.assertionKeys.deleteExpired(clock.now());
        })
        .catch(warnOf("expired rows could not be removed"));
      await assertionKeys.renewDue().catch(warnOf("assertion keys could not be looked through"));
      await forge?.eraseSilent().catch(warnOf("installations that have gone could not be erased"));
    };
    this.#timer = setInterval(() => void tidy(), EVERY_SECONDS * 1000).unref();
    void tidy();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
