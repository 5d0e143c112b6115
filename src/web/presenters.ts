import type { AuditEvent } from "../audit/audit-event.js";
import type { ActingService } from "../gateway/consent-service.js";
import type { IdentifiedPerson } from "../links/identity-service.js";
import type { IdentityLink } from "../links/identity-link.js";
import type { PopupCodes, PopupVisit } from "../links/link-attempt-service.js";
import { findLinkingObstacle } from "../links/link-service.js";
import { DEFAULT_MAX_TOKEN_AGE_SECONDS, type Settings } from "../services/settings.js";
import type { Page } from "../stores.js";
import type { HostUser } from "../tenants/tenant.js";

export function presentLink(link: IdentityLink) {
  return {
    id: link.id,
    accountId: link.accountId,
    email: link.email,
    issuer: link.issuer,
    method: link.method,
    linkedAt: link.linkedAt.toISOString(),
    lastUsedAt: link.lastUsedAt?.toISOString() ?? null,
  };
}

export function presentMe(
  { tenant, accountId }: HostUser,
  settings: Settings,
  {
    links,
    services,
  }: { readonly links: readonly IdentityLink[]; readonly services: readonly ActingService[] },
  about: { readonly displayName: string | null; readonly signOutUrl: string | null },
) {
  const obstacle = findLinkingObstacle(tenant, settings);
  return {
    accountId,
    displayName: about.displayName,
    site: tenant.site,
    product: tenant.product,
    teamDomain: settings.teamDomain,
    signOutUrl: about.signOutUrl,
    links: links.map(presentLink),
    consents: services.flatMap(presentConsent),
    services: services.map(presentActingService),
    linking: {
      available: obstacle === null,
      methods: obstacle === null ? ["popup", "accessJwt"] : [],
      reason: obstacle?.message ?? null,
    },
  };
}

function presentConsent({ service, standing, decidedAt }: ActingService) {
  if (standing !== "agreed" || decidedAt === null) return [];
  return [{ serviceId: service.id, label: service.label, grantedAt: decidedAt.toISOString() }];
}

function presentActingService({ service, digest, standing, decidedAt }: ActingService) {
  return {
    serviceId: service.id,
    label: service.label,
    purposes: service.purposes,
    requests: service.limits?.requests ?? [],
    maxTokenAgeSeconds: service.limits?.maxTokenAgeSeconds ?? DEFAULT_MAX_TOKEN_AGE_SECONDS,
    standing,
    digest,
    decidedAt: decidedAt?.toISOString() ?? null,
  };
}

export function presentSettings({
  teamDomain,
  services,
  allowedEmailDomains,
  matching,
  paused,
  version,
}: Settings) {
  return { teamDomain, services, allowedEmailDomains, matching, paused, version };
}

export function presentPopupCodes(attempt: string, visit: PopupVisit, { code, typedCode }: PopupCodes) {
  return {
    attempt,
    code,
    typedCode,
    email: visit.identity.email,
    site: visit.tenant.site,
    expiresAt: visit.attempt.expiresAt.toISOString(),
  };
}

export function presentIdentity({ tenant, link }: IdentifiedPerson) {
  return {
    site: tenant.site,
    product: tenant.product,
    tenant: tenant.id,
    accountId: link.accountId,
    email: link.email,
    method: link.method,
    linkedAt: link.linkedAt.toISOString(),
  };
}

export function presentAuditEvent(event: AuditEvent) {
  const { id, action, actor, target, before, after, ip, reference } = event;
  return { id, at: event.at.toISOString(), action, actor, target, before, after, ip, reference };
}

export function presentPage<T, P>(page: Page<T>, present: (item: T) => P) {
  return { items: page.items.map(present), nextCursor: page.nextCursor };
}
