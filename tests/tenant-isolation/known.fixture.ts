import { digestOfService } from "../../src/consents/consent.js";
import type { ListedService, ListedSettings } from "../../src/services/settings.js";
import type { Product } from "../../src/tenants/tenant.js";
import {
  PERSON,
  PLACES,
  teamDomainOf,
  type PersonName,
  type SiteName,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";

/** What the model remembers, and what can be told from it at once. */

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string;
}

export interface KnownLink extends Identity {
  readonly id: string;
  readonly accountId: string;
  readonly linkedAt: string;
  /** `admin`: as if an import had written it. */
  readonly method: "proof" | "admin";
  readonly isConfirmed: boolean;
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

export interface KnownConsent {
  readonly accountId: string;
  readonly serviceId: string;
  readonly digest: string;
  readonly state: "agreed" | "withdrawn";
}

export interface KnownKey {
  readonly tenant: TenantName;
  readonly serviceId: string;
  readonly id: string;
  readonly key: string;
  readonly hint: string;
}

/** How a service was used here: how often its calls came to what, and what it did as whom. */
export interface KnownUse {
  readonly outcomes: Map<string, number>;
  /** By account. `knownAt`: since when, in milliseconds, the person could be told; null until they were. */
  readonly people: Map<string, { calls: number; knownAt: number | null }>;
}

export interface KnownTenant {
  readonly name: TenantName;
  readonly id: string;
  consents: KnownConsent[];
  /** From services that are gone: it counts again when somebody lists the audience again. */
  withdrawn: { readonly accountId: string; readonly audience: string }[];
  /** Of services; the oldest first. */
  keys: KnownKey[];
  /** The ids of those that were ever shown. */
  readonly shownKeys: Set<string>;
  /** By service. */
  readonly uses: Map<string, KnownUse>;
  /** By account: until when, in milliseconds, they have been told what is new. */
  readonly seenUntil: Map<string, number>;
  /** Of the key that its assertions are signed with. */
  signingKid: string | null;
  state: "enabled" | "disabled" | "uninstalled";
  /** The host that its last install event named. Only its own ever accepts its secret. */
  host: SiteName;
  settings: ListedSettings;
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

/** Security rule 4: what a tenant says for people counts only once its own host has accepted its secret. */
export function isAtHome({ name, host }: KnownTenant): boolean {
  return host === PLACES[name].site;
}

/** Whether people are asked about it. */
export function isAsking({ purposes }: ListedService): boolean {
  return purposes.includes("act") || purposes.includes("assert");
}

/** What an agreement to what the service may do now holds. */
export function digestOf(service: ListedService): string {
  return digestOfService({ ...service, keys: [] });
}

export function findConsent(
  { consents }: KnownTenant,
  accountId: string,
  { id }: ListedService,
): KnownConsent | null {
  return consents.find((each) => each.accountId === accountId && each.serviceId === id) ?? null;
}

export function decide(tenant: KnownTenant, consent: KnownConsent): void {
  const { accountId, serviceId } = consent;
  const isOther = (each: KnownConsent) => each.accountId !== accountId || each.serviceId !== serviceId;
  tenant.consents = [...tenant.consents.filter(isOther), consent];
}

export function isAgreed(tenant: KnownTenant, accountId: string, service: ListedService): boolean {
  const consent = findConsent(tenant, accountId, service);
  if (consent?.state === "withdrawn") return false;
  return service.limits?.consent === "given" || consent?.digest === digestOf(service);
}

export function isProved({ method, isConfirmed }: KnownLink): boolean {
  return method === "proof" || isConfirmed;
}

export function identityOf({ team, person }: Pick<AccessToken, "team" | "person">): Identity {
  const { accessSubject, email } = PERSON[person];
  return { issuer: `https://${teamDomainOf(team)}`, subject: accessSubject, email };
}

export function forgetRemoved(tenant: KnownTenant, { issuer, subject }: Identity): void {
  tenant.removed = tenant.removed.filter((link) => link.issuer !== issuer || link.subject !== subject);
}

/** Older, or as old with a lower id. */
export function isOlder(one: KnownLink, other: KnownLink): boolean {
  return one.linkedAt === other.linkedAt ? one.id < other.id : one.linkedAt < other.linkedAt;
}
