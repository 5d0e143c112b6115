import path from "node:path";
import { z } from "zod";

import type { Clock } from "../clock.js";
import type { Logger } from "../logger.js";
import type { Database, ReadStores, WriteStores } from "../stores.js";
import { createDatabaseFile } from "./database-file.js";
import { reencryptAll, verifyEncryptionKeys } from "./encrypted-columns.js";
import { migrate } from "./migrate.js";
import { SecretBox } from "./secret-box.js";
import { ReadSession, type Session } from "./session.js";
import { SqlAssertionKeyReader, SqlAssertionKeyStore } from "./sql-assertion-key-store.js";
import { SqlNewsMarkReader, SqlNewsMarkStore } from "./sql-news-mark-store.js";
import { SqlAuditReader, SqlAuditStore } from "./sql-audit-store.js";
import { SqlConsentReader, SqlConsentStore } from "./sql-consent-store.js";
import { SqlForgeInstallationReader, SqlForgeInstallationStore } from "./sql-forge-installation-store.js";
import { SqlLinkAttemptReader, SqlLinkAttemptStore } from "./sql-link-attempt-store.js";
import { SqlLinkReader, SqlLinkStore } from "./sql-link-store.js";
import { SqlRemovedLinkStore } from "./sql-removed-link-store.js";
import { SqlServiceUseReader, SqlServiceUseStore } from "./sql-service-use-store.js";
import { SqlSettingsReader, SqlSettingsStore } from "./sql-settings-store.js";
import { SqlTenantReader, SqlTenantStore } from "./sql-tenant-store.js";
import { SqlTokenLedger } from "./sql-token-ledger.js";
import { connect, switchToWriteAheadLog } from "./sqlite-connection.js";
import { parseStored } from "./stored-data.js";
import { toAppError } from "./storage-error.js";
import { Writer } from "./writer.js";

export interface OpenDatabaseOptions {
  /** The SQLite file; it and its directory are made if they are missing. */
  readonly file: string;
  /** Newest first, 32 bytes each. */
  readonly encryptionKeys: readonly Buffer[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: WaitLimits;
}

/** How long a write waits before it is refused with `store_unavailable`. */
export interface WaitLimits {
  /** For the writes of this process that came before. */
  readonly queueTimeoutMilliseconds: number;
  /** For another process, which is tried twice. */
  readonly busyTimeoutMilliseconds: number;
}

export interface OpenDatabase extends Database {
  /** Reads something. Throws AppError `store_unavailable`. */
  ping(): Promise<void>;
  /** Puts every encrypted value under the newest key, while the app runs, and answers how many were not. */
  reencrypt(): Promise<{ reencrypted: number }>;
  /** After the writes that wait already; whatever comes later is refused. */
  close(): Promise<void>;
}

const WAIT_LIMITS: WaitLimits = { queueTimeoutMilliseconds: 10_000, busyTimeoutMilliseconds: 2_500 };

// Several processes that start on a new file at once change its mode one after the other.
const TRIES = { usually: 2, switchingMode: 10 };

const checkpointRows = z.array(z.object({ busy: z.int() }));

/**
 * Creates, migrates and checks the database. Throws EncryptionKeyError and DatabaseTooNewError, both with nothing
 * changed, and AppError `store_unavailable`.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const { encryptionKeys, clock, logger, limits = WAIT_LIMITS } = options;
  const secretBox = new SecretBox(encryptionKeys);
  const file = path.resolve(options.file);
  const connection = { file, ...limits, foreignKeys: true, tries: TRIES.usually };
  const createWriter = (foreignKeys: boolean) =>
    new Writer({ ...limits, logger, connect: () => connect({ ...connection, foreignKeys }) });

  createDatabaseFile(file);
  await switchToWriteAheadLog({ ...connection, tries: TRIES.switchingMode });
  const migrator = createWriter(false);
  try {
    const applied = await migrator.transact(async (session) => {
      const names = await migrate(session);
      await verifyEncryptionKeys(session, secretBox);
      return names;
    });
    if (applied.length > 0) logger.info({ migrations: applied }, "migrated the database");
  } finally {
    await migrator.close();
  }

  const reader = new ReadSession(connect(connection));
  const read = createReadStores(reader, secretBox);
  const writer = createWriter(true);
  const ping = async () => {
    await read.tenants.findById("");
  };
  let closed: Promise<void> | null = null;
  const overwriteDeleted = async () => {
    try {
      // https://www.sqlite.org/pragma.html#pragma_wal_checkpoint: until then, what secure_delete has overwritten in the
      // database stands in the log beside it.
      const [rows] = await reader.sequelize.query("PRAGMA wal_checkpoint(TRUNCATE)");
      const [{ busy } = { busy: null }] = parseStored(checkpointRows, rows, "the answer to a checkpoint");
      if (busy !== 0) logger.warn({}, "the write-ahead log could not be emptied: another process uses it");
    } catch (error) {
      logger.warn({ err: toAppError(error) }, "the write-ahead log could not be emptied");
    }
  };
  const reencrypt = async () => {
    const reencrypted = await writer.transact((session) => reencryptAll(session, secretBox));
    // What the old keys can read is to be gone, not only out of use: one of them may be the reason for all this.
    if (reencrypted > 0) await overwriteDeleted();
    return { reencrypted };
  };
  const close = async () => {
    await writer.close();
    await reader.sequelize.close();
  };
  await ping();
  return {
    read,
    ping,
    write: (work) => writer.transact((session) => work(createWriteStores(session, secretBox, clock))),
    writeFirst: (work) =>
      writer.transact((session) => work(createWriteStores(session, secretBox, clock)), { isFirst: true }),
    overwriteDeleted,
    reencrypt,
    close: () => (closed ??= close()),
  };
}

function createReadStores(session: Session, secretBox: SecretBox): ReadStores {
  return {
    tenants: new SqlTenantReader(session, secretBox),
    forgeInstallations: new SqlForgeInstallationReader(session, secretBox),
    settings: new SqlSettingsReader(session),
    links: new SqlLinkReader(session),
    attempts: new SqlLinkAttemptReader(session),
    consents: new SqlConsentReader(session),
    serviceUse: new SqlServiceUseReader(session),
    newsMarks: new SqlNewsMarkReader(session),
    assertionKeys: new SqlAssertionKeyReader(session, secretBox),
    audit: new SqlAuditReader(session),
  };
}

function createWriteStores(session: Session, secretBox: SecretBox, clock: Clock): WriteStores {
  return {
    tenants: new SqlTenantStore(session, secretBox, clock),
    forgeInstallations: new SqlForgeInstallationStore(session, secretBox),
    settings: new SqlSettingsStore(session, clock),
    links: new SqlLinkStore(session),
    removedLinks: new SqlRemovedLinkStore(session),
    attempts: new SqlLinkAttemptStore(session),
    consents: new SqlConsentStore(session),
    serviceUse: new SqlServiceUseStore(session),
    newsMarks: new SqlNewsMarkStore(session),
    assertionKeys: new SqlAssertionKeyStore(session, secretBox),
    audit: new SqlAuditStore(session),
    tokens: new SqlTokenLedger(session),
  };
}
