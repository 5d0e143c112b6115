import { parseStrictJsonObject, type JsonObject } from "./strict-json.js";

/** A JWT as it was sent: well-formed, and nothing of it proved yet. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
}

const MAX_TOKEN_CHARACTERS = 16 * 1024;

// Each would change how the token is read, or bring a key of its own (RFC 7515 §4.1.2-6 and §4.1.11, RFC 7797).
const REFUSED_HEADERS = ["crit", "b64", "jwk", "jku", "x5u", "x5c"];

/** What was sent isn't a compact JWS. Its message is a sentence that repeats nothing of what was sent. */
export class CompactJwsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CompactJwsError";
  }
}

/** Reads RFC 7515 §7.1 strictly, so that every token has one spelling and one meaning. Throws CompactJwsError. */
export function parseCompactJws(token: string): CompactJws {
  if (token.length > MAX_TOKEN_CHARACTERS) throw new CompactJwsError("The token is longer than 16 KiB.");
  const [header, payload, signature, ...rest] = token.split(".");
  if (!header || !payload || !signature || rest.length > 0) {
    throw new CompactJwsError("The token doesn't have three parts, separated by dots.");
  }
  decodeBase64url(signature);
  return { header: parsePart("header", header), payload: parsePart("payload", payload) };
}

/** The first member that no header may have, whoever made the token; null when there is none. */
export function findRefusedHeader({ header }: CompactJws): string | null {
  return REFUSED_HEADERS.find((name) => Object.hasOwn(header, name)) ?? null;
}

function parsePart(name: "header" | "payload", encoded: string): JsonObject {
  const bytes = decodeBase64url(encoded);
  try {
    return parseStrictJsonObject(bytes);
  } catch {
    // The error is dropped, because JSON.parse quotes what it read, and what it read may be an e-mail address.
    throw new CompactJwsError(
      `The token's ${name} isn't a plain JSON object: UTF-8, no member named twice, not nested deeply.`,
    );
  }
}

function decodeBase64url(encoded: string): Buffer {
  const bytes = Buffer.from(encoded, "base64url");
  // Node skips what it doesn't know. Only the one encoding of these bytes counts (RFC 4648 §3.5), or a token could
  // be written in several ways and its hash would not name it.
  if (bytes.toString("base64url") !== encoded) {
    throw new CompactJwsError("A part of the token isn't base64url.");
  }
  return bytes;
}
