import type {
  AuditAction as StoredAuditAction,
  AuditKind as StoredAuditKind,
} from "../src/audit/audit-event.js";
import type { ProblemCode as SentProblemCode } from "../src/errors.js";
import type { PopupCheck as StoredPopupCheck } from "../src/services/popup-front.js";
import type { ListedService, ListedSettings } from "../src/services/settings.js";
import type { TeamCheck as StoredTeamCheck } from "../src/services/team-keys.js";
import type { presentActivity, presentAuditEvent, presentLink, presentMe } from "../src/web/presenters.js";
import type { Problem as SentProblem } from "../src/web/problem-response.js";

export type Settings = ListedSettings;
export type TeamCheck = StoredTeamCheck;
export type PopupCheck = StoredPopupCheck;
export type Link = ReturnType<typeof presentLink>;
export type Me = ReturnType<typeof presentMe>;
/** A service that may act for whoever looks, as they see it. */
export type Service = Me["services"][number];
export type News = Me["news"][number];
/** Something that a service did as whoever looks. */
export type Deed = ReturnType<typeof presentActivity>;
export type AuditAction = StoredAuditAction;
export type AuditKind = StoredAuditKind;
export type AuditEvent = ReturnType<typeof presentAuditEvent>;
export type Problem = SentProblem;
export type ProblemCode = SentProblemCode;

/** A service as the page sends it: a new one has no id. */
export type ServiceDraft = Omit<ListedService, "id"> & { readonly id?: string };
export type SettingsDraft = Omit<Settings, "services"> & { readonly services: readonly ServiceDraft[] };
export type Limits = NonNullable<ListedService["limits"]>;

/** What has been going on at a service. */
export interface ServiceOverview {
  readonly serviceId: string;
  readonly label: string;
  /** How many people agree to what it may do now. */
  readonly consents: number;
  readonly keys: readonly UsedServiceKey[];
  readonly use: ServiceUse;
}

export interface ServiceKey {
  readonly id: string;
  /** Its last characters. */
  readonly hint: string;
  readonly createdAt: string;
}

export interface UsedServiceKey extends ServiceKey {
  /** Null while no call has come with it. */
  readonly lastUsedAt: string | null;
}

/** Told once. */
export interface NewServiceKey extends ServiceKey {
  readonly key: string;
}

export interface ServiceUse {
  readonly days: number;
  readonly identified: number;
  readonly acted: number;
  readonly asserted: number;
  readonly people: number;
  readonly refusals: readonly {
    readonly code: string;
    readonly count: number;
    readonly lastAt: string;
  }[];
  readonly lastUsedAt: string | null;
}

export interface AssertionKey {
  readonly kid: string;
  readonly createdAt: string;
}

/** What was there before; all null where nothing is to be taken over. */
export interface Predecessor {
  readonly available: boolean;
  readonly installedAt: string | null;
  readonly services: number | null;
  readonly links: number | null;
}

export interface LinkAttempt {
  readonly id: string;
  readonly url: string;
  readonly expiresAt: string;
}

export interface PageOf<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface HostRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the app's public URL, with the query: `/api/v1/me`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface HostAnswer {
  readonly status: number;
  /** Parsed JSON; null when there is none. */
  readonly body: unknown;
  readonly retryAfterSeconds: number | null;
}

/** All that a page knows of the product that shows it. One module per host implements it. */
export interface Host {
  /** The app's public URL, with a slash at its end. */
  readonly appUrl: URL;
  /** Takes on the product's colours, now and whenever they change. Throws HostMissingError without the product's script. */
  start(): Promise<void>;
  /** Which product shows the page. Throws when it doesn't tell. */
  findProduct(): Promise<"jira" | "confluence">;
  /**
   * Has the product open an address in a tab, which stays a stranger to the page. False when whoever looks didn't let it.
   * Null where pages open windows of their own.
   */
  readonly openTab: ((url: URL) => Promise<boolean>) | null;
  /** Whether the app can have been here before in another way, from which it takes over. */
  readonly mayTakeOver: boolean;
  /**
   * What the address of the product's page says to the app's, such as `service` for `?ac.service=…`. Anybody may have made
   * that address up. Never throws; empty when the product doesn't tell.
   */
  findQuery(): Promise<URLSearchParams>;
  /** Calls the app's API as whoever looks at the page. Throws NoAnswerError when none came. */
  send(request: HostRequest): Promise<HostAnswer>;
  /** Names as the product shows them to whoever looks. Never throws; who isn't found is left out. */
  findAccountNames(accountIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
