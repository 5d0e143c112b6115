import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { silentLogger } from "../logger.js";
import { buildService, insertTenant } from "./builders.fixture.js";
import { runFixture, startFixture } from "./child-process.fixture.js";
import { createDatabaseFile } from "./database-file.js";
import { DatabaseTooNewError, migrate, MIGRATIONS, type Migration } from "./migrate.js";
import { execute } from "./raw-sql.fixture.js";
import { connect } from "./sqlite-connection.js";
import { createTestFile, openTestDatabase } from "./test-database.fixture.js";
import { Writer } from "./writer.js";

function migrateFile(file: string, migrations: readonly Migration[]): Promise<string[]> {
  createDatabaseFile(file);
  const writer = new Writer({
    logger: silentLogger,
    queueTimeoutMilliseconds: 1_000,
    connect: () => connect({ file, busyTimeoutMilliseconds: 1_000, foreignKeys: false, tries: 2 }),
  });
  return writer.transact((session) => migrate(session, migrations)).finally(() => writer.close());
}

const listTables = (file: string) =>
  execute(file, "SELECT name FROM sqlite_master WHERE name <> 'sqlite_sequence'");

const TIME = "'2026-11-01 10:00:00.123 +00:00'";
const IDENTITY =
  "'tenant-1', 'https://acme.cloudflareaccess.com', 'subject-1', 'ada@acme.com', 'account-1', 'admin'";
const SETTINGS = {
  services: [
    {
      id: "service-1",
      label: "Wiki",
      audience: "a".repeat(64),
      purposes: ["link", "identify"],
      limits: null,
    },
  ],
  allowedEmailDomains: ["acme.com"],
  matching: "proof",
  paused: false,
};

/** As the version before left them. */
const ROWS_OF_0002 = [
  `INSERT INTO tenants VALUES ('tenant-1', 'jira', 'acme.atlassian.net', 'https://acme.atlassian.net', 'client-1', NULL,
   'oauth-1', 'enabled', 3, 1, 0, 1800000000, 1800000001, ${TIME}, ${TIME})`,
  `INSERT INTO settings VALUES ('tenant-1', 'acme.cloudflareaccess.com', '${JSON.stringify(SETTINGS)}', 7, ${TIME})`,
  `INSERT INTO links VALUES ('link-1', ${IDENTITY}, ${TIME}, NULL)`,
  `INSERT INTO removed_links VALUES ('link-2', ${IDENTITY}, ${TIME}, ${TIME}, ${TIME})`,
  `INSERT INTO audit_events VALUES (41, 'event-1', 'tenant-1', ${TIME}, 'link.created', 'user', 'account-1', 'link',
   'link-1', 'null', '{"email":"ada@acme.com"}', NULL, 'ABCDEFGH2345')`,
];

async function readRows(file: string): Promise<object[][]> {
  const tables = ["tenants", "settings", "links", "removed_links", "audit_events"];
  const rows = tables.map((table) => execute(file, `SELECT * FROM ${table}`));
  return (await Promise.all(rows)) as object[][];
}

