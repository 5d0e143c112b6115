import type { AuditAction as StoredAuditAction } from "../src/audit/audit-event.js";
import type { ProblemCode as SentProblemCode } from "../src/errors.js";
import type { PopupCheck as StoredPopupCheck } from "../src/services/popup-front.js";
import type { Settings as StoredSettings } from "../src/services/settings.js";
import type { TeamCheck as StoredTeamCheck } from "../src/services/team-keys.js";
import type { presentAuditEvent, presentLink, presentMe } from "../src/web/presenters.js";
import type { Problem as SentProblem } from "../src/web/problem-response.js";

export type Settings = StoredSettings;
export type TeamCheck = StoredTeamCheck;
export type PopupCheck = StoredPopupCheck;
export type Link = ReturnType<typeof presentLink>;
export type Me = ReturnType<typeof presentMe>;
export type AuditAction = StoredAuditAction;
export type AuditEvent = ReturnType<typeof presentAuditEvent>;
export type Problem = SentProblem;
export type ProblemCode = SentProblemCode;

/** A service as the page sends it: a new one has no id. */
export type ServiceDraft = Omit<Settings["services"][number], "id"> & { readonly id?: string };
export type SettingsDraft = Omit<Settings, "services"> & { readonly services: readonly ServiceDraft[] };

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
  /** Calls the app's API as whoever looks at the page. Throws NoAnswerError when none came. */
  send(request: HostRequest): Promise<HostAnswer>;
  /** Names as the product shows them to whoever looks. Never throws; who isn't found is left out. */
  findAccountNames(accountIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
