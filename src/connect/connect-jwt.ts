import { z } from "zod";

import { ConnectJwtInvalidError } from "./connect-jwt-errors.js";

export type ConnectAlgorithm = "HS256" | "RS256";

export interface ConnectJwt {
  readonly token: string;
  readonly algorithm: ConnectAlgorithm;
  readonly kid: string | null;
  readonly claims: ConnectClaims;
}

const MAX_TOKEN_CHARACTERS = 16 * 1024;

// RFC 7515 §4.1: these would let the token choose its own key, or change what is signed.
const REFUSED_HEADERS = ["crit", "b64", "jwk", "jku", "x5u", "x5c"];

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
  if (token.length > MAX_TOKEN_CHARACTERS) throw new ConnectJwtInvalidError("the token is too long");
  const segments = token.split(".");
  const [header, claims, signature] = segments;
  if (header === undefined || claims === undefined || signature === undefined || segments.length > 3) {
    throw new ConnectJwtInvalidError("the token doesn't have three parts");
  }
  decodeSegment(signature);
  const { alg, kid } = parseHeader(parseObject(header));
  const algorithm = algorithms.find((allowed) => allowed === alg);
  if (!algorithm) throw new ConnectJwtInvalidError("the algorithm is not allowed here");
  return { token, algorithm, kid: kid ?? null, claims: parseClaims(parseObject(claims)) };
}

function parseHeader(header: object): z.output<typeof headerSchema> {
  if (REFUSED_HEADERS.some((name) => Object.hasOwn(header, name))) {
    throw new ConnectJwtInvalidError("the header has a parameter that is never accepted");
  }
  const parsed = headerSchema.safeParse(header);
  if (!parsed.success) throw new ConnectJwtInvalidError("the header has a member of the wrong type");
  return parsed.data;
}

function parseClaims(claims: object): ConnectClaims {
  const parsed = claimsSchema.safeParse(claims);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => String(path[0])).join(", ");
  throw new ConnectJwtInvalidError(`claims are missing or of the wrong type: ${names}`);
}

function parseObject(segment: string): object {
  const bytes = decodeSegment(segment);
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new ConnectJwtInvalidError("a part of the token isn't JSON in UTF-8");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConnectJwtInvalidError("a part of the token isn't a JSON object");
  }
  if (hasDuplicateNames(text)) throw new ConnectJwtInvalidError("a member stands twice in the token");
  return value;
}

/** RFC 7515 §2: base64url without padding. Spellings that decode to the same bytes are refused, too. */
function decodeSegment(segment: string): Buffer {
  const bytes = Buffer.from(segment, "base64url");
  if (segment === "" || bytes.toString("base64url") !== segment) {
    throw new ConnectJwtInvalidError("a part of the token isn't base64url");
  }
  return bytes;
}

/** RFC 7519 §4: names within a claims set are unique. JSON.parse would silently take the last one. */
function hasDuplicateNames(jsonObject: string): boolean {
  const names = new Set<unknown>();
  let depth = 0;
  for (const [token, text, colon] of jsonObject.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (depth === 1 && text !== undefined && colon !== undefined) {
      const name: unknown = JSON.parse(text);
      if (names.has(name)) return true;
      names.add(name);
    }
  }
  return false;
}
