import { createHash, randomBytes, randomUUID } from "node:crypto";

/** Names a row. Not a secret. */
export function createId(): string {
  return randomUUID();
}

/** 128 random bits, base64url: for values that nobody types. */
export function createSecret(): string {
  return randomBytes(16).toString("base64url");
}

// RFC 4648 §6: no 0, 1, 8 or 9, so that nothing looks like O, I, B or g.
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Ten base32 characters, 50 random bits: for the one code that a person types. */
export function createTypedCode(): string {
  return Array.from(randomBytes(10), (byte) => BASE32.charAt(byte & 31)).join("");
}

/** Twelve base32 characters that find the log line of one request. */
export function createReference(): string {
  return Array.from(randomBytes(12), (byte) => BASE32.charAt(byte & 31)).join("");
}

/** How secrets that the app only has to recognise are kept: SHA-256, hex. They have 50 random bits or more. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
