import type { AssertionKey, PublishedKey } from "../assertions/assertion-key.js";
import type { Assertion } from "../assertions/assertion-service.js";
import type { AuditEvent } from "../audit/audit-event.js";
import type { AskingService } from "../consents/consent-service.js";
import type { Activity, News } from "../gateway/member-sight.js";
import type { IdentifiedPerson } from "../links/identity-service.js";
import type { IdentityLink } from "../links/identity-link.js";
import { standingOf } from "../links/link-proof.js";
import type { PopupCodes, PopupVisit } from "../links/link-attempt-service.js";
import { findLinkingObstacle } from "../links/link-service.js";
import type { PersonalUse } from "../services/service-use-store.js";
import type { UseSummary } from "../services/service-uses.js";
import {
  DEFAULT_MAX_TOKEN_AGE_SECONDS,
  withoutKeys,
  type ServiceKey,
  type Settings,
  type TrustedService,
} from "../services/settings.js";
import type { Page } from "../stores.js";
import type { Predecessor } from "../tenants/succession.js";
import type { HostUser } from "../tenants/tenant.js";

export function presentLink(link: IdentityLink, now: Date) {
  return {
    id: link.id,
    accountId: link.accountId,
    email: link.email,
    issuer: link.issuer,
    method: link.method,
    linkedAt: link.linkedAt.toISOString(),
    lastUsedAt: link.lastUsedAt?.toISOString() ?? null,
    confirmedAt: link.confirmedAt?.toISOString() ?? null,
    standing: standingOf(link, now),
  };
}

/** What belongs to one person. */
interface Mine {
  readonly links: readonly IdentityLink[];
  readonly services: readonly AskingService[];
  readonly uses: readonly PersonalUse[];
  readonly news: readonly News[];
}

export function presentMe(
  { tenant, accountId }: HostUser,
  settings: Settings,
  { links, services, uses, news }: Mine,
  about: { readonly displayName: string | null; readonly signOutUrl: string | null; readonly now: Date },
) {
  const obstacle = findLinkingObstacle(tenant, settings);
  return {
    accountId,
    displayName: about.displayName,
    site: tenant.site,
    product: tenant.product,
    teamDomain: settings.teamDomain,
    signOutUrl: about.signOutUrl,
    links: links.map((link) => presentLink(link, about.now)),
    consents: services.flatMap(presentConsent),
    services: services.map((each) => presentAskingService(each, findUse(each, uses))),
    news: news.map(presentNews),
    paused: settings.paused,
    linking: {
      available: obstacle === null,
      methods: obstacle === null ? ["popup", "accessJwt"] : [],
      reason: obstacle?.message ?? null,
    },
  };
}

function presentConsent({ service, standing, decidedAt }: AskingService) {
  if (standing !== "agreed" || decidedAt === null) return [];
  return [{ serviceId: service.id, label: service.label, grantedAt: decidedAt.toISOString() }];
}

function findUse({ service }: AskingService, uses: readonly PersonalUse[]): PersonalUse | null {
  return uses.find(({ serviceId }) => serviceId === service.id) ?? null;
}

export function presentNews(news: News) {
  return { ...news, at: news.at.toISOString() };
}

export function presentActivity(activity: Activity) {
  return { ...activity, at: activity.at.toISOString() };
}

function presentAskingService(
  { service, digest, standing, decidedAt }: AskingService,
  use: PersonalUse | null,
) {
  return {
    serviceId: service.id,
    label: service.label,
    purposes: service.purposes,
    requests: service.limits?.requests ?? [],
    maxTokenAgeSeconds: service.limits?.maxTokenAgeSeconds ?? DEFAULT_MAX_TOKEN_AGE_SECONDS,
    standing,
    digest,
    decidedAt: decidedAt?.toISOString() ?? null,
    paused: service.paused,
    lastActedAt: use?.lastAt.toISOString() ?? null,
    calls: use?.calls ?? 0,
  };
}

export function presentSettings(settings: Settings) {
  return withoutKeys(settings);
}

export function presentPredecessor(predecessor: Predecessor | null) {
  return {
    available: predecessor !== null,
    installedAt: predecessor?.installedAt.toISOString() ?? null,
    services: predecessor?.services ?? null,
    links: predecessor?.links ?? null,
  };
}

export function presentAssertion({ token, expiresAt }: Assertion) {
  return { assertion: token, expiresAt: expiresAt.toISOString() };
}

export function presentSigningKey({ kid, createdAt }: AssertionKey) {
  return { kid, createdAt: createdAt.toISOString() };
}

/** RFC 7517 §5. */
export function presentKeySet(keys: readonly PublishedKey[]) {
  return {
    keys: keys.map(({ kid, publicKey: { kty, crv, x, y } }) => ({
      kty,
      crv,
      x,
      y,
      kid,
      alg: "ES256",
      use: "sig",
    })),
  };
}

export function presentServiceKey({ id, hint, createdAt }: ServiceKey) {
  return { id, hint, createdAt };
}

interface ServiceFigures {
  /** How many people agree to what it may do now. */
  readonly consents: number;
  readonly use: UseSummary;
  /** When keys were last shown, by their ids. */
  readonly keyUses: ReadonlyMap<string, Date>;
}

/** How a service is used, for those who look after it. */
export function presentServiceOverview(service: TrustedService, { consents, use, keyUses }: ServiceFigures) {
  return {
    serviceId: service.id,
    label: service.label,
    consents,
    keys: service.keys.map((key) => ({
      ...presentServiceKey(key),
      lastUsedAt: keyUses.get(key.id)?.toISOString() ?? null,
    })),
    use: {
      ...use,
      refusals: use.refusals.map((refusal) => ({ ...refusal, lastAt: refusal.lastAt.toISOString() })),
      lastUsedAt: use.lastUsedAt?.toISOString() ?? null,
    },
  };
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
