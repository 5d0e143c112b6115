import { z } from "zod";

import { CompactJwsError, findRefusedHeader, parseCompactJws, type CompactJws } from "../compact-jws.js";
import { ConnectJwtInvalidError } from "./connect-jwt-errors.js";

type ConnectAlgorithm = "HS256" | "RS256";

export interface ConnectJwt {
  readonly token: string;
  readonly algorithm: ConnectAlgorithm;
  readonly kid: string | null;
  readonly claims: ConnectClaims;
}

const headerSchema = z.object({
  alg: z.string(),
  kid: z.string().optional(),
  typ: z.string().regex(/^jwt$/i).optional(),
});

// RFC 7519 §2: NumericDate. Atlassian sends whole seconds.
const epochSecondsSchema = z.int().nonnegative();

// Every claim is typed before any of them is used: an array as `iss` or nested in `aud` has made other verifiers
// read the rows of another tenant.
const claimsSchema = z.object({
  iss: z
    .string()
    .max(255)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u),
  sub: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  exp: epochSecondsSchema,
  iat: epochSecondsSchema,
  nbf: epochSecondsSchema.optional(),
  qsh: z.string(),
});

export type ConnectClaims = z.output<typeof claimsSchema>;

/** Reads a token without believing it: nothing in the result is verified. Throws ConnectJwtInvalidError. */
export function parseConnectJwt(token: string, algorithms: readonly ConnectAlgorithm[]): ConnectJwt {
  const jws = readCompactJws(token);
  const { alg, kid } = parseHeader(jws);
  const algorithm = algorithms.find((allowed) => allowed === alg);
  if (!algorithm) throw new ConnectJwtInvalidError("The algorithm is not allowed here.");
  return { token, algorithm, kid: kid ?? null, claims: parseClaims(jws) };
}

function readCompactJws(token: string): CompactJws {
  try {
    return parseCompactJws(token);
  } catch (error) {
    if (!(error instanceof CompactJwsError)) throw error;
    throw new ConnectJwtInvalidError(error.message);
  }
}

function parseHeader(jws: CompactJws): z.output<typeof headerSchema> {
  const refused = findRefusedHeader(jws);
  if (refused !== null) throw new ConnectJwtInvalidError(`The header has ${refused}.`);
  const parsed = headerSchema.safeParse(jws.header);
  if (!parsed.success) throw new ConnectJwtInvalidError("The header has a member of the wrong type.");
  return parsed.data;
}

function parseClaims({ payload }: CompactJws): ConnectClaims {
  const parsed = claimsSchema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => String(path[0])).join(", ");
  throw new ConnectJwtInvalidError(`Claims are missing or of the wrong type: ${names}.`);
}
