import { onTestFinished } from "vitest";
import type { Sequelize } from "sequelize";

import { connect } from "./sqlite-connection.js";

/** Somebody else's connection, closed when the test ends. */
export function connectAside(file: string): Sequelize {
  const sequelize = connect({ file, busyTimeoutMilliseconds: 1_000, foreignKeys: true, tries: 1 });
  onTestFinished(() => sequelize.close());
  return sequelize;
}

export async function execute(file: string, sql: string): Promise<unknown[]> {
  const [rows] = await connectAside(file).query(sql);
  return rows;
}
