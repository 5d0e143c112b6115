import fc, { type Arbitrary } from "fast-check";

import {
  ADMIN_OF,
  AUDIENCE_NAMES,
  AUDIENCE_OF,
  PERSON,
  PERSON_NAMES,
  TEAM_NAMES,
  teamDomainOf,
  TENANT_NAMES,
  type AudienceName,
  type PersonName,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";
import type { AccessToken, Caller, KnownAttempt, KnownKey, OwnedLink } from "./known.fixture.js";
import type { Run } from "./run.fixture.js";
import { keyOf } from "./services.fixture.js";

/** Who, where and with what: chosen so that most steps get far, and the others miss by one thing. */

/** Four times in five the first. */
export function mostly<T>(usual: T, ...others: readonly T[]): Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight: 4 },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );
}

/** Three times in four nothing. */
export function rarely<T>(arbitrary: Arbitrary<T>): Arbitrary<T | null> {
  return fc.oneof({ arbitrary: fc.constant(null), weight: 3 }, { arbitrary, weight: 1 });
}

export const tenant = fc.constantFrom(...TENANT_NAMES);

const person = fc.constantFrom(...PERSON_NAMES);

const signature = fc.oneof(
  { arbitrary: fc.constant("own" as const), weight: 14 },
  { arbitrary: fc.constantFrom("old" as const, "another tenant's" as const), weight: 1 },
);

export const member: Arbitrary<Caller> = fc.record({ person, tenant, signature });

/** Mostly the tenant's own. */
export const admin: Arbitrary<Caller> = fc
  .record({ tenant, signature, other: rarely(person) })
  .map(({ other, ...rest }) => ({ ...rest, person: other ?? ADMIN_OF[rest.tenant] }));

export function describeCaller({ person, tenant, signature }: Caller): string {
  return `${person} in ${tenant}${describeSignature(signature)}`;
}

function describeSignature(signature: Caller["signature"]): string {
  return signature === "own" ? "" : ` (signed with ${signature} secret)`;
}

type Right = Pick<Caller, "person" | "tenant">;

/** Somebody: mostly whom an attempt or a link suits, and mostly in its tenant. */
export interface Actor {
  readonly person: PersonName | "the right person";
  readonly tenant: TenantName | "the right tenant";
  readonly signature: Caller["signature"];
}

export const actor: Arbitrary<Actor> = fc.record({
  person: fc.oneof(
    { arbitrary: fc.constant("the right person" as const), weight: 2 },
    { arbitrary: person, weight: 1 },
  ),
  tenant: fc.oneof(
    { arbitrary: fc.constant("the right tenant" as const), weight: 2 },
    { arbitrary: tenant, weight: 1 },
  ),
  signature,
});

export function describeActor({ person, tenant, signature }: Actor): string {
  return `${person} in ${tenant}${describeSignature(signature)}`;
}

/** `findPerson` says who suits in a tenant. */
export function resolveActor(
  { person, tenant, signature }: Actor,
  owned: Owned | null,
  findPerson: (tenant: TenantName) => PersonName,
): Caller {
  const place = tenant === "the right tenant" ? tenantOf(owned) : tenant;
  return { person: person === "the right person" ? findPerson(place) : person, tenant: place, signature };
}

/** An Access JWT: mostly of the team and for the audience that the tenant in question names. */
export interface TokenChoice {
  readonly person: PersonName | "right";
  readonly team: TeamName | "right";
  readonly audience: AudienceName | "right";
  /** Else the one that was used for this before, if there is one. */
  readonly isNew: boolean;
}

export const token: Arbitrary<TokenChoice> = fc.record({
  person: fc.oneof(fc.constant("right" as const), person),
  team: mostly<TokenChoice["team"]>("right", ...TEAM_NAMES),
  audience: mostly<TokenChoice["audience"]>("right", ...AUDIENCE_NAMES),
  isNew: fc.boolean(),
});

export function describeToken({ person, team, audience, isNew }: TokenChoice): string {
  const holder = person === "right" ? "the right person" : person;
  return `${isNew ? "a new" : "the last"} Access JWT of ${holder} (${team} team, ${audience} audience)`;
}

export async function signToken(
  { stage, model }: Run,
  { person, team, audience, isNew }: TokenChoice,
  right: Right,
  purpose: "link" | "identify" | "act",
): Promise<AccessToken> {
  const { teamDomain, services } = model.settingsOf(right.tenant);
  const rightTeam = TEAM_NAMES.find((name) => teamDomainOf(name) === teamDomain) ?? "red";
  const service = services.find(({ purposes }) => purposes.includes(purpose));
  return stage.sign(
    team === "right" ? rightTeam : team,
    person === "right" ? right.person : person,
    audience === "right" ? (service?.audience ?? AUDIENCE_OF.app) : AUDIENCE_OF[audience],
    isNew,
  );
}

/** What a service shows besides the token. */
export type KeyChoice = "its own" | "no" | "another's";

export const keyChoice = mostly<KeyChoice>("its own", "no", "another's");

export function describeKey(key: KeyChoice): string {
  return `${key} key`;
}

/** Another's: the newest that isn't good for this service, or isn't any more. */
export function findKey(run: Run, choice: KeyChoice, name: TenantName, token: AccessToken): string | null {
  const { tenants, everyKey } = run.model;
  const known = tenants.get(name);
  if (choice === "its own") return keyOf(run, known, token);
  const service = known && run.model.findMeant(token, known);
  const good = known?.keys.filter(({ serviceId }) => serviceId === service?.id) ?? [];
  return choice === "no" ? null : (everyKey.findLast((each) => !good.includes(each))?.key ?? null);
}

export function findServiceKey({ model }: Run, count: number): KnownKey | null {
  return model.everyKey.at(-1 - count) ?? null;
}

/** How many lie between it and the newest. */
export const back = fc.oneof(
  { arbitrary: fc.constant(0), weight: 2 },
  { arbitrary: fc.nat({ max: 3 }), weight: 1 },
);

export function describeBack(what: string, count: number): string {
  return count === 0 ? `the newest ${what}` : `the ${what} ${count} before the newest`;
}

export function findAttempt({ model }: Run, count: number): KnownAttempt | null {
  return model.attempts.at(-1 - count) ?? null;
}

/** One that an admin has removed, or any. */
export const target = fc.record({ count: back, isRemoved: fc.boolean() });

export function describeTarget({ count, isRemoved }: { count: number; isRemoved: boolean }): string {
  return describeBack(isRemoved ? "removed link" : "link", count);
}

export function findTarget(
  { model }: Run,
  { count, isRemoved }: { count: number; isRemoved: boolean },
): OwnedLink | null {
  return (isRemoved ? model.everyRemoval : model.everyLink).at(-1 - count) ?? null;
}

export function findLink({ model }: Run, count: number): OwnedLink | null {
  return model.everyLink.at(-1 - count) ?? null;
}

/** What belongs to an account of a tenant. */
type Owned = Pick<KnownAttempt | OwnedLink, "accountId" | "tenant">;

/** Whose account it is. */
export function ownerOf(owned: Owned | null): PersonName {
  return PERSON_NAMES.find((name) => PERSON[name].accountId === owned?.accountId) ?? "Grace";
}

/** Whose Access identity it is. */
export function holderOf(link: OwnedLink | null): PersonName {
  return PERSON_NAMES.find((name) => PERSON[name].accessSubject === link?.subject) ?? "Grace";
}

export function tenantOf(owned: Owned | null): TenantName {
  return owned?.tenant ?? "acme's Jira";
}