describe("migrate", () => {
  it("runs each migration once", async () => {
    const file = createTestFile();
    expect(await migrateFile(file, MIGRATIONS)).toEqual([
      "0001-initial-schema",
      "0002-removed-links",
      "0003-consents",
      "0004-service-use",
      "0005-assertion-keys",
      "0006-forge-installations",
    ]);
    expect(await migrateFile(file, MIGRATIONS)).toEqual([]);
    const later = { name: "9001-later", up: () => Promise.resolve() };
    expect(await migrateFile(file, [...MIGRATIONS, later])).toEqual(["9001-later"]);
  });

  it("leaves nothing behind of an upgrade whose last step fails", async () => {
    const file = createTestFile();
    const failing: Migration = {
      name: "9001-failing",
      up: async (queries) => {
        await queries.dropTable("spent_tokens");
        await queries.addColumn("links", "no_such_type", { type: "BLOB REFERENCES" });
      },
    };
    await expect(migrateFile(file, [...MIGRATIONS, failing])).rejects.toMatchObject({
      code: "internal_error",
    });
    expect(await listTables(file)).toEqual([]);
  });

  it("refuses a migration that leaves rows without their tenant", async () => {
    const file = createTestFile();
    await migrateFile(file, MIGRATIONS);
    const orphaning: Migration = {
      name: "9001-orphaning",
      up: async (queries) => {
        await queries.bulkInsert("settings", [
          { tenant_id: "nobody", document: "{}", version: 1, updated_at: new Date() },
        ]);
      },
    };
    await expect(migrateFile(file, [...MIGRATIONS, orphaning])).rejects.toThrow();
    expect(await execute(file, "SELECT * FROM settings")).toEqual([]);
  });

  it("rebuilds a table without deleting the rows that refer to it", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const tenant = await database.write(async (stores) => {
      const tenant = await insertTenant(stores);
      await stores.settings.replace(tenant.id, { ...(await stores.settings.get(tenant.id)), version: 1 }, 0);
      return tenant;
    });
    await database.close();
    const rebuilding: Migration = {
      name: "9001-rebuilding",
      up: (queries) => queries.removeColumn("tenants", "oauth_client_id"),
    };
    await migrateFile(file, [...MIGRATIONS, rebuilding]);
    expect(await execute(file, "SELECT tenant_id, version FROM settings")).toEqual([
      { tenant_id: tenant.id, version: 1 },
    ]);
  });

  it("keeps what a database held before there were consents, and fills in what is new", async () => {
    const file = createTestFile();
    await migrateFile(file, MIGRATIONS.slice(0, 2));
    for (const statement of ROWS_OF_0002) await execute(file, statement);
    const before = await readRows(file);

    expect(await migrateFile(file, MIGRATIONS)).toEqual(MIGRATIONS.slice(2).map(({ name }) => name));
    const [tenants, settings, links, removedLinks, events] = before;
    const throughConnect = (rows: readonly object[] = []) => rows.map((row) => ({ ...row, door: "connect" }));
    const unconfirmed = (rows: readonly object[] = []) => rows.map((row) => ({ ...row, confirmed_at: null }));
    expect(await readRows(file)).toEqual([
      throughConnect(tenants),
      settings,
      unconfirmed(links),
      unconfirmed(removedLinks),
      events,
    ]);

    const { read } = await openTestDatabase({ file });
    const { services, ...others } = await read.settings.get("tenant-1");
    expect(others).toMatchObject({ teamDomain: "acme.cloudflareaccess.com", version: 7 });
    expect(services).toEqual([
      buildService({
        id: "service-1",
        label: "Wiki",
        purposes: ["link", "identify"],
        paused: false,
        keys: [],
      }),
    ]);
    const [link] = await read.links.listOfAccount("tenant-1", "account-1");
    expect(link).toMatchObject({ id: "link-1", method: "admin", confirmedAt: null, lastUsedAt: null });
    expect(await read.newsMarks.findSeenUntil("tenant-1", "account-1")).toBeNull();
    expect(await read.serviceUse.listOfAccount("tenant-1", "account-1")).toEqual([]);
    const all = { kind: null, action: null, actor: null, from: null, to: null };
    const { items } = await read.audit.list("tenant-1", all, { limit: 9, cursor: null });
    expect(items).toMatchObject([
      { id: "event-1", action: "link.created", after: { email: "ada@acme.com" } },
    ]);
  });

  it("refuses a database that a newer version has changed, without touching it", async () => {
    const file = createTestFile();
    await openTestDatabase({ file });
    await execute(file, "INSERT INTO migrations VALUES ('9999-from-the-future')");
    const opening = openTestDatabase({ file });
    await expect(opening).rejects.toThrow(DatabaseTooNewError);
    await expect(opening).rejects.toThrow("9999-from-the-future");
  });
});

describe("processes that open one new file", () => {
  it("all succeed at once, and each can write", async () => {
    const file = createTestFile();
    const outputs = await Promise.all(
      ["a", "b", "c"].map((prefix) => runFixture("writing-process.fixture.ts", [file, prefix, "5"])),
    );
    expect(outputs.map((lines) => lines.length)).toEqual([5, 5, 5]);
    expect(await execute(file, "SELECT count(*) AS count FROM spent_tokens")).toEqual([{ count: 15 }]);
  });

  it("leave nothing half done when killed in the middle of a migration", async () => {
    const file = createTestFile();
    await runFixture("killed-migration.fixture.ts", [file]);
    expect(await listTables(file)).toEqual([]);
    await (await openTestDatabase({ file })).write((stores) => insertTenant(stores));
  });

  it("leave a database that opens when killed at any moment of the first start", async () => {
    for (let round = 0; round < 4; round++) {
      const file = createTestFile();
      const child = startFixture("writing-process.fixture.ts", [file, "a", "1"]);
      while (!existsSync(file)) await sleep(1);
      await sleep(Math.random() * 60);
      child.process.kill("SIGKILL");
      await child.ended;
      const database = await openTestDatabase({ file });
      await database.write((stores) => insertTenant(stores));
    }
  });
});

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
