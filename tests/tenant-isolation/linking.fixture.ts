import { expect } from "vitest";

import type { Reply } from "../../sandbox/http-client.js";
import { PERSON } from "./cast.fixture.js";
import {
  forgetRemoved,
  identityOf,
  type AccessToken,
  type Caller,
  type Identity,
  type KnownAttempt,
  type KnownLink,
  type KnownTenant,
} from "./known.fixture.js";
import { describeLink, presentLink, type Run } from "./run.fixture.js";

/** How a person links, each step held against the model. The linking window has a file of its own. */

export async function beginAttempt(run: Run, caller: Caller): Promise<void> {
  const { model, stage } = run;
  const reply = await stage.ask(caller, "POST", "/api/v1/me/link-attempts");
  const { accountId } = PERSON[caller.person];
  const refusal = model.refuseUser(caller) ?? model.refuseLinking(model.get(caller.tenant));
  if (run.wasRefused("begin", reply, refusal)) return;
  const { tenant } = caller;
  const begun = model.attempts.filter(
    (each) => each.tenant === tenant && each.accountId === accountId && !each.isErased,
  );
  if (begun.length >= 20) {
    run.expectRefused("begin", reply, "rate_limited");
    return;
  }
  run.expectAnswer("begin", reply, 201);
  const { id, url } = reply.body as { id: string; url: string };
  expect(url).toBe(`${stage.appUrl}/link/start/${id}`);
  run.own(id, tenant);
  model.attempts.push({
    ...{ id, tenant, accountId, cookie: null, claimedBy: null, audience: null, codes: [] },
    ...{ wrongCodes: 0, isUsed: false, isErased: false },
  });
}

export async function redeem(
  run: Run,
  caller: Caller,
  attempt: KnownAttempt | null,
  code: string,
): Promise<void> {
  const { model, stage } = run;
  const body = { attempt: attempt?.id ?? "nobody-has-ever-made-this", code };
  const reply = await stage.ask(caller, "POST", "/api/v1/me/links", body);
  const refusal = model.refuseUser(caller) ?? model.refuseCode(caller, attempt, code);
  if (refusal || !attempt?.claimedBy) {
    run.expectRefused("redeem", reply, refusal ?? "validation_failed");
    if (refusal === "validation_failed" && attempt) noteWrongCode(run, reply, attempt);
    return;
  }
  attempt.isUsed = expectProved(run, "redeem", reply, caller, attempt.claimedBy);
}

export async function linkWithToken(run: Run, caller: Caller, token: AccessToken): Promise<void> {
  const { model, stage } = run;
  const reply = await stage.ask(caller, "POST", "/api/v1/me/links", { accessJwt: token.text });
  const refusal = model.refuseUser(caller) ?? model.refuseLinkingToken(token, caller.tenant);
  if (run.wasRefused("link with token", reply, refusal)) return;
  const use = `${caller.tenant} ${caller.person}`;
  if ((model.spent.get(token.text) ?? use) !== use) {
    run.expectRefused("link with a token that was used", reply, "already_linked");
    return;
  }
  const isWritten = expectProved(run, "link with token", reply, caller, identityOf(token));
  if (isWritten) model.spent.set(token.text, use);
}

/** Both sides are proved: what is answered depends on whose the identity was. Says whether it is the account's now. */
function expectProved(run: Run, what: string, reply: Reply, caller: Caller, identity: Identity): boolean {
  const tenant = run.model.get(caller.tenant);
  const { accountId } = PERSON[caller.person];
  const existing = run.model.findLink(caller.tenant, identity);
  if (existing?.method === "proof" && existing.accountId !== accountId) {
    run.expectRefused(what, reply, "already_linked");
    return false;
  }
  forgetRemoved(tenant, identity);
  if (existing) {
    if (existing.method === "admin") replace(run, reply, tenant, existing, accountId);
    const isOthers = existing.accountId !== accountId;
    const link = run.model.findLink(caller.tenant, identity) ?? existing;
    run.expectAnswer(`${what} again`, reply, isOthers ? 201 : 200, presentLink(link));
    return true;
  }
  const { id, linkedAt } = reply.body as { id: string; linkedAt: string };
  const link = { ...identity, id, accountId, linkedAt, method: "proof", isConfirmed: false } as const;
  run.expectAnswer(what, reply, 201, { ...presentLink(link), lastUsedAt: null });
  run.own(id, caller.tenant);
  tenant.links.push(link);
  run.model.everyLink.push({ ...link, tenant: caller.tenant });
  run.noteLink(tenant, reply, "created", link, accountId);
  return true;
}

/** A proof takes the place of what others had written. */
function replace(run: Run, reply: Reply, tenant: KnownTenant, before: KnownLink, accountId: string): void {
  const { linkedAt } = reply.body as { linkedAt: string };
  const link = { ...before, accountId, linkedAt, method: "proof", isConfirmed: false } as const;
  tenant.links = tenant.links.map((each) => (each === before ? link : each));
  run.model.everyLink.push({ ...link, tenant: tenant.name });
  run.note(tenant, reply, {
    action: "link.replaced",
    actor: { type: "user", accountId },
    target: { type: "link", id: link.id },
    before: describeLink(before),
    after: describeLink(link),
  });
}

function noteWrongCode(run: Run, reply: Reply, attempt: KnownAttempt): void {
  attempt.wrongCodes += 1;
  if (attempt.wrongCodes < 5) return;
  run.count("five wrong codes");
  run.note(run.model.get(attempt.tenant), reply, {
    action: "link_attempt.failed",
    actor: { type: "user", accountId: attempt.accountId },
    target: { type: "account", id: attempt.accountId },
  });
}
