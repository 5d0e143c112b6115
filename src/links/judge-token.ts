import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import { AppError, type ProblemCode } from "../errors.js";
import { isEmailAllowed } from "../services/email-domain.js";
import type { Purpose, Settings, TrustedService } from "../services/settings.js";
import type { AccessIdentity } from "./identity-link.js";
import type { VerifiedAccessJwt } from "./verified-access-jwt.js";

/** How far a token got, in the contract's order of refusal. */
const ORDER: readonly ProblemCode[] = [
  "access_jwt_untrusted",
  "access_jwt_expired",
  "service_token",
  "email_domain_not_allowed",
  "paused",
  "purpose_not_allowed",
  "not_linked",
];

/** Of several refusals the one that got furthest: the one whose cure is nearest. */
export function furthestRefusal(refusals: readonly AppError[]): AppError {
  return refusals.reduce(
    (furthest, refusal) => (ORDER.indexOf(refusal.code) > ORDER.indexOf(furthest.code) ? refusal : furthest),
    new AppError("access_jwt_untrusted"),
  );
}

/** Whether a tenant's settings list this token's team and (if one is named) audience at all. */
export function isListed(token: VerifiedAccessJwt, settings: Settings, audience: string | null): boolean {
  return findListed(token, settings, audience).length > 0;
}

/**
 * Judges a correctly signed token against one tenant's settings. Everything after team and audience is told only to
 * those whose token matched both (security rule 2). Throws the contract's refusals in the contract's order.
 */
export function judgeToken(
  token: VerifiedAccessJwt,
  settings: Settings,
  clock: Clock,
  wanted: { readonly purpose: Purpose; readonly audience: string | null },
): { identity: AccessIdentity; service: TrustedService } {
  const listed = findListed(token, settings, wanted.audience);
  if (listed.length === 0) throw new AppError("access_jwt_untrusted");
  requireCurrent(token, epochSeconds(clock));
  const { holder } = token;
  if (holder.kind === "service_token") throw new AppError("service_token");
  if (holder.kind === "nobody") throw new AppError("access_jwt_untrusted");
  if (!isEmailAllowed(holder.email, settings.allowedEmailDomains))
    throw new AppError("email_domain_not_allowed");
  if (settings.paused) throw new AppError("paused");
  const service = listed.find(({ purposes }) => purposes.includes(wanted.purpose));
  if (!service) throw new AppError("purpose_not_allowed");
  return {
    identity: { issuer: token.issuer, subject: holder.subject, email: holder.email },
    service,
  };
}

function findListed(token: VerifiedAccessJwt, settings: Settings, audience: string | null) {
  if (settings.teamDomain === null || settings.teamDomain !== token.teamDomain) return [];
  return settings.services.filter(
    (service) =>
      token.audiences.includes(service.audience) && (audience === null || audience === service.audience),
  );
}

function requireCurrent(token: VerifiedAccessJwt, now: number): void {
  if (now >= token.expiresAt + CLOCK_TOLERANCE_SECONDS) throw new AppError("access_jwt_expired");
  const validFrom = Math.max(token.issuedAt, token.notBefore ?? 0);
  // Not told apart from a bad signature: Access never issues such a token.
  if (now < validFrom - CLOCK_TOLERANCE_SECONDS) throw new AppError("access_jwt_untrusted");
}
