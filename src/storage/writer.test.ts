import { QueryTypes } from "sequelize";
import { describe, expect, it } from "vitest";

import { createId } from "../identifiers.js";
import { silentLogger } from "../logger.js";
import type { WriteStores } from "../stores.js";
import { buildAuditEvent, buildLink, buildSettings, insertTenant } from "./builders.fixture.js";
import { connectAside } from "./raw-sql.fixture.js";
import { connect } from "./sqlite-connection.js";
import { createTestFile, openTestDatabase } from "./test-database.fixture.js";
import { Writer } from "./writer.js";

const SITE = "acme.atlassian.net";
const IMPATIENT = { queueTimeoutMilliseconds: 300, busyTimeoutMilliseconds: 50 };

async function openWriter(queueTimeoutMilliseconds = 1_000) {
  const file = createTestFile();
  await openTestDatabase({ file });
  const writer = new Writer({
    logger: silentLogger,
    queueTimeoutMilliseconds,
    connect: () => connect({ file, busyTimeoutMilliseconds: 1_000, foreignKeys: true, tries: 2 }),
  });
  const aside = connectAside(file);
  const count = async () => {
    const [rows] = await aside.query("SELECT count(*) AS count FROM spent_tokens");
    return (rows as { count: number }[])[0]?.count;
  };
  return { writer, count };
}

const INSERT = "INSERT INTO spent_tokens VALUES (hex(randomblob(16)), 'use', '2026-11-22')";

describe("a write", () => {
  it("is one of many: a hundred installs and settings at once are all stored", async () => {
    const database = await openTestDatabase();
    const ids = await Promise.all(
      Array.from({ length: 100 }, () =>
        database.write(async (stores) => {
          const { id } = await insertTenant(stores);
          expect(await stores.settings.replace(id, buildSettings(), 0)).toBe(true);
          return id;
        }),
      ),
    );
    expect(await database.read.tenants.listEnabledOfSite(SITE, null)).toHaveLength(100);
    const settings = await Promise.all(ids.map((id) => database.read.settings.get(id)));
    expect(settings.map(({ version }) => version)).toEqual(ids.map(() => 1));
  });

  it("loses no update of one row that many change at once", async () => {
    const database = await openTestDatabase();
    const { id } = await database.write((stores) => insertTenant(stores));
    await Promise.all(
      Array.from({ length: 30 }, () =>
        database.write(async (stores) => {
          const settings = await stores.settings.get(id);
          await stores.settings.replace(id, { ...settings, version: settings.version + 1 }, settings.version);
        }),
      ),
    );
    expect(await database.read.settings.get(id)).toMatchObject({ version: 30 });
  });

  it("leaves nothing behind of what it did before it threw, and throws that on", async () => {
    const database = await openTestDatabase();
    const failure = new TypeError("of the caller");
    await expect(
      database.write(async (stores) => {
        const tenant = await insertTenant(stores);
        await stores.settings.replace(tenant.id, buildSettings(), 0);
        await stores.links.insert(tenant.id, buildLink(tenant));
        await stores.audit.append(tenant.id, buildAuditEvent(tenant));
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect(await database.read.tenants.listEnabledOfSite(SITE, null)).toEqual([]);
    await database.write((stores) => insertTenant(stores));
  });

  it("leaves nothing behind of statements that were still under way when it threw", async () => {
    const database = await openTestDatabase();
    for (let round = 0; round < 10; round++) {
      await expect(
        database.write((stores) =>
          Promise.all([
            ...Array.from({ length: 5 }, () => insertTenant(stores)),
            Promise.reject(new Error("no")),
          ]),
        ),
      ).rejects.toThrow("no");
    }
    expect(await database.read.tenants.listEnabledOfSite(SITE, null)).toEqual([]);
  });

  it("sees what it has done itself, while readers see what was committed, without waiting", async () => {
    const database = await openTestDatabase();
    await database.write(async (stores) => {
      const tenant = await insertTenant(stores);
      expect(await stores.tenants.findById(tenant.id)).toEqual(tenant);
      expect(await database.read.tenants.findById(tenant.id)).toBeNull();
    });
    expect(await database.read.tenants.listEnabledOfSite(SITE, null)).toHaveLength(1);
  });

  it("has stores that can't be used any more when it is over", async () => {
    const database = await openTestDatabase();
    const kept: WriteStores[] = [];
    await database.write((stores) => Promise.resolve(kept.push(stores)));
    await expect(insertTenant(kept[0]!)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await database.read.tenants.listEnabledOfSite(SITE, null)).toEqual([]);
  });

  it("goes before all that waits, where it is to be the first", async () => {
    const database = await openTestDatabase();
    const done: string[] = [];
    const write = (name: string) => database.write(() => Promise.resolve(done.push(name)));
    const waiting = ["one", "two", "three"].map(write);
    const first = database.writeFirst(() => Promise.resolve(done.push("first")));
    await Promise.all([...waiting, first]);
    expect(done).toEqual(["one", "first", "two", "three"]);
  });

  it("answers with what its work answers", async () => {
    const database = await openTestDatabase();
    expect(await database.write(() => Promise.resolve("done"))).toBe("done");
  });
});

describe("a write that can't be served", () => {
  it("is refused when another process holds the database, and served when it is free again", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file, limits: IMPATIENT });
    const other = connectAside(file);
    await other.query("BEGIN IMMEDIATE");
    const started = performance.now();
    await expect(database.write((stores) => insertTenant(stores))).rejects.toMatchObject({
      code: "store_unavailable",
      cause: { message: "SQLITE_BUSY: database is locked" },
    });
    expect(performance.now() - started).toBeLessThan(2_000);
    await database.ping();
    await other.query("ROLLBACK");
    await database.write((stores) => insertTenant(stores));
  });

  it("waits for another process that is soon done", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const other = connectAside(file);
    await other.query("BEGIN IMMEDIATE");
    const writing = database.write((stores) => insertTenant(stores));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await other.query("COMMIT");
    await writing;
  });

  it("is refused when the writes before it take too long; so is a write inside a write", async () => {
    const database = await openTestDatabase({ limits: IMPATIENT });
    await expect(
      database.write(async (stores) => {
        await insertTenant(stores);
        await database.write((inner) => insertTenant(inner));
      }),
    ).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await database.read.tenants.listEnabledOfSite(SITE, null)).toEqual([]);
    await database.write((stores) => insertTenant(stores));
  });

  it("is refused after the database was closed", async () => {
    const database = await openTestDatabase();
    await database.close();
    await expect(database.write((stores) => insertTenant(stores))).rejects.toMatchObject({
      code: "store_unavailable",
    });
    await expect(database.ping()).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(database.read.settings.get("x")).rejects.toMatchObject({ code: "store_unavailable" });
  });
});

