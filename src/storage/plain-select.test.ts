import fc from "fast-check";
import { DataTypes } from "sequelize";
import { describe, expect, it, onTestFinished } from "vitest";

import { isPlain, selectPlainly } from "./plain-select.js";
import { connect } from "./sqlite-connection.js";
import { createTestFile, openTestDatabase } from "./test-database.fixture.js";

const COLUMNS = {
  theText: DataTypes.STRING,
  theNumber: DataTypes.INTEGER,
  isYes: DataTypes.BOOLEAN,
  theTime: DataTypes.DATE,
};
const TEXTS = ["", "a", "A", "it's", '"', "%", "$1", "é", "😀"];

const row = fc.record({
  theText: fc.option(fc.constantFrom(...TEXTS)),
  theNumber: fc.option(fc.integer({ min: -2, max: 2 })),
  isYes: fc.option(fc.boolean()),
  theTime: fc.option(
    fc.date({ min: new Date("2000-01-01"), max: new Date("2099-01-01"), noInvalidDate: true }),
  ),
});
const where = fc.record(
  {
    theText: fc.oneof(
      row.map(({ theText }) => theText),
      fc.array(fc.constantFrom(...TEXTS), { maxLength: 3 }),
    ),
    theNumber: row.map(({ theNumber }) => theNumber),
    isYes: row.map(({ isYes }) => isYes),
  },
  { requiredKeys: [] },
);

async function open() {
  const file = createTestFile();
  await openTestDatabase({ file });
  const sequelize = connect({ file, busyTimeoutMilliseconds: 1000, foreignKeys: true, tries: 1 });
  onTestFinished(() => sequelize.close());
  const options = { tableName: "things", timestamps: false, underscored: true };
  const things = sequelize.define("things", COLUMNS, options);
  await things.sync();
  return { sequelize, things };
}

describe("a plain selection", () => {
  it("answers what Sequelize answers, whatever is stored and asked for", async () => {
    const { sequelize, things } = await open();
    const source = { name: "things", columns: { id: DataTypes.INTEGER, ...COLUMNS } };
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 8 }),
        where,
        fc.option(fc.integer({ min: 1, max: 3 })),
        async (rows, conditions, limit) => {
          await things.destroy({ where: {} });
          await things.bulkCreate(rows);
          const query = { where: conditions, order: ["theText", "id"], ...(limit !== null && { limit }) };
          expect(isPlain(query)).toBe(true);
          const found = (await things.findAll(query)).map((model) => model.get({ plain: true }) as object);
          expect(await selectPlainly(sequelize, source, query)).toEqual(found);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each<[what: string, query: object]>([
    ["an operator", { where: { [Symbol("or")]: [] } }],
    ["an operator on a column", { where: { theNumber: { [Symbol("gte")]: 1 } } }],
    ["a time", { where: { theTime: new Date(0) } }],
    ["a list of something else than texts", { where: { theNumber: [1] } }],
    ["an order by largest first", { where: {}, order: [["theText", "DESC"]] }],
  ])("isn't made of %s", (_what, query) => {
    expect(isPlain(query as { where: unknown })).toBe(false);
  });

  it("sees what its own transaction has written, and nobody else does", async () => {
    const database = await openTestDatabase();
    await expect(
      database.write(async (stores) => {
        await stores.tokens.bind("hash", "use", new Date("2099-01-01"));
        expect(await stores.tokens.bind("hash", "another use", new Date("2099-01-01"))).toMatchObject({
          use: "use",
        });
        throw new Error("rolled back");
      }),
    ).rejects.toThrow("rolled back");
    const { isNew } = await database.write((stores) =>
      stores.tokens.bind("hash", "use", new Date("2099-01-01")),
    );
    expect(isNew).toBe(true);
  });

  it("asks Sequelize where its own way fails, which says what is wrong", async () => {
    const { sequelize } = await open();
    const source = { name: "nothing", columns: { id: DataTypes.INTEGER } };
    await expect(selectPlainly(sequelize, source, { where: {} })).rejects.toMatchObject({
      name: "SequelizeDatabaseError",
    });
  });

  it("leaves a connection that can be closed, and opened again", async () => {
    const file = createTestFile();
    for (const nth of [1, 2]) {
      const database = await openTestDatabase({ file });
      expect(await database.read.tenants.listEnabledOfSite("acme.atlassian.net", null), String(nth)).toEqual(
        [],
      );
      await database.close();
    }
  });
});
