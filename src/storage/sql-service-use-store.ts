import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import { createId } from "../identifiers.js";
import type {
  KeyUse,
  PersonalUse,
  ServiceDay,
  ServiceUseReader,
  ServiceUseStore,
} from "../services/service-use-store.js";
import type { Session } from "./session.js";
import { Table, type TableDefinition } from "./table.js";

const key = { id: z.string(), tenantId: z.string(), serviceId: z.string() };
const dayRow = z.object({
  ...key,
  day: z.string(),
  outcome: z.string(),
  calls: z.int(),
  lastAt: z.date(),
});
const personRow = z.object({
  ...key,
  accountId: z.string(),
  calls: z.int(),
  lastAt: z.date(),
  knownAt: z.date(),
});

const keyUseRow = z.object({ ...key, keyId: z.string(), lastAt: z.date() });

type DayRow = z.output<typeof dayRow>;
type PersonRow = z.output<typeof personRow>;
type KeyUseRow = z.output<typeof keyUseRow>;

const KEY_COLUMNS = { id: DataTypes.STRING, tenantId: DataTypes.STRING, serviceId: DataTypes.STRING };

const DAYS: TableDefinition<DayRow> = {
  name: "service_days",
  primaryKey: "id",
  columns: {
    ...KEY_COLUMNS,
    day: DataTypes.STRING,
    outcome: DataTypes.STRING,
    calls: DataTypes.INTEGER,
    lastAt: DataTypes.DATE,
  },
  row: dayRow,
};

const PEOPLE: TableDefinition<PersonRow> = {
  name: "service_people",
  primaryKey: "id",
  columns: {
    ...KEY_COLUMNS,
    accountId: DataTypes.STRING,
    calls: DataTypes.INTEGER,
    lastAt: DataTypes.DATE,
    knownAt: DataTypes.DATE,
  },
  row: personRow,
};

const KEY_USES: TableDefinition<KeyUseRow> = {
  name: "service_key_uses",
  primaryKey: "id",
  columns: { ...KEY_COLUMNS, keyId: DataTypes.STRING, lastAt: DataTypes.DATE },
  row: keyUseRow,
};

export class SqlServiceUseReader implements ServiceUseReader {
  protected readonly days: Table<DayRow>;
  protected readonly people: Table<PersonRow>;
  protected readonly keyUses: Table<KeyUseRow>;

  constructor(session: Session) {
    this.days = new Table(session, DAYS);
    this.people = new Table(session, PEOPLE);
    this.keyUses = new Table(session, KEY_USES);
  }

  async listDays(
    tenantId: string,
    serviceIds: readonly string[],
    sinceDay: string,
  ): Promise<readonly ServiceDay[]> {
    const where = { tenantId, serviceId: [...serviceIds], day: { [Op.gte]: sinceDay } };
    return this.days.list({ where, order: ["day", "outcome"] });
  }

  async countPeople(
    tenantId: string,
    serviceIds: readonly string[],
    since: Date,
  ): Promise<ReadonlyMap<string, number>> {
    const where = { tenantId, serviceId: [...serviceIds], lastAt: { [Op.gte]: since } };
    return this.people.countBy("serviceId", where);
  }

  async listOfAccount(tenantId: string, accountId: string): Promise<readonly PersonalUse[]> {
    return this.people.list({ where: { tenantId, accountId }, order: ["knownAt", "serviceId"] });
  }

  async listKeyUses(tenantId: string): Promise<readonly KeyUse[]> {
    return this.keyUses.list({ where: { tenantId } });
  }
}

export class SqlServiceUseStore extends SqlServiceUseReader implements ServiceUseStore {
  async addToDay(tenantId: string, { serviceId, day, outcome, calls, lastAt }: ServiceDay): Promise<void> {
    const where = { tenantId, serviceId, day, outcome };
    const count = await this.days.increment(where, { calls }, { lastAt });
    if (count === 0) await this.days.insert({ id: createId(), ...where, calls, lastAt });
  }

  async addToPerson(tenantId: string, use: PersonalUse): Promise<void> {
    const { serviceId, accountId, calls, lastAt, knownAt } = use;
    const where = { tenantId, serviceId, accountId };
    const count = await this.people.increment(where, { calls }, { lastAt });
    if (count === 0) await this.people.insert({ id: createId(), ...where, calls, lastAt, knownAt });
  }

  async putKeyUse(tenantId: string, { serviceId, keyId, lastAt }: KeyUse): Promise<void> {
    const where = { tenantId, serviceId, keyId };
    const count = await this.keyUses.update(where, { lastAt });
    if (count === 0) await this.keyUses.insert({ id: createId(), ...where, lastAt });
  }

  async deleteOfKey(tenantId: string, keyId: string): Promise<void> {
    await this.keyUses.delete({ tenantId, keyId });
  }

  async deleteOfService(tenantId: string, serviceId: string): Promise<void> {
    await this.days.delete({ tenantId, serviceId });
    await this.people.delete({ tenantId, serviceId });
    await this.keyUses.delete({ tenantId, serviceId });
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.days.delete({ tenantId });
    await this.people.delete({ tenantId });
  }

  async deleteDaysBefore(day: string): Promise<void> {
    await this.days.delete({ day: { [Op.lt]: day } });
  }
}
