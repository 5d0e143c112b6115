import { DataTypes, type QueryInterface } from "sequelize";

const required = { allowNull: false };

/** Links that an admin removed, for as long as that can be undone. */
export async function up(queries: QueryInterface): Promise<void> {
  await queries.createTable("removed_links", {
    id: { type: DataTypes.STRING(36), primaryKey: true, ...required },
    tenant_id: {
      type: DataTypes.STRING(36),
      ...required,
      references: { model: "tenants", key: "id" },
      onDelete: "CASCADE",
    },
    issuer: { type: DataTypes.STRING(255), ...required },
    subject: { type: DataTypes.STRING(255), ...required },
    email: { type: DataTypes.TEXT, ...required },
    account_id: { type: DataTypes.STRING(255), ...required },
    method: { type: DataTypes.STRING(16), ...required },
    linked_at: { type: DataTypes.DATE, ...required },
    last_used_at: { type: DataTypes.DATE },
    undo_until: { type: DataTypes.DATE, ...required },
  });
  await queries.addIndex("removed_links", ["undo_until"], { name: "removed_links_by_end" });
}
