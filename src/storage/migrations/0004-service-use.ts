import { DataTypes, Op, type QueryInterface } from "sequelize";

const required = { allowNull: false };
const id = { type: DataTypes.STRING(36), primaryKey: true, ...required };
const tenantId = {
  type: DataTypes.STRING(36),
  ...required,
  references: { model: "tenants", key: "id" },
  onDelete: "CASCADE",
};
const serviceId = { type: DataTypes.STRING(36), ...required };
const accountId = { type: DataTypes.STRING(255), ...required };
const calls = { type: DataTypes.INTEGER, ...required };
const time = { type: DataTypes.DATE, ...required };

/** How services are used, as whom, and what people have been told of it. */
export async function up(queries: QueryInterface): Promise<void> {
  await queries.createTable("service_days", {
    id,
    tenant_id: tenantId,
    service_id: serviceId,
    day: { type: DataTypes.STRING(10), ...required },
    outcome: { type: DataTypes.STRING(64), ...required },
    calls,
    last_at: time,
  });
  await queries.addIndex("service_days", ["tenant_id", "service_id", "day", "outcome"], {
    name: "service_days_one_per_outcome",
    unique: true,
  });
  await queries.addIndex("service_days", ["day"], { name: "service_days_by_age" });

  await queries.createTable("service_people", {
    id,
    tenant_id: tenantId,
    service_id: serviceId,
    account_id: accountId,
    calls,
    last_at: time,
    known_at: time,
  });
  await queries.addIndex("service_people", ["tenant_id", "service_id", "account_id"], {
    name: "service_people_one_per_account",
    unique: true,
  });
  await queries.addIndex("service_people", ["tenant_id", "account_id"], {
    name: "service_people_by_account",
  });

  await queries.createTable("service_key_uses", {
    id,
    tenant_id: tenantId,
    service_id: serviceId,
    key_id: { type: DataTypes.STRING(36), ...required },
    last_at: time,
  });
  await queries.addIndex("service_key_uses", ["tenant_id", "key_id"], {
    name: "service_key_uses_one_per_key",
    unique: true,
  });

  await queries.createTable("news_marks", {
    id,
    tenant_id: tenantId,
    account_id: accountId,
    seen_until: time,
  });
  await queries.addIndex("news_marks", ["tenant_id", "account_id"], {
    name: "news_marks_one_per_account",
    unique: true,
  });

  // What services do fills the audit log, and one person's part of it, or what people changed, is to be found all the same.
  await queries.addIndex("audit_events", ["tenant_id", "actor_account_id", "sequence"], {
    name: "audit_events_by_actor",
  });
  await queries.addIndex("audit_events", ["tenant_id", "actor_account_id", "action", "sequence"], {
    name: "audit_events_by_actor_and_action",
  });
  await queries.addIndex("audit_events", ["tenant_id", "action", "sequence"], {
    name: "audit_events_by_action",
  });
  await queries.addIndex("audit_events", ["tenant_id", "sequence"], {
    name: "audit_changes_by_tenant",
    where: { action: { [Op.notIn]: ["service.acted", "assertion.issued"] } },
  });
}
