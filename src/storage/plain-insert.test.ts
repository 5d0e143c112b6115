import fc from "fast-check";
import { DataTypes, type Sequelize } from "sequelize";
import { expect, it, onTestFinished } from "vitest";

import { insertPlainly } from "./plain-insert.js";
import { connect } from "./sqlite-connection.js";
import { createTestFile, openTestDatabase } from "./test-database.fixture.js";

const COLUMNS = { theText: DataTypes.TEXT, theNumber: DataTypes.INTEGER, theTime: DataTypes.DATE };
const THINGS = { name: "things", columns: COLUMNS };
const TEXTS = ["", "it's", '"', "[1]", '{"a":null}', "null", "12", "é", "😀", "$[0]", "\n"];

const row = fc.record({
  theText: fc.option(fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: "grapheme" }))),
  theNumber: fc.option(fc.maxSafeInteger()),
  theTime: fc.option(
    fc.date({ min: new Date("0000-01-01"), max: new Date("9999-01-01"), noInvalidDate: true }),
  ),
});

async function open() {
  const file = createTestFile();
  await openTestDatabase({ file });
  const sequelize = connect({ file, busyTimeoutMilliseconds: 1000, foreignKeys: true, tries: 1 });
  onTestFinished(() => sequelize.close());
  const things = sequelize.define("things", COLUMNS, {
    tableName: "things",
    timestamps: false,
    underscored: true,
  });
  return { sequelize, things };
}

const readAll = async (sequelize: Sequelize) => {
  const [rows] = await sequelize.query(
    "SELECT the_text, the_number, the_time, typeof(the_number) AS type FROM things ORDER BY id",
  );
  return rows;
};

it("stores what Sequelize stores, in the same order", async () => {
  const { sequelize, things } = await open();
  await things.sync();
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async (rows) => {
      await things.destroy({ where: {} });
      await things.bulkCreate(rows);
      const expected = await readAll(sequelize);
      await things.destroy({ where: {} });
      expect(await insertPlainly(sequelize, THINGS, rows)).toBe(true);
      expect(await readAll(sequelize)).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

it("leaves it to Sequelize to open a connection", async () => {
  const { sequelize } = await open();
  expect(await insertPlainly(sequelize, THINGS, [{ theText: "a" }])).toBe(false);
});

it("says what is wrong in SQLite's words, and tries no second time", async () => {
  const { sequelize } = await open();
  await sequelize.query("CREATE TABLE things (the_text TEXT UNIQUE)");
  const twice = insertPlainly(sequelize, THINGS, [{ theText: "a" }, { theText: "a" }]);
  await expect(twice).rejects.toMatchObject({
    code: "SQLITE_CONSTRAINT",
    message: "SQLITE_CONSTRAINT: UNIQUE constraint failed: things.the_text",
  });
  await expect(
    insertPlainly(sequelize, { ...THINGS, name: "no_such_things" }, [{ theText: "a" }]),
  ).rejects.toThrow("no such table");
});
