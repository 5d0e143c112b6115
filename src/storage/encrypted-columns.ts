import { col, fn, Op, type WhereOptions } from "sequelize";

import { createMissingKeyError, findKeyId, type SecretBox } from "./secret-box.js";
import type { Session } from "./session.js";
import { parseStored } from "./stored-data.js";

/** In the words of the database, which the values are bound to: renaming one takes a migration. */
interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
  readonly primaryKey: string;
  /** Column that names the tenant. */
  readonly tenantId: string;
}

/** Every encrypted column of the database. */
const ENCRYPTED_COLUMNS: readonly EncryptedColumn[] = [
  { table: "tenants", column: "shared_secret", primaryKey: "id", tenantId: "id" },
];
