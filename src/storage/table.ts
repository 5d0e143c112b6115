import {
  literal,
  type DataType,
  type Model,
  type ModelStatic,
  type Order,
  type WhereOptions,
} from "sequelize";
import type { z } from "zod";

import { AppError } from "../errors.js";
import { insertPlainly } from "./plain-insert.js";
import { isPlain, selectPlainly } from "./plain-select.js";
import type { Session } from "./session.js";
import { parseStored } from "./stored-data.js";

export interface TableDefinition<Row> {
  readonly name: string;
  readonly primaryKey: keyof Row & string;
  /** Attributes in camel case; the columns are the same in snake case. */
  readonly columns: Readonly<Record<keyof Row & string, DataType>>;
  /** Every row that is read is checked against this. */
  readonly row: z.ZodType<Row>;
}

/** A table as one session sees it. Rows are plain objects. */
export class Table<Row extends object> {
  readonly #session: Session;
  readonly #definition: TableDefinition<Row>;
  readonly #model: ModelStatic<Model>;

  constructor(session: Session, definition: TableDefinition<Row>) {
    this.#session = session;
    this.#definition = definition;
    this.#model = getModel(session, definition);
  }

  async find(where: WhereOptions): Promise<Row | null> {
    const [row] = await this.list({ where, limit: 1 });
    return row ?? null;
  }

  async list(query: { where: WhereOptions; order?: Order; limit?: number }): Promise<Row[]> {
    if (!isStorable(query.where)) return [];
    const { name, primaryKey, row } = this.#definition;
    if (isPlain(query)) {
      const rows = await this.#session.run(() =>
        selectPlainly(this.#session.sequelize, this.#definition, query),
      );
      return rows.map((each) => parseStored(row, each, `the row ${String(each[primaryKey])} of ${name}`));
    }
    const models = await this.#session.run(() => this.#model.findAll(query));
    return models.map((model) =>
      parseStored(row, model.get({ plain: true }), `the row ${String(model.get(primaryKey))} of ${name}`),
    );
  }

  async count(where: WhereOptions): Promise<number> {
    if (!isStorable(where)) return 0;
    return this.#session.run(() => this.#model.count({ where }));
  }

  /** How many rows there are for each value of a column of text; values without any are left out. */
  async countBy(column: keyof Row & string, where: WhereOptions): Promise<ReadonlyMap<string, number>> {
    if (!isStorable(where)) return new Map();
    const attributes = [column];
    const groups = await this.#session.run(() => this.#model.count({ where, attributes, group: attributes }));
    return new Map(groups.map(({ [column]: value, count }) => [String(value), count]));
  }

  /** Columns that the database fills in may be left out. */
  async insert(row: Partial<Row>): Promise<void> {
    requireStorable(row);
    await this.#session.run(() => this.#model.create(row));
  }

  async insertAll(rows: readonly Partial<Row>[]): Promise<void> {
    rows.forEach(requireStorable);
    for (let start = 0; start < rows.length; start += INSERTED_AT_ONCE) {
      const some = rows.slice(start, start + INSERTED_AT_ONCE);
      await this.#session.run(async () => {
        const isInserted = await insertPlainly(this.#session.sequelize, this.#definition, some);
        if (!isInserted) await this.#model.bulkCreate(some);
      });
    }
  }

  /** Answers how many rows there were to update. */
  async update(where: WhereOptions, changes: Partial<Row>): Promise<number> {
    requireStorable(changes);
    if (!isStorable(where)) return 0;
    const [count] = await this.#session.run(() => this.#model.update(changes, { where }));
    return count;
  }

  /** Adds to numbers, and lays changes over the rest. Answers how many rows there were to update. */
  async increment(
    where: WhereOptions,
    amounts: Readonly<Partial<Record<keyof Row & string, number>>>,
    changes: Partial<Row>,
  ): Promise<number> {
    requireStorable(changes);
    if (!isStorable(where)) return 0;
    const queries = this.#session.sequelize.getQueryInterface();
    const fields = this.#model.getAttributes();
    const sums = Object.entries<number | undefined>(amounts).map(([column, amount]) => {
      const field = queries.quoteIdentifier(fields[column]?.field ?? column);
      return [column, literal(`${field} + ${Number(amount)}`)] as const;
    });
    const [count] = await this.#session.run(() =>
      this.#model.update({ ...changes, ...Object.fromEntries(sums) }, { where }),
    );
    return count;
  }

  async delete(where: WhereOptions): Promise<number> {
    if (!isStorable(where)) return 0;
    return this.#session.run(() => this.#model.destroy({ where }));
  }
}

function getModel<Row>({ sequelize }: Session, definition: TableDefinition<Row>): ModelStatic<Model> {
  const { name, primaryKey, columns } = definition;
  if (sequelize.isDefined(name)) return sequelize.model(name);
  const attributes = Object.entries<DataType>(columns).map(
    ([column, type]) => [column, { type, primaryKey: column === primaryKey }] as const,
  );
  return sequelize.define(name, Object.fromEntries(attributes), {
    tableName: name,
    timestamps: false,
    underscored: true,
  });
}

/** Statements have a longest length. */
const INSERTED_AT_ONCE = 200;

// A statement ends at NUL, and all lone surrogates become the same replacement character: no row can be named by them.
const UNSTORABLE_TEXT = /[\0\p{Surrogate}]/u;

// SQLite compares times as text, which holds for years of four digits.
const TIMES = { first: Date.parse("0000-01-01T00:00:00Z"), last: Date.parse("9999-12-31T23:59:59.999Z") };

function isStorable(value: unknown): boolean {
  if (typeof value === "string") return !UNSTORABLE_TEXT.test(value);
  if (value instanceof Date) return value.getTime() >= TIMES.first && value.getTime() <= TIMES.last;
  if (typeof value !== "object" || value === null) return true;
  // Operators of Sequelize are symbols.
  return Reflect.ownKeys(value).every((key) => isStorable(Reflect.get(value, key)));
}

function requireStorable(row: object): void {
  if (!isStorable(row)) {
    throw new AppError("malformed_request", "A text or a time has a value that can't be stored.");
  }
}
