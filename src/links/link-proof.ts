import type { IdentityLink } from "./identity-link.js";

const DAY_MILLISECONDS = 86_400_000;
const MAX_IDLE_DAYS = 90;

/** Security rule 12: whether the account's owner has said so, by a proof or by confirming what others had written. */
export function isProved(link: IdentityLink): boolean {
  return link.method === "proof" || link.confirmedAt !== null;
}

/** Security rule 12: nobody has used the link for so long that its owner must prove it again before it acts. */
export function isLapsed({ linkedAt, confirmedAt, lastUsedAt }: IdentityLink, now: Date): boolean {
  const last = Math.max(linkedAt.getTime(), confirmedAt?.getTime() ?? 0, lastUsedAt?.getTime() ?? 0);
  return now.getTime() - last >= MAX_IDLE_DAYS * DAY_MILLISECONDS;
}
