import { connect } from "../src/storage/sqlite-connection.js";
import type { Person } from "./people.js";
import type { World } from "./world.js";

const DAY_MILLISECONDS = 86_400_000;

/** As if an admin had written the link. */
export async function makeLinkUnproved({ parts }: World, { accountId }: Person): Promise<void> {
  await execute(parts.databaseFile, "UPDATE links SET method = 'admin' WHERE account_id = ?", [accountId]);
}

/** As if nobody had used the link for 91 days. */
export async function makeLinkOld({ parts }: World, { accountId }: Person): Promise<void> {
  const at = new Date(Date.now() - 91 * DAY_MILLISECONDS)
    .toISOString()
    .replace("T", " ")
    .replace("Z", " +00:00");
  await execute(
    parts.databaseFile,
    "UPDATE links SET linked_at = ?, last_used_at = NULL WHERE account_id = ?",
    [at, accountId],
  );
}

/** As if the disk were full for what services do on this site, and for that alone. */
export async function refuseRecords({ parts }: World, site: string): Promise<void> {
  await execute(
    parts.databaseFile,
    `CREATE TRIGGER scene_refuses_records BEFORE INSERT ON audit_events
      WHEN NEW.action = 'service.acted' AND NEW.tenant_id IN (SELECT id FROM tenants WHERE site = ?)
      BEGIN SELECT RAISE(ABORT, 'The scene has no room for this.'); END`,
    [site],
  );
}

export async function acceptRecords({ parts }: World): Promise<void> {
  await execute(parts.databaseFile, "DROP TRIGGER IF EXISTS scene_refuses_records", []);
}

async function execute(file: string | null, sql: string, replacements: unknown[]): Promise<void> {
  if (file === null) throw new Error("The app's database isn't a file of the sandbox's.");
  const sequelize = connect({ file, busyTimeoutMilliseconds: 1_000, foreignKeys: true, tries: 1 });
  try {
    await sequelize.query(sql, { replacements });
  } finally {
    await sequelize.close();
  }
}
