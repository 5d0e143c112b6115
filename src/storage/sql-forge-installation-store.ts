import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import type {
  ForgeInstallation,
  ForgeInstallationReader,
  ForgeInstallationStore,
} from "../tenants/forge-installation.js";
import type { Product } from "../tenants/tenant.js";
import { createPlace, ENCRYPTED_COLUMNS } from "./encrypted-columns.js";
import type { SecretBox } from "./secret-box.js";
import type { Session } from "./session.js";
import { requireOneRow } from "./storage-error.js";
import { oneOf } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({
  id: z.string(),
  cloudId: z.string(),
  product: oneOf<Product>({ jira: true, confluence: true }),
  tenantId: z.string().nullable(),
  appId: z.string(),
  installationId: z.string(),
  environmentId: z.string(),
  apiBaseUrl: z.string(),
  systemToken: z.string().nullable(),
  systemTokenExpiresAt: z.date().nullable(),
  lastCallAt: z.int(),
  lastEventAt: z.int(),
  createdAt: z.date(),
  updatedAt: z.date(),
});

type ForgeInstallationRow = z.output<typeof row>;

const FORGE_INSTALLATIONS: TableDefinition<ForgeInstallationRow> = {
  name: "forge_installations",
  primaryKey: "id",
  columns: {
    id: DataTypes.STRING,
    cloudId: DataTypes.STRING,
    product: DataTypes.STRING,
    tenantId: DataTypes.STRING,
    appId: DataTypes.STRING,
    installationId: DataTypes.STRING,
    environmentId: DataTypes.STRING,
    apiBaseUrl: DataTypes.TEXT,
    systemToken: DataTypes.TEXT,
    systemTokenExpiresAt: DataTypes.DATE,
    lastCallAt: DataTypes.BIGINT,
    lastEventAt: DataTypes.BIGINT,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE,
  },
  row,
};

export class SqlForgeInstallationReader implements ForgeInstallationReader {
  protected readonly installations: Table<ForgeInstallationRow>;
  protected readonly secretBox: SecretBox;

  constructor(session: Session, secretBox: SecretBox) {
    this.installations = new Table(session, FORGE_INSTALLATIONS);
    this.secretBox = secretBox;
  }

  async find(cloudId: string, product: Product): Promise<ForgeInstallation | null> {
    return this.#toInstallation(await this.installations.find({ cloudId, product }));
  }

  async findByTenant(tenantId: string): Promise<ForgeInstallation | null> {
    return this.#toInstallation(await this.installations.find({ tenantId }));
  }

  async listSilentSince(since: number): Promise<readonly ForgeInstallation[]> {
    const before = { [Op.lt]: since };
    const where = { lastCallAt: before, lastEventAt: before, tenantId: { [Op.ne]: null } };
    const rows = await this.installations.list({ where });
    return rows.flatMap((row) => this.#toInstallation(row) ?? []);
  }

  #toInstallation(row: ForgeInstallationRow | null): ForgeInstallation | null {
    if (!row) return null;
    const { id, cloudId, product, tenantId, appId, installationId, environmentId, apiBaseUrl } = row;
    const { systemToken, systemTokenExpiresAt: expiresAt, lastCallAt, lastEventAt } = row;
    const place = createPlace(ENCRYPTED_COLUMNS.systemToken, id);
    return {
      ...{ id, cloudId, product, tenantId, appId, installationId, environmentId, apiBaseUrl },
      systemToken:
        systemToken === null || expiresAt === null
          ? null
          : { token: this.secretBox.decrypt(systemToken, place), expiresAt },
      ...{ lastCallAt, lastEventAt },
    };
  }
}

export class SqlForgeInstallationStore extends SqlForgeInstallationReader implements ForgeInstallationStore {
  async insert(installation: ForgeInstallation, at: Date): Promise<void> {
    const { id, cloudId, product } = installation;
    const row = { id, cloudId, product, ...this.#toRow(installation), createdAt: at, updatedAt: at };
    await this.installations.insert(row);
  }

  async update(installation: ForgeInstallation, at: Date): Promise<void> {
    const { id } = installation;
    requireOneRow(await this.installations.update({ id }, { ...this.#toRow(installation), updatedAt: at }));
  }

  #toRow(installation: ForgeInstallation) {
    const { id, tenantId, appId, installationId, environmentId, apiBaseUrl } = installation;
    const { systemToken, lastCallAt, lastEventAt } = installation;
    const place = createPlace(ENCRYPTED_COLUMNS.systemToken, id);
    return {
      ...{ tenantId, appId, installationId, environmentId, apiBaseUrl, lastCallAt, lastEventAt },
      systemToken: systemToken && this.secretBox.encrypt(systemToken.token, place),
      systemTokenExpiresAt: systemToken?.expiresAt ?? null,
    };
  }
}
