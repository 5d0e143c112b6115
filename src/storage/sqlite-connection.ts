import { Sequelize } from "sequelize";
import sqlite3 from "sqlite3";

import { toAppError } from "./storage-error.js";

export interface ConnectionOptions {
  readonly file: string;
  readonly busyTimeoutMilliseconds: number;
  /** Off only while migrating. */
  readonly foreignKeys: boolean;
  /** How often a statement is tried that found the file locked, and waited for it in vain. */
  readonly tries: number;
}

/** Statements that are prepared once. */
export interface PreparedStatements {
  /** Answers the rows, if there are any. */
  runPrepared(sql: string, values: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

const preparedStatements = new WeakMap<Sequelize, PreparedStatements>();

/** Null until the connection is open. */
export function findPreparedStatements(sequelize: Sequelize): PreparedStatements | null {
  return preparedStatements.get(sequelize) ?? null;
}

/** Opens with the first statement, and then keeps, one connection to a file that exists. */
export function connect({ file, busyTimeoutMilliseconds, foreignKeys, tries }: ConnectionOptions): Sequelize {
  const pragmas = [
    `PRAGMA busy_timeout = ${busyTimeoutMilliseconds}`,
    `PRAGMA foreign_keys = ${foreignKeys ? "ON" : "OFF"}`,
    // What was answered with success survives a power cut: https://www.sqlite.org/pragma.html#pragma_synchronous
    "PRAGMA synchronous = FULL",
    // What was erased is overwritten, not only unlinked from the table.
    "PRAGMA secure_delete = ON",
  ].join("; ");

  // Sequelize runs no hook when it opens a connection to SQLite, so the driver's own class does it.
  class PreparedDatabase extends sqlite3.Database implements PreparedStatements {
    #isOpen = false;
    readonly #statements = new Map<string, Promise<sqlite3.Statement>>();
    readonly #unfinalized = new Set<sqlite3.Statement>();

    constructor(filename: string, mode: number, callback: (error: Error | null) => void) {
      super(filename, mode, (error) => {
        if (error) {
          callback(error);
          return;
        }
        this.#isOpen = true;
        this.exec(pragmas, (failure) => {
          // Sequelize would go on with a connection that opened, but lacks these.
          if (failure) {
            this.close(() => callback(failure));
            return;
          }
          preparedStatements.set(sequelize, this);
          callback(null);
        });
      });
    }

    async runPrepared(sql: string, values: readonly unknown[]): Promise<Record<string, unknown>[]> {
      const statement = await this.#prepareOnce(sql);
      return new Promise((resolve, reject) => {
        statement.all<Record<string, unknown>>(values, (error, rows) => {
          if (error) reject(error);
          else resolve(rows);
        });
      });
    }

    #prepareOnce(sql: string): Promise<sqlite3.Statement> {
      const known = this.#statements.get(sql);
      if (known) return known;
      // The driver never answers whoever runs a statement that couldn't be prepared.
      const preparing = new Promise<sqlite3.Statement>((resolve, reject) => {
        const statement = this.prepare(sql, (error) => {
          if (!error) {
            resolve(statement);
            return;
          }
          this.#statements.delete(sql);
          this.#unfinalized.delete(statement);
          reject(error);
        });
        this.#unfinalized.add(statement);
      });
      this.#statements.set(sql, preparing);
      return preparing;
    }

    // The driver never answers when one that didn't open is closed.
    override close(callback?: (error: Error | null) => void): void {
      preparedStatements.delete(sequelize);
      // SQLite closes no connection that has statements left.
      for (const statement of this.#unfinalized) statement.finalize();
      this.#unfinalized.clear();
      this.#statements.clear();
      if (this.#isOpen) super.close(callback);
      else callback?.(null);
      this.#isOpen = false;
    }
  }

  const options = {
    dialect: "sqlite" as const,
    storage: file,
    dialectModule: { ...sqlite3, Database: PreparedDatabase },
    // Without OPEN_CREATE: a file that went away must not come back empty.
    dialectOptions: { mode: sqlite3.OPEN_READWRITE },
    // Sequelize's own `PRAGMA foreign_keys` has no callback: an error there would end the process.
    foreignKeys: false,
    logging: false,
    retry: { match: [/SQLITE_BUSY/], max: tries },
  };
  const sequelize = new Sequelize(options);
  return sequelize;
}

/**
 * Readers then never wait for the writer (https://www.sqlite.org/wal.html). The mode stays with the file. SQLite
 * doesn't wait for a process that switches at the same time, so this wants several tries.
 */
export async function switchToWriteAheadLog(options: ConnectionOptions): Promise<void> {
  const sequelize = connect(options);
  try {
    const [rows] = await sequelize.query("PRAGMA journal_mode = WAL");
    if (JSON.stringify(rows) !== '[{"journal_mode":"wal"}]') {
      throw new Error("The file system of the database doesn't support SQLite's write-ahead log.");
    }
  } catch (error) {
    throw toAppError(error);
  } finally {
    await sequelize.close();
  }
}
