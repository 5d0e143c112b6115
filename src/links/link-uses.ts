import type { Clock } from "../clock.js";
import type { Logger } from "../logger.js";
import type { Database } from "../stores.js";
import type { IdentityLink } from "./identity-link.js";
import { isLapsed } from "./link-proof.js";

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

const NOTED_EVERY_SECONDS = 3600;

/** Notes, in the background, when links were last used. */
export class LinkUses {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #beingMarked = new Map<string, Promise<void>>();

  constructor({ database, clock, logger }: Dependencies) {
    this.#database = database;
    this.#clock = clock;
    this.#logger = logger;
  }

  note(link: IdentityLink): void {
    const now = this.#clock.now();
    const idleMilliseconds = now.getTime() - (link.lastUsedAt?.getTime() ?? 0);
    if (idleMilliseconds < NOTED_EVERY_SECONDS * 1000 || this.#beingMarked.has(link.id)) return;
    // Security rule 12: being asked who somebody is, which needs no proof, must not make up for one.
    if (isLapsed(link, now)) return;
    const marked = this.#database
      .write((stores) => stores.links.markUsed(link.tenantId, link.id, now))
      .catch((error: unknown) =>
        this.#logger.warn({ err: error }, "the last use of a link could not be noted"),
      )
      .finally(() => this.#beingMarked.delete(link.id));
    this.#beingMarked.set(link.id, marked);
  }

  /** Waits for what is still being written. */
  async settle(): Promise<void> {
    await Promise.all(this.#beingMarked.values());
  }
}
