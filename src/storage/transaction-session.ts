import { Mutex } from "async-mutex";
import type { Sequelize } from "sequelize";

import { AppError } from "../errors.js";
import type { Session } from "./session.js";
import { toAppError, UniqueViolation } from "./storage-error.js";

/**
 * One transaction on a connection of its own. Statements go one after the other, and none after the end or after a
 * failure: SQLite rolls some failures back by itself (https://www.sqlite.org/lang_transaction.html, "Response To
 * Errors Within A Transaction"), and what came afterwards would be stored alone, outside any transaction.
 */
export class TransactionSession implements Session {
  readonly sequelize: Sequelize;
  readonly #turn = new Mutex();
  #failure: AppError | null = null;

  /** On a connection that has begun the transaction. */
  constructor(sequelize: Sequelize) {
    this.sequelize = sequelize;
  }

  async run<T>(statement: () => Promise<T>): Promise<T> {
    return this.#turn.runExclusive(async () => {
      if (this.#failure) throw this.#failure;
      try {
        return await statement();
      } catch (error) {
        const failure = toAppError(error);
        // A violated constraint undoes its own statement only.
        if (!(failure instanceof UniqueViolation)) this.#failure = failure;
        throw failure;
      }
    });
  }

  /** Throws the first failure, also when the caller has swallowed it. */
  async commit(): Promise<void> {
    await this.run(async () => {
      await this.sequelize.query("COMMIT");
      this.#failure = finished();
    });
  }

  async rollback(): Promise<void> {
    await this.#turn.runExclusive(async () => {
      this.#failure = finished();
      await this.sequelize.query("ROLLBACK");
    });
  }
}

function finished(): AppError {
  const reason = "A store was used after the write that it belonged to had finished.";
  return new AppError("store_unavailable", undefined, { reason });
}
