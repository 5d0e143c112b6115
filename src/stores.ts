import type { AssertionKeyReader, AssertionKeyStore } from "./assertions/assertion-key.js";
import type { AuditReader, AuditStore } from "./audit/audit-event.js";
import type { ConsentReader, ConsentStore } from "./consents/consent.js";
import type { NewsMarkReader, NewsMarkStore } from "./gateway/news-mark-store.js";
import type { LinkAttemptReader, LinkAttemptStore } from "./links/link-attempt.js";
import type { LinkReader, LinkStore, RemovedLinkStore } from "./links/link-store.js";
import type { ServiceUseReader, ServiceUseStore } from "./services/service-use-store.js";
import type { SettingsReader, SettingsStore } from "./services/settings-store.js";
import type { ForgeInstallationReader, ForgeInstallationStore } from "./tenants/forge-installation.js";
import type { TenantReader, TenantStore } from "./tenants/tenant-store.js";
import type { TokenLedger } from "./tenants/token-ledger.js";

export interface PageRequest {
  /** 1 to 200. */
  readonly limit: number;
  /** A `nextCursor` of the page before; null for the first. A damaged one is AppError `malformed_request`. */
  readonly cursor: string | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface ReadStores {
  readonly tenants: TenantReader;
  readonly forgeInstallations: ForgeInstallationReader;
  readonly settings: SettingsReader;
  readonly links: LinkReader;
  readonly attempts: LinkAttemptReader;
  readonly consents: ConsentReader;
  readonly serviceUse: ServiceUseReader;
  readonly newsMarks: NewsMarkReader;
  readonly assertionKeys: AssertionKeyReader;
  readonly audit: AuditReader;
}

export interface WriteStores {
  readonly tenants: TenantStore;
  readonly forgeInstallations: ForgeInstallationStore;
  readonly settings: SettingsStore;
  readonly links: LinkStore;
  readonly removedLinks: RemovedLinkStore;
  readonly attempts: LinkAttemptStore;
  readonly consents: ConsentStore;
  readonly serviceUse: ServiceUseStore;
  readonly newsMarks: NewsMarkStore;
  readonly assertionKeys: AssertionKeyStore;
  readonly audit: AuditStore;
  readonly tokens: TokenLedger;
}

/**
 * The database, as what the app does sees it: reads at any time, writes only inside `write`, one writer at a time,
 * all or nothing. Both throw AppError `store_unavailable` when the database can't be used.
 */
export interface Database {
  readonly read: ReadStores;
  /** Runs `work` in one transaction; what it throws rolls everything back and is thrown on. */
  write<T>(work: (stores: WriteStores) => Promise<T>): Promise<T>;
  /** The same, before all that waits: for what the app gathers and writes by itself. */
  writeFirst<T>(work: (stores: WriteStores) => Promise<T>): Promise<T>;
  /** Makes what was deleted unreadable in the database's files too, as soon as no reader needs it. Never throws. */
  overwriteDeleted(): Promise<void>;
}
