/** The encryption keys don't fit the data. The start ends with this message, and with nothing changed. */
export class EncryptionKeyError extends Error {
  constructor(explanation: string) {
    super(`ENCRYPTION_KEYS: ${explanation}`);
    this.name = "EncryptionKeyError";
  }

  /** Key ids, not keys. */
  static missing(missing: readonly string[], given: readonly string[]): EncryptionKeyError {
    return new EncryptionKeyError(
      `the database holds values that were encrypted with the key ${missing.join(", ")}, ` +
        `but the keys given are ${given.join(", ")} (the first 8 hex digits of each key's SHA-256). ` +
        "Add the missing key at the end of the list, or restore the key file. Nothing was changed.",
    );
  }
}
