/** A person as Access knows them. The e-mail is a label, never the key: addresses get re-used. */
export interface AccessIdentity {
  /** `https://acme.cloudflareaccess.com` */
  readonly issuer: string;
  readonly subject: string;
  readonly email: string;
}

export type LinkMethod = "proof" | "email" | "admin";

/** One Access identity ↔ one Atlassian account, in one tenant. */
export interface IdentityLink extends AccessIdentity {
  readonly id: string;
  readonly tenantId: string;
  readonly accountId: string;
  readonly method: LinkMethod;
  readonly linkedAt: Date;
  readonly lastUsedAt: Date | null;
}
