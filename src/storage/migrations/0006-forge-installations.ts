import { DataTypes, type QueryInterface } from "sequelize";

const required = { allowNull: false };

/** The second door: tenants that came through Forge, by what stays the same over their reinstalls. */
export async function up(queries: QueryInterface): Promise<void> {
  await queries.addColumn("tenants", "door", {
    type: DataTypes.STRING(16),
    ...required,
    defaultValue: "connect",
  });
  await queries.createTable("forge_installations", {
    id: { type: DataTypes.STRING(36), primaryKey: true, ...required },
    cloud_id: { type: DataTypes.STRING(64), ...required },
    product: { type: DataTypes.STRING(16), ...required },
    // None until a page has told which site it is.
    tenant_id: {
      type: DataTypes.STRING(36),
      unique: true,
      references: { model: "tenants", key: "id" },
      onDelete: "CASCADE",
    },
    app_id: { type: DataTypes.STRING(255), ...required },
    installation_id: { type: DataTypes.STRING(255), ...required },
    environment_id: { type: DataTypes.STRING(255), ...required },
    api_base_url: { type: DataTypes.TEXT, ...required },
    system_token: { type: DataTypes.TEXT },
    system_token_expires_at: { type: DataTypes.DATE },
    // Epoch seconds, as the tokens have them.
    last_call_at: { type: DataTypes.BIGINT, ...required },
    last_event_at: { type: DataTypes.BIGINT, ...required },
    created_at: { type: DataTypes.DATE, ...required },
    updated_at: { type: DataTypes.DATE, ...required },
  });
  await queries.addIndex("forge_installations", ["cloud_id", "product"], {
    name: "forge_installations_one_per_place",
    unique: true,
  });
}
