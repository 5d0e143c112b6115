/** Remembers what a token was used for, so that it can't be used for anything else. */
export interface TokenLedger {
  /** Binds a token's hash to a use if it isn't bound yet, and answers the use it is bound to. */
  bind(tokenHash: string, use: string, expiresAt: Date): Promise<{ use: string; isNew: boolean }>;
  deleteExpired(now: Date): Promise<void>;
}
