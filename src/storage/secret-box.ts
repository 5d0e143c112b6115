import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

import { EncryptionKeyError } from "./encryption-key-error.js";

/** Where a value lives. One that was moved to another place doesn't decrypt there. */
export interface SecretPlace {
  readonly tenantId: string;
  /** `tenants.shared_secret` */
  readonly column: string;
}

// v1.<key id>.<IV>.<ciphertext>.<tag>, the last three in base64url.
const FORMAT = /^v1\.(?<keyId>[0-9a-f]{8})\.(?<iv>[\w-]{16})\.(?<ciphertext>[\w-]*)\.(?<tag>[\w-]{22})$/;

/** AES-256-GCM under several generations of keys: the newest encrypts, all decrypt. */
export class SecretBox {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #newestKeyId: string;

  /** Newest first, 32 bytes each. Throws EncryptionKeyError. */
  constructor(keys: readonly Buffer[]) {
    const [newest] = keys;
    if (!newest || keys.some(({ length }) => length !== 32)) {
      throw new EncryptionKeyError("must hold one key or more, each of 32 bytes.");
    }
    this.#keys = new Map(keys.map((key) => [createKeyId(key), key]));
    this.#newestKeyId = createKeyId(newest);
  }

  /** Newest first. */
  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** What every value encrypted with the newest key begins with. */
  get newestPrefix(): string {
    return `v1.${this.#newestKeyId}.`;
  }

  encrypt(plaintext: string, place: SecretPlace): string {
    const key = this.#getKey(this.#newestKeyId);
    // NIST SP 800-38D §8.2.2: 96 random bits serve for 2^32 values under one key.
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(createAdditionalData(place));
    const ciphertext = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final()]);
    const parts = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString("base64url"));
    return this.newestPrefix + parts.join(".");
  }

  /** Throws EncryptionKeyError for a key that isn't among ours, and an Error for a damaged or moved value. */
  decrypt(value: string, place: SecretPlace): string {
    const { keyId = "", iv = "", ciphertext = "", tag = "" } = FORMAT.exec(value)?.groups ?? {};
    if (!keyId) throw new Error(`A value of ${place.column} isn't in the format of encrypted values.`);
    const decipher = createDecipheriv("aes-256-gcm", this.#getKey(keyId), Buffer.from(iv, "base64url"), {
      authTagLength: 16,
    })
      .setAAD(createAdditionalData(place))
      .setAuthTag(Buffer.from(tag, "base64url"));
    try {
      return decipher.update(ciphertext, "base64url", "utf8") + decipher.final("utf8");
    } catch (cause) {
      throw new Error(`A value of ${place.column} was damaged, or belongs to another row.`, { cause });
    }
  }

  #getKey(keyId: string): Buffer {
    const key = this.#keys.get(keyId);
    if (!key) throw EncryptionKeyError.missing([keyId], this.keyIds);
    return key;
  }
}

function createKeyId(key: Buffer): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 8);
}

function createAdditionalData({ tenantId, column }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([tenantId, column]));
}
