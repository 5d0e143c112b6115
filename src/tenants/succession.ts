import type { Initiator } from "../audit/audit-log.js";
import { AppError } from "../errors.js";
import type { HostUser, Tenant } from "./tenant.js";

/** The installation of the app that a tenant's site still uses, and what would come over from it. */
export interface Predecessor {
  readonly installedAt: Date;
  readonly services: number;
  readonly links: number;
}

/** One installation of the app in the place of another, in the same product of the same site. */
export interface Succession {
  /** Null where there is none, or none that this person administers too. Throws as HostDirectory does. */
  findPredecessor(user: HostUser): Promise<Predecessor | null>;
  /**
   * Makes this installation the one that the predecessor's tenant is reached by, and answers that tenant. What this one
   * had saved itself is dropped, so `version` says which version of that was seen. Throws `not_found` where there is no
   * predecessor, `not_admin` when the person doesn't administer that too, `version_conflict`, and as HostDirectory does.
   */
  takeOver(user: HostUser, version: number, by: Initiator): Promise<Tenant>;
}

export function noPredecessor(): AppError {
  return new AppError("not_found", "There is no other installation here to take over from.");
}

/** Of installations that come after nobody. */
export const NO_SUCCESSION: Succession = {
  findPredecessor: () => Promise.resolve(null),
  takeOver: () => Promise.reject(noPredecessor()),
};
