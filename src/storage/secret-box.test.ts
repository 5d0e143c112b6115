import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EncryptionKeyError } from "./encryption-key-error.js";
import { SecretBox } from "./secret-box.js";

const OLD = Buffer.alloc(32, 1);
const MIDDLE = Buffer.alloc(32, 2);
const NEW = Buffer.alloc(32, 3);
const PLACE = { tenantId: "tenant-1", column: "tenants.shared_secret" };

describe("SecretBox", () => {
  it("gives back any text that it encrypted", () => {
    const box = new SecretBox([NEW]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(box.decrypt(box.encrypt(text, PLACE), PLACE)).toBe(text);
      }),
    );
  });

  it("never encrypts to the same value twice, nor shows the text", () => {
    const box = new SecretBox([NEW]);
    const values = Array.from({ length: 100 }, () => box.encrypt("hush", PLACE));
    expect(new Set(values).size).toBe(100);
    expect(values.join()).not.toContain("hush");
  });

  it("encrypts with the newest key and decrypts with every key it has", () => {
    const generations = [
      new SecretBox([OLD]),
      new SecretBox([MIDDLE, OLD]),
      new SecretBox([NEW, MIDDLE, OLD]),
    ];
    const values = generations.map((box) => box.encrypt("hush", PLACE));
    const newest = new SecretBox([NEW, MIDDLE, OLD]);
    expect(values.map((value) => newest.decrypt(value, PLACE))).toEqual(["hush", "hush", "hush"]);
    expect(values.map((value) => value.startsWith(newest.newestPrefix))).toEqual([false, false, true]);
  });

  it("names the missing key by its id, not by itself", () => {
    const value = new SecretBox([OLD]).encrypt("hush", PLACE);
    const [oldKeyId] = new SecretBox([OLD]).keyIds;
    const decrypt = () => new SecretBox([NEW]).decrypt(value, PLACE);
    expect(decrypt).toThrow(EncryptionKeyError);
    expect(decrypt).toThrow(
      `ENCRYPTION_KEYS: the database holds values that were encrypted with the key ${oldKeyId!}`,
    );
  });

  it.each([
    ["another tenant", { ...PLACE, tenantId: "tenant-2" }],
    ["another column", { ...PLACE, column: "tenants.other" }],
    ["a split of the same letters", { tenantId: "tenant-1tenants", column: ".shared_secret" }],
  ])("doesn't decrypt in %s", (_, place) => {
    const box = new SecretBox([NEW]);
    expect(() => box.decrypt(box.encrypt("hush", PLACE), place)).toThrow("belongs to another row");
  });

  it.each([2, 3, 4])("doesn't decrypt when part %i was tampered with", (index) => {
    const box = new SecretBox([NEW]);
    const parts = box.encrypt("hush", PLACE).split(".");
    const bytes = Buffer.from(parts[index]!, "base64url");
    bytes[0]! ^= 1;
    expect(() => box.decrypt(parts.with(index, bytes.toString("base64url")).join("."), PLACE)).toThrow(
      "damaged",
    );
  });

  it("doesn't decrypt under a key that takes the other's id", () => {
    const box = new SecretBox([NEW, OLD]);
    const [newId, oldId] = box.keyIds;
    expect(() => box.decrypt(box.encrypt("hush", PLACE).replace(newId!, oldId!), PLACE)).toThrow("damaged");
  });

  it.each(["", "hush", "v2.00000000.AAAA.AAAA.AAAA", "v1.00000000.AAAAAAAAAAAAAAAA.AAAA"])(
    "refuses %j, which isn't an encrypted value",
    (value) => {
      expect(() => new SecretBox([NEW]).decrypt(value, PLACE)).toThrow("isn't in the format");
    },
  );

  it.each([[[]], [[Buffer.alloc(31)]], [[NEW, Buffer.alloc(33)]]])("refuses unusable keys", (keys) => {
    expect(() => new SecretBox(keys)).toThrow(EncryptionKeyError);
  });
});
