import type { Sequelize } from "sequelize";

import { toAppError } from "./storage-error.js";

/** The connection that a set of stores works on, and the one way to send something over it. */
export interface Session {
  readonly sequelize: Sequelize;
  /** What goes wrong is thrown as an AppError. */
  run<T>(statement: () => Promise<T>): Promise<T>;
}

/** Each statement for itself; it sees what was committed when it began. */
export class ReadSession implements Session {
  readonly sequelize: Sequelize;

  constructor(sequelize: Sequelize) {
    this.sequelize = sequelize;
  }

  async run<T>(statement: () => Promise<T>): Promise<T> {
    try {
      return await statement();
    } catch (error) {
      throw toAppError(error);
    }
  }
}
