import { expect } from "vitest";

import { findAtSite, PERSON, PLACES } from "./cast.fixture.js";
import type { ListedService } from "../../src/services/settings.js";
import {
  digestOf,
  findConsent,
  forgetRemoved,
  isAgreed,
  isAsking,
  isAtHome,
  isOlder,
  type Caller,
  type KnownLink,
  type KnownTenant,
} from "./known.fixture.js";
import { presentLink, type Run } from "./run.fixture.js";
import { expectCount } from "./services.fixture.js";

/** What a person sees and removes of their own, and the pages, each held against the model. */

/** Counts lag behind until `isAllStored`. Answers what the person is told to be new. */
export async function readMe(run: Run, caller: Caller, isAllStored = false): Promise<Mine["news"]> {
  const { model, stage } = run;
  const { accountId } = PERSON[caller.person];
  const reply = await stage.ask(caller, "GET", "/api/v1/me");
  if (run.wasRefused("read me", reply, model.refuseUser(caller))) return [];
  const tenant = model.get(caller.tenant);
  const { site, product } = PLACES[caller.tenant];
  const { teamDomain, paused } = tenant.settings;
  const obstacle = model.refuseLinking(tenant);
  const links = tenant.links
    .filter((link) => isAtHome(tenant) && link.accountId === accountId)
    .sort((one, other) => (isOlder(one, other) ? -1 : 1));
  const services = isAtHome(tenant) ? tenant.settings.services.filter(isAsking) : [];
  run.expectAnswer("read me", reply, 200, {
    accountId,
    displayName: isAtHome(tenant) ? (findAtSite(site, caller.person)?.name ?? null) : null,
    site: stage.hostOf(tenant.host),
    product,
    teamDomain,
    paused,
    signOutUrl: teamDomain && stage.signOutUrlOf(teamDomain),
    links: links.map(presentLink),
    consents: services.flatMap((service) => {
      const { id, label } = service;
      return standingOf(tenant, accountId, service) === "agreed"
        ? [{ serviceId: id, label, grantedAt: expect.any(String) as unknown }]
        : [];
    }),
    services: services.map((service) => presentService(tenant, accountId, service)),
    news: expect.any(Array) as unknown,
    linking: {
      available: obstacle === null,
      methods: obstacle === null ? ["popup", "accessJwt"] : [],
      reason: obstacle === null ? null : (expect.any(String) as unknown),
    },
  });
  const mine = reply.body as Mine;
  for (const { serviceId, calls, lastActedAt } of mine.services) {
    const known = tenant.uses.get(serviceId)?.people.get(accountId)?.calls ?? 0;
    expectCount(calls, known, isAllStored, `calls of ${serviceId}`);
    expect(lastActedAt === null).toBe(calls === 0);
  }
  expectNews(mine.news, tenant, { accountId, links, isAllStored });
  return mine.news;
}

interface Mine {
  readonly services: readonly {
    readonly serviceId: string;
    readonly calls: number;
    readonly lastActedAt: string | null;
  }[];
  readonly news: readonly { readonly type: string; readonly at: string; readonly serviceId?: string }[];
}

function presentService(tenant: KnownTenant, accountId: string, service: ListedService) {
  const { id, label, purposes, limits, paused } = service;
  const decided = findConsent(tenant, accountId, service) !== null;
  return {
    ...{ serviceId: id, label, purposes, paused, digest: digestOf(service) },
    requests: limits?.requests ?? [],
    maxTokenAgeSeconds: 24 * 3600,
    standing: standingOf(tenant, accountId, service),
    decidedAt: decided ? (expect.any(String) as unknown) : null,
    lastActedAt: expect.toBeOneOf([null, expect.any(String)]) as unknown,
    calls: expect.any(Number) as unknown,
  };
}

