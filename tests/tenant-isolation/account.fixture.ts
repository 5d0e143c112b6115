import { expect } from "vitest";

import { findAtSite, PERSON, PLACES } from "./cast.fixture.js";
import { forgetRemoved, isAtHome, isOlder, type Caller, type KnownLink } from "./model.fixture.js";
import { presentLink, type Run } from "./run.fixture.js";

/** What a person sees and removes of their own, and the pages, each held against the model. */

export async function readMe(run: Run, caller: Caller): Promise<void> {
  const { model, stage } = run;
  const { accountId } = PERSON[caller.person];
  const reply = await stage.ask(caller, "GET", "/api/v1/me");
  if (run.wasRefused("read me", reply, model.refuseUser(caller))) return;
  const tenant = model.get(caller.tenant);
  const { site, product } = PLACES[caller.tenant];
  const { teamDomain } = tenant.settings;
  const obstacle = model.refuseLinking(tenant);
  run.expectAnswer("read me", reply, 200, {
    accountId,
    displayName: isAtHome(tenant) ? (findAtSite(site, caller.person)?.name ?? null) : null,
    site: stage.hostOf(tenant.host),
    product,
    teamDomain,
    signOutUrl: teamDomain && stage.signOutUrlOf(teamDomain),
    links: tenant.links
      .filter((link) => isAtHome(tenant) && link.accountId === accountId)
      .sort((one, other) => (isOlder(one, other) ? -1 : 1))
      .map(presentLink),
    consents: [],
    services: [],
    linking: {
      available: obstacle === null,
      methods: obstacle === null ? ["popup", "accessJwt"] : [],
      reason: obstacle === null ? null : (expect.any(String) as unknown),
    },
  });
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
