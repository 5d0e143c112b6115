import { z } from "zod";

import { CompactJwsError, parseCompactJws, type CompactJws } from "../compact-jws.js";
import { AppError, PROBLEMS } from "../errors.js";

/** An Access JWT as it was sent: well-formed, every claim of its type, and nothing of it proved yet. */
export interface AccessJwt extends CompactJws {
  readonly claims: AccessClaims;
}

export type AccessClaims = z.output<typeof claimsSchema>;

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

/** Throws AppError `access_jwt_malformed`. */
export function parseAccessJwt(token: unknown): AccessJwt {
  const jws = readCompactJws(requireTokenString(token));
  return { ...jws, claims: parseClaims(jws.payload) };
}

export function requireTokenString(token: unknown): string {
  if (typeof token !== "string") throw malformed("The Access JWT isn't a string.");
  return token;
}

function readCompactJws(token: string): CompactJws {
  try {
    return parseCompactJws(token);
  } catch (error) {
    if (!(error instanceof CompactJwsError)) throw error;
    throw malformed(`${error.message} ${PROBLEMS.access_jwt_malformed.fix}`);
  }
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
