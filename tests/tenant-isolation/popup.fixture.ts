import { expect } from "vitest";

import type { Reply } from "../../sandbox/http-client.js";
import { findAtSite, PLACES } from "./cast.fixture.js";
import { ownerOf } from "./choices.fixture.js";
import {
  forgetRemoved,
  identityOf,
  type AccessToken,
  type Identity,
  type KnownAttempt,
} from "./known.fixture.js";
import type { Run } from "./run.fixture.js";

/** What happens in the linking window, each step held against the model. */

/** A person behind Access in the popup; with the cookie of an attempt, which needn't be this one's. */
export interface Visit {
  readonly attempt: KnownAttempt | null;
  readonly token: AccessToken;
  readonly cookieOf: KnownAttempt | null;
}

export async function startPopup(run: Run, attempt: KnownAttempt | null): Promise<void> {
  const reply = await run.stage.startPopup(attempt?.id ?? null);
  if (!run.model.isLive(attempt)) {
    run.expectRefused("start popup", reply, "attempt_expired");
    return;
  }
  run.expectAnswer("start popup", reply, 303);
  run.expectTells(reply, [attempt.id]);
  attempt.cookie = reply.headers["set-cookie"]?.[0]?.split(";")[0] ?? null;
}

export async function showPopup(run: Run, visit: Visit, method: "GET" | "HEAD" = "GET"): Promise<void> {
  const { attempt, token, cookieOf } = visit;
  const reply = await run.stage.showPopup(attempt?.id ?? null, token, cookieOf?.cookie ?? null, method);
  const refusal = run.model.refuseVisit(token, attempt);
  if (method === "HEAD") {
    run.expectHead(reply, refusal);
    return;
  }
  if (refusal || !attempt) {
    run.expectRefused("show popup", reply, refusal ?? "attempt_expired");
    return;
  }
  run.expectAnswer("show popup", reply, 200);
  const { issuer, email } = identityOf(token);
  const { site } = PLACES[attempt.tenant];
  const name = findAtSite(site, ownerOf(attempt))?.name;
  const sides = [email, run.stage.hostOf(site), attempt.accountId, ...(name ? [name] : [])];
  for (const side of sides) expect(reply.text).toContain(side);
  const hasOther = findOther(run, attempt, identityOf(token)) !== null;
  expect(reply.text.includes("already linked to another account")).toBe(hasOther);
  run.expectTells(reply, [...sides, attempt.id, issuer.replace("https://", "")]);
}

export async function claimInPopup(run: Run, visit: Visit, isTyped: boolean): Promise<void> {
  const { attempt, token } = visit;
  const reply = await click(run, visit, { action: "link", typed: isTyped });
  const refusal = run.model.refuseVisit(token, attempt);
  if (refusal || !attempt) {
    run.expectRefused("claim", reply, refusal ?? "attempt_expired");
    return;
  }
  const isTied = isTiedTo(visit);
  const text = expect.any(String) as unknown;
  run.expectAnswer("claim", reply, 200, {
    attempt: attempt.id,
    code: isTied ? text : null,
    typedCode: isTyped || !isTied ? text : null,
    email: identityOf(token).email,
    site: run.stage.hostOf(PLACES[attempt.tenant].site),
    expiresAt: text,
  });
  const { code, typedCode } = reply.body as { code: string | null; typedCode: string | null };
  attempt.claimedBy = identityOf(token);
  attempt.audience = token.audience;
  attempt.codes = [code, typedCode].flatMap((each) => each ?? []);
}

export async function removeInPopup(run: Run, visit: Visit): Promise<void> {
  const { attempt, token } = visit;
  const reply = await click(run, visit, { action: "remove" });
  const refusal = run.model.refuseVisit(token, attempt) ?? (isTiedTo(visit) ? null : "browser_not_allowed");
  if (refusal || !attempt) {
    run.expectRefused("remove in popup", reply, refusal ?? "attempt_expired");
    return;
  }
  const tenant = run.model.get(attempt.tenant);
  const link = findOther(run, attempt, identityOf(token));
  run.expectAnswer(`remove in popup ${link ? "a link" : "nothing"}`, reply, 204);
  if (!link) return;
  tenant.links = tenant.links.filter((each) => each !== link);
  forgetRemoved(tenant, link);
  run.noteLink(tenant, reply, "removed", link, null);
}

async function click(run: Run, { attempt, token, cookieOf }: Visit, body: unknown): Promise<Reply> {
  return run.stage.clickInPopup(attempt?.id ?? null, token, cookieOf?.cookie ?? null, body);
}

function isTiedTo({ attempt, cookieOf }: Visit): boolean {
  return attempt !== null && attempt === cookieOf && attempt.cookie !== null;
}

function findOther({ model }: Run, { tenant, accountId }: KnownAttempt, identity: Identity) {
  const link = model.findLink(tenant, identity);
  return link && link.accountId !== accountId ? link : null;
}
