import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import type { Clock } from "../clock.js";
import type { Installation, TenantReader, TenantStore } from "../tenants/tenant-store.js";
import type { Product, Tenant } from "../tenants/tenant.js";
import { createPlace, ENCRYPTED_COLUMNS } from "./encrypted-columns.js";
import type { SecretBox } from "./secret-box.js";
import type { Session } from "./session.js";
import { requireOneRow } from "./storage-error.js";
import { oneOf } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({
  id: z.string(),
  product: oneOf<Product>({ jira: true, confluence: true }),
  door: oneOf<Tenant["door"]>({ connect: true, forge: true }),
  site: z.string(),
  baseUrl: z.string(),
  clientKey: z.string().nullable(),
  sharedSecret: z.string().nullable(),
  oauthClientId: z.string().nullable(),
  state: oneOf<Tenant["state"]>({ enabled: true, disabled: true, uninstalled: true }),
  generation: z.int(),
  proven: z.boolean(),
  suspended: z.boolean(),
  lastInstallEventAt: z.int(),
  lastToggleEventAt: z.int(),
  createdAt: z.date(),
  updatedAt: z.date(),
});

type TenantRow = z.output<typeof row>;

const TENANTS: TableDefinition<TenantRow> = {
  name: "tenants",
  primaryKey: "id",
  columns: {
    id: DataTypes.STRING,
    product: DataTypes.STRING,
    door: DataTypes.STRING,
    site: DataTypes.STRING,
    baseUrl: DataTypes.TEXT,
    clientKey: DataTypes.STRING,
    sharedSecret: DataTypes.TEXT,
    oauthClientId: DataTypes.TEXT,
    state: DataTypes.STRING,
    generation: DataTypes.INTEGER,
    proven: DataTypes.BOOLEAN,
    suspended: DataTypes.BOOLEAN,
    lastInstallEventAt: DataTypes.BIGINT,
    lastToggleEventAt: DataTypes.BIGINT,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE,
  },
  row,
};

const NOTHING_OF_CONNECT = {
  clientKey: null,
  sharedSecret: null,
  oauthClientId: null,
  lastInstallEventAt: 0,
  lastToggleEventAt: 0,
};

export class SqlTenantReader implements TenantReader {
  protected readonly tenants: Table<TenantRow>;
  protected readonly secretBox: SecretBox;

  constructor(session: Session, secretBox: SecretBox) {
    this.tenants = new Table(session, TENANTS);
    this.secretBox = secretBox;
  }

  async findById(tenantId: string): Promise<Tenant | null> {
    const row = await this.tenants.find({ id: tenantId });
    return row && toTenant(row);
  }

  async findCreationTime(tenantId: string): Promise<Date | null> {
    return (await this.tenants.find({ id: tenantId }))?.createdAt ?? null;
  }

  async findInstallation(clientKey: string): Promise<Installation | null> {
    return this.#toInstallation(await this.tenants.find({ clientKey }));
  }

  async findInstallationByTenant(tenantId: string): Promise<Installation | null> {
    return this.#toInstallation(await this.tenants.find({ id: tenantId }));
  }

  async listEnabledOfSite(site: string, product: Product | null): Promise<Tenant[]> {
    const rows = await this.tenants.list({
      where: { site, state: "enabled", ...(product === null ? {} : { product }) },
      order: ["createdAt", "id"],
    });
    return rows.map(toTenant);
  }

  #toInstallation(row: TenantRow | null): Installation | null {
    if (!row) return null;
    const { clientKey, sharedSecret, oauthClientId, lastInstallEventAt, lastToggleEventAt } = row;
    if (clientKey === null) return null;
    const place = createPlace(ENCRYPTED_COLUMNS.sharedSecret, row.id);
    return {
      tenant: toTenant(row),
      clientKey,
      sharedSecret: sharedSecret === null ? null : this.secretBox.decrypt(sharedSecret, place),
      oauthClientId,
      lastInstallEventAt,
      lastToggleEventAt,
    };
  }
}

export class SqlTenantStore extends SqlTenantReader implements TenantStore {
  readonly #clock: Clock;

  constructor(session: Session, secretBox: SecretBox, clock: Clock) {
    super(session, secretBox);
    this.#clock = clock;
  }

  async insertInstallation(installation: Installation, at: Date): Promise<void> {
    const { id } = installation.tenant;
    const { clientKey } = installation;
    await this.tenants.insert({ id, clientKey, ...this.#toRow(installation), createdAt: at, updatedAt: at });
  }

  async insertTenant(tenant: Tenant, at: Date): Promise<void> {
    await this.tenants.insert({ ...tenant, ...NOTHING_OF_CONNECT, createdAt: at, updatedAt: at });
  }

  async updateTenant({ id, ...attributes }: Tenant, at: Date): Promise<void> {
    requireOneRow(await this.tenants.update({ id }, { ...attributes, updatedAt: at }));
  }

  async changeDoor({ id, ...attributes }: Tenant, at: Date): Promise<void> {
    const changes = { ...attributes, ...NOTHING_OF_CONNECT, updatedAt: at };
    requireOneRow(await this.tenants.update({ id }, changes));
  }

  async delete(tenantId: string): Promise<void> {
    requireOneRow(await this.tenants.delete({ id: tenantId }));
  }

  async updateInstallation(installation: Installation, at: Date): Promise<void> {
    const { id } = installation.tenant;
    requireOneRow(await this.tenants.update({ id }, { ...this.#toRow(installation), updatedAt: at }));
  }

  async markProven(tenantId: string, generation: number): Promise<boolean> {
    const row = await this.tenants.find({ id: tenantId, generation });
    if (!row) return false;
    const { site, product, door } = row;
    const isTaken = await this.tenants.find({
      ...{ site, product, proven: true, state: "enabled" },
      door: { [Op.ne]: door },
    });
    if (isTaken) return false;
    const updatedAt = this.#clock.now();
    await this.tenants.update(
      { site, product, proven: true, id: { [Op.ne]: tenantId } },
      { proven: false, updatedAt },
    );
    await this.tenants.update({ id: tenantId, generation }, { proven: true, suspended: false, updatedAt });
    return true;
  }

  #toRow({ tenant, sharedSecret, oauthClientId, lastInstallEventAt, lastToggleEventAt }: Installation) {
    const { product, door, site, baseUrl, state, generation, proven, suspended } = tenant;
    const place = createPlace(ENCRYPTED_COLUMNS.sharedSecret, tenant.id);
    return {
      ...{ product, door, site, baseUrl, state, generation, proven, suspended },
      ...{ oauthClientId, lastInstallEventAt, lastToggleEventAt },
      sharedSecret: sharedSecret === null ? null : this.secretBox.encrypt(sharedSecret, place),
    };
  }
}

function toTenant(row: TenantRow): Tenant {
  const { id, product, door, site, baseUrl, state, generation, proven, suspended } = row;
  return { id, product, door, site, baseUrl, state, generation, proven, suspended };
}
