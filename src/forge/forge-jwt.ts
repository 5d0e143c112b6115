import { z } from "zod";

import { CompactJwsError, findRefusedHeader, parseCompactJws, type CompactJws } from "../compact-jws.js";
import { KEY_ALGORITHM, MAX_KID_LENGTH } from "../remote-keys/remote-key-set.js";
import { ForgeJwtInvalidError } from "./forge-jwt-errors.js";

/** A Forge Invocation Token as it was sent: every member that is used is of its type, and nothing of it is proved yet. */
export interface ForgeJwt {
  readonly token: string;
  readonly kid: string;
  readonly claims: ForgeClaims;
}

export type ForgeClaims = z.output<typeof claimsSchema>;

const headerSchema = z.object({
  alg: z.literal(KEY_ALGORITHM),
  // Forge's own have slashes in them.
  kid: z.string().min(1).max(MAX_KID_LENGTH),
  typ: z.string().regex(/^jwt$/i).optional(),
});

// RFC 7519 §2: NumericDate. Up to the year 9999, so that each is a Date.
const epochSecondsSchema = z.int().min(0).max(253_402_300_799);
const nameSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u);

const contextSchema = z.object({
  name: z.string(),
  apiBaseUrl: z.string(),
  cloudId: z.string().optional(),
});

// Atlassian's documentation calls much of it optional, and so it is here. What is used is typed before it is used.
const claimsSchema = z.object({
  iss: z.literal("forge/invocation-token"),
  aud: z.string(),
  iat: epochSecondsSchema,
  nbf: epochSecondsSchema.optional(),
  exp: epochSecondsSchema,
  jti: nameSchema,
  sub: z.string().optional(),
  /** An account; only the calls of pages have one. */
  principal: z.string().optional(),
  /** Of an isolated cloud, which has keys of its own. */
  icLabel: z.string().optional(),
  app: z.object({
    id: z.string(),
    installationId: nameSchema,
    apiBaseUrl: z.string(),
    environment: z.object({ id: nameSchema, type: z.string() }),
    module: z.object({ key: z.string() }),
    installation: z.object({ id: z.string(), contexts: z.array(contextSchema).min(1).max(10) }),
  }),
  context: z
    .object({
      cloudId: z.string().optional(),
      siteUrl: z.string().optional(),
      moduleKey: z.string().optional(),
    })
    .optional(),
});

/** Reads a token without believing it. Throws ForgeJwtInvalidError. */
export function parseForgeJwt(token: string): ForgeJwt {
  const jws = readCompactJws(token);
  const refused = findRefusedHeader(jws);
  if (refused !== null) throw new ForgeJwtInvalidError(`The header has ${refused}.`);
  const { kid } = parsePart(headerSchema, jws.header);
  return { token, kid, claims: parsePart(claimsSchema, jws.payload) };
}

function readCompactJws(token: string): CompactJws {
  try {
    return parseCompactJws(token);
  } catch (error) {
    if (!(error instanceof CompactJwsError)) throw error;
    throw new ForgeJwtInvalidError(error.message);
  }
}

function parsePart<T>(schema: z.ZodType<T>, part: unknown): T {
  const parsed = schema.safeParse(part);
  if (parsed.success) return parsed.data;
  // Paths only: a message might repeat what was sent.
  const names = new Set(parsed.error.issues.map(({ path }) => path.join(".")));
  throw new ForgeJwtInvalidError(`Missing, or not what Forge writes there: ${[...names].join(", ")}.`);
}
