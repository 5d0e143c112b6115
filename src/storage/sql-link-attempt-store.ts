import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import type { LinkAttempt, LinkAttemptReader, LinkAttemptStore } from "../links/link-attempt.js";
import type { Session } from "./session.js";
import { requireOneRow } from "./storage-error.js";
import { Table, type TableDefinition } from "./table.js";

const row = z
  .object({
    idHash: z.string(),
    tenantId: z.string(),
    accountId: z.string(),
    createdAt: z.date(),
    expiresAt: z.date(),
    cookieHash: z.string().nullable(),
    issuer: z.string().nullable(),
    subject: z.string().nullable(),
    email: z.string().nullable(),
    audience: z.string().nullable(),
    codeHash: z.string().nullable(),
    typedCodeHash: z.string().nullable(),
    wrongCodes: z.int(),
    usedAt: z.date().nullable(),
  })
  .refine(
    ({ issuer, subject, email }) => new Set([issuer, subject, email].map((part) => part === null)).size === 1,
    "An identity that isn't whole",
  );

type AttemptRow = z.output<typeof row>;

const ATTEMPTS: TableDefinition<AttemptRow> = {
  name: "link_attempts",
  primaryKey: "idHash",
  columns: {
    idHash: DataTypes.STRING,
    tenantId: DataTypes.STRING,
    accountId: DataTypes.STRING,
    createdAt: DataTypes.DATE,
    expiresAt: DataTypes.DATE,
    cookieHash: DataTypes.STRING,
    issuer: DataTypes.STRING,
    subject: DataTypes.STRING,
    email: DataTypes.TEXT,
    audience: DataTypes.STRING,
    codeHash: DataTypes.STRING,
    typedCodeHash: DataTypes.STRING,
    wrongCodes: DataTypes.INTEGER,
    usedAt: DataTypes.DATE,
  },
  row,
};

export class SqlLinkAttemptReader implements LinkAttemptReader {
  protected readonly attempts: Table<AttemptRow>;

  constructor(session: Session) {
    this.attempts = new Table(session, ATTEMPTS);
  }

  async find(idHash: string): Promise<LinkAttempt | null> {
    const row = await this.attempts.find({ idHash });
    return row && toAttempt(row);
  }

  async countSince(tenantId: string, accountId: string, since: Date): Promise<number> {
    return this.attempts.count({ tenantId, accountId, createdAt: { [Op.gte]: since } });
  }
}

export class SqlLinkAttemptStore extends SqlLinkAttemptReader implements LinkAttemptStore {
  async insert(attempt: LinkAttempt): Promise<void> {
    await this.attempts.insert(toRow(attempt));
  }

  async update(attempt: LinkAttempt): Promise<void> {
    const { idHash, ...changes } = toRow(attempt);
    requireOneRow(await this.attempts.update({ idHash, tenantId: attempt.tenantId }, changes));
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.attempts.delete({ tenantId });
  }

  async deleteExpired(now: Date): Promise<void> {
    await this.attempts.delete({ expiresAt: { [Op.lte]: now } });
  }
}

function toAttempt({ issuer, subject, email, ...rest }: AttemptRow): LinkAttempt {
  const isClaimed = issuer !== null && subject !== null && email !== null;
  return { ...rest, identity: isClaimed ? { issuer, subject, email } : null };
}

function toRow({ identity, ...rest }: LinkAttempt): AttemptRow {
  const { issuer = null, subject = null, email = null } = identity ?? {};
  return { ...rest, issuer, subject, email };
}
