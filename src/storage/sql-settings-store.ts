import { LRUCache } from "lru-cache";
import { DataTypes } from "sequelize";
import { z } from "zod";

import type { Clock } from "../clock.js";
import type { SettingsReader, SettingsStore } from "../services/settings-store.js";
import { FRESH_SETTINGS, type Matching, type Purpose, type Settings } from "../services/settings.js";
import { select } from "./plain-select.js";
import type { Session } from "./session.js";
import { oneOf, parseStoredJson } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({
  tenantId: z.string(),
  teamDomain: z.string().nullable(),
  document: z.string(),
  version: z.int(),
  updatedAt: z.date(),
});

type SettingsRow = z.output<typeof row>;

const SETTINGS: TableDefinition<SettingsRow> = {
  name: "settings",
  primaryKey: "tenantId",
  columns: {
    tenantId: DataTypes.STRING,
    teamDomain: DataTypes.STRING,
    document: DataTypes.TEXT,
    version: DataTypes.INTEGER,
    updatedAt: DataTypes.DATE,
  },
  row,
};

/** All of the settings that isn't a column. */
type SettingsOfDocument = Omit<Settings, "teamDomain" | "version">;

const document: z.ZodType<SettingsOfDocument> = z.strictObject({
  services: z.array(
    z.strictObject({
      id: z.string(),
      label: z.string(),
      audience: z.string(),
      purposes: z.array(oneOf<Purpose>({ link: true, identify: true, act: true, assert: true })),
      limits: z
        .strictObject({
          requests: z.array(z.strictObject({ methods: z.array(z.string()), path: z.string() })),
          maxTokenAgeSeconds: z.int().nullable(),
          ipAddresses: z.array(z.string()),
          consent: oneOf<"required" | "given">({ required: true, given: true }),
          liveCheckSeconds: z.int().nullable().default(null),
        })
        .nullable(),
      // What follows was added later: documents from before don't have it.
      paused: z.boolean().default(false),
      keys: z
        .array(z.strictObject({ id: z.string(), hash: z.string(), hint: z.string(), createdAt: z.string() }))
        .default([]),
    }),
  ),
  allowedEmailDomains: z.array(z.string()),
  matching: oneOf<Matching>({ proof: true, email: true }),
  paused: z.boolean(),
});

const TRUSTED_TEAM = `SELECT 1 FROM settings JOIN tenants ON tenants.id = settings.tenant_id
  WHERE settings.team_domain = $1 AND tenants.state = 'enabled' LIMIT 1`;

export class SqlSettingsReader implements SettingsReader {
  protected readonly settings: Table<SettingsRow>;

  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
    this.settings = new Table(session, SETTINGS);
  }

  async get(tenantId: string): Promise<Settings> {
    const row = await this.settings.find({ tenantId });
    return row ? toSettings(row) : FRESH_SETTINGS;
  }

  async listTrusting(
    tenantIds: readonly string[],
    teamDomain: string,
  ): Promise<ReadonlyMap<string, Settings>> {
    const rows = await this.settings.list({ where: { tenantId: [...tenantIds], teamDomain } });
    return new Map(rows.map((row) => [row.tenantId, toSettings(row)]));
  }

  async isTrustedTeam(teamDomain: string): Promise<boolean> {
    const rows = await this.#session.run(() => select(this.#session.sequelize, TRUSTED_TEAM, [teamDomain]));
    return rows.length > 0;
  }
}

/** By their text, so that none is ever stale. Reading a long one takes milliseconds, and each call of a service needs it. */
const readDocuments = new LRUCache<string, SettingsOfDocument>({
  max: 10_000,
  maxSize: 16 * 1024 * 1024,
  sizeCalculation: (_settings, text) => text.length,
});

function toSettings({ tenantId, teamDomain, document: text, version }: SettingsRow): Settings {
  let settings = readDocuments.get(text);
  if (!settings) {
    settings = parseStoredJson(document, text, `the settings of tenant ${tenantId}`);
    readDocuments.set(text, settings);
  }
  return { teamDomain, ...settings, version };
}

export class SqlSettingsStore extends SqlSettingsReader implements SettingsStore {
  readonly #clock: Clock;

  constructor(session: Session, clock: Clock) {
    super(session);
    this.#clock = clock;
  }

  async replace(tenantId: string, settings: Settings, expectedVersion: number): Promise<boolean> {
    const { teamDomain, version, ...rest } = settings;
    const changes = { teamDomain, version, document: JSON.stringify(rest), updatedAt: this.#clock.now() };
    if ((await this.settings.update({ tenantId, version: expectedVersion }, changes)) === 1) return true;
    if (expectedVersion !== FRESH_SETTINGS.version || (await this.settings.find({ tenantId }))) return false;
    await this.settings.insert({ tenantId, ...changes });
    return true;
  }
}
