import type { Product, Tenant } from "./tenant.js";

/** What Connect knows of a tenant. Only the lifecycle and the Connect guard look at it. */
export interface Installation {
  readonly tenant: Tenant;
  readonly clientKey: string;
  /** Null once uninstalled. */
  readonly sharedSecret: string | null;
  readonly oauthClientId: string | null;
  /** `iat` (epoch seconds) of the newest installed or uninstalled event that was obeyed. */
  readonly lastInstallEventAt: number;
  /** `iat` (epoch seconds) of the newest enabled or disabled event that was obeyed; 0 when there was none. */
  readonly lastToggleEventAt: number;
}

export interface TenantReader {
  findById(tenantId: string): Promise<Tenant | null>;
  /** When it came, first of all: reinstalls don't change that. */
  findCreationTime(tenantId: string): Promise<Date | null>;
  findInstallation(clientKey: string): Promise<Installation | null>;
  findInstallationByTenant(tenantId: string): Promise<Installation | null>;
  /** Enabled tenants of a site, proven or not; of one product if it is given. At most a handful. */
  listEnabledOfSite(site: string, product: Product | null): Promise<Tenant[]>;
}

export interface TenantStore extends TenantReader {
  insertInstallation(installation: Installation, at: Date): Promise<void>;
  /** One that Connect knows nothing of. */
  insertTenant(tenant: Tenant, at: Date): Promise<void>;
  /** Replaces every attribute but id, and leaves alone what only Connect knows. */
  updateTenant(tenant: Tenant, at: Date): Promise<void>;
  /** Replaces every attribute but id, and forgets what only the door before knew. */
  changeDoor(tenant: Tenant, at: Date): Promise<void>;
  /** With all that belongs to it. Its audit must have gone elsewhere. */
  delete(tenantId: string): Promise<void>;
  /** Replaces every attribute but id and clientKey. */
  updateInstallation(installation: Installation, at: Date): Promise<void>;
  /**
   * Marks a tenant as proven, lifts its suspension, and takes the proof from any other tenant of the same site and
   * product (there is at most one). Does nothing and answers false when the generation is no longer the current one, or
   * when the site is taken: by an enabled, proven tenant that came through another door.
   */
  markProven(tenantId: string, generation: number): Promise<boolean>;
}
