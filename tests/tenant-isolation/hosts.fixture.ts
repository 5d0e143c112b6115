import { expect } from "vitest";

import type { Reply } from "../../sandbox/http-client.js";
import { FRESH_SETTINGS } from "../../src/services/settings.js";
import { PLACES, type SiteName, type TenantName } from "./cast.fixture.js";
import { isAtHome, type AccessToken, type KnownTenant, type Question } from "./known.fixture.js";
import { accountPageOf, type Run } from "./run.fixture.js";
import { countOutcome, noteShownKey } from "./uses.fixture.js";

/** What Atlassian and services send, each held against the model. */

export async function install(run: Run, name: TenantName, host: SiteName): Promise<void> {
  const { model, stage } = run;
  const known = model.tenants.get(name) ?? null;
  const before = known && run.presentTenant(known);
  const reply = await stage.install(name, host);
  run.expectAnswer(`install ${known ? "again" : "first"}`, reply, 204);
  const tenant = known ?? createTenant(name, await stage.findTenantId(name), host);
  model.tenants.set(name, tenant);
  run.own(tenant.id, name);
  tenant.host = host;
  if (tenant.state === "uninstalled") tenant.state = "enabled";
  noteTenant(run, tenant, reply, "installed", before, run.presentTenant(tenant));
  if (isAtHome(tenant)) await stage.waitUntilProven(name);
}

export async function toggle(
  run: Run,
  name: TenantName,
  event: "enabled" | "disabled",
  signedBy: TenantName,
): Promise<void> {
  const { model, stage } = run;
  if (!model.isInstalled(name)) return;
  const reply = await stage.sendEvent(name, event, signedBy);
  if (signedBy !== name) {
    run.expectRefused(event, reply, "connect_jwt_invalid");
    return;
  }
  run.expectAnswer(event, reply, 204);
  const tenant = model.get(name);
  if (tenant.state === event) return;
  tenant.state = event;
  noteTenant(run, tenant, reply, event);
}

export async function uninstall(run: Run, name: TenantName, signedBy: TenantName): Promise<void> {
  const { model, stage } = run;
  if (!model.isInstalled(name)) return;
  const tenant = model.get(name);
  const before = run.presentTenant(tenant);
  const reply = await stage.sendEvent(name, "uninstalled", signedBy);
  if (signedBy !== name) {
    run.expectRefused("uninstall", reply, "connect_jwt_invalid");
    return;
  }
  run.expectAnswer("uninstall", reply, 204);
  Object.assign(tenant, { state: "uninstalled", links: [], removed: [], consents: [], withdrawn: [] });
  tenant.signingKid = null;
  tenant.uses.clear();
  tenant.seenUntil.clear();
  for (const attempt of model.attempts) if (attempt.tenant === name) attempt.isErased = true;
  noteTenant(run, tenant, reply, "uninstalled", before);
}

export async function identify(
  run: Run,
  question: Question,
  token: AccessToken,
  key: string | null,
  method: "GET" | "HEAD" = "GET",
): Promise<void> {
  const { model, stage } = run;
  const reply = await stage.identify(question, token, key, method);
  const { result: expected, outcomes } = model.identify(token, question, key);
  for (const outcome of outcomes) countOutcome(outcome);
  for (const asked of model.listOfSite(question)) {
    const { audience } = question;
    if (model.refuseService(token, asked, "identify", { key, audience }) === null) {
      noteShownKey(asked, key);
    }
  }
  if (method === "HEAD") {
    run.expectHead(reply, "code" in expected ? expected.code : null);
    return;
  }
  const what = `identify with${question.product ? "" : "out"} product`;
  if ("code" in expected) {
    const { code, tenant } = expected;
    const linkUrl = code === "not_linked" && tenant ? accountPageOf(run, tenant) : undefined;
    run.expectRefused(what, reply, code, linkUrl ? [new URL(linkUrl).host] : []);
    expect((reply.body as { linkUrl?: string }).linkUrl).toBe(linkUrl);
    return;
  }
  const { tenant, link } = expected;
  run.expectAnswer(what, reply, 200, {
    site: stage.hostOf(tenant.host),
    product: PLACES[tenant.name].product,
    tenant: tenant.id,
    accountId: link.accountId,
    email: link.email,
    method: link.method,
    linkedAt: link.linkedAt,
  });
}

/** What anybody may read, without a token. */
export async function readInPublic(run: Run, path: string, method: "GET" | "HEAD"): Promise<void> {
  const reply = await run.stage.read(path, method);
  if (method === "HEAD") {
    run.expectHead(reply, null);
    return;
  }
  run.expectAnswer(`read ${path}`, reply, 200);
  run.expectTells(reply, []);
}

function createTenant(name: TenantName, id: string, host: SiteName): KnownTenant {
  return {
    ...{ name, id, host, state: "enabled", settings: FRESH_SETTINGS },
    ...{ links: [], removed: [], events: [], consents: [], withdrawn: [], keys: [], signingKid: null },
    ...{ uses: new Map(), seenUntil: new Map(), shownKeys: new Set() },
  };
}

function noteTenant(
  run: Run,
  tenant: KnownTenant,
  reply: Reply,
  change: "installed" | "uninstalled" | "enabled" | "disabled",
  before: unknown = null,
  after: unknown = null,
): void {
  run.note(tenant, reply, {
    action: `tenant.${change}`,
    actor: { type: "host", accountId: null },
    target: { type: "tenant", id: tenant.id },
    before,
    after,
  });
}
