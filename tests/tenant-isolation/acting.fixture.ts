import { expect } from "vitest";

import type { Reply } from "../../sandbox/http-client.js";
import type { ListedService } from "../../src/services/settings.js";
import type { ProblemCode } from "../../src/errors.js";
import type { Product } from "../../src/tenants/tenant.js";
import { findAtSite, NEW_ISSUE, OWN_ACCOUNT, PERSON, PLACES, type SiteName } from "./cast.fixture.js";
import {
  identityOf,
  isAgreed,
  isProved,
  type AccessToken,
  type KnownLink,
  type KnownTenant,
} from "./known.fixture.js";
import { accountPageOf, type Run } from "./run.fixture.js";
import { countOutcome, countPerson, noteShownKey } from "./uses.fixture.js";

/** What services do as people, held against the model: as whom, on which site, and whether they may at all. */

export type Deed = "reads" | "writes" | "deletes";

export interface ActingQuestion {
  readonly site: SiteName | "nobody's";
  readonly product: Product;
  readonly deed: Deed;
}

interface Refused {
  readonly code: ProblemCode;
  /** Where the person is sent. */
  readonly page: { readonly name: "linkUrl" | "consentUrl"; readonly entry: string } | null;
}

interface Permitted {
  readonly service: ListedService;
  readonly link: KnownLink;
  readonly by: "key" | "token";
  readonly keyHint: string | null;
}

const ISSUE = "Written by a service";

export async function act(
  run: Run,
  question: ActingQuestion,
  token: AccessToken,
  key: string | null,
): Promise<void> {
  const { model, stage } = run;
  const { product, deed } = question;
  const request = buildRequest(product, deed);
  const reply = await stage.act(question, token, key, request);
  const [tenant] = model.listOfSite(question);
  const meant = tenant && model.findMeant(token, tenant);
  if (!tenant || !meant) {
    run.expectRefused(`act: ${deed}`, reply, "access_jwt_untrusted");
    return;
  }
  const judged = judge(run, tenant, meant, { token, key, ...question });
  if ("code" in judged) {
    countOutcome({ tenant, serviceId: meant.id, outcome: judged.code });
    expectSentAway(run, `act: ${deed}`, reply, tenant, judged);
    return;
  }
  const person = findAtSite(PLACES[tenant.name].site, ownerOfAccount(judged.link));
  if (!person) {
    countOutcome({ tenant, serviceId: meant.id, outcome: "account_inactive" });
    run.expectRefused(`act: ${deed}`, reply, "account_inactive");
    return;
  }
  expectDone(run, reply, tenant, judged, question);
  countOutcome({ tenant, serviceId: meant.id, outcome: "acted" });
  countPerson(tenant, meant.id, judged.link.accountId);
  run.note(tenant, reply, {
    action: "service.acted",
    actor: { type: "service", accountId: judged.link.accountId },
    target: { type: "service", id: meant.id },
    after: {
      ...{ label: meant.label, method: request.method, path: request.path, status: reply.status, code: null },
      ...{ by: judged.by, keyHint: judged.keyHint, milliseconds: expect.any(Number) as unknown },
    },
  });
}

function buildRequest(product: Product, deed: Deed) {
  if (deed === "reads") return { method: "GET", path: OWN_ACCOUNT[product] };
  if (deed === "deletes") return { method: "DELETE", path: `${NEW_ISSUE}/SAND-1` };
  const body = { fields: { project: { key: "SAND" }, summary: ISSUE } };
  return { method: "POST", path: NEW_ISSUE, body };
}

function judge(
  { model }: Run,
  tenant: KnownTenant,
  service: ListedService,
  {
    token,
    key,
    product,
    deed,
  }: ActingQuestion & { readonly token: AccessToken; readonly key: string | null },
): Refused | Permitted {
  const refusal = model.refuseService(token, tenant, "act", { key, audience: null });
  if (refusal) return { code: refusal, page: null };
  noteShownKey(tenant, key);
  const link = model.findLink(tenant.name, identityOf(token));
  if (!link) return { code: "not_linked", page: { name: "linkUrl", entry: "" } };
  if (deed === "deletes" || (deed === "writes" && product === "confluence"))
    return { code: "request_not_allowed", page: null };
  if (!isProved(link)) {
    return { code: "proof_required", page: { name: "linkUrl", entry: `?ac.link=${link.id}` } };
  }
  if (!isAgreed(tenant, link.accountId, service)) {
    return { code: "consent_required", page: { name: "consentUrl", entry: `?ac.service=${service.id}` } };
  }
  const shown = tenant.keys.find((each) => each.serviceId === service.id && each.key === key);
  return { service, link, by: shown ? "key" : "token", keyHint: shown?.hint ?? null };
}

/** A refusal that tells where its cure is: in the right tenant. */
export function expectSentAway(
  run: Run,
  what: string,
  reply: Reply,
  tenant: KnownTenant,
  { code, page }: Refused,
): void {
  const url = page && accountPageOf(run, tenant, page.entry);
  const allowed = url === null ? [] : [new URL(url).host, ...(/[^=]+$/.exec(url) ?? [])];
  run.expectRefused(what, reply, code, allowed);
  if (page) expect((reply.body as Readonly<Record<string, unknown>>)[page.name]).toBe(url);
}

/** Done as the right account, on the right site. */
function expectDone(
  run: Run,
  reply: Reply,
  tenant: KnownTenant,
  { link }: Permitted,
  { product, deed }: ActingQuestion,
): void {
  const { site } = PLACES[tenant.name];
  const { accountId } = link;
  run.expectAnswer(`act: ${deed}`, reply, deed === "writes" ? 201 : 200);
  expect(reply.headers["x-gateway-upstream"]).toBe(product);
  if (deed === "writes") {
    run.model.written.push({ site, reporterId: accountId });
    return;
  }
  const type = product === "jira" ? { accountType: "atlassian" } : { type: "known" };
  const displayName = findAtSite(site, ownerOfAccount(link))?.name;
  expect(reply.body).toMatchObject({ ...type, accountId, displayName });
}

/** All that services have written lies where, and by whom, it was meant to. */
export function expectWritten({ stage, model }: Run, site: SiteName): void {
  const written = stage.issuesOf(site).filter(({ summary }) => summary === ISSUE);
  expect(written.map(({ reporterId }) => reporterId)).toEqual(
    model.written.filter((each) => each.site === site).map(({ reporterId }) => reporterId),
  );
}

function ownerOfAccount({ accountId }: KnownLink) {
  const names = Object.keys(PERSON) as (keyof typeof PERSON)[];
  return names.find((name) => PERSON[name].accountId === accountId) ?? "Grace";
}
