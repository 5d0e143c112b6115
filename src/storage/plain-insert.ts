import { types } from "node:util";
import { DataTypes, type DataType, type Sequelize } from "sequelize";

import { toColumn, type Source } from "./plain-select.js";
import { findPreparedStatements } from "./sqlite-connection.js";

/**
 * Stores what `bulkCreate` would, in a tenth of its time, with one statement that is prepared once. All rows have the
 * same attributes. False when nothing was done, because the connection isn't open yet; what goes wrong is thrown, and
 * never tried again: SQLite may have ended the transaction.
 */
export async function insertPlainly(
  sequelize: Sequelize,
  { name, columns }: Source,
  rows: readonly object[],
): Promise<boolean> {
  const statements = findPreparedStatements(sequelize);
  const [first] = rows;
  if (!statements || !first) return false;
  const attributes = Object.keys(first);
  const values = rows.map((row) =>
    attributes.map((attribute) => format(columns[attribute], Reflect.get(row, attribute))),
  );
  const fields = attributes.map((_, index) => `json_extract(value, '$[${index}]')`);
  const sql = `INSERT INTO ${name} (${attributes.map((each) => `"${toColumn(each)}"`).join(", ")})
    SELECT ${fields.join(", ")} FROM json_each($1) ORDER BY key`;
  await statements.runPrepared(sql, [JSON.stringify(values)]);
  return true;
}

/** As Sequelize does. */
function format(type: DataType | undefined, value: unknown): unknown {
  if (type !== DataTypes.DATE || !types.isDate(value)) return value;
  return value.toISOString().replace("T", " ").replace("Z", " +00:00");
}
