import type { AccessIdentity } from "./identity-link.js";

/** Five minutes in which one account may prove one Access identity. Its id, cookie and codes are kept as hashes. */
export interface LinkAttempt {
  readonly idHash: string;
  readonly tenantId: string;
  readonly accountId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Ties the popup to the page that opened it; null until the popup started from there. */
  readonly cookieHash: string | null;
  /** Who claimed the attempt with a click in the popup; nobody else can any more. */
  readonly identity: AccessIdentity | null;
  /** AUD tag of the token that claimed it. */
  readonly audience: string | null;
  readonly codeHash: string | null;
  readonly typedCodeHash: string | null;
  readonly wrongCodes: number;
  readonly usedAt: Date | null;
}

export interface LinkAttemptReader {
  find(idHash: string): Promise<LinkAttempt | null>;
  /** How many attempts the account has begun since a moment. */
  countSince(tenantId: string, accountId: string, since: Date): Promise<number>;
}

export interface LinkAttemptStore extends LinkAttemptReader {
  insert(attempt: LinkAttempt): Promise<void>;
  update(attempt: LinkAttempt): Promise<void>;
  deleteOfTenant(tenantId: string): Promise<void>;
  deleteExpired(now: Date): Promise<void>;
}
