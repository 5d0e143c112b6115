import { col, fn, Op, type WhereOptions } from "sequelize";
import { z } from "zod";

import { EncryptionKeyError } from "./encryption-key-error.js";
import type { SecretBox, SecretPlace } from "./secret-box.js";
import type { Session } from "./session.js";
import { parseStored } from "./stored-data.js";

/** In the words of the database: the values are bound to table and column, so renaming these takes a migration. */
interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
  readonly primaryKey: string;
  /** The column that names the tenant, or else the row: what values are bound to. */
  readonly tenantId: string;
}

/** Every encrypted column there is: what is listed here is checked at the start and re-encrypted. */
export const ENCRYPTED_COLUMNS = {
  sharedSecret: { table: "tenants", column: "shared_secret", primaryKey: "id", tenantId: "id" },
  systemToken: { table: "forge_installations", column: "system_token", primaryKey: "id", tenantId: "id" },
  assertionPrivateKey: {
    table: "assertion_keys",
    column: "private_key",
    primaryKey: "kid",
    tenantId: "tenant_id",
  },
} as const satisfies Record<string, EncryptedColumn>;

const encryptedRow = z.object({ primaryKey: z.string(), tenantId: z.string(), value: z.string() });

const SAMPLES_PER_KEY = 10;

export function createPlace({ table, column }: EncryptedColumn, tenantId: string): SecretPlace {
  return { tenantId, column: `${table}.${column}` };
}

/** Throws EncryptionKeyError unless each key that the data was encrypted with is there and decrypts. */
export async function verifyEncryptionKeys(session: Session, secretBox: SecretBox): Promise<void> {
  for (const column of Object.values(ENCRYPTED_COLUMNS)) {
    const used = await listUsedKeyIds(session, column);
    const missing = used.filter((keyId) => !secretBox.keyIds.includes(keyId));
    if (missing.length > 0) throw EncryptionKeyError.missing(missing, secretBox.keyIds);
    for (const keyId of used) {
      const samples = await selectRows(
        session,
        column,
        { [column.column]: { [Op.startsWith]: `v1.${keyId}.` } },
        SAMPLES_PER_KEY,
      );
      if (!samples.some((row) => decrypts(secretBox, column, row))) {
        throw new EncryptionKeyError(
          `no value of ${column.table}.${column.column} under the key ${keyId} can be decrypted; the data was damaged.`,
        );
      }
    }
  }
}

/** Puts every encrypted value under the newest key, and answers how many were not. */
export async function reencryptAll(session: Session, secretBox: SecretBox): Promise<number> {
  const queries = session.sequelize.getQueryInterface();
  let reencrypted = 0;
  for (const column of Object.values(ENCRYPTED_COLUMNS)) {
    const rows = await selectRows(session, column, {
      [column.column]: { [Op.notLike]: `${secretBox.newestPrefix}%` },
    });
    for (const { primaryKey, tenantId, value } of rows) {
      const place = createPlace(column, tenantId);
      const renewed = secretBox.encrypt(secretBox.decrypt(value, place), place);
      await session.run(() =>
        queries.bulkUpdate(column.table, { [column.column]: renewed }, { [column.primaryKey]: primaryKey }),
      );
    }
    reencrypted += rows.length;
  }
  return reencrypted;
}

async function listUsedKeyIds(session: Session, { table, column }: EncryptedColumn): Promise<string[]> {
  const query = {
    attributes: [[fn("DISTINCT", fn("substr", col(column), 1, "v1.01234567.".length)), "prefix"]],
    where: { [column]: { [Op.not]: null } },
  };
  const rows = await session.run(() => session.sequelize.getQueryInterface().select(null, table, query));
  // A value without a key id is damaged, which is told where it is read; no key could help.
  return parseStored(z.array(z.object({ prefix: z.string() })), rows, table).flatMap(
    ({ prefix }) => /^v1\.(?<keyId>[0-9a-f]{8})\.$/.exec(prefix)?.groups?.["keyId"] ?? [],
  );
}

async function selectRows(
  session: Session,
  { table, column, primaryKey, tenantId }: EncryptedColumn,
  where: WhereOptions,
  limit?: number,
): Promise<z.output<typeof encryptedRow>[]> {
  const query = {
    attributes: [
      [primaryKey, "primaryKey"],
      [tenantId, "tenantId"],
      [column, "value"],
    ],
    where,
    ...(limit === undefined ? {} : { limit }),
  };
  const rows = await session.run(() => session.sequelize.getQueryInterface().select(null, table, query));
  return parseStored(z.array(encryptedRow), rows, table);
}

function decrypts(
  secretBox: SecretBox,
  column: EncryptedColumn,
  { tenantId, value }: z.output<typeof encryptedRow>,
): boolean {
  try {
    secretBox.decrypt(value, createPlace(column, tenantId));
    return true;
  } catch {
    return false;
  }
}
