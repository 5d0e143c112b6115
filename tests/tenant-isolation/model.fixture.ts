import { isDeepStrictEqual } from "node:util";

import { isEmailAllowed } from "../../src/services/email-domain.js";
import { FRESH_SETTINGS, type Purpose, type Settings } from "../../src/services/settings.js";
import type { ProblemCode } from "../../src/errors.js";
import type { Product } from "../../src/tenants/tenant.js";
import {
  findAtSite,
  PERSON,
  PLACES,
  teamDomainOf,
  type PersonName,
  type SiteName,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string;
}

export interface KnownLink extends Identity {
  readonly id: string;
  readonly accountId: string;
  readonly linkedAt: string;
}

export interface OwnedLink extends KnownLink {
  readonly tenant: TenantName;
}

export interface KnownEvent {
  readonly action: string;
  readonly actor: { readonly type: string; readonly accountId: string | null };
  readonly target: { readonly type: string; readonly id: string };
  readonly before: unknown;
  readonly after: unknown;
  /** Of the one request that it tells of. */
  readonly reference: string;
  /** Counts on through all tenants. */
  readonly number: number;
}

export interface KnownTenant {
  readonly name: TenantName;
  readonly id: string;
  state: "enabled" | "disabled" | "uninstalled";
  /** The host that its last install event named. Only its own ever accepts its secret. */
  host: SiteName;
  settings: Settings;
  links: KnownLink[];
  /** Removed by an admin, and nobody has decided anything about their identities since. */
  removed: KnownLink[];
  /** Newest first. */
  events: KnownEvent[];
}

export interface KnownAttempt {
  readonly id: string;
  readonly tenant: TenantName;
  readonly accountId: string;
  cookie: string | null;
  claimedBy: Identity | null;
  audience: string | null;
  codes: readonly string[];
  wrongCodes: number;
  isUsed: boolean;
  isErased: boolean;
}

/** Somebody who looks at the app's page, as a token says that this secret signed. */
export interface Caller {
  readonly person: PersonName;
  readonly tenant: TenantName;
  readonly signature: "own" | "old" | "another tenant's";
}

export interface AccessToken {
  readonly team: TeamName;
  readonly person: PersonName;
  readonly audience: string;
  readonly text: string;
}

export interface Question {
  readonly site: SiteName | "nobody's";
  readonly product: Product | null;
  readonly audience: string | null;
}

const FIRST_REFUSALS_OF_IDENTITY: readonly ProblemCode[] = [
  "access_jwt_untrusted",
  "email_domain_not_allowed",
  "paused",
  "purpose_not_allowed",
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
  /** By the token: what it has linked. */
  readonly spent = new Map<string, string>();

  get(name: TenantName): KnownTenant {
    const tenant = this.tenants.get(name);
    if (!tenant) throw new Error(`${name} has never had the app.`);
    return tenant;
  }

  settingsOf(name: TenantName): Settings {
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
    const { settings } = tenant;
    const isSetUp = settings.services.some(({ purposes }) => purposes.includes("link"));
    if (settings.teamDomain === null || !isSetUp) return "purpose_not_allowed";
    return settings.paused || !isAtHome(tenant) ? "paused" : null;
  }

  refuseToken(
    { team, person, audience }: AccessToken,
    settings: Settings,
    purpose: Purpose,
    named: string | null = null,
  ): ProblemCode | null {
    const isTeam = settings.teamDomain === teamDomainOf(team);
    const service = isTeam ? settings.services.find((each) => each.audience === audience) : undefined;
    if (!service || (named !== null && named !== audience)) return "access_jwt_untrusted";
    if (!isEmailAllowed(PERSON[person].email, settings.allowedEmailDomains))
      return "email_domain_not_allowed";
    if (settings.paused) return "paused";
    return service.purposes.includes(purpose) ? null : "purpose_not_allowed";
  }

  refuseLinkingToken(token: AccessToken, name: TenantName): ProblemCode | null {
    const tenant = this.get(name);
    return this.refuseToken(token, tenant.settings, "link") ?? this.refuseLinking(tenant);
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

  /** Where somebody is found, or the refusal that got furthest and the tenant that it speaks of. */
  identify(
    token: AccessToken,
    { site, product, audience }: Question,
  ): { tenant: KnownTenant; link: KnownLink } | { code: ProblemCode; tenant: KnownTenant | null } {
    const asked = [...this.tenants.values()].filter(
      (tenant) =>
        tenant.state === "enabled" &&
        tenant.host === site &&
        isAtHome(tenant) &&
        (product === null || product === PLACES[tenant.name].product),
    );
    const found: { tenant: KnownTenant; link: KnownLink }[] = [];
    let refusal: { code: ProblemCode; tenant: KnownTenant | null } = {
      code: "access_jwt_untrusted",
      tenant: null,
    };
    for (const tenant of asked) {
      const link = this.findLink(tenant.name, identityOf(token));
      const code =
        this.refuseToken(token, tenant.settings, "identify", audience) ?? (link ? null : "not_linked");
      if (code === null && link) found.push({ tenant, link });
      else if (code && rank(code) > rank(refusal.code)) refusal = { code, tenant };
    }
    const [first] = found;
    if (!first) return refusal;
    return new Set(found.map(({ link }) => link.accountId)).size > 1
      ? { code: "ambiguous_site", tenant: null }
      : first;
  }
}

/** Security rule 4: what a tenant says for people counts only once its own host has accepted its secret. */
export function isAtHome({ name, host }: KnownTenant): boolean {
  return host === PLACES[name].site;
}

export function identityOf({ team, person }: Pick<AccessToken, "team" | "person">): Identity {
  const { accessSubject, email } = PERSON[person];
  return { issuer: `https://${teamDomainOf(team)}`, subject: accessSubject, email };
}

function rank(code: ProblemCode): number {
  return FIRST_REFUSALS_OF_IDENTITY.indexOf(code);
}

export function forgetRemoved(tenant: KnownTenant, { issuer, subject }: Identity): void {
  tenant.removed = tenant.removed.filter((link) => link.issuer !== issuer || link.subject !== subject);
}

/** Older, or as old with a lower id. */
export function isOlder(one: KnownLink, other: KnownLink): boolean {
  return one.linkedAt === other.linkedAt ? one.id < other.id : one.linkedAt < other.linkedAt;
}
