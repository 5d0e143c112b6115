import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import type { TokenLedger } from "../tenants/token-ledger.js";
import type { Session } from "./session.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({ tokenHash: z.string(), use: z.string(), expiresAt: z.date() });

type SpentTokenRow = z.output<typeof row>;

const SPENT_TOKENS: TableDefinition<SpentTokenRow> = {
  name: "spent_tokens",
  primaryKey: "tokenHash",
  columns: { tokenHash: DataTypes.STRING, use: DataTypes.TEXT, expiresAt: DataTypes.DATE },
  row,
};

export class SqlTokenLedger implements TokenLedger {
  readonly #tokens: Table<SpentTokenRow>;

  constructor(session: Session) {
    this.#tokens = new Table(session, SPENT_TOKENS);
  }

  async bind(tokenHash: string, use: string, expiresAt: Date): Promise<{ use: string; isNew: boolean }> {
    const bound = await this.#tokens.find({ tokenHash });
    if (bound) return { use: bound.use, isNew: false };
    await this.#tokens.insert({ tokenHash, use, expiresAt });
    return { use, isNew: true };
  }

  async deleteExpired(now: Date): Promise<void> {
    await this.#tokens.delete({ expiresAt: { [Op.lte]: now } });
  }
}
