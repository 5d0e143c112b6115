import type { Product } from "./tenant.js";

/** What Forge knows of a tenant, by the site's cloud id and the product. Only the Forge door looks at it. */
export interface ForgeInstallation {
  readonly id: string;
  readonly cloudId: string;
  readonly product: Product;
  /** Null until a page has told which site it is. */
  readonly tenantId: string | null;
  readonly appId: string;
  /** Another one after each reinstall. */
  readonly installationId: string;
  readonly environmentId: string;
  /** Where Atlassian's API has the product, without a trailing slash. */
  readonly apiBaseUrl: string;
  /** With which the app calls the product as itself. */
  readonly systemToken: SystemToken | null;
  /** `iat` (epoch seconds) of the newest trigger that brought a system token, or of a page's call that came a day later. */
  readonly lastCallAt: number;
  /** `iat` (epoch seconds) of the newest call that installed or uninstalled the app here. */
  readonly lastEventAt: number;
}

export interface SystemToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface ForgeInstallationReader {
  find(cloudId: string, product: Product): Promise<ForgeInstallation | null>;
  findByTenant(tenantId: string): Promise<ForgeInstallation | null>;
  /** With a tenant, and without a call or an event since then (epoch seconds). Uninstalled ones are among them. */
  listSilentSince(since: number): Promise<readonly ForgeInstallation[]>;
}

export interface ForgeInstallationStore extends ForgeInstallationReader {
  insert(installation: ForgeInstallation, at: Date): Promise<void>;
  /** Replaces every attribute but id, cloud id and product. */
  update(installation: ForgeInstallation, at: Date): Promise<void>;
}
