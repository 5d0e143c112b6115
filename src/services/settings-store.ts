import type { Settings } from "./settings.js";

export interface SettingsReader {
  /** FRESH_SETTINGS for a tenant that has none. */
  get(tenantId: string): Promise<Settings>;
  /** Of these tenants, the settings of those that name the team, by tenant. */
  listTrusting(tenantIds: readonly string[], teamDomain: string): Promise<ReadonlyMap<string, Settings>>;
  /** Whether any enabled tenant names this team. */
  isTrustedTeam(teamDomain: string): Promise<boolean>;
}

export interface SettingsStore extends SettingsReader {
  /** Stores `settings` (whose version is already the new one) if the stored version is `expectedVersion`; else false. */
  replace(tenantId: string, settings: Settings, expectedVersion: number): Promise<boolean>;
}
