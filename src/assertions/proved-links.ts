import { AppError } from "../errors.js";
import { doesLinkCount, type AccessIdentity, type IdentityLink } from "../links/identity-link.js";
import { isProvedNow } from "../links/link-proof.js";
import { isEmailAllowed } from "../services/email-domain.js";
import type { Settings } from "../services/settings.js";
import { issuerOfTeam } from "../team-domain.js";

/**
 * The links of an account that would let a service act for it, were their identity's token shown now (security rule
 * 12); one at least. Throws `not_linked`, `email_domain_not_allowed` or `proof_required`.
 */
export function requireProvedLinks(
  links: readonly IdentityLink[],
  settings: Settings,
  now: Date,
  /** Where a person links, or looks at one link. */
  linkUrlOf: (linkId: string | null) => string,
): readonly IdentityLink[] {
  const ofTeam = links.filter(
    (link) =>
      settings.teamDomain !== null &&
      link.issuer === issuerOfTeam(settings.teamDomain) &&
      doesLinkCount(link, settings),
  );
  if (ofTeam.length === 0) {
    throw new AppError("not_linked", NOT_LINKED, { extras: { linkUrl: linkUrlOf(null) } });
  }
  const allowed = ofTeam.filter(({ email }) => isEmailAllowed(email, settings.allowedEmailDomains));
  const [first] = allowed;
  if (!first) throw new AppError("email_domain_not_allowed");
  const proved = allowed.filter((link) => isProvedNow(link, now));
  if (proved.length === 0) {
    throw new AppError("proof_required", undefined, { extras: { linkUrl: linkUrlOf(first.id) } });
  }
  return proved;
}

/** Of several the one that was used last: what others wrote down, and its owner only confirmed, proves no identity. */
export function findProvedIdentity(
  links: readonly IdentityLink[],
): { readonly iss: string; readonly sub: string; readonly email: string } | null {
  const [last] = links
    .filter(({ method }) => method === "proof")
    .sort((one, other) => lastSeen(other) - lastSeen(one));
  return last ? presentIdentity(last) : null;
}

const NOT_LINKED =
  "You haven't linked a Cloudflare Access identity yet. Open the Cloudflare Access page in Jira or Confluence and link, once.";

function lastSeen({ linkedAt, lastUsedAt }: IdentityLink): number {
  return Math.max(linkedAt.getTime(), lastUsedAt?.getTime() ?? 0);
}

function presentIdentity({ issuer, subject, email }: AccessIdentity) {
  return { iss: issuer, sub: subject, email };
}
