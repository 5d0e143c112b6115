import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import {
  USES,
  type Actor,
  type AuditAction,
  type AuditEvent,
  type AuditFilter,
  type AuditReader,
  type AuditStore,
} from "../audit/audit-event.js";
import type { Page, PageRequest } from "../stores.js";
import { createPage, parseCursor } from "./cursor.js";
import type { Session } from "./session.js";
import { oneOf, parseStoredJson } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

const actorType = oneOf<Actor["type"]>({ user: true, service: true, host: true, system: true });

const row = z.object({
  sequence: z.int(),
  id: z.string(),
  tenantId: z.string(),
  at: z.date(),
  action: oneOf<AuditAction>({
    "tenant.installed": true,
    "tenant.uninstalled": true,
    "tenant.enabled": true,
    "tenant.disabled": true,
    "settings.changed": true,
    "settings.taken_over": true,
    "link.created": true,
    "link.replaced": true,
    "link.removed": true,
    "link.restored": true,
    "link.confirmed": true,
    "link_attempt.failed": true,
    "consent.given": true,
    "consent.withdrawn": true,
    "service.acted": true,
    "assertion.issued": true,
    "assertion_keys.rotated": true,
    "consents.removed": true,
    "service_key.created": true,
    "service_key.removed": true,
  }),
  actorType,
  actorAccountId: z.string().nullable(),
  targetType: z.string().nullable(),
  targetId: z.string().nullable(),
  before: z.string(),
  after: z.string(),
  ip: z.string().nullable(),
  reference: z.string().nullable(),
});

type AuditRow = z.output<typeof row>;

const AUDIT_EVENTS: TableDefinition<AuditRow> = {
  name: "audit_events",
  primaryKey: "sequence",
  columns: {
    sequence: DataTypes.INTEGER,
    id: DataTypes.STRING,
    tenantId: DataTypes.STRING,
    at: DataTypes.DATE,
    action: DataTypes.STRING,
    actorType: DataTypes.STRING,
    actorAccountId: DataTypes.STRING,
    targetType: DataTypes.STRING,
    targetId: DataTypes.STRING,
    before: DataTypes.TEXT,
    after: DataTypes.TEXT,
    ip: DataTypes.STRING,
    reference: DataTypes.STRING,
  },
  row,
};

const position = z.tuple([z.int().positive()]);

export class SqlAuditReader implements AuditReader {
  protected readonly events: Table<AuditRow>;

  constructor(session: Session) {
    this.events = new Table(session, AUDIT_EVENTS);
  }

  async list(tenantId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>> {
    const { kind, action, actor, from, to } = filter;
    const [after = null] = parseCursor(position, page) ?? [];
    const rows = await this.events.list({
      where: {
        tenantId,
        [Op.and]: [
          kind === null ? {} : { action: { [kind === "use" ? Op.in : Op.notIn]: USES } },
          action === null ? {} : { action },
          actor === null ? {} : isActorType(actor) ? { actorType: actor } : { actorAccountId: actor },
          from === null ? {} : { at: { [Op.gte]: from } },
          to === null ? {} : { at: { [Op.lt]: to } },
          after === null ? {} : { sequence: { [Op.lt]: after } },
        ],
      },
      order: [["sequence", "DESC"]],
      limit: page.limit + 1,
    });
    return createPage(rows, page, toEvent, ({ sequence }) => [sequence]);
  }
}

export class SqlAuditStore extends SqlAuditReader implements AuditStore {
  async append(tenantId: string, event: AuditEvent): Promise<void> {
    await this.events.insert(toRow(tenantId, event));
  }

  async appendAll(tenantId: string, events: readonly AuditEvent[]): Promise<void> {
    await this.events.insertAll(events.map((event) => toRow(tenantId, event)));
  }

  async moveAll(fromTenantId: string, toTenantId: string): Promise<void> {
    await this.events.update({ tenantId: fromTenantId }, { tenantId: toTenantId });
  }
}

/** No account is called so, and either is found by an index of its own. */
function isActorType(actor: string): boolean {
  return actorType.safeParse(actor).success;
}

function toRow(tenantId: string, event: AuditEvent): Omit<AuditRow, "sequence"> {
  const { id, at, action, actor, target, before, after, ip, reference } = event;
  return {
    ...{ id, tenantId, at, action, ip, reference },
    actorType: actor.type,
    actorAccountId: actor.accountId,
    targetType: target?.type ?? null,
    targetId: target?.id ?? null,
    before: JSON.stringify(before),
    after: JSON.stringify(after),
  };
}

function toEvent(row: AuditRow): AuditEvent {
  const { id, tenantId, at, action, actorType, actorAccountId, targetType, targetId, ip, reference } = row;
  const where = `the audit event ${id}`;
  return {
    ...{ id, tenantId, at, action, ip, reference },
    actor: { type: actorType, accountId: actorAccountId },
    target: targetType === null || targetId === null ? null : { type: targetType, id: targetId },
    before: parseStoredJson(z.json(), row.before, where),
    after: parseStoredJson(z.json(), row.after, where),
  };
}