function standingOf(tenant: KnownTenant, accountId: string, service: ListedService): string {
  const consent = findConsent(tenant, accountId, service);
  if (consent?.state === "withdrawn") return "withdrawn";
  if (isAgreed(tenant, accountId, service)) return consent ? "agreed" : "given";
  return consent ? "changed" : "undecided";
}

/** What is newer than what the person has been told; that a service acted, as soon as it is stored. */
function expectNews(
  news: Mine["news"],
  tenant: KnownTenant,
  {
    accountId,
    links,
    isAllStored,
  }: { readonly accountId: string; readonly links: readonly KnownLink[]; readonly isAllStored: boolean },
): void {
  const seenUntil = tenant.seenUntil.get(accountId) ?? -Infinity;
  const linked = links.filter(({ linkedAt }) => Date.parse(linkedAt) > seenUntil);
  expect(news.filter(({ type }) => type === "linked")).toEqual(linked.toReversed().map(presentNews));
  const acted = listActed(tenant, accountId, seenUntil);
  const told = news.filter(({ type }) => type === "acted");
  for (const each of told) {
    expect(acted).toContainEqual(each);
    const use = tenant.uses.get(each.serviceId ?? "")?.people.get(accountId);
    if (use) use.knownAt = Date.parse(each.at);
  }
  if (isAllStored) expect(told).toHaveLength(acted.length);
}

function listActed(tenant: KnownTenant, accountId: string, seenUntil: number): unknown[] {
  if (!isAtHome(tenant)) return [];
  return tenant.settings.services.flatMap(({ id, label }) => {
    const use = tenant.uses.get(id)?.people.get(accountId);
    if (!use || (use.knownAt !== null && use.knownAt <= seenUntil)) return [];
    const at = use.knownAt === null ? (expect.any(String) as unknown) : new Date(use.knownAt).toISOString();
    return [{ type: "acted", at, serviceId: id, label }];
  });
}

function presentNews({ id, email, linkedAt }: KnownLink) {
  return { type: "linked", at: linkedAt, linkId: id, email };
}

/** Also what an admin has removed already: then for good. */
export async function removeOwn(run: Run, caller: Caller, id: string): Promise<void> {
  const { accountId } = PERSON[caller.person];
  const reply = await run.stage.ask(caller, "DELETE", `/api/v1/me/links/${id}`);
  if (run.wasRefused("remove own", reply, run.model.refuseUser(caller))) return;
  const tenant = run.model.get(caller.tenant);
  if (run.wasRefused("remove own", reply, isAtHome(tenant) ? null : "paused")) return;
  const isOwn = (link: KnownLink) => link.id === id && link.accountId === accountId;
  const link = tenant.removed.find(isOwn) ?? tenant.links.find(isOwn);
  if (!link) {
    run.expectRefused("remove own", reply, "not_found");
    return;
  }
  run.expectAnswer("remove own", reply, 204);
  tenant.links = tenant.links.filter((each) => each !== link);
  forgetRemoved(tenant, link);
  run.noteLink(tenant, reply, "removed", link, accountId);
}

export async function openPage(run: Run, caller: Caller, path: "/admin" | "/account"): Promise<void> {
  const { model, stage } = run;
  const reply = await stage.open(caller, path);
  const tenant = model.isInstalled(caller.tenant) && caller.signature === "own" ? caller.tenant : null;
  const framedBy = tenant && stage.hostOf(model.get(tenant).host);
  const policy = String(reply.headers["content-security-policy"]);
  expect(policy).toContain(`frame-ancestors ${framedBy === null ? "'none'" : `http://${framedBy}`}`);
  const refusal = path === "/admin" ? model.refuseAdmin(caller) : model.refuseUser(caller);
  const allowed = framedBy === null ? [] : [framedBy];
  if (refusal) {
    run.expectRefused(`open ${path}`, reply, refusal, allowed);
    return;
  }
  run.expectAnswer(`open ${path}`, reply, 200);
  run.expectTells(reply, allowed);
}
