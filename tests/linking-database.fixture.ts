import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { QueryTypes, type Sequelize } from "sequelize";

import { connect } from "../src/storage/sqlite-connection.js";

export type Row = Readonly<Record<string, unknown>>;

const TABLES = [
  "tenants",
  "forge_installations",
  "settings",
  "links",
  "removed_links",
  "consents",
  "link_attempts",
  "news_marks",
  "assertion_keys",
  "audit_events",
  "spent_tokens",
] as const;

/** The app's database as somebody with the file sees it, in a folder of its own. */
export class DatabaseFile {
  readonly file: string;
  readonly #folder: string;
  readonly #sequelize: Sequelize;

  private constructor(folder: string) {
    this.#folder = folder;
    this.file = path.join(folder, "app.sqlite");
    this.#sequelize = connect({
      file: this.file,
      busyTimeoutMilliseconds: 1_000,
      foreignKeys: true,
      tries: 1,
    });
  }

  static async create(): Promise<DatabaseFile> {
    return new DatabaseFile(await mkdtemp(path.join(tmpdir(), "linking-test-")));
  }

  async select(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#sequelize.query<Row>(sql, { replacements: [...values], type: QueryTypes.SELECT });
  }

  async execute(sql: string, values: readonly unknown[] = []): Promise<void> {
    await this.#sequelize.query(sql, { replacements: [...values] });
  }

  /** The rows of one table that belong to the tenants of a site. */
  async ofSite(
    table: Exclude<(typeof TABLES)[number], "tenants" | "spent_tokens">,
    host: string,
  ): Promise<Row[]> {
    return this.select(
      `SELECT * FROM ${table} WHERE tenant_id IN (SELECT id FROM tenants WHERE site = ?) ORDER BY rowid`,
      [host],
    );
  }

  /** Every row of every table, but for the counts of how services are used, which grow in the background. */
  async snapshot(): Promise<Record<string, Row[]>> {
    const tables: Record<string, Row[]> = {};
    for (const table of TABLES) tables[table] = await this.select(`SELECT * FROM ${table} ORDER BY rowid`);
    return tables;
  }

  /** The database with its write-ahead log, and whatever else lies beside them. */
  async bytes(): Promise<Buffer> {
    const files = await readdir(this.#folder);
    return Buffer.concat(await Promise.all(files.map((name) => readFile(path.join(this.#folder, name)))));
  }

  async close(): Promise<void> {
    await this.#sequelize.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A moment as the database writes it. */
export function storedTime(at: Date): string {
  return at.toISOString().replace("T", " ").replace("Z", " +00:00");
}
