import { expect } from "vitest";

import type { Activity } from "../../src/gateway/member-sight.js";
import type { ListedService } from "../../src/services/settings.js";
import { readMe } from "./account.fixture.js";
import { PERSON } from "./cast.fixture.js";
import {
  decide,
  digestOf,
  findConsent,
  isAsking,
  isAtHome,
  type Caller,
  type KnownTenant,
} from "./known.fixture.js";
import { presentLink, type Run } from "./run.fixture.js";

/** What a person decides and is told on the account page, each held against the model. */

export async function agree(run: Run, caller: Caller, serviceId: string, digest: string): Promise<void> {
  const reply = await run.stage.ask(caller, "PUT", `/api/v1/me/consents/${serviceId}`, { digest });
  if (run.wasRefused("agree", reply, run.model.refuseUser(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const service = findAsking(tenant, serviceId);
  const refusal = !isAtHome(tenant)
    ? "paused"
    : !service
      ? "not_found"
      : digest === digestOf(service)
        ? null
        : "consent_changed";
  if (run.wasRefused("agree", reply, refusal) || !service) return;
  run.expectAnswer("agree", reply, 204);
  const { accountId } = PERSON[caller.person];
  const before = findConsent(tenant, accountId, service);
  if (before?.state === "agreed" && before.digest === digest) return;
  decide(tenant, { accountId, serviceId, digest, state: "agreed" });
  const { label, audience, purposes, limits } = service;
  run.note(tenant, reply, {
    action: "consent.given",
    actor: { type: "user", accountId },
    target: { type: "service", id: serviceId },
    after: { label, audience, purposes, requests: limits?.requests ?? [] },
  });
}

export async function withdraw(run: Run, caller: Caller, serviceId: string): Promise<void> {
  const reply = await run.stage.ask(caller, "DELETE", `/api/v1/me/consents/${serviceId}`);
  if (run.wasRefused("withdraw", reply, run.model.refuseUser(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const service = findAsking(tenant, serviceId);
  const refusal = !isAtHome(tenant) ? "paused" : service ? null : "not_found";
  if (run.wasRefused("withdraw", reply, refusal) || !service) return;
  run.expectAnswer("withdraw", reply, 204);
  const { accountId } = PERSON[caller.person];
  if (findConsent(tenant, accountId, service)?.state === "withdrawn") return;
  decide(tenant, { accountId, serviceId, digest: digestOf(service), state: "withdrawn" });
  run.note(tenant, reply, {
    action: "consent.withdrawn",
    actor: { type: "user", accountId },
    target: { type: "service", id: serviceId },
    before: { label: service.label },
  });
}

function findAsking({ settings }: KnownTenant, serviceId: string): ListedService | null {
  return settings.services.find((service) => service.id === serviceId && isAsking(service)) ?? null;
}

/** Of a link that others had written. */
export async function confirm(run: Run, caller: Caller, linkId: string, email: string): Promise<void> {
  const reply = await run.stage.ask(caller, "POST", `/api/v1/me/links/${linkId}/confirm`, { email });
  if (run.wasRefused("confirm", reply, run.model.refuseUser(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const { accountId } = PERSON[caller.person];
  const link = tenant.links.find((each) => each.id === linkId && each.accountId === accountId);
  const refusal = !isAtHome(tenant)
    ? "paused"
    : !link
      ? "not_found"
      : email === link.email
        ? null
        : "consent_changed";
  if (run.wasRefused("confirm", reply, refusal) || !link) return;
  const isNew = link.method === "admin" && !link.isConfirmed;
  const confirmed = isNew ? { ...link, isConfirmed: true } : link;
  run.expectAnswer(`confirm${isNew ? "" : " again"}`, reply, 200, presentLink(confirmed));
  if (!isNew) return;
  tenant.links = tenant.links.map((each) => (each === link ? confirmed : each));
  run.noteLink(tenant, reply, "confirmed", confirmed, accountId);
}

/** As the page does it: the person has seen what they are told, and nothing that comes later. */
export async function seeNews(run: Run, caller: Caller): Promise<void> {
  const told = await readMe(run, caller);
  const until = new Date(Math.max(0, ...told.map(({ at }) => Date.parse(at))));
  const body = { until: until.toISOString() };
  const reply = await run.stage.ask(caller, "POST", "/api/v1/me/news/seen", body);
  if (run.wasRefused("see news", reply, run.model.refuseUser(caller))) return;
  const tenant = run.model.get(caller.tenant);
  if (run.wasRefused("see news", reply, isAtHome(tenant) ? null : "paused")) return;
  run.expectAnswer("see news", reply, 204);
  const { accountId } = PERSON[caller.person];
  tenant.seenUntil.set(accountId, Math.max(until.getTime(), tenant.seenUntil.get(accountId) ?? 0));
}

/** `isFurther` goes on where the last list of this person stopped. */
export async function listActivity(
  run: Run,
  caller: Caller,
  { limit, isFurther }: { readonly limit: number | null; readonly isFurther: boolean },
): Promise<void> {
  await run.waitForRecord();
  const { accountId } = PERSON[caller.person];
  const place = `${caller.tenant} ${accountId} activity`;
  const cursor = isFurther ? run.auditCursors.get(place) : undefined;
  const query = new URLSearchParams({ limit: String(limit ?? 200), cursor: cursor?.text ?? "" });
  const reply = await run.stage.ask(caller, "GET", `/api/v1/me/activity?${query.toString()}`);
  if (run.wasRefused("list activity", reply, run.model.refuseUser(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const own = tenant.events
    .filter(({ action, actor }) => action === "service.acted" && actor.accountId === accountId)
    .filter((event) => !cursor || event.number < cursor.after.number);
  const shown = isAtHome(tenant) ? own.slice(0, limit ?? 200) : [];
  const nextCursor = isAtHome(tenant) && own.length > shown.length ? (expect.any(String) as unknown) : null;
  run.expectAnswer(`list ${shown.length > 0 ? "activity" : "no activity"}`, reply, 200, {
    items: shown.map(({ target, after }) => {
      const { label, method, path, status, milliseconds, code } = after as Activity;
      const told = { label, method, path, status, milliseconds, code };
      return { ...told, at: expect.any(String) as unknown, serviceId: target.id };
    }),
    nextCursor,
  });
  const last = shown.at(-1);
  const { nextCursor: text } = reply.body as { nextCursor: string | null };
  if (last && text) run.auditCursors.set(place, { text, after: last });
}
