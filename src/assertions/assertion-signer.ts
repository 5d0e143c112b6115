import type { KeyPair } from "./assertion-key.js";

/** Who somebody is, told to one service, for a minute (security rule 18). */
export interface AssertionClaims {
  /** The tenant: `<BASE_URL>/sites/<site>/<product>`. */
  readonly iss: string;
  /** The service's AUD tag. */
  readonly aud: string;
  /** The Atlassian account. */
  readonly sub: string;
  /** Epoch seconds, like the next. */
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  readonly tenant: string;
  readonly site: string;
  readonly product: string;
  /** Only what the account's owner has proved. */
  readonly access?: { readonly iss: string; readonly sub: string; readonly email: string };
}

export interface AssertionSigner {
  createKeyPair(): Promise<KeyPair>;
  /** A JWS in compact form: `typ` is `assertion+jwt`, so that it passes for no other token (RFC 8725 §3.11). */
  sign(key: KeyPair, claims: AssertionClaims): Promise<string>;
}
