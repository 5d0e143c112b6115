import * as z from "zod";
import { AppError } from "../errors.js";
import { parseStrictJsonObject } from "./strict-json.js";

const MAX_TOKEN_LENGTH = 16 * 1024;

/** An Access JWT as it was sent: well-formed, every claim of its type, and nothing of it proved yet. */
export interface AccessJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: AccessClaims;
}

export type AccessClaims = z.infer<typeof claimsSchema>;

// RFC 7519 §2, NumericDate: seconds. Up to the year 9999, so that each is a Date and an ISO 8601 string.
const numericDate = z.int().min(0).max(253_402_300_799);

const claimsSchema = z.object({
  iss: z.string(),
  // RFC 7519 §4.1.3: aud may be one string.
  aud: z.union([
    z
      .string()
      .min(1)
      .transform((audience) => [audience]),
    z.array(z.string().min(1)).min(1),
  ]),
  exp: numericDate,
  iat: numericDate,
  nbf: numericDate.optional(),
  type: z.string().optional(),
  sub: z.string().optional(),
  email: z.string().optional(),
  common_name: z.string().optional(),
});

/** Reads a compact JWS (RFC 7515 §7.1) that holds Access claims. Throws AppError `access_jwt_malformed`. */
export function parseAccessJwt(token: unknown): AccessJwt {
  const [header, payload, signature, ...rest] = requireTokenString(token).split(".");
  if (!header || !payload || !signature || rest.length > 0) {
    throw malformed("An Access JWT has three parts, separated by dots. Forward the header unchanged.");
  }
  decodeBase64url(signature);
  return { header: parsePart("header", header), claims: parseClaims(parsePart("payload", payload)) };
}

export function requireTokenString(token: unknown): string {
  if (typeof token !== "string") throw malformed("The Access JWT isn't a string.");
  if (token.length > MAX_TOKEN_LENGTH) throw malformed("The Access JWT is longer than 16 KiB.");
  return token;
}

function parsePart(name: "header" | "payload", encoded: string): Readonly<Record<string, unknown>> {
  const bytes = decodeBase64url(encoded);
  try {
    return parseStrictJsonObject(bytes);
  } catch {
    // The error is dropped, because JSON.parse quotes what it read, and what it read may be an e-mail address.
    throw malformed(
      `The ${name} of the Access JWT isn't a plain JSON object: UTF-8, no member named twice, not nested deeply.`,
    );
  }
}

function decodeBase64url(encoded: string): Buffer {
  const bytes = Buffer.from(encoded, "base64url");
  // Node skips what it doesn't know. Only the one encoding of these bytes counts (RFC 4648 §3.5), or a token could
  // be written in several ways and its hash would not name it.
  if (bytes.toString("base64url") !== encoded) throw malformed("A part of the Access JWT isn't base64url.");
  return bytes;
}

function parseClaims(payload: unknown): AccessClaims {
  const result = claimsSchema.safeParse(payload);
  if (result.success) return result.data;
  const claims = new Set(result.error.issues.map(({ path }) => `"${String(path[0])}"`));
  throw malformed(
    `These claims of the Access JWT are missing or of the wrong type: ${[...claims].join(", ")}.`,
  );
}

function malformed(detail: string): AppError {
  return new AppError("access_jwt_malformed", detail);
}
