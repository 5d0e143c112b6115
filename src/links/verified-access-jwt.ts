export type AccessHolder =
  | { readonly kind: "person"; readonly subject: string; readonly email: string }
  | { readonly kind: "service_token"; readonly commonName: string }
  | { readonly kind: "nobody" };

/** What a correctly signed Access JWT of a trusted team says. Audience, times and holder are still to be judged. */
export interface VerifiedAccessJwt {
  readonly issuer: string;
  readonly teamDomain: string;
  readonly audiences: readonly string[];
  /** Epoch seconds, like the two below. */
  readonly issuedAt: number;
  readonly notBefore: number | null;
  readonly expiresAt: number;
  readonly holder: AccessHolder;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
}

export interface AccessJwtVerification {
  /**
   * Checks format, algorithm, issuer, key, signature and `type`, independently of any site (security rule 2).
   * Throws AppError `access_jwt_malformed`, `keys_unavailable` or `access_jwt_untrusted`.
   */
  verify(token: string): Promise<VerifiedAccessJwt>;
  /** Whether the token was verified before and hasn't expired. Costs a hash; whether it still counts, `verify` says. */
  remembers(token: string): boolean;
}
