import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import type { IdentityLink } from "../links/identity-link.js";
import type { RemovedLinkStore } from "../links/link-store.js";
import type { Session } from "./session.js";
import { LINK_COLUMNS, linkRow } from "./sql-link-store.js";
import { Table, type TableDefinition } from "./table.js";

type RemovedLink = IdentityLink & { readonly undoUntil: Date };

const REMOVED_LINKS: TableDefinition<RemovedLink> = {
  name: "removed_links",
  primaryKey: "id",
  columns: { ...LINK_COLUMNS, undoUntil: DataTypes.DATE },
  row: linkRow.extend({ undoUntil: z.date() }),
};

export class SqlRemovedLinkStore implements RemovedLinkStore {
  readonly #removed: Table<RemovedLink>;

  constructor(session: Session) {
    this.#removed = new Table(session, REMOVED_LINKS);
  }

  async insert(tenantId: string, link: IdentityLink, undoUntil: Date): Promise<void> {
    await this.#removed.insert({ ...link, tenantId, undoUntil });
  }

  async find(tenantId: string, linkId: string): Promise<IdentityLink | null> {
    const found = await this.#removed.find({ tenantId, id: linkId });
    return found && linkRow.parse(found);
  }

  async deleteOfIdentity(tenantId: string, issuer: string, subject: string): Promise<void> {
    await this.#removed.delete({ tenantId, issuer, subject });
  }

  async take(tenantId: string, linkId: string, now: Date): Promise<IdentityLink | null> {
    const found = await this.#removed.find({ tenantId, id: linkId, undoUntil: { [Op.gt]: now } });
    if (!found) return null;
    await this.#removed.delete({ tenantId, id: linkId });
    return linkRow.parse(found);
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.#removed.delete({ tenantId });
  }

  async deleteExpired(now: Date): Promise<void> {
    await this.#removed.delete({ undoUntil: { [Op.lte]: now } });
  }
}
