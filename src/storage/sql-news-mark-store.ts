import { DataTypes } from "sequelize";
import { z } from "zod";

import type { NewsMarkReader, NewsMarkStore } from "../gateway/news-mark-store.js";
import { createId } from "../identifiers.js";
import type { Session } from "./session.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({ id: z.string(), tenantId: z.string(), accountId: z.string(), seenUntil: z.date() });

type NewsMarkRow = z.output<typeof row>;

const NEWS_MARKS: TableDefinition<NewsMarkRow> = {
  name: "news_marks",
  primaryKey: "id",
  columns: {
    id: DataTypes.STRING,
    tenantId: DataTypes.STRING,
    accountId: DataTypes.STRING,
    seenUntil: DataTypes.DATE,
  },
  row,
};

export class SqlNewsMarkReader implements NewsMarkReader {
  protected readonly marks: Table<NewsMarkRow>;

  constructor(session: Session) {
    this.marks = new Table(session, NEWS_MARKS);
  }

  async findSeenUntil(tenantId: string, accountId: string): Promise<Date | null> {
    return (await this.marks.find({ tenantId, accountId }))?.seenUntil ?? null;
  }
}

export class SqlNewsMarkStore extends SqlNewsMarkReader implements NewsMarkStore {
  async put(tenantId: string, accountId: string, seenUntil: Date): Promise<void> {
    const count = await this.marks.update({ tenantId, accountId }, { seenUntil });
    if (count === 0) await this.marks.insert({ id: createId(), tenantId, accountId, seenUntil });
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.marks.delete({ tenantId });
  }
}
