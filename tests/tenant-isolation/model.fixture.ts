import { isDeepStrictEqual } from "node:util";

import { isEmailAllowed } from "../../src/services/email-domain.js";
import {
  FRESH_SETTINGS,
  type ListedService,
  type ListedSettings,
  type Purpose,
} from "../../src/services/settings.js";
import type { ProblemCode } from "../../src/errors.js";
import {
  findAtSite,
  PERSON,
  PLACES,
  teamDomainOf,
  type SiteName,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";
import {
  type AccessToken,
  type Caller,
  type Identity,
  type KnownAttempt,
  type KnownKey,
  type KnownLink,
  type KnownTenant,
  type OwnedLink,
  type Question,
  identityOf,
  isAtHome,
} from "./known.fixture.js";

/** What a call of a service came to, which that service's admin gets to see. */
export interface Outcome {
  readonly tenant: KnownTenant;
  readonly serviceId: string;
  readonly outcome: string;
}

interface Refusal {
  readonly code: ProblemCode;
  readonly tenant: KnownTenant | null;
}

const FIRST_REFUSALS_OF_IDENTITY: readonly ProblemCode[] = [
  "access_jwt_untrusted",
  "email_domain_not_allowed",
  "paused",
  "purpose_not_allowed",
  "service_key_required",
  "not_linked",
];

/** Who may see what, as plain data: it says what each answer must be. It knows nothing of how the app finds out. */
export class Model {
  /** In the order of their first installation. */
  readonly tenants = new Map<TenantName, KnownTenant>();
  readonly attempts: KnownAttempt[] = [];
  /** Every link that there ever was, and each that an admin has removed since. */
  readonly everyLink: OwnedLink[] = [];
  readonly everyRemoval: OwnedLink[] = [];
  readonly everyKey: KnownKey[] = [];
  /** What services have written, in this order. */
  readonly written: { readonly site: SiteName; readonly reporterId: string }[] = [];
  /** By the token: what it has linked. */
  readonly spent = new Map<string, string>();

  get(name: TenantName): KnownTenant {
    const tenant = this.tenants.get(name);
    if (!tenant) throw new Error(`${name} has never had the app.`);
    return tenant;
  }

  settingsOf(name: TenantName): ListedSettings {
    return this.tenants.get(name)?.settings ?? FRESH_SETTINGS;
  }

  isInstalled(name: TenantName): boolean {
    const state = this.tenants.get(name)?.state;
    return state === "enabled" || state === "disabled";
  }

  refuseUser({ tenant, signature }: Caller): ProblemCode | null {
    const isEnabled = this.tenants.get(tenant)?.state === "enabled";
    return isEnabled && signature === "own" ? null : "connect_jwt_invalid";
  }

  refuseAdmin(caller: Caller): ProblemCode | null {
    const refusal = this.refuseUser(caller);
    if (refusal) return refusal;
    const { site, product } = PLACES[caller.tenant];
    // Another's host doesn't answer to this tenant's secret.
    if (!isAtHome(this.get(caller.tenant))) return "upstream_failed";
    return findAtSite(site, caller.person)?.administers.includes(product) ? null : "not_admin";
  }

  refuseLinking(tenant: KnownTenant): ProblemCode | null {
    if (!isAtHome(tenant)) return "paused";
    const { settings } = tenant;
    const service = settings.services.find(({ purposes }) => purposes.includes("link"));
    if (settings.teamDomain === null || !service) return "purpose_not_allowed";
    return settings.paused || service.paused ? "paused" : null;
  }

  /** The service of the tenant that a token was made for; `named` is the audience that the caller asks for besides. */
  findMeant(
    { team, audience }: AccessToken,
    { settings }: Pick<KnownTenant, "settings">,
    named: string | null = null,
  ): ListedService | null {
    if (settings.teamDomain !== teamDomainOf(team) || (named !== null && named !== audience)) return null;
    return settings.services.find((each) => each.audience === audience) ?? null;
  }

  refuseToken(
    token: AccessToken,
    { settings }: KnownTenant,
    purpose: Purpose,
    named: string | null = null,
  ): ProblemCode | null {
    const service = this.findMeant(token, { settings }, named);
    if (!service) return "access_jwt_untrusted";
    if (!isEmailAllowed(PERSON[token.person].email, settings.allowedEmailDomains))
      return "email_domain_not_allowed";
    if (settings.paused || service.paused) return "paused";
    return service.purposes.includes(purpose) ? null : "purpose_not_allowed";
  }

  /** Of a service's call, which may bring a key along. */
  refuseService(
    token: AccessToken,
    tenant: KnownTenant,
    purpose: "identify" | "act",
    { key, audience }: { readonly key: string | null; readonly audience: string | null },
  ): ProblemCode | null {
    const refusal = this.refuseToken(token, tenant, purpose, audience);
    if (refusal) return refusal;
    const service = this.findMeant(token, tenant);
    const keys = tenant.keys.filter(({ serviceId }) => serviceId === service?.id);
    return keys.length === 0 || keys.some((each) => each.key === key) ? null : "service_key_required";
  }

  refuseLinkingToken(token: AccessToken, name: TenantName): ProblemCode | null {
    const tenant = this.get(name);
    return this.refuseToken(token, tenant, "link") ?? this.refuseLinking(tenant);
  }

  isTrusted(team: TeamName): boolean {
    return [...this.tenants.values()].some(
      ({ state, settings }) => state === "enabled" && settings.teamDomain === teamDomainOf(team),
    );
  }

  isLive(attempt: KnownAttempt | null): attempt is KnownAttempt {
    return attempt !== null && !attempt.isUsed && !attempt.isErased && attempt.wrongCodes < 5;
  }

  refuseVisit(token: AccessToken, attempt: KnownAttempt | null): ProblemCode | null {
    if (!this.isTrusted(token.team)) return "access_jwt_untrusted";
    if (!this.isLive(attempt)) return "attempt_expired";
    const tenant = this.get(attempt.tenant);
    if (tenant.state !== "enabled") return "attempt_expired";
    const refusal = this.refuseLinkingToken(token, attempt.tenant);
    if (refusal) return refusal;
    const isTaken = attempt.claimedBy && !isDeepStrictEqual(attempt.claimedBy, identityOf(token));
    return isTaken ? "attempt_expired" : null;
  }

  /** Why the code of an attempt doesn't write a link, apart from the link's being somebody else's. */
  refuseCode(caller: Caller, attempt: KnownAttempt | null, code: string): ProblemCode | null {
    const { accountId } = PERSON[caller.person];
    if (!this.isLive(attempt) || attempt.tenant !== caller.tenant || attempt.accountId !== accountId)
      return "attempt_expired";
    if (!attempt.claimedBy || !attempt.codes.includes(code)) return "validation_failed";
    const tenant = this.get(caller.tenant);
    const { settings } = tenant;
    const refusal = this.refuseLinking(tenant);
    if (refusal) return refusal;
    const isListed = settings.services.some(
      ({ audience, purposes }) => audience === attempt.audience && purposes.includes("link"),
    );
    if (`https://${settings.teamDomain ?? ""}` !== attempt.claimedBy.issuer || !isListed)
      return "attempt_expired";
    return isEmailAllowed(attempt.claimedBy.email, settings.allowedEmailDomains)
      ? null
      : "email_domain_not_allowed";
  }

  findLink(tenant: TenantName, { issuer, subject }: Identity): KnownLink | null {
    return this.get(tenant).links.find((link) => link.issuer === issuer && link.subject === subject) ?? null;
  }

  /** The tenants that a site has proved to be its own. */
  listOfSite({ site, product }: Pick<Question, "site" | "product">): KnownTenant[] {
    return [...this.tenants.values()].filter(
      (tenant) =>
        tenant.state === "enabled" &&
        tenant.host === site &&
        isAtHome(tenant) &&
        (product === null || product === PLACES[tenant.name].product),
    );
  }

  /** Where somebody is found, or the refusal that got furthest and the tenant that it speaks of; and who counts what. */
  identify(
    token: AccessToken,
    question: Question,
    key: string | null,
  ): { readonly result: { tenant: KnownTenant; link: KnownLink } | Refusal; readonly outcomes: Outcome[] } {
    const { audience } = question;
    const found: { tenant: KnownTenant; link: KnownLink }[] = [];
    const refusals: { tenant: KnownTenant; code: ProblemCode }[] = [];
    for (const tenant of this.listOfSite(question)) {
      const link = this.findLink(tenant.name, identityOf(token));
      const code =
        this.refuseService(token, tenant, "identify", { key, audience }) ?? (link ? null : "not_linked");
      if (code === null && link) found.push({ tenant, link });
      else if (code) refusals.push({ tenant, code });
    }
    const count = (tenant: KnownTenant, outcome: string): Outcome[] => {
      const service = this.findMeant(token, tenant, audience);
      return service ? [{ tenant, serviceId: service.id, outcome }] : [];
    };
    const [first] = found;
    if (!first) {
      const furthest = refusals.reduce<Refusal>(
        (most, refusal) => (rank(refusal.code) > rank(most.code) ? refusal : most),
        { code: "access_jwt_untrusted", tenant: null },
      );
      return { result: furthest, outcomes: refusals.flatMap(({ tenant, code }) => count(tenant, code)) };
    }
    if (new Set(found.map(({ link }) => link.accountId)).size > 1) {
      const outcomes = found.flatMap(({ tenant }) => count(tenant, "ambiguous_site"));
      return { result: { code: "ambiguous_site", tenant: null }, outcomes };
    }
    return { result: first, outcomes: count(first.tenant, "identified") };
  }
}

function rank(code: ProblemCode): number {
  return FIRST_REFUSALS_OF_IDENTITY.indexOf(code);
}
