import { RateLimitedError } from "../errors.js";
import type { ProductCall } from "../gateway/product-calls.js";

export interface PlaceLimits {
  /** Calls under way to one origin, which Jira and Confluence of a site share. */
  readonly maxPerOrigin: number;
  /** Of one service of a tenant, once half of them are taken. */
  readonly maxPerService: number;
  /** Of one service for one person, once half of them are taken. */
  readonly maxPerPerson: number;
}

/**
 * Places for calls under way. The first half is for whoever comes; the other half for those who have few, so that one
 * service, or one person's token in it, doesn't keep all others from their site.
 */
export class ProductPlaces {
  readonly #limits: PlaceLimits;
  readonly #taken = new Map<string, number>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Answers what gives the place back, once. Throws RateLimitedError. */
  take(origin: string, { tenant, caller: { serviceId, accountId } }: ProductCall): () => void {
    const { maxPerOrigin, maxPerService, maxPerPerson } = this.#limits;
    const service = `${tenant.id} ${serviceId}`;
    const person = `${service} ${accountId}`;
    const all = this.#count(origin);
    const isScarce = all >= maxPerOrigin / 2;
    const hasShare = this.#count(service) >= maxPerService || this.#count(person) >= maxPerPerson;
    if (all >= maxPerOrigin || (isScarce && hasShare)) throw new RateLimitedError(1);
    const keys = [origin, service, person];
    for (const key of keys) this.#taken.set(key, this.#count(key) + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      for (const key of keys) this.#giveBack(key);
    };
  }

  #giveBack(key: string): void {
    const left = this.#count(key) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }

  #count(key: string): number {
    return this.#taken.get(key) ?? 0;
  }
}
