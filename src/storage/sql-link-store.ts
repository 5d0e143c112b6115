import { col, DataTypes, fn, literal, Op, where, type Sequelize, type WhereOptions } from "sequelize";
import { z } from "zod";

import { AppError } from "../errors.js";
import type { IdentityLink, LinkMethod } from "../links/identity-link.js";
import type { LinkReader, LinkStore } from "../links/link-store.js";
import type { Page, PageRequest } from "../stores.js";
import { createPage, parseCursor } from "./cursor.js";
import type { Session } from "./session.js";
import { requireOneRow, UniqueViolation } from "./storage-error.js";
import { oneOf } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

export const linkRow = z.object({
  id: z.string(),
  tenantId: z.string(),
  issuer: z.string(),
  subject: z.string(),
  email: z.string(),
  accountId: z.string(),
  method: oneOf<LinkMethod>({ proof: true, email: true, admin: true }),
  linkedAt: z.date(),
  lastUsedAt: z.date().nullable(),
  confirmedAt: z.date().nullable(),
});

export const LINK_COLUMNS = {
  id: DataTypes.STRING,
  tenantId: DataTypes.STRING,
  issuer: DataTypes.STRING,
  subject: DataTypes.STRING,
  email: DataTypes.TEXT,
  accountId: DataTypes.STRING,
  method: DataTypes.STRING,
  linkedAt: DataTypes.DATE,
  lastUsedAt: DataTypes.DATE,
  confirmedAt: DataTypes.DATE,
};

const LINKS: TableDefinition<IdentityLink> = {
  name: "links",
  primaryKey: "id",
  columns: LINK_COLUMNS,
  row: linkRow,
};

const position = z.tuple([z.iso.datetime().transform((text) => new Date(text)), z.string()]);

export class SqlLinkReader implements LinkReader {
  protected readonly links: Table<IdentityLink>;
  readonly #sequelize: Sequelize;

  constructor(session: Session) {
    this.links = new Table(session, LINKS);
    this.#sequelize = session.sequelize;
  }

  async findById(tenantId: string, linkId: string): Promise<IdentityLink | null> {
    return this.links.find({ tenantId, id: linkId });
  }

  async findByIdentity(tenantId: string, issuer: string, subject: string): Promise<IdentityLink | null> {
    return this.links.find({ tenantId, issuer, subject });
  }

  async listOfAccount(tenantId: string, accountId: string): Promise<IdentityLink[]> {
    return this.links.list({ where: { tenantId, accountId }, order: ["linkedAt", "id"] });
  }

  async count(tenantId: string): Promise<number> {
    return this.links.count({ tenantId });
  }

  async list(tenantId: string, query: string, page: PageRequest): Promise<Page<IdentityLink>> {
    const after = parseCursor(position, page);
    const links = await this.links.list({
      where: {
        tenantId,
        [Op.and]: [
          ...(query === "" ? [] : [this.#matches(query)]),
          ...(after ? [isOlderThan(...after)] : []),
        ],
      },
      order: [
        ["linkedAt", "DESC"],
        ["id", "DESC"],
      ],
      limit: page.limit + 1,
    });
    return createPage(
      links,
      page,
      (link) => link,
      ({ linkedAt, id }) => [linkedAt.toISOString(), id],
    );
  }

  #matches(query: string): WhereOptions {
    const lowerCase = query.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const pattern = this.#sequelize.escape(`%${lowerCase.replace(/[\\%_]/g, "\\$&")}%`);
    return {
      [Op.or]: ["email", "account_id"].map((column) =>
        where(fn("lower", col(column)), Op.like, literal(`${pattern} ESCAPE '\\'`)),
      ),
    };
  }
}

export class SqlLinkStore extends SqlLinkReader implements LinkStore {
  async insert(tenantId: string, link: IdentityLink): Promise<void> {
    try {
      await this.links.insert({ ...link, tenantId });
    } catch (error) {
      const isTaken = error instanceof UniqueViolation && error.columns.includes("subject");
      throw isTaken ? new AppError("already_linked", undefined, { cause: error }) : error;
    }
  }

  async update(tenantId: string, { id, ...link }: IdentityLink): Promise<void> {
    const { accountId, email, method, linkedAt, confirmedAt } = link;
    const changes = { accountId, email, method, linkedAt, confirmedAt };
    requireOneRow(await this.links.update({ tenantId, id }, changes));
  }

  async markUsed(tenantId: string, linkId: string, at: Date): Promise<void> {
    await this.links.update({ tenantId, id: linkId }, { lastUsedAt: at });
  }

  async delete(tenantId: string, linkId: string): Promise<boolean> {
    return (await this.links.delete({ tenantId, id: linkId })) === 1;
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.links.delete({ tenantId });
  }
}

function isOlderThan(linkedAt: Date, id: string): WhereOptions {
  return { [Op.or]: [{ linkedAt: { [Op.lt]: linkedAt } }, { linkedAt, id: { [Op.lt]: id } }] };
}
