import { QueryTypes, type QueryInterface } from "sequelize";
import { SequelizeStorage, Umzug } from "umzug";

import * as initialSchema from "./migrations/0001-initial-schema.js";
import * as removedLinks from "./migrations/0002-removed-links.js";
import * as consents from "./migrations/0003-consents.js";
import * as serviceUse from "./migrations/0004-service-use.js";
import * as assertionKeys from "./migrations/0005-assertion-keys.js";
import * as forgeInstallations from "./migrations/0006-forge-installations.js";
import type { Session } from "./session.js";

export interface Migration {
  /** Recorded in the database for good. */
  readonly name: string;
  readonly up: (queries: QueryInterface) => Promise<void>;
}

/** In order. One that was released is never changed. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "0001-initial-schema", up: initialSchema.up },
  { name: "0002-removed-links", up: removedLinks.up },
  { name: "0003-consents", up: consents.up },
  { name: "0004-service-use", up: serviceUse.up },
  { name: "0005-assertion-keys", up: assertionKeys.up },
  { name: "0006-forge-installations", up: forgeInstallations.up },
];

/** The database was used by a newer version of the app, which this one must not write to. */
export class DatabaseTooNewError extends Error {
  constructor(unknownMigrations: readonly string[]) {
    super(
      `DATABASE_URL: the database was changed by a newer version of the app (${unknownMigrations.join(", ")}). ` +
        "Run that version, or restore a backup. Nothing was changed.",
    );
    this.name = "DatabaseTooNewError";
  }
}

/**
 * Brings the schema up to date and answers the names of the migrations that ran. It reads what has run inside the
 * caller's transaction, so of several processes the later ones find nothing left to do, and one that is killed leaves
 * the schema as it was. Throws DatabaseTooNewError.
 */
export async function migrate(
  session: Session,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  const { sequelize } = session;
  const storage = new SequelizeStorage({ sequelize, modelName: "migrations", tableName: "migrations" });
  const recorded = await session.run(() => storage.executed());
  const unknown = recorded.filter((name) => migrations.every((migration) => migration.name !== name));
  if (unknown.length > 0) throw new DatabaseTooNewError(unknown);

  const queries = sequelize.getQueryInterface();
  const umzug = new Umzug({
    migrations: migrations.map(({ name, up }) => ({ name, up: () => up(queries) })),
    storage,
    logger: undefined,
  });
  const done = await session.run(() => umzug.up());
  await session.run(async () => {
    // https://www.sqlite.org/lang_altertable.html#otheralter: keys aren't enforced while tables are rebuilt.
    const broken = await sequelize.query("PRAGMA foreign_key_check", { type: QueryTypes.SELECT });
    if (broken.length > 0) throw new Error("A migration left rows that refer to nothing.");
  });
  return done.map(({ name }) => name);
}
