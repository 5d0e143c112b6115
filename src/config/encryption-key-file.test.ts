import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ConfigError } from "./config.js";
import { isKeyFileOpenToOthers, loadOrCreateEncryptionKeyFile } from "./encryption-key-file.js";

describe("loadOrCreateEncryptionKeyFile", () => {
  let folder: string;
  let database: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "access-key-"));
    database = path.join(folder, "data", "app.sqlite");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("makes a key once, readable by its owner alone", () => {
    const keys = loadOrCreateEncryptionKeyFile(database);
    expect(keys).toEqual([expect.objectContaining({ length: 32 })]);
    expect(statSync(`${database}.key`).mode & 0o777).toBe(0o600);
    expect(loadOrCreateEncryptionKeyFile(database)).toEqual(keys);
    expect(isKeyFileOpenToOthers(database)).toBe(false);
  });

  it.each([
    [0o640, false],
    [0o400, false],
    [0o644, true],
    [0o602, true],
  ])("notices when others may use it: mode %o, %s", (mode, isOpen) => {
    loadOrCreateEncryptionKeyFile(database);
    chmodSync(`${database}.key`, mode);
    expect(isKeyFileOpenToOthers(database)).toBe(isOpen);
  });

  it("does not replace the lost key of an existing database", () => {
    loadOrCreateEncryptionKeyFile(database);
    rmSync(`${database}.key`);
    writeFileSync(database, "rows");
    expect(() => loadOrCreateEncryptionKeyFile(database)).toThrow(
      /ENCRYPTION_KEYS: .* exists, but its key file/,
    );
    expect(existsSync(`${database}.key`)).toBe(false);
    expect(readFileSync(database, "utf8")).toBe("rows");
  });

  it.each([
    ["the database is a folder", () => mkdirSync(database, { recursive: true })],
    ["their folder is a file", () => writeFileSync(path.dirname(database), "")],
  ])("makes none, and says so in a sentence, when %s", (_, make) => {
    make();
    const before = readdirSync(folder, { recursive: true });
    expect(() => loadOrCreateEncryptionKeyFile(database)).toThrow(/^DATABASE_URL: [^\n]+\.$/);
    expect(() => loadOrCreateEncryptionKeyFile(database)).toThrow(ConfigError);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  it("takes several keys, newest first, as ENCRYPTION_KEYS does", () => {
    const [old] = loadOrCreateEncryptionKeyFile(database);
    const newest = Buffer.alloc(32, 9);
    writeFileSync(`${database}.key`, `${newest.toString("base64")},${old!.toString("base64")}\n`);
    expect(loadOrCreateEncryptionKeyFile(database)).toEqual([newest, old]);
  });

  it("refuses a damaged key file", () => {
    loadOrCreateEncryptionKeyFile(database);
    chmodSync(`${database}.key`, 0o600);
    writeFileSync(`${database}.key`, "short");
    expect(() => loadOrCreateEncryptionKeyFile(database)).toThrow(/32 bytes/);
  });
});
