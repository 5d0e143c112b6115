import { BackgroundWrite } from "./background-write.js";
import type { Clock } from "../clock.js";
import type { Logger } from "../logger.js";
import type { Database, WriteStores } from "../stores.js";
import type { KeyUse, PersonalUse, ServiceDay, UseOutcome } from "./service-use-store.js";
import { writeByTenant } from "./write-by-tenant.js";

interface Dependencies {
  readonly database: Pick<Database, "writeFirst">;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Counted<T> = { -readonly [Key in keyof T]: T[Key] };
type CountedDay = Counted<ServiceDay>;
type CountedPerson = Counted<Omit<PersonalUse, "knownAt">>;
type CountedKey = Counted<KeyUse>;

/** Of one tenant. */
interface Counts {
  readonly days: Map<string, CountedDay>;
  readonly people: Map<string, CountedPerson>;
  readonly keys: Map<string, CountedKey>;
}

const WRITE_EVERY_MILLISECONDS = 1_000;
const DAY_MILLISECONDS = 86_400_000;

/** How services are used: counted in memory, and added to what is stored about once a second. */
export class UseCounts {
  readonly #deps: Dependencies;
  readonly #writing = new BackgroundWrite(() => this.#write(), WRITE_EVERY_MILLISECONDS);
  #tenants = new Map<string, Counts>();
  #isFailing = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Stands in the way of every call of every service: two look-ups and two assignments, as a rule. */
  count(tenantId: string, serviceId: string, outcome: UseOutcome): void {
    const { days } = this.#countsOf(tenantId);
    const lastAt = this.#deps.clock.now();
    const dayNumber = Math.floor(lastAt.getTime() / DAY_MILLISECONDS);
    const key = `${serviceId} ${dayNumber} ${outcome}`;
    const counted = days.get(key);
    if (counted) {
      counted.calls += 1;
      counted.lastAt = lastAt;
    } else {
      days.set(key, { serviceId, day: dayOf(lastAt), outcome, calls: 1, lastAt });
      this.#writing.soon();
    }
  }

  countPerson(tenantId: string, serviceId: string, accountId: string, at: Date): void {
    addPerson(this.#countsOf(tenantId).people, { serviceId, accountId, calls: 1, lastAt: at });
    this.#writing.soon();
  }

  /** As often as `count`, where services have keys. */
  noteKey(tenantId: string, serviceId: string, keyId: string): void {
    const lastAt = this.#deps.clock.now();
    const { keys } = this.#countsOf(tenantId);
    const noted = keys.get(keyId);
    if (noted) {
      noted.lastAt = lastAt;
    } else {
      keys.set(keyId, { serviceId, keyId, lastAt });
      this.#writing.soon();
    }
  }

  forgetTenant(tenantId: string): void {
    this.#tenants.delete(tenantId);
  }

  async drain(): Promise<void> {
    await this.#writing.drain();
  }

  #countsOf(tenantId: string): Counts {
    const counts = this.#tenants.get(tenantId) ?? { days: new Map(), people: new Map(), keys: new Map() };
    this.#tenants.set(tenantId, counts);
    return counts;
  }

  async #write(): Promise<boolean> {
    const { database, clock, logger } = this.#deps;
    const written = this.#tenants;
    this.#tenants = new Map();
    const troubles = await writeByTenant(database, written, (stores, tenantId, counts) =>
      writeCounts(stores, tenantId, counts, clock),
    ).catch((error: unknown) => new Map([...written.keys()].map((tenantId) => [tenantId, error])));
    for (const tenantId of troubles.keys()) this.#takeBack(tenantId, written.get(tenantId));
    const [error] = troubles.values();
    const isFailing = troubles.size > 0;
    if (isFailing && !this.#isFailing)
      logger.warn({ err: error }, "how services are used can't be stored; it is kept");
    this.#isFailing = isFailing;
    return this.#tenants.size === 0;
  }

  #takeBack(tenantId: string, counts: Counts | undefined): void {
    const { days, people, keys } = this.#countsOf(tenantId);
    for (const [key, day] of counts?.days ?? []) addDay(days, key, day);
    for (const [keyId, use] of counts?.keys ?? []) if (!keys.has(keyId)) keys.set(keyId, use);
    for (const use of counts?.people.values() ?? []) addPerson(people, use);
  }
}

export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function addDay(days: Counts["days"], key: string, day: CountedDay): void {
  const counted = days.get(key);
  days.set(key, counted ? { ...counted, calls: counted.calls + day.calls } : day);
}

function addPerson(people: Counts["people"], use: CountedPerson): void {
  const key = `${use.serviceId} ${use.accountId}`;
  const before = people.get(key);
  if (!before) {
    people.set(key, use);
    return;
  }
  before.calls += use.calls;
  if (use.lastAt > before.lastAt) before.lastAt = use.lastAt;
}

/** What has been erased meanwhile, with an installation or with a service, doesn't come back. */
async function writeCounts(
  { tenants, settings, serviceUse }: WriteStores,
  tenantId: string,
  { days, people, keys }: Counts,
  clock: Clock,
): Promise<void> {
  const tenant = await tenants.findById(tenantId);
  if (!tenant || tenant.state === "uninstalled") return;
  const { services } = await settings.get(tenantId);
  const isThere = ({ serviceId }: { readonly serviceId: string }) =>
    services.some(({ id }) => id === serviceId);
  for (const day of [...days.values()].filter(isThere)) await serviceUse.addToDay(tenantId, day);
  const hasKey = ({ serviceId, keyId }: KeyUse) =>
    services.some((service) => service.id === serviceId && service.keys.some(({ id }) => id === keyId));
  for (const use of [...keys.values()].filter(hasKey)) await serviceUse.putKeyUse(tenantId, use);
  // While this has its turn to write, nothing can be told, nor marked as told.
  const knownAt = clock.now();
  for (const use of [...people.values()].filter(isThere)) {
    await serviceUse.addToPerson(tenantId, { ...use, knownAt });
  }
}
