import { DataTypes } from "sequelize";
import { z } from "zod";

import type { Consent, ConsentReader, ConsentStore } from "../gateway/consent.js";
import { createId } from "../identifiers.js";
import type { Session } from "./session.js";
import { oneOf } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({
  id: z.string(),
  tenantId: z.string(),
  accountId: z.string(),
  serviceId: z.string(),
  digest: z.string(),
  state: oneOf<Consent["state"]>({ agreed: true, withdrawn: true }),
  decidedAt: z.date(),
});

type ConsentRow = z.output<typeof row>;

const CONSENTS: TableDefinition<ConsentRow> = {
  name: "consents",
  primaryKey: "id",
  columns: {
    id: DataTypes.STRING,
    tenantId: DataTypes.STRING,
    accountId: DataTypes.STRING,
    serviceId: DataTypes.STRING,
    digest: DataTypes.STRING,
    state: DataTypes.STRING,
    decidedAt: DataTypes.DATE,
  },
  row,
};

export class SqlConsentReader implements ConsentReader {
  protected readonly consents: Table<ConsentRow>;

  constructor(session: Session) {
    this.consents = new Table(session, CONSENTS);
  }

  async find(tenantId: string, accountId: string, serviceId: string): Promise<Consent | null> {
    const found = await this.consents.find({ tenantId, accountId, serviceId });
    return found && toConsent(found);
  }

  async listOfAccount(tenantId: string, accountId: string): Promise<readonly Consent[]> {
    const rows = await this.consents.list({
      where: { tenantId, accountId },
      order: ["decidedAt", "serviceId"],
    });
    return rows.map(toConsent);
  }
}

export class SqlConsentStore extends SqlConsentReader implements ConsentStore {
  async put(consent: Consent): Promise<void> {
    const { tenantId, accountId, serviceId, digest, state, decidedAt } = consent;
    const where = { tenantId, accountId, serviceId };
    const count = await this.consents.update(where, { digest, state, decidedAt });
    if (count === 0) await this.consents.insert({ id: createId(), ...where, digest, state, decidedAt });
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.consents.delete({ tenantId });
  }

  async deleteOfServices(tenantId: string, serviceIds: readonly string[]): Promise<number> {
    return this.consents.delete({ tenantId, serviceId: [...serviceIds] });
  }
}

function toConsent({ tenantId, accountId, serviceId, digest, state, decidedAt }: ConsentRow): Consent {
  return { tenantId, accountId, serviceId, digest, state, decidedAt };
}
