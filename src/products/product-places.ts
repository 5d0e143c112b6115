import { RateLimitedError } from "../errors.js";
import type { ProductCall } from "../gateway/product-calls.js";

export interface PlaceLimits {
  /** Calls under way in one tenant. Not to one origin: many tenants may share one, and nobody takes the others' places. */
  readonly maxPerTenant: number;
  /** Of one service, once half of its tenant's are taken. */
  readonly maxPerService: number;
  /** Of one service for one person, once half of its tenant's are taken. */
  readonly maxPerPerson: number;
}

interface Keys {
  readonly tenant: string;
  readonly service: string;
  readonly person: string;
}

/**
 * Places for calls under way. The first half of a tenant's is for whoever comes; the other half for those who have few,
 * so that one service, or one person's token in it, doesn't keep all others out.
 */
export class ProductPlaces {
  readonly #limits: PlaceLimits;
  readonly #taken = new Map<string, number>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Answers what gives the place back, once. Throws RateLimitedError. */
  take({ tenant, caller: { serviceId, accountId } }: ProductCall): () => void {
    const service = `${tenant.id} ${serviceId}`;
    const keys = { tenant: tenant.id, service, person: `${service} ${accountId}` };
    if (!this.#hasRoom(keys)) throw new RateLimitedError(1);
    this.#add(keys, 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#add(keys, -1);
      isTaken = false;
    };
  }

  #hasRoom({ tenant, service, person }: Keys): boolean {
    const { maxPerTenant, maxPerService, maxPerPerson } = this.#limits;
    const ofTenant = this.#count(tenant);
    if (ofTenant >= maxPerTenant) return false;
    if (ofTenant < maxPerTenant / 2) return true;
    return this.#count(service) < maxPerService && this.#count(person) < maxPerPerson;
  }

  #add({ tenant, service, person }: Keys, by: 1 | -1): void {
    for (const key of [tenant, person]) this.#addTo(key, by);
    // What a person has beyond their share isn't held against the others of the service.
    const most = Math.max(this.#count(person), this.#count(person) - by);
    if (most <= this.#limits.maxPerPerson) this.#addTo(service, by);
  }

  #addTo(key: string, by: 1 | -1): void {
    const count = this.#count(key) + by;
    if (count > 0) this.#taken.set(key, count);
    else this.#taken.delete(key);
  }

  #count(key: string): number {
    return this.#taken.get(key) ?? 0;
  }
}
