import type { AuditEvent } from "../audit/audit-event.js";
import { BackgroundWrite } from "./background-write.js";
import { AppError, RateLimitedError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Database } from "../stores.js";
import { writeByTenant } from "./write-by-tenant.js";

interface Dependencies {
  readonly database: Pick<Database, "writeFirst">;
  readonly logger: Logger;
  readonly maxRecords?: number;
  readonly maxRecordsOfTenant?: number;
  readonly gatherMilliseconds?: number;
}

/** Gives back the place in the record of something that is over, with null when there is nothing to record. False when it was given back before. */
export type GiveBack = (event: AuditEvent | null) => boolean;

/** One tenant's part of the record. */
interface Share {
  /** Of what is under way, and of the events that aren't stored yet. */
  places: number;
  readonly waiting: AuditEvent[];
  isFailing: boolean;
}

/** Calls under way and events that wait, of all tenants: far more than a database that works lets come together. */
export const MAX_RECORDS = 10_000;
/** So that one tenant doesn't use up the places of all. */
export const MAX_RECORDS_OF_TENANT = MAX_RECORDS / 10;
/** Whatever ends within so long is written in one go; as long after a write that failed, the next is tried. */
const GATHER_MILLISECONDS = 200;
const RETRY_AFTER_SECONDS = 1;
const LAST_WAIT_MILLISECONDS = 2_000;

const TROUBLE_OF_ONE =
  "what services do in one tenant can't be recorded: they may do nothing there until it can";

/**
 * The record of what services do as people, written in the background. Nothing is done for which there is no place in
 * it, and nothing while it can't be written (ADR 15).
 */
export class UseRecords {
  readonly #deps: Required<Dependencies>;
  readonly #shares = new Map<string, Share>();
  readonly #writing: BackgroundWrite;
  #places = 0;
  #underWay = 0;
  #isFailing = false;
  #onAllOver: (() => void) | null = null;

  constructor(deps: Dependencies) {
    this.#deps = {
      maxRecords: MAX_RECORDS,
      maxRecordsOfTenant: MAX_RECORDS_OF_TENANT,
      gatherMilliseconds: GATHER_MILLISECONDS,
      ...deps,
    };
    this.#writing = new BackgroundWrite(() => this.#write(), this.#deps.gatherMilliseconds);
  }

  /** Throws `store_unavailable`, and RateLimitedError when the tenant does too much at once. */
  open(tenantId: string): GiveBack {
    const share = this.#shares.get(tenantId) ?? { places: 0, waiting: [], isFailing: false };
    this.#requirePlace(share);
    this.#shares.set(tenantId, share);
    share.places += 1;
    this.#places += 1;
    this.#underWay += 1;
    let isOpen = true;
    return (event) => {
      if (!isOpen) return false;
      isOpen = false;
      this.#underWay -= 1;
      if (event) {
        share.waiting.push(event);
        this.#writing.soon();
      } else {
        this.#release(tenantId, share, 1);
      }
      if (this.#underWay === 0) this.#onAllOver?.();
      return true;
    };
  }

  /** Waits for what is under way, not for long, and writes what there is. */
  async drain(): Promise<void> {
    await this.#waitUntilAllOver();
    await this.#writing.drain();
    const lost = this.#countWaiting();
    if (lost > 0) this.#deps.logger.error({ lost }, "what services did could not be recorded");
  }

  #requirePlace(share: Share): void {
    const { maxRecords, maxRecordsOfTenant } = this.#deps;
    if (this.#isFailing || share.isFailing || this.#places >= maxRecords) {
      throw new AppError(
        "store_unavailable",
        "What services do for people can't be recorded right now, so they may do nothing.",
      );
    }
    if (share.places >= maxRecordsOfTenant) throw new RateLimitedError(RETRY_AFTER_SECONDS);
  }

  #release(tenantId: string, share: Share, places: number): void {
    share.places -= places;
    this.#places -= places;
    if (share.places === 0) this.#shares.delete(tenantId);
  }

  async #write(): Promise<boolean> {
    const { logger } = this.#deps;
    const waiting = [...this.#shares].filter(([, share]) => share.waiting.length > 0);
    // Whoever had trouble is tried alone, so that the others needn't be.
    const failing = waiting.filter(([, share]) => share.isFailing);
    const others = waiting.filter(([, share]) => !share.isFailing);
    try {
      await this.#writeTogether(others);
      for (const one of failing) await this.#writeTogether([one]);
      if (this.#isFailing) logger.warn({}, "what services do is recorded again");
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        logger.error({ err: error }, "what services do can't be recorded: they may do nothing until it can");
      }
      this.#isFailing = true;
    }
    return this.#countWaiting() === 0;
  }

  /** Throws what the database fails with. */
  async #writeTogether(shares: readonly (readonly [tenantId: string, share: Share])[]): Promise<void> {
    const events = new Map(shares.map(([tenantId, { waiting }]) => [tenantId, [...waiting]]));
    const troubles = await writeByTenant(this.#deps.database, events, (stores, tenantId, ofTenant) =>
      stores.audit.appendAll(tenantId, ofTenant),
    );
    for (const [tenantId, share] of shares) {
      this.#noteTrouble(tenantId, share, troubles.get(tenantId));
      if (share.isFailing) continue;
      const count = events.get(tenantId)?.length ?? 0;
      share.waiting.splice(0, count);
      this.#release(tenantId, share, count);
    }
  }

  #noteTrouble(tenantId: string, share: Share, error: unknown): void {
    const { logger } = this.#deps;
    const isFailing = error !== undefined;
    if (isFailing !== share.isFailing) {
      if (isFailing) logger.error({ err: error, tenant: tenantId }, TROUBLE_OF_ONE);
      else logger.warn({ tenant: tenantId }, "what services do in one tenant is recorded again");
    }
    share.isFailing = isFailing;
  }

  #countWaiting(): number {
    return [...this.#shares.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  async #waitUntilAllOver(): Promise<void> {
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LAST_WAIT_MILLISECONDS);
      this.#onAllOver = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
