import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

import type { Installation } from "../tenants/tenant-store.js";
import { buildInstallation, buildLink, buildTenant, insertTenant } from "./builders.fixture.js";
import { EncryptionKeyError } from "./encryption-key-error.js";
import type { OpenDatabase } from "./open-database.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, KEY, NOW, openTestDatabase } from "./test-database.fixture.js";

const KEY_2 = Buffer.alloc(32, 2);
const KEY_3 = Buffer.alloc(32, 3);

async function install(database: OpenDatabase): Promise<Installation> {
  const installation = buildInstallation();
  await database.write((stores) => stores.tenants.insertInstallation(installation, NOW));
  return installation;
}

async function createClosedDatabase(...generations: Buffer[][]): Promise<{
  file: string;
  installations: Installation[];
}> {
  const file = createTestFile();
  const installations: Installation[] = [];
  for (const encryptionKeys of generations) {
    const database = await openTestDatabase({ file, encryptionKeys });
    installations.push(await install(database));
    await database.close();
  }
  return { file, installations };
}

describe("openDatabase", () => {
  it("makes the file, its side files and its directory for nobody else's eyes", async () => {
    const directory = path.join(path.dirname(createTestFile()), "made", "for it");
    const database = await openTestDatabase({ file: path.join(directory, "app.sqlite") });
    await database.write((stores) => insertTenant(stores));
    const modeOf = (name: string) => (statSync(path.join(directory, name)).mode & 0o777).toString(8);
    expect(modeOf(".")).toBe("700");
    expect(modeOf("..")).toBe("700");
    for (const name of ["app.sqlite", "app.sqlite-wal", "app.sqlite-shm"]) expect(modeOf(name)).toBe("600");
  });

  it("finds everything again when it opens the file a second time", async () => {
    const { file, installations } = await createClosedDatabase([KEY], [KEY]);
    const { read } = await openTestDatabase({ file });
    for (const installation of installations) {
      expect(await read.tenants.findInstallation(installation.clientKey)).toEqual(installation);
    }
  });

  it("throws store_unavailable for a file that isn't a database, and for one that can't be made", async () => {
    const file = createTestFile();
    writeFileSync(file, "x".repeat(5_000));
    await expect(openTestDatabase({ file })).rejects.toMatchObject({
      code: "store_unavailable",
      cause: { message: "SQLITE_NOTADB: file is not a database" },
    });
    await expect(openTestDatabase({ file: `${file}/app.sqlite` })).rejects.toMatchObject({
      code: "store_unavailable",
    });
  });

  it("doesn't bring a file that went away back empty", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    rmSync(file);
    await expect(database.write((stores) => insertTenant(stores))).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(() => statSync(file)).toThrow("ENOENT");
  });
});

