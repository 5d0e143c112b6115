import type { Settings } from "../services/settings.js";

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
  /** When its account's owner confirmed a link that wasn't proved (security rule 12); null for a proof. */
  readonly confirmedAt: Date | null;
}

/**
 * Whether a tenant is to take the account's word for the identity's (security rule 11): what an e-mail had linked holds
 * only while it would be linked again. One that doesn't count stays in sight, so that its people can remove it.
 */
export function doesLinkCount({ method }: IdentityLink, { matching }: Settings): boolean {
  return method !== "email" || matching === "email";
}
