import { importJWK, type CryptoKey } from "jose";
import { z } from "zod";

export const KEY_ALGORITHM = "RS256";

const MIN_MODULUS_BITS = 2048;
// Access uses 2048. Work grows with the square of the length, and it is done for whoever sends a token.
const MAX_MODULUS_BITS = 8192;
const MAX_KEYS = 20;
export const MAX_KID_LENGTH = 256;

export interface RemoteKey {
  readonly kid: string;
  /** base64url. The exponent is always the same, so this is the whole key. */
  readonly modulus: string;
  readonly publicKey: CryptoKey;
}

/** By `kid`; never empty. */
export type RemoteKeySet = ReadonlyMap<string, RemoteKey>;

/** What was published can't be used. Its message is safe to show to an admin. */
export class RemoteKeysError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RemoteKeysError";
  }
}

const documentSchema = z.object({ keys: z.array(z.unknown()) });

// Anything but an RSA public key for RS256 signatures is none of ours: RFC 7517 §4, RFC 7518 §6.3.
const keySchema = z.object({
  kty: z.literal("RSA"),
  kid: z.string().min(1).max(MAX_KID_LENGTH),
  n: z.base64url().max(Math.ceil(MAX_MODULUS_BITS / 6)),
  // 65537. With a small exponent signatures can be forged; nobody uses another one.
  e: z.literal("AQAB"),
  alg: z.literal(KEY_ALGORITHM).optional(),
  use: z.literal("sig").optional(),
  key_ops: z
    .array(z.string())
    .refine((operations) => operations.includes("verify"))
    .optional(),
  // A private key that was published is nobody's proof of anything.
  d: z.never().optional(),
});

/** Reads an RFC 7517 §5 document: its `keys` only. `publisher` is who should have written it. Throws RemoteKeysError. */
export async function parseRemoteKeySet(body: Buffer, publisher: string): Promise<RemoteKeySet> {
  const document = documentSchema.safeParse(parseJson(body));
  if (!document.success) throw new RemoteKeysError("The answer isn't a list of keys.");
  if (document.data.keys.length > MAX_KEYS) {
    throw new RemoteKeysError(`The answer lists more than ${MAX_KEYS} keys.`);
  }
  const keys = await Promise.all(document.data.keys.map(findUsableKey));
  const usable = keys.filter((key) => key !== null);
  // Two keys of one name: which is meant can only be guessed, so neither counts.
  const unique = usable.filter(({ kid }) => usable.filter((other) => other.kid === kid).length === 1);
  if (unique.length === 0) {
    throw new RemoteKeysError(`The answer has no usable key: ${publisher} publishes RSA keys for RS256.`);
  }
  return new Map(unique.map((key) => [key.kid, key]));
}

export async function importModulus(modulus: string): Promise<CryptoKey> {
  return importJWK({ kty: "RSA", n: modulus, e: "AQAB" }, KEY_ALGORITHM);
}

async function findUsableKey(candidate: unknown): Promise<RemoteKey | null> {
  const parsed = keySchema.safeParse(candidate);
  if (!parsed.success) return null;
  const { kid, n: modulus } = parsed.data;
  try {
    const publicKey = await importModulus(modulus);
    const { modulusLength = 0 } = publicKey.algorithm as { modulusLength?: number };
    return modulusLength < MIN_MODULUS_BITS ? null : { kid, modulus, publicKey };
  } catch {
    return null;
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new RemoteKeysError("The answer isn't JSON.", { cause: error });
  }
}
