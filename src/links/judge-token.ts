import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import { AppError, type ProblemCode } from "../errors.js";
import { isEmailAllowed } from "../services/email-domain.js";
import { requireRunning, requireUsable } from "../services/require-usable.js";
import { findShownKey } from "../services/service-key.js";
import type { Purpose, ServiceKey, Settings, TrustedService } from "../services/settings.js";
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
  "service_key_required",
  "not_linked",
];

export interface WantedUse {
  readonly purpose: Purpose;
  readonly audience: string | null;
  /** What the service sent along; null from browsers, which link and have none. */
  readonly serviceKey: string | null;
}

export interface JudgedToken {
  readonly identity: AccessIdentity;
  readonly service: TrustedService;
  /** What the service showed that it is the one with; null for nothing but a person's token. */
  readonly key: ServiceKey | null;
}

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
  wanted: WantedUse,
): JudgedToken {
  const listed = findListed(token, settings, wanted.audience);
  if (listed.length === 0) throw new AppError("access_jwt_untrusted");
  requireCurrent(token, epochSeconds(clock));
  const { holder } = token;
  if (holder.kind === "service_token") throw new AppError("service_token");
  if (holder.kind === "nobody") throw new AppError("access_jwt_untrusted");
  if (!isEmailAllowed(holder.email, settings.allowedEmailDomains))
    throw new AppError("email_domain_not_allowed");
  requireRunning(settings);
  return {
    identity: { issuer: token.issuer, subject: holder.subject, email: holder.email },
    ...requireService(listed, wanted),
  };
}

/** A token may be for several services: the one whose key came along is meant, else one that needs none. */
function requireService(
  listed: readonly TrustedService[],
  { purpose, serviceKey }: WantedUse,
): Pick<JudgedToken, "service" | "key"> {
  const usable = requireUsable(listed, purpose);
  for (const service of usable) {
    const key = findShownKey(service, serviceKey);
    if (key) return { service, key };
  }
  const open = usable.find(({ keys }) => keys.length === 0 || purpose === "link");
  if (open) return { service: open, key: null };
  throw new AppError("service_key_required");
}

/** Whose call a token is for, also where it is refused: of several, the one that comes nearest to what is wanted. */
export function findMeantService(
  token: VerifiedAccessJwt,
  settings: Settings,
  { purpose, audience, serviceKey }: WantedUse,
): TrustedService | null {
  const listed = findListed(token, settings, audience);
  const suited = listed.filter(({ purposes }) => purposes.includes(purpose));
  const nearest = suited.length > 0 ? suited : listed;
  return nearest.find((service) => findShownKey(service, serviceKey) !== null) ?? nearest[0] ?? null;
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
