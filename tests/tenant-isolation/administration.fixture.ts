import { expect } from "vitest";

import { PERSON, type TenantName } from "./cast.fixture.js";
import { isOlder, type Caller, type KnownEvent } from "./known.fixture.js";
import { isUse, presentLink, type Run } from "./run.fixture.js";

/** What an admin sees and undoes, each held against the model. */

/** Page by page when there is a limit; `cursorOf` goes on where a list of that tenant stopped. */
export interface ListQuery {
  readonly limit: number | null;
  readonly cursorOf: TenantName | null;
}

export async function listLinks(run: Run, caller: Caller, query: string, page: ListQuery): Promise<void> {
  const cursor = run.linkCursors.get(page.cursorOf ?? "");
  const reply = await run.stage.ask(caller, "GET", listPath("/api/v1/links", { query }, page, cursor?.text));
  if (run.wasRefused("list links", reply, run.model.refuseAdmin(caller))) return;
  const matching = run.model
    .get(caller.tenant)
    .links.filter(({ email, accountId }) => email.includes(query) || accountId.includes(query))
    .filter((link) => !cursor || isOlder(link, cursor.after))
    .sort((one, other) => (isOlder(one, other) ? 1 : -1));
  const shown = matching.slice(0, page.limit ?? 50);
  const nextCursor = matching.length > shown.length ? (expect.any(String) as unknown) : null;
  run.expectAnswer(`list ${shown.length ? "links" : "no links"}`, reply, 200, {
    items: shown.map(presentLink),
    nextCursor,
  });
  const last = shown.at(-1);
  const { nextCursor: text } = reply.body as { nextCursor: string | null };
  if (last && text) run.linkCursors.set(caller.tenant, { text, after: last });
}

/** Changes, or what services did, which is stored a little later. */
export async function listAudit(
  run: Run,
  caller: Caller,
  { kind, actor }: { readonly kind: "changes" | "use"; readonly actor: string },
  page: ListQuery,
): Promise<void> {
  if (kind === "use") await run.waitForRecord();
  // Between tenants, only changes are stored in the order in which they were made.
  const cursorOf = page.cursorOf && (kind === "use" ? caller.tenant : page.cursorOf);
  const cursor = run.auditCursors.get(`${cursorOf ?? ""} ${kind}`);
  const path = listPath("/api/v1/audit", { kind, actor }, page, cursor?.text);
  const reply = await run.stage.ask(caller, "GET", path);
  if (run.wasRefused("list audit", reply, run.model.refuseAdmin(caller))) return;
  const matching = run.model
    .get(caller.tenant)
    .events.filter((event) => isUse(event) === (kind === "use"))
    .filter((event) => !actor || event.actor.type === actor || event.actor.accountId === actor)
    .filter((event) => !cursor || event.number < cursor.after.number);
  const shown = matching.slice(0, page.limit ?? 200);
  run.expectAnswer(`list ${kind}`, reply, 200, {
    items: shown.map(presentEvent),
    nextCursor: matching.length > shown.length ? (expect.any(String) as unknown) : null,
  });
  const { items, nextCursor } = reply.body as { items: { id: string }[]; nextCursor: string | null };
  for (const { id } of items) run.own(id, caller.tenant);
  const last = shown.at(-1);
  if (last && nextCursor) run.auditCursors.set(`${caller.tenant} ${kind}`, { text: nextCursor, after: last });
}

export async function removeAsAdmin(run: Run, caller: Caller, id: string): Promise<void> {
  const reply = await run.stage.ask(caller, "DELETE", `/api/v1/links/${id}`);
  if (run.wasRefused("remove as admin", reply, run.model.refuseAdmin(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const link = tenant.links.find((each) => each.id === id);
  if (!link) {
    run.expectRefused("remove as admin", reply, "not_found");
    return;
  }
  run.expectAnswer("remove as admin", reply, 204);
  tenant.links = tenant.links.filter((each) => each !== link);
  tenant.removed.push(link);
  run.model.everyRemoval.push({ ...link, tenant: caller.tenant });
  run.noteLink(tenant, reply, "removed", link, PERSON[caller.person].accountId);
}

export async function restore(run: Run, caller: Caller, id: string): Promise<void> {
  const reply = await run.stage.ask(caller, "POST", `/api/v1/links/${id}/restore`);
  if (run.wasRefused("restore", reply, run.model.refuseAdmin(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const link = tenant.removed.find((each) => each.id === id);
  if (!link) {
    run.expectRefused("restore", reply, "not_found");
    return;
  }
  run.expectAnswer("restore", reply, 200, presentLink(link));
  tenant.removed = tenant.removed.filter((each) => each !== link);
  tenant.links.push(link);
  run.noteLink(tenant, reply, "restored", link, PERSON[caller.person].accountId);
}

function listPath(
  path: string,
  filter: Readonly<Record<string, string>>,
  { limit }: ListQuery,
  cursor: string | undefined,
): string {
  const search = new URLSearchParams(filter);
  if (limit !== null) search.set("limit", String(limit));
  if (cursor !== undefined) search.set("cursor", cursor);
  return `${path}?${search.toString()}`;
}

function presentEvent({ action, actor, target, before, after, reference }: KnownEvent) {
  return {
    ...{ action, actor, target, before, after, reference },
    id: expect.any(String) as unknown,
    at: expect.any(String) as unknown,
    ip: expect.any(String) as unknown,
  };
}
