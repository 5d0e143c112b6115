/** The public half: all that anybody else needs (RFC 7518 §6.2.1). */
export interface PublicKey {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
}

export interface KeyPair {
  readonly kid: string;
  readonly publicKey: PublicKey;
  /** Written and read by the AssertionSigner alone. */
  readonly privateKey: string;
}

/** A key of one tenant without its private half. */
export interface PublishedKey extends Omit<KeyPair, "privateKey"> {
  readonly createdAt: Date;
  /** It is published from the start, and signs from here on, until the next one does. */
  readonly signsFrom: Date;
  /** When it is no longer published; null while there is no next one. */
  readonly expiresAt: Date | null;
}

export type AssertionKey = PublishedKey & KeyPair;

export interface AssertionKeyReader {
  /** Those that are or will be signing last; without private halves. */
  list(tenantId: string): Promise<readonly PublishedKey[]>;
  find(tenantId: string, kid: string): Promise<AssertionKey | null>;
  /** Tenants whose last key was made to sign by `signsBy`. */
  listTenantsToRenew(signsBy: Date): Promise<readonly string[]>;
}

export interface AssertionKeyStore extends AssertionKeyReader {
  insert(tenantId: string, key: AssertionKey): Promise<void>;
  /** Sets the end of the keys that have none yet. */
  expire(tenantId: string, expiresAt: Date): Promise<void>;
  deleteOfTenant(tenantId: string): Promise<void>;
  deleteExpired(now: Date): Promise<void>;
}

const HOUR_SECONDS = 3600;
const SIGNS_FOR_SECONDS = 30 * 24 * HOUR_SECONDS;
/** Whoever keeps a copy of the published keys has the next one before it signs, and the last one after it did. */
export const PUBLISHED_AHEAD_SECONDS = HOUR_SECONDS;
const PUBLISHED_AFTERWARDS_SECONDS = 600;

/** Of a tenant's keys in order. One whose time is still to come signs only where there is no other. */
export function findSigningKey<Key extends PublishedKey>(keys: readonly Key[], now: Date): Key | null {
  return keys.findLast(({ signsFrom }) => signsFrom <= now) ?? keys[0] ?? null;
}

/** Whether the next key is to be published now. */
export function isNextDue(keys: readonly PublishedKey[], now: Date): boolean {
  const last = keys.at(-1);
  return last === undefined || last.signsFrom <= latestToRenew(now);
}

/** A last key that signs from then, or longer, is to be followed by another. */
export function latestToRenew(now: Date): Date {
  return secondsAfter(now, PUBLISHED_AHEAD_SECONDS - SIGNS_FOR_SECONDS);
}

export function isPublished({ expiresAt }: PublishedKey, now: Date): boolean {
  return expiresAt === null || now < expiresAt;
}

/** Until when a key is published whose follower signs from `signsFrom`. */
export function endOfPrevious(signsFrom: Date): Date {
  return secondsAfter(signsFrom, PUBLISHED_AFTERWARDS_SECONDS);
}

export function secondsAfter(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1000);
}
