/** What a service sends with every call. */
export interface ServiceCredentials {
  /** The person's: it proves them, not the service. */
  readonly accessJwt: string;
  /** The service's own; null when none came along. */
  readonly serviceKey: string | null;
}