describe("Writer", () => {
  it("finishes the writes that wait when it is closed", async () => {
    const { writer, count } = await openWriter();
    const writes = Array.from({ length: 5 }, () =>
      writer.transact(({ sequelize }) => sequelize.query(INSERT)),
    );
    await Promise.all([...writes, writer.close()]);
    expect(await count()).toBe(5);
  });

  it("rolls back a write that doesn't end when it is closed", async () => {
    const { writer, count } = await openWriter(50);
    let goOn: () => void = () => undefined;
    const writing = writer.transact(async ({ sequelize }) => {
      await sequelize.query(INSERT);
      await new Promise<void>((resolve) => (goOn = resolve));
    });
    await writer.close();
    goOn();
    await expect(writing).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await count()).toBe(0);
  });

  it("sets its pragmas on the connection of every transaction, a replaced one too", async () => {
    const { writer } = await openWriter();
    const readPragmas = () =>
      writer.transact(async ({ sequelize }) => {
        const values: unknown[] = [];
        for (const name of ["busy_timeout", "foreign_keys", "journal_mode", "secure_delete", "synchronous"]) {
          const [row] = await sequelize.query<object>(`PRAGMA ${name}`, { type: QueryTypes.SELECT });
          values.push(...(Object.values(row!) as unknown[]));
        }
        return values;
      });
    const FULL = 2;
    expect(await readPragmas()).toEqual([1_000, 1, "wal", 1, FULL]);
    // A transaction that ended behind its back makes the writer replace its connection.
    await expect(writer.transact(({ sequelize }) => sequelize.query("COMMIT"))).rejects.toThrow();
    expect(await readPragmas()).toEqual([1_000, 1, "wal", 1, FULL]);
    await writer.close();
  });

  it("stores nothing of a write that met a full disk, even if the write tries to go on", async () => {
    const { writer, count } = await openWriter();
    await expect(
      writer.transact(async (session) => {
        const run = (sql: string) => session.run(() => session.sequelize.query(sql));
        await run(INSERT);
        await run("PRAGMA max_page_count = 1");
        // SQLite now rolls back by itself, so the next statement would be a transaction of its own.
        await expect(
          run("INSERT INTO spent_tokens VALUES ('x', hex(randomblob(1000000)), '2026-11-22')"),
        ).rejects.toMatchObject({ code: "store_unavailable" });
        await run(INSERT).catch(() => undefined);
      }),
    ).rejects.toMatchObject({
      code: "store_unavailable",
      cause: { message: "SQLITE_FULL: database or disk is full" },
    });
    expect(await count()).toBe(0);
    await writer.transact(({ sequelize }) => sequelize.query(INSERT));
    expect(await count()).toBe(1);
    await writer.close();
  });
});

describe("an error of the database", () => {
  it("carries no values, only what the driver said", async () => {
    const database = await openTestDatabase();
    const secret = createId();
    const bind = () =>
      database.write((stores) => stores.audit.append(secret, buildAuditEvent({ id: secret } as never)));
    const error = await bind().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "internal_error",
      cause: { message: "SQLITE_CONSTRAINT: FOREIGN KEY constraint failed" },
    });
    const { cause } = error as Error;
    expect(JSON.stringify([error, cause, Object.entries(cause as object)])).not.toContain(secret);
  });
});
