import type { AuditEvent } from "../audit/audit-event.js";
import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Database } from "../stores.js";
import type { PersonalUse, ServiceDay, UseOutcome } from "./service-use-store.js";
import type { TrustedService } from "./settings.js";
import { dayOf, UseCounts } from "./use-counts.js";
import { UseRecords } from "./use-records.js";

interface Dependencies {
  readonly database: Pick<Database, "read" | "writeFirst">;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface UseSummary {
  readonly days: number;
  readonly identified: number;
  readonly acted: number;
  readonly asserted: number;
  /** As how many people it did something. */
  readonly people: number;
  /** The most frequent first. */
  readonly refusals: readonly Refusals[];
  /** When it last got what it asked for, in these days. */
  readonly lastUsedAt: Date | null;
}

export interface Refusals {
  readonly code: string;
  readonly count: number;
  readonly lastAt: Date;
}

/** What a service has done for a person. */
export interface RecordedUse {
  /** Its actor's account is the person's, its target the service. */
  readonly event: AuditEvent;
  readonly outcome: UseOutcome;
}

/** Something a service is about to do for a person: its place in the record is taken. Only the first of the two counts. */
export interface OpenUse {
  record(use: RecordedUse): void;
  /** It came to nothing that is worth a record. */
  drop(): void;
}

const GETTING = ["identified", "acted", "asserted"] as const satisfies readonly UseOutcome[];
const KEPT_DAYS = 90;
const DAY_MILLISECONDS = 86_400_000;

/** Days before this one are no longer kept: nobody is shown them. */
export function firstDayOfUse(now: Date): string {
  return dayOf(new Date(now.getTime() - KEPT_DAYS * DAY_MILLISECONDS));
}

/** How services use what they are trusted with: counted for each, and recorded where they do something as a person. */
export class ServiceUses {
  readonly #database: Dependencies["database"];
  readonly #clock: Clock;
  readonly #counts: UseCounts;
  readonly #records: UseRecords;

  constructor(deps: Dependencies) {
    this.#database = deps.database;
    this.#clock = deps.clock;
    this.#counts = new UseCounts(deps);
    this.#records = new UseRecords(deps);
  }

  count(tenantId: string, serviceId: string, outcome: UseOutcome): void {
    this.#counts.count(tenantId, serviceId, outcome);
  }

  /** Of a call that came with it: the key is in use, also where the call is refused in the end. */
  noteKey(tenantId: string, serviceId: string, keyId: string): void {
    this.#counts.noteKey(tenantId, serviceId, keyId);
  }

  /** A refusal of somebody whose signature, team and audience held: so it is known which service they call for. */
  countRefusal(tenantId: string, service: TrustedService | null, refusal: unknown): void {
    if (service && refusal instanceof AppError) this.count(tenantId, service.id, refusal.code);
  }

  /** Throws `store_unavailable` when what is about to be done couldn't be recorded, and RateLimitedError. */
  open(tenantId: string): OpenUse {
    const giveBack = this.#records.open(tenantId);
    return {
      drop: () => void giveBack(null),
      record: ({ event, outcome }) => {
        if (giveBack(event)) this.#count(event, outcome);
      },
    };
  }

  /** Of the last days, today included, in the order of the services. */
  async summarize(
    tenantId: string,
    services: readonly TrustedService[],
    days: number,
  ): Promise<readonly { readonly service: TrustedService; readonly use: UseSummary }[]> {
    const { serviceUse } = this.#database.read;
    const ids = services.map(({ id }) => id);
    const sinceDay = dayOf(new Date(this.#clock.now().getTime() - (days - 1) * DAY_MILLISECONDS));
    const [counted, people] = await Promise.all([
      serviceUse.listDays(tenantId, ids, sinceDay),
      serviceUse.countPeople(tenantId, ids, new Date(sinceDay)),
    ]);
    return services.map((service) => {
      const ofService = counted.filter(({ serviceId }) => serviceId === service.id);
      return { service, use: { days, people: people.get(service.id) ?? 0, ...summarizeDays(ofService) } };
    });
  }

  async listOfAccount(tenantId: string, accountId: string): Promise<readonly PersonalUse[]> {
    return this.#database.read.serviceUse.listOfAccount(tenantId, accountId);
  }

  /** When keys were last shown, by their ids. */
  async listKeyUses(tenantId: string): Promise<ReadonlyMap<string, Date>> {
    const uses = await this.#database.read.serviceUse.listKeyUses(tenantId);
    return new Map(uses.map(({ keyId, lastAt }) => [keyId, lastAt]));
  }

  /** What isn't stored yet of a tenant that has gone. The record of what was done stays, as all of the audit log does. */
  forgetTenant(tenantId: string): void {
    this.#counts.forgetTenant(tenantId);
  }

  /** Stores what is still in memory. */
  async drain(): Promise<void> {
    await this.#records.drain();
    await this.#counts.drain();
  }

  #count({ tenantId, target, actor, at }: AuditEvent, outcome: UseOutcome): void {
    if (target === null) return;
    this.#counts.count(tenantId, target.id, outcome);
    if (actor.accountId !== null) {
      this.#counts.countPerson(tenantId, target.id, actor.accountId, at);
    }
  }
}

function summarizeDays(days: readonly ServiceDay[]): Omit<UseSummary, "days" | "people"> {
  const totals = new Map<string, { count: number; lastAt: Date }>();
  for (const { outcome, calls, lastAt } of days) {
    const total = totals.get(outcome);
    totals.set(outcome, {
      count: (total?.count ?? 0) + calls,
      lastAt: total && total.lastAt > lastAt ? total.lastAt : lastAt,
    });
  }
  const countOf = (outcome: string) => totals.get(outcome)?.count ?? 0;
  const isRefusal = (outcome: string) => !GETTING.some((each) => each === outcome);
  const times = GETTING.flatMap((outcome) => totals.get(outcome)?.lastAt.getTime() ?? []);
  return {
    identified: countOf("identified"),
    acted: countOf("acted"),
    asserted: countOf("asserted"),
    refusals: [...totals]
      .filter(([outcome]) => isRefusal(outcome))
      .map(([code, total]) => ({ code, ...total }))
      .sort((one, other) => other.count - one.count),
    lastUsedAt: times.length === 0 ? null : new Date(Math.max(...times)),
  };
}
