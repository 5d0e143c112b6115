import { DataTypes, type QueryInterface } from "sequelize";

const required = { allowNull: false };
const primaryKey = { primaryKey: true, allowNull: false };
const ofTenant = { ...required, references: { model: "tenants", key: "id" } };

export async function up(queries: QueryInterface): Promise<void> {
  await queries.createTable("tenants", {
    id: { type: DataTypes.STRING(36), ...primaryKey },
    product: { type: DataTypes.STRING(16), ...required },
    site: { type: DataTypes.STRING(255), ...required },
    base_url: { type: DataTypes.TEXT, ...required },
    // Connect's name for the tenant; a host of another kind has none.
    client_key: { type: DataTypes.STRING(255), unique: true },
    shared_secret: { type: DataTypes.TEXT },
    oauth_client_id: { type: DataTypes.TEXT },
    state: { type: DataTypes.STRING(16), ...required },
    generation: { type: DataTypes.INTEGER, ...required },
    proven: { type: DataTypes.BOOLEAN, ...required },
    suspended: { type: DataTypes.BOOLEAN, ...required },
    // Epoch seconds, as the tokens have them; 32 bits end in 2038.
    last_install_event_at: { type: DataTypes.BIGINT, ...required },
    last_toggle_event_at: { type: DataTypes.BIGINT, ...required },
    created_at: { type: DataTypes.DATE, ...required },
    updated_at: { type: DataTypes.DATE, ...required },
  });
  await queries.addIndex("tenants", ["site"], { name: "tenants_by_site" });
  await queries.addIndex("tenants", ["site", "product"], {
    name: "tenants_one_proven_per_site_and_product",
    unique: true,
    where: { proven: true },
  });

  await queries.createTable("settings", {
    tenant_id: { type: DataTypes.STRING(36), ...primaryKey, ...ofTenant, onDelete: "CASCADE" },
    team_domain: { type: DataTypes.STRING(255) },
    document: { type: DataTypes.TEXT, ...required },
    version: { type: DataTypes.INTEGER, ...required },
    updated_at: { type: DataTypes.DATE, ...required },
  });
  await queries.addIndex("settings", ["team_domain"], { name: "settings_by_team" });

  await queries.createTable("links", {
    id: { type: DataTypes.STRING(36), ...primaryKey },
    tenant_id: { type: DataTypes.STRING(36), ...ofTenant, onDelete: "CASCADE" },
    issuer: { type: DataTypes.STRING(255), ...required },
    subject: { type: DataTypes.STRING(255), ...required },
    email: { type: DataTypes.TEXT, ...required },
    account_id: { type: DataTypes.STRING(255), ...required },
    method: { type: DataTypes.STRING(16), ...required },
    linked_at: { type: DataTypes.DATE, ...required },
    last_used_at: { type: DataTypes.DATE },
  });
  await queries.addIndex("links", ["tenant_id", "issuer", "subject"], {
    name: "links_one_per_identity",
    unique: true,
  });
  await queries.addIndex("links", ["tenant_id", "account_id"], { name: "links_by_account" });
  await queries.addIndex("links", ["tenant_id", "linked_at", "id"], { name: "links_by_age" });

  await queries.createTable("link_attempts", {
    id_hash: { type: DataTypes.STRING(64), ...primaryKey },
    tenant_id: { type: DataTypes.STRING(36), ...ofTenant, onDelete: "CASCADE" },
    account_id: { type: DataTypes.STRING(255), ...required },
    created_at: { type: DataTypes.DATE, ...required },
    expires_at: { type: DataTypes.DATE, ...required },
    cookie_hash: { type: DataTypes.STRING(64) },
    // Who claimed it: all three or none.
    issuer: { type: DataTypes.STRING(255) },
    subject: { type: DataTypes.STRING(255) },
    email: { type: DataTypes.TEXT },
    audience: { type: DataTypes.STRING(255) },
    code_hash: { type: DataTypes.STRING(64) },
    typed_code_hash: { type: DataTypes.STRING(64) },
    wrong_codes: { type: DataTypes.INTEGER, ...required },
    used_at: { type: DataTypes.DATE },
  });
  await queries.addIndex("link_attempts", ["expires_at"], { name: "link_attempts_by_expiry" });
  await queries.addIndex("link_attempts", ["tenant_id", "account_id", "created_at"], {
    name: "link_attempts_by_account",
  });

  await queries.createTable("audit_events", {
    // The order of writing: clocks may stand still or jump back.
    sequence: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true, allowNull: false },
    id: { type: DataTypes.STRING(36), ...required, unique: true },
    tenant_id: { type: DataTypes.STRING(36), ...ofTenant, onDelete: "RESTRICT" },
    at: { type: DataTypes.DATE, ...required },
    action: { type: DataTypes.STRING(64), ...required },
    actor_type: { type: DataTypes.STRING(16), ...required },
    actor_account_id: { type: DataTypes.STRING(255) },
    target_type: { type: DataTypes.STRING(64) },
    target_id: { type: DataTypes.STRING(255) },
    before: { type: DataTypes.TEXT, ...required },
    after: { type: DataTypes.TEXT, ...required },
    ip: { type: DataTypes.STRING(64) },
    reference: { type: DataTypes.STRING(64) },
  });
  await queries.addIndex("audit_events", ["tenant_id", "sequence"], { name: "audit_events_by_tenant" });

  await queries.createTable("spent_tokens", {
    token_hash: { type: DataTypes.STRING(64), ...primaryKey },
    use: { type: DataTypes.TEXT, ...required },
    expires_at: { type: DataTypes.DATE, ...required },
  });
  await queries.addIndex("spent_tokens", ["expires_at"], { name: "spent_tokens_by_expiry" });
}
