import { AppError } from "../errors.js";
import { isEmailAllowed } from "../services/email-domain.js";
import { findLinkService, type Settings } from "../services/settings.js";
import { issuerOfTeam } from "../team-domain.js";
import type { AccessIdentity } from "./identity-link.js";

/** Settings may change between the click in the popup and the code's arrival: says what no longer holds. */
export function findChange(
  identity: AccessIdentity,
  audience: string | null,
  settings: Settings,
): AppError | null {
  const team = settings.teamDomain;
  if (
    team === null ||
    issuerOfTeam(team) !== identity.issuer ||
    findLinkService(settings)?.audience !== audience
  ) {
    return new AppError("attempt_expired", "An admin has just changed the settings. Start again.");
  }
  return isEmailAllowed(identity.email, settings.allowedEmailDomains)
    ? null
    : new AppError("email_domain_not_allowed");
}
