import { DataTypes, type QueryInterface } from "sequelize";

const required = { allowNull: false };

/** With what a tenant's assertions are signed; the private halves are encrypted. */
export async function up(queries: QueryInterface): Promise<void> {
  await queries.createTable("assertion_keys", {
    kid: { type: DataTypes.STRING(64), primaryKey: true, ...required },
    tenant_id: {
      type: DataTypes.STRING(36),
      ...required,
      references: { model: "tenants", key: "id" },
      onDelete: "CASCADE",
    },
    public_key: { type: DataTypes.TEXT, ...required },
    private_key: { type: DataTypes.TEXT, ...required },
    created_at: { type: DataTypes.DATE, ...required },
    signs_from: { type: DataTypes.DATE, ...required },
    expires_at: { type: DataTypes.DATE },
  });
  await queries.addIndex("assertion_keys", ["tenant_id", "signs_from"], { name: "assertion_keys_in_order" });
  await queries.addIndex("assertion_keys", ["expires_at", "signs_from"], { name: "assertion_keys_by_end" });
}
