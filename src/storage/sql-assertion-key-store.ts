import { DataTypes, Op } from "sequelize";
import { z } from "zod";

import type {
  AssertionKey,
  AssertionKeyReader,
  AssertionKeyStore,
  PublishedKey,
} from "../assertions/assertion-key.js";
import { createPlace, ENCRYPTED_COLUMNS } from "./encrypted-columns.js";
import type { SecretBox } from "./secret-box.js";
import type { Session } from "./session.js";
import { parseStoredJson } from "./stored-data.js";
import { Table, type TableDefinition } from "./table.js";

const row = z.object({
  kid: z.string(),
  tenantId: z.string(),
  publicKey: z.string(),
  privateKey: z.string(),
  createdAt: z.date(),
  signsFrom: z.date(),
  expiresAt: z.date().nullable(),
});

type AssertionKeyRow = z.output<typeof row>;

const ASSERTION_KEYS: TableDefinition<AssertionKeyRow> = {
  name: "assertion_keys",
  primaryKey: "kid",
  columns: {
    kid: DataTypes.STRING,
    tenantId: DataTypes.STRING,
    publicKey: DataTypes.TEXT,
    privateKey: DataTypes.TEXT,
    createdAt: DataTypes.DATE,
    signsFrom: DataTypes.DATE,
    expiresAt: DataTypes.DATE,
  },
  row,
};

// Exactly these: whatever else may come to stand there is published to nobody.
const publicKeySchema = z.strictObject({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  x: z.string(),
  y: z.string(),
});

export class SqlAssertionKeyReader implements AssertionKeyReader {
  protected readonly keys: Table<AssertionKeyRow>;
  protected readonly secretBox: SecretBox;

  constructor(session: Session, secretBox: SecretBox) {
    this.keys = new Table(session, ASSERTION_KEYS);
    this.secretBox = secretBox;
  }

  async list(tenantId: string): Promise<readonly PublishedKey[]> {
    const rows = await this.keys.list({ where: { tenantId }, order: ["signsFrom", "createdAt", "kid"] });
    return rows.map(toPublishedKey);
  }

  async find(tenantId: string, kid: string): Promise<AssertionKey | null> {
    const found = await this.keys.find({ tenantId, kid });
    if (!found) return null;
    const place = createPlace(ENCRYPTED_COLUMNS.assertionPrivateKey, tenantId);
    return { ...toPublishedKey(found), privateKey: this.secretBox.decrypt(found.privateKey, place) };
  }

  async listTenantsToRenew(signsBy: Date): Promise<readonly string[]> {
    const rows = await this.keys.list({ where: { expiresAt: null, signsFrom: { [Op.lte]: signsBy } } });
    return [...new Set(rows.map(({ tenantId }) => tenantId))];
  }
}

export class SqlAssertionKeyStore extends SqlAssertionKeyReader implements AssertionKeyStore {
  async insert(tenantId: string, key: AssertionKey): Promise<void> {
    const { kid, publicKey, privateKey, createdAt, signsFrom, expiresAt } = key;
    const place = createPlace(ENCRYPTED_COLUMNS.assertionPrivateKey, tenantId);
    await this.keys.insert({
      ...{ kid, tenantId, createdAt, signsFrom, expiresAt },
      publicKey: JSON.stringify(publicKey),
      privateKey: this.secretBox.encrypt(privateKey, place),
    });
  }

  async expire(tenantId: string, expiresAt: Date): Promise<void> {
    await this.keys.update({ tenantId, expiresAt: null }, { expiresAt });
  }

  async deleteOfTenant(tenantId: string): Promise<void> {
    await this.keys.delete({ tenantId });
  }

  async deleteExpired(now: Date): Promise<void> {
    await this.keys.delete({ expiresAt: { [Op.lte]: now } });
  }
}

function toPublishedKey({ kid, publicKey, createdAt, signsFrom, expiresAt }: AssertionKeyRow): PublishedKey {
  const parsed = parseStoredJson(publicKeySchema, publicKey, `the public key of ${kid}`);
  return { kid, publicKey: parsed, createdAt, signsFrom, expiresAt };
}