describe("encryption at rest", () => {
  it("leaves no secret in the bytes of the file and its log", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const { sharedSecret, clientKey } = await install(database);
    const bytes = Buffer.concat([readFileSync(file), readFileSync(`${file}-wal`)]);
    expect(bytes.includes(clientKey)).toBe(true);
    expect(bytes.includes(sharedSecret!)).toBe(false);
  });

  it("overwrites what is deleted", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const email = "somebody.to.forget@acme.com";
    const tenant = await database.write((stores) => insertTenant(stores));
    await database.write((stores) => stores.links.insert(tenant.id, buildLink(tenant, { email })));
    await execute(file, "PRAGMA wal_checkpoint(TRUNCATE)");
    expect(readFileSync(file).includes(email)).toBe(true);
    await database.write((stores) => stores.links.deleteOfTenant(tenant.id));
    await database.overwriteDeleted();
    expect(readFileSync(file).includes(email)).toBe(false);
    expect(readFileSync(`${file}-wal`).includes(email)).toBe(false);
  });

  it("refuses a secret that was moved to another tenant", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const [mine, theirs] = [await install(database), await install(database)];
    await execute(
      file,
      `UPDATE tenants SET shared_secret = (SELECT shared_secret FROM tenants WHERE id = '${theirs.tenant.id}')`,
    );
    await expect(database.read.tenants.findInstallation(mine.clientKey)).rejects.toThrow("another row");
    expect(await database.read.tenants.findInstallation(theirs.clientKey)).toEqual(theirs);
  });

  it("reads three generations of keys, and needs one of them after re-encryption", async () => {
    const { file, installations } = await createClosedDatabase([KEY], [KEY_2, KEY], [KEY_3, KEY_2, KEY]);
    const database = await openTestDatabase({ file, encryptionKeys: [KEY_3, KEY_2, KEY] });
    const readAll = ({ read }: OpenDatabase) =>
      Promise.all(installations.map(({ clientKey }) => read.tenants.findInstallation(clientKey)));
    expect(await readAll(database)).toEqual(installations);

    expect(await database.reencrypt()).toEqual({ reencrypted: 2 });
    expect(await database.reencrypt()).toEqual({ reencrypted: 0 });
    expect(await readAll(database)).toEqual(installations);
    await database.close();
    expect(await readAll(await openTestDatabase({ file, encryptionKeys: [KEY_3] }))).toEqual(installations);
  });

  it("re-encrypts while the app runs, leaving uninstalled tenants alone", async () => {
    const { file, installations } = await createClosedDatabase([KEY]);
    const app = await openTestDatabase({ file, encryptionKeys: [KEY_2, KEY] });
    const cli = await openTestDatabase({ file, encryptionKeys: [KEY_2, KEY] });
    const uninstalled = buildInstallation({
      tenant: buildTenant({ state: "uninstalled" }),
      sharedSecret: null,
    });
    await app.write((stores) => stores.tenants.insertInstallation(uninstalled, NOW));
    const [, result] = await Promise.all([install(app), cli.reencrypt(), install(app)]);
    expect(result).toEqual({ reencrypted: 1 });
    expect(await app.read.tenants.findInstallation(installations[0]!.clientKey)).toEqual(installations[0]);
    expect(await app.read.tenants.findInstallation(uninstalled.clientKey)).toEqual(uninstalled);
  });

  it("re-encrypts all or nothing", async () => {
    const { file, installations } = await createClosedDatabase([KEY], [KEY]);
    const damaged = installations[1]!.tenant.id;
    await execute(file, `UPDATE tenants SET shared_secret = 'damaged' WHERE id = '${damaged}'`);
    const database = await openTestDatabase({ file, encryptionKeys: [KEY_2, KEY] });
    const readValues = () => execute(file, "SELECT id, shared_secret FROM tenants ORDER BY id");
    const before = await readValues();
    await expect(database.reencrypt()).rejects.toThrow("isn't in the format");
    expect(await readValues()).toEqual(before);
  });
});

describe("the check of the keys", () => {
  it.each([
    ["another key", [KEY_3]],
    ["only the newer of two keys", [KEY_2]],
    ["only the older of two keys", [KEY]],
    ["no key", []],
    ["a key that is too short", [Buffer.alloc(16)]],
  ])("stops the start with %s, changing nothing", async (_, encryptionKeys) => {
    const { file, installations } = await createClosedDatabase([KEY], [KEY_2, KEY]);
    const before = readFileSync(file);
    const opening = openTestDatabase({ file, encryptionKeys });
    await expect(opening).rejects.toThrow(EncryptionKeyError);
    await expect(opening).rejects.toThrow("ENCRYPTION_KEYS: ");
    expect(readFileSync(file).equals(before)).toBe(true);

    const { read } = await openTestDatabase({ file, encryptionKeys: [KEY_2, KEY] });
    for (const installation of installations) {
      expect(await read.tenants.findInstallation(installation.clientKey)).toEqual(installation);
    }
  });

  it("stops the start when no value under a key can be decrypted", async () => {
    const { file } = await createClosedDatabase([KEY]);
    await execute(file, "UPDATE tenants SET shared_secret = substr(shared_secret, 1, 12) || 'x'");
    await expect(openTestDatabase({ file })).rejects.toThrow("no value of tenants.shared_secret");
  });

  it("lets the app start with one damaged value, which fails where it is read", async () => {
    const { file, installations } = await createClosedDatabase([KEY], [KEY]);
    const [damaged, intact] = installations;
    await execute(file, `UPDATE tenants SET shared_secret = 'x' WHERE id = '${damaged!.tenant.id}'`);
    const { read } = await openTestDatabase({ file });
    await expect(read.tenants.findInstallation(damaged!.clientKey)).rejects.toThrow();
    expect(await read.tenants.findInstallation(intact!.clientKey)).toEqual(intact);
  });

  it("has nothing against new keys where nothing is encrypted yet", async () => {
    const { file } = await createClosedDatabase([KEY]);
    await execute(file, "UPDATE tenants SET shared_secret = NULL");
    await (await openTestDatabase({ file, encryptionKeys: [KEY_3] })).ping();
  });
});
