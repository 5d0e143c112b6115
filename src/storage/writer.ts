import { Mutex, withTimeout, type MutexInterface } from "async-mutex";
import type { Sequelize } from "sequelize";

import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Session } from "./session.js";
import { toAppError } from "./storage-error.js";
import { TransactionSession } from "./transaction-session.js";

interface Dependencies {
  readonly connect: () => Sequelize;
  readonly queueTimeoutMilliseconds: number;
  readonly logger: Logger;
}

/**
 * The one place that writes: one transaction at a time, all on one connection. Writers of other processes are waited
 * for by SQLite (its busy timeout) while the transaction begins; once begun, it has the lock for good.
 *
 * Sequelize's own transactions are not used: each opens a connection, and the connection of one whose COMMIT fails is
 * never closed, so that it could hold the lock until the process ends.
 */
export class Writer {
  readonly #deps: Dependencies;
  readonly #queue: MutexInterface;
  #connection: Sequelize | null = null;
  #isClosed = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#queue = withTimeout(new Mutex(), deps.queueTimeoutMilliseconds);
  }

  /** All or nothing; what `work` throws is thrown on. `isFirst` goes before all that waits. Throws `store_unavailable`. */
  async transact<T>(work: (session: Session) => Promise<T>, { isFirst = false } = {}): Promise<T> {
    const leave = await this.#enterQueue(isFirst ? 1 : 0);
    try {
      const session = await this.#begin();
      try {
        const result = await work(session);
        await session.commit();
        return result;
      } catch (error) {
        await this.#rollBack(session);
        throw error;
      }
    } finally {
      leave();
    }
  }

  /** After the writes that wait already; one that takes too long is rolled back. */
  async close(): Promise<void> {
    const leave = await this.#enterQueue().catch(() => null);
    this.#isClosed = true;
    await this.#disconnect();
    leave?.();
  }

  async #enterQueue(priority = 0): Promise<() => void> {
    try {
      return await this.#queue.acquire(priority);
    } catch {
      throw unavailable("Other writes took too long.");
    }
  }

  async #begin(): Promise<TransactionSession> {
    if (this.#isClosed) throw unavailable("The database has been closed.");
    this.#connection ??= this.#deps.connect();
    try {
      // https://www.sqlite.org/lang_transaction.html: waits for the lock here, where nothing has happened yet.
      await this.#connection.query("BEGIN IMMEDIATE");
    } catch (error) {
      await this.#disconnect();
      throw toAppError(error);
    }
    return new TransactionSession(this.#connection);
  }

  async #rollBack(session: TransactionSession): Promise<void> {
    try {
      await session.rollback();
    } catch (error) {
      // SQLite has rolled back already, or can't: closing the connection does it in any case.
      this.#deps.logger.warn(
        { err: toAppError(error) },
        "replacing the database connection of a failed write",
      );
      await this.#disconnect();
    }
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection
      ?.close()
      .catch((error: unknown) =>
        this.#deps.logger.warn({ err: toAppError(error) }, "a database connection could not be closed"),
      );
  }
}

function unavailable(reason: string): AppError {
  return new AppError("store_unavailable", undefined, { reason });
}
