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

/** 50 random bits: for the one code that a person types. */
export function createTypedCode(): string {
  return createBase32(10);
}

/** Finds the log line of one request. */
export function createReference(): string {
  return createBase32(12);
}

function createBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => BASE32.charAt(byte & 31)).join("");
}

/** Also for keeping secrets that the app only has to recognise, if they are its own: they have 50 random bits or more. */
export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
