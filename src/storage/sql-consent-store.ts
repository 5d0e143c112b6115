import { DataTypes } from "sequelize";
import { z } from "zod";

import type { Consent, ConsentReader, ConsentStore } from "../consents/consent.js";
import { createId } from "../identifiers.js";
import type { Session } from "./session.js";
import { oneOf } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({
  id: z.string(),
  tenantId: z.string(),
  accountId: z.string(),
  serviceId: z.string().nullable(),
  audience: z.string().nullable(),
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
    audience: DataTypes.STRING,
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
    return found && { ...toDecision(found), serviceId };
  }

  async listOfAccount(tenantId: string, accountId: string): Promise<readonly Consent[]> {
    const rows = await this.consents.list({
      where: { tenantId, accountId },
      order: ["decidedAt", "serviceId"],
    });
    return rows.flatMap((each) => {
      return each.serviceId === null ? [] : [{ ...toDecision(each), serviceId: each.serviceId }];
    });
  }

  async countAgreed(tenantId: string, serviceId: string, digest: string): Promise<number> {
    return this.consents.count({ tenantId, serviceId, digest, state: "agreed" });
  }
}

export class SqlConsentStore extends SqlConsentReader implements ConsentStore {
  async put(tenantId: string, { serviceId, ...decision }: Consent): Promise<void> {
    await this.#put({ tenantId, accountId: decision.accountId, serviceId }, decision);
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.consents.delete({ tenantId });
  }

  async deleteOfService(tenantId: string, serviceId: string): Promise<void> {
    await this.consents.delete({ tenantId, serviceId });
  }

  async deleteAgreed(tenantId: string, serviceId: string): Promise<number> {
    return this.consents.delete({ tenantId, serviceId, state: "agreed" });
  }

  async retireWithdrawn(tenantId: string, serviceId: string, audience: string): Promise<void> {
    for (const withdrawn of await this.consents.list({
      where: { tenantId, serviceId, state: "withdrawn" },
    })) {
      const decision = toDecision(withdrawn);
      await this.#put({ tenantId, accountId: decision.accountId, audience }, decision);
    }
  }

  async adoptWithdrawn(tenantId: string, audience: string, serviceId: string): Promise<void> {
    const retired = await this.consents.list({ where: { tenantId, audience } });
    await this.consents.delete({ tenantId, audience });
    for (const each of retired) await this.put(tenantId, { ...toDecision(each), serviceId });
  }

  /** Of each account there is one row for a service, and one for an audience that no service in the list has. */
  async #put(
    where: Pick<ConsentRow, "tenantId" | "accountId"> & Partial<ConsentRow>,
    decision: Decision,
  ): Promise<void> {
    if ((await this.consents.update(where, decision)) > 0) return;
    await this.consents.insert({ id: createId(), ...decision, ...where });
  }
}

type Decision = Omit<Consent, "serviceId">;

function toDecision({ accountId, digest, state, decidedAt }: ConsentRow): Decision {
  return { accountId, digest, state, decidedAt };
}
