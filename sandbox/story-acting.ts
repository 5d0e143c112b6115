import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createRemoteJWKSet, jwtVerify } from "jose";

import type { ShownService } from "./app-page.js";
import type { Reply } from "./http-client.js";
import { ADA, GRACE } from "./people.js";
import { getPresetRequests } from "./preset-requests.js";
import { documentOf } from "./site-content.js";
import { readableClaims } from "./readable.js";
import type { Stage } from "./stage.js";
import { AUDIENCES } from "./world-parts.js";
import { SERVICES, type World } from "./world.js";

/** All that the demo service may do: read issues, and comment on them. */
const REQUESTS = [...getPresetRequests("read-issues"), ...getPresetRequests("comment-on-issues")];
const MY_OPEN_ISSUES = `/rest/api/3/search/jql?${new URLSearchParams({
  jql: "assignee = currentUser() AND statusCategory != Done",
}).toString()}`;
const COMMENTS = "/rest/api/3/issue/SAND-1/comment";

const PATIENCE = { tries: 50, milliseconds: 100 };

/** Steps in which a service acts as its visitor, within limits, and for as long as the visitor likes. */
export async function tellHowToAct(stage: Stage): Promise<void> {
  await allow(stage);
  await agree(stage);
  await act(stage);
  await assertIdentity(stage);
  await withdraw(stage);
}

async function allow(stage: Stage): Promise<void> {
  const { world, transcript } = stage;
  transcript.step(
    "The admin lets the demo service act",
    "It may read issues and comment on them, and nothing else. It gets no token and no password of Jira's: it sends its visitor's " +
      "Access JWT to the app, which asks Jira in the visitor's name.",
  );
  const admin = world.page(ADA);
  const { services, ...settings } = await transcript.aside(() => admin.getSettings());
  const purposes = ["identify", "act", "assert"] as const;
  const changed = services.map((service) =>
    service.audience === AUDIENCES.demo ? { ...service, purposes, limits: { requests: REQUESTS } } : service,
  );
  const reply = await admin.send("PUT", "/api/v1/settings", { ...settings, services: changed });
  assert.equal(
    (reply.expect(200).body as { services: unknown[] }).services.length,
    services.length,
    "Linking should stay possible.",
  );
  transcript.say("Grace hasn't been asked yet. The refusal says where she can agree.");
  const refusal = expectCode(await call(stage, "GET", MY_OPEN_ISSUES), "consent_required");
  assert.ok(refusal.consentUrl?.startsWith(world.site.url), "The refusal should lead into Jira.");
}

async function agree({ world, transcript }: Stage): Promise<void> {
  transcript.step(
    "Grace agrees, once",
    "The page in Jira shows what the service may do. What she agrees to is exactly that: the digest stands for it, and if the admin " +
      "lets the service do more, it has to ask again.",
  );
  const { serviceId, digest } = await transcript.aside(() => findDemo(world));
  (await world.page(GRACE).sendConsent(serviceId, digest)).expect(204);
}

async function act(stage: Stage): Promise<void> {
  const { world, transcript } = stage;
  transcript.step(
    "The demo service reads her issues, and comments as her",
    "It sees what Grace may see. Jira knows the comment as hers, and the app's record knows which service wrote it.",
  );
  const found = (await call(stage, "GET", MY_OPEN_ISSUES)).expect(200).body as { issues: unknown[] };
  assert.equal(found.issues.length, 1, "Grace should have one open issue.");
  const body = { body: documentOf("Watered this morning.") };
  (await call(stage, "POST", COMMENTS, body)).expect(201);
  const comments = world.site.content.findIssue("SAND-1", GRACE)?.comments ?? [];
  assert.equal(comments.at(-1)?.accountId, GRACE.accountId, "The comment should be Grace's.");

  transcript.say("It was allowed to comment, and not to create issues.");
  const issue = { fields: { project: { key: "SAND" }, summary: "Buy more plants" } };
  expectCode(await call(stage, "POST", "/rest/api/3/issue", issue), "request_not_allowed");

  transcript.say("Grace can look up what was done in her name.");
  const path = "/api/v1/me/activity?limit=2";
  await transcript.aside(() =>
    until(async () => {
      const { items } = (await world.page(GRACE).send("GET", path)).expect(200).body as { items: unknown[] };
      return items.length === 2;
    }, "Both calls should be on record."),
  );
  (await world.page(GRACE).send("GET", path)).expect(200);
}

async function assertIdentity({ world, transcript }: Stage): Promise<void> {
  transcript.step(
    "The other way round: a page in Jira vouches for Grace",
    "The page gets an assertion for the demo service: good for a minute, for that service alone, and signed with a key of this " +
      "site's own. The service verifies it with the public key, without asking the app about Grace.",
  );
  const { serviceId } = await transcript.aside(() => findDemo(world));
  const reply = await world.page(GRACE).send("POST", "/api/v1/me/assertions", { serviceId });
  const { assertion } = reply.expect(201).body as { assertion: string };
  const issuer = `${world.appUrl}/sites/${world.site.host}/jira`;
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks.json`));
  const pinned = { issuer, audience: AUDIENCES.demo, typ: "assertion+jwt", algorithms: ["ES256"] };
  const { payload } = await jwtVerify(assertion, keys, pinned);
  assert.equal(payload.sub, GRACE.accountId, "The assertion should be about Grace.");
  transcript.say(`The assertion says: ${readableClaims(assertion)}`);
}

async function withdraw(stage: Stage): Promise<void> {
  const { world, transcript } = stage;
  transcript.step(
    "Grace changes her mind",
    "It counts from the next call on. No admin is needed, and no service has to be told.",
  );
  const { serviceId } = await transcript.aside(() => findDemo(world));
  (await world.page(GRACE).send("DELETE", `/api/v1/me/consents/${serviceId}`)).expect(204);
  expectCode(await call(stage, "GET", MY_OPEN_ISSUES), "consent_required");
}

async function call({ world }: Stage, method: string, path: string, body?: unknown): Promise<Reply> {
  const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  return world.parts.client.send({
    caller: "The demo service",
    method,
    url: `${world.appUrl}/api/v1/sites/${world.site.host}/jira${path}`,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body }),
  });
}

/** What Grace's page knows of the demo service. */
async function findDemo(world: World): Promise<ShownService> {
  return world.page(GRACE).findService(SERVICES[1].label);
}

function expectCode(reply: Reply, code: string): { readonly consentUrl?: string } {
  const problem = reply.body as { code?: string; consentUrl?: string };
  assert.equal(problem.code, code, `The refusal should be ${code}, not ${problem.code ?? reply.status}.`);
  return problem;
}

async function until(isSo: () => Promise<boolean>, message: string): Promise<void> {
  for (let tried = 0; tried < PATIENCE.tries; tried += 1) {
    if (await isSo()) return;
    await sleep(PATIENCE.milliseconds);
  }
  assert.fail(message);
}
