import type { IdentityLink } from "./identity-link.js";

/** How far a link goes as a word of its account's owner; `lapsed`: it was used too long ago, and is to be given again. */
export type LinkStanding = "proved" | "confirmed" | "unconfirmed" | "lapsed";

const DAY_MILLISECONDS = 86_400_000;
const MAX_IDLE_DAYS = 90;

/** Security rule 12: whether the account's owner has said so, by a proof or by confirming what others had written. */
function isProved(link: IdentityLink): boolean {
  return link.method === "proof" || link.confirmedAt !== null;
}

/** Security rule 12: nobody has used the link for so long that its owner must prove it again before it acts. */
export function isLapsed({ linkedAt, confirmedAt, lastUsedAt }: IdentityLink, now: Date): boolean {
  const last = Math.max(linkedAt.getTime(), confirmedAt?.getTime() ?? 0, lastUsedAt?.getTime() ?? 0);
  return now.getTime() - last >= MAX_IDLE_DAYS * DAY_MILLISECONDS;
}

/** Security rule 12: whether a service may act, or be told who somebody is, on the strength of this link. */
export function isProvedNow(link: IdentityLink, now: Date): boolean {
  return isProved(link) && !isLapsed(link, now);
}

export function standingOf(link: IdentityLink, now: Date): LinkStanding {
  if (!isProved(link)) return "unconfirmed";
  if (isLapsed(link, now)) return "lapsed";
  return link.method === "proof" ? "proved" : "confirmed";
}
