import type { ProblemCode } from "../errors.js";

/** What a service's call came to: what it asked for, or what it was refused with. */
export type UseOutcome = "identified" | "acted" | "asserted" | ProblemCode;

/** How often a service's calls came to one thing on one day. */
export interface ServiceDay {
  readonly serviceId: string;
  /** `2026-11-22`, in UTC. */
  readonly day: string;
  /** A UseOutcome of this version of the app, or of an earlier one. */
  readonly outcome: string;
  readonly calls: number;
  readonly lastAt: Date;
}

/** What a service has done as one person. */
export interface PersonalUse {
  readonly serviceId: string;
  readonly accountId: string;
  readonly calls: number;
  readonly lastAt: Date;
  /** When the first call was stored: what anybody was told until then didn't hold it. */
  readonly knownAt: Date;
}

/** When a service last showed one of its keys. */
export interface KeyUse {
  readonly serviceId: string;
  readonly keyId: string;
  readonly lastAt: Date;
}

export interface ServiceUseReader {
  /** From `sinceDay` on, which is `2026-11-22`. */
  listDays(tenantId: string, serviceIds: readonly string[], sinceDay: string): Promise<readonly ServiceDay[]>;
  /** As how many people each service has done something since; services without any are left out. */
  countPeople(
    tenantId: string,
    serviceIds: readonly string[],
    since: Date,
  ): Promise<ReadonlyMap<string, number>>;
  listOfAccount(tenantId: string, accountId: string): Promise<readonly PersonalUse[]>;
  /** At most one for each key; none for a key that was never shown. */
  listKeyUses(tenantId: string): Promise<readonly KeyUse[]>;
}

export interface ServiceUseStore extends ServiceUseReader {
  /** Adds the calls to those of the same service, day and outcome. */
  addToDay(tenantId: string, day: ServiceDay): Promise<void>;
  /** Adds the calls to those of the same service and person. */
  addToPerson(tenantId: string, use: PersonalUse): Promise<void>;
  putKeyUse(tenantId: string, use: KeyUse): Promise<void>;
  deleteOfKey(tenantId: string, keyId: string): Promise<void>;
  deleteOfService(tenantId: string, serviceId: string): Promise<void>;
  /** But for when keys were last shown, which stays with the keys, in the settings. */
  deleteOfTenant(tenantId: string): Promise<void>;
  /** Everybody's. `day` is `2026-11-22`. */
  deleteDaysBefore(day: string): Promise<void>;
}
