import { DataTypes, type QueryInterface } from "sequelize";

const required = { allowNull: false };

/** What people decided about trusted services, and when the owner of a link that wasn't proved confirmed it. */
export async function up(queries: QueryInterface): Promise<void> {
  await queries.createTable("consents", {
    id: { type: DataTypes.STRING(36), primaryKey: true, ...required },
    tenant_id: {
      type: DataTypes.STRING(36),
      ...required,
      references: { model: "tenants", key: "id" },
      onDelete: "CASCADE",
    },
    account_id: { type: DataTypes.STRING(255), ...required },
    // Null for what is kept for an audience that no service in the list has.
    service_id: { type: DataTypes.STRING(36) },
    audience: { type: DataTypes.STRING(64) },
    digest: { type: DataTypes.STRING(64), ...required },
    state: { type: DataTypes.STRING(16), ...required },
    decided_at: { type: DataTypes.DATE, ...required },
  });
  await queries.addIndex("consents", ["tenant_id", "account_id", "service_id"], {
    name: "consents_one_per_account_and_service",
    unique: true,
  });
  await queries.addIndex("consents", ["tenant_id", "account_id", "audience"], {
    name: "consents_one_per_account_and_audience",
    unique: true,
  });
  await queries.addIndex("consents", ["tenant_id", "service_id"], { name: "consents_by_service" });
  await queries.addIndex("consents", ["tenant_id", "audience"], { name: "consents_by_audience" });

  for (const table of ["links", "removed_links"]) {
    await queries.addColumn(table, "confirmed_at", { type: DataTypes.DATE });
  }
}
