import type { Page, PageRequest } from "../stores.js";
import type { IdentityLink } from "./identity-link.js";

export interface LinkReader {
  findById(tenantId: string, linkId: string): Promise<IdentityLink | null>;
  findByIdentity(tenantId: string, issuer: string, subject: string): Promise<IdentityLink | null>;
  /** Oldest first. */
  listOfAccount(tenantId: string, accountId: string): Promise<IdentityLink[]>;
  count(tenantId: string): Promise<number>;
  /** Newest first; `query` matches e-mail or account id anywhere, ASCII case ignored; empty means all. */
  list(tenantId: string, query: string, page: PageRequest): Promise<Page<IdentityLink>>;
}

export interface LinkStore extends LinkReader {
  insert(tenantId: string, link: IdentityLink): Promise<void>;
  /** Replaces account, e-mail, method, linkedAt and confirmedAt of the link with this id. */
  update(tenantId: string, link: IdentityLink): Promise<void>;
  markUsed(tenantId: string, linkId: string, at: Date): Promise<void>;
  delete(tenantId: string, linkId: string): Promise<boolean>;
  deleteOfTenant(tenantId: string): Promise<void>;
}

/** Links that an admin removed a short while ago, for undoing. Nothing is identified by them. */
export interface RemovedLinkStore {
  insert(tenantId: string, link: IdentityLink, undoUntil: Date): Promise<void>;
  find(tenantId: string, linkId: string): Promise<IdentityLink | null>;
  /** Takes it out of the store; null when there is none, or it is too late at `now`. */
  take(tenantId: string, linkId: string, now: Date): Promise<IdentityLink | null>;
  /** Its people have decided about this identity since: nothing of it is to come back. */
  deleteOfIdentity(tenantId: string, issuer: string, subject: string): Promise<void>;
  deleteOfTenant(tenantId: string): Promise<void>;
  deleteExpired(now: Date): Promise<void>;
}
