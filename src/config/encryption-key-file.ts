import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

import { ConfigError } from "./config.js";
import { encryptionKeys } from "./values.js";

/**
 * The encryption key of a deployment that doesn't bring its own: made once, mode 0600, in `<database file>.key`, a list
 * like ENCRYPTION_KEYS.
 * The key is always written before the database, so a database without a key file has lost its key: then a new key
 * would only hide the loss, and this throws ConfigError instead. So it does when there can be no file.
 */
export function loadOrCreateEncryptionKeyFile(databaseFile: string): readonly Buffer[] {
  const keyFile = `${databaseFile}.key`;
  const keys = encryptionKeys.safeParse(readOrCreate(keyFile, databaseFile));
  if (!keys.success) {
    throw new ConfigError(
      keys.error.issues.map(({ message }) => `ENCRYPTION_KEYS: in the key file ${keyFile}, ${message}`),
    );
  }
  return keys.data;
}

/** It was made for its owner alone; a copy that was put back may not be. */
export function isKeyFileOpenToOthers(databaseFile: string): boolean {
  return ((statSync(`${databaseFile}.key`, { throwIfNoEntry: false })?.mode ?? 0) & 0o007) !== 0;
}

function readOrCreate(keyFile: string, databaseFile: string): string {
  try {
    // In this order: another process may be making both.
    const hasData = holdsData(databaseFile);
    if (!existsSync(keyFile)) {
      if (hasData) {
        throw new ConfigError([
          `ENCRYPTION_KEYS: the database ${databaseFile} exists, but its key file ${keyFile} does not. ` +
            "Restore that file, or set ENCRYPTION_KEYS to the key that the data was encrypted with.",
        ]);
      }
      createKeyFile(keyFile);
    }
    return readFileSync(keyFile, "utf8");
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error)) throw error;
    const problem = `DATABASE_URL: the key file ${keyFile} can't be read or made there (${error.message}).`;
    throw new ConfigError([problem], { cause: error });
  }
}

function holdsData(databaseFile: string): boolean {
  const found = statSync(databaseFile, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw new ConfigError([`DATABASE_URL: ${databaseFile} is a folder, not a file.`]);
  return (found?.size ?? 0) > 0;
}

/** Atomically, so that of several processes that start at once all use the same key. */
function createKeyFile(keyFile: string): void {
  mkdirSync(path.dirname(keyFile), { recursive: true, mode: 0o700 });
  const draft = `${keyFile}.${randomUUID()}`;
  writeFileSync(draft, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, keyFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
}
