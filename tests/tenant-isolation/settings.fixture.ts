import { expect } from "vitest";

import type { Reply } from "../../sandbox/http-client.js";
import type { ListedService, ListedSettings } from "../../src/services/settings.js";
import {
  AUDIENCE_OF,
  PERSON,
  servicesOf,
  teamDomainOf,
  type AudienceName,
  type ServiceList,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";
import { decide, digestOf, isAsking, type Caller, type KnownTenant } from "./known.fixture.js";
import type { Run } from "./run.fixture.js";

/** What an admin enters and checks, each held against the model. */

export interface SettingsEntry {
  readonly team: TeamName | null;
  readonly services: ServiceList;
  readonly allowedEmailDomains: readonly string[];
  readonly paused: boolean;
  /** The one service that is paused. */
  readonly pausedService: AudienceName | null;
  /** Whose version and service ids are sent. */
  readonly versionOf: TenantName;
  readonly idsOf: TenantName | null;
}

export async function saveSettings(run: Run, caller: Caller, entry: SettingsEntry): Promise<void> {
  const { model, stage } = run;
  const known = entry.idsOf === null ? [] : model.settingsOf(entry.idsOf).services;
  const services = servicesOf(caller.tenant, entry.services).map((service) => ({
    ...service,
    paused: entry.pausedService !== null && AUDIENCE_OF[entry.pausedService] === service.audience,
    id: known.find(({ audience }) => audience === service.audience)?.id,
  }));
  const document = {
    teamDomain: entry.team && teamDomainOf(entry.team),
    services,
    allowedEmailDomains: entry.allowedEmailDomains,
    matching: "proof" as const,
    paused: entry.paused,
    version: model.settingsOf(entry.versionOf).version,
  };
  const reply = await stage.ask(caller, "PUT", "/api/v1/settings", document);
  if (run.wasRefused("save settings", reply, model.refuseAdmin(caller))) return;
  const tenant = model.get(caller.tenant);
  const before = tenant.settings;
  if (document.version !== before.version) {
    run.expectRefused("save settings", reply, "version_conflict");
    return;
  }
  const ownIds = before.services.map(({ id }) => id);
  if (services.some(({ id }) => id !== undefined && !ownIds.includes(id))) {
    run.expectRefused("save settings with another's service", reply, "validation_failed");
    return;
  }
  const after = {
    ...document,
    version: before.version + 1,
    services: services.map((service) => ({ ...service, id: service.id ?? (expect.any(String) as string) })),
  };
  run.expectAnswer("save settings", reply, 200, after);
  tenant.settings = reply.body as ListedSettings;
  for (const { id } of tenant.settings.services) run.own(id, tenant.name);
  run.note(tenant, reply, {
    action: "settings.changed",
    actor: { type: "user", accountId: PERSON[caller.person].accountId },
    target: { type: "settings", id: tenant.id },
    before,
    after: tenant.settings,
  });
  forgetWhatIsGone(run, tenant, reply, { before, accountId: PERSON[caller.person].accountId });
  await stage.plantElsewhere(tenant.settings.services.filter(({ id }) => !ownIds.includes(id)));
}

/** People decide anew about a service that asks again; with one that is gone, everything goes that was kept of it. */
function forgetWhatIsGone(
  run: Run,
  tenant: KnownTenant,
  reply: Reply,
  { before, accountId }: { readonly before: ListedSettings; readonly accountId: string },
): void {
  const { services } = tenant.settings;
  for (const { id, label } of before.services.filter(isAsking)) {
    if (services.some((service) => service.id === id && isAsking(service))) continue;
    const agreed = tenant.consents.filter((each) => each.serviceId === id && each.state === "agreed");
    tenant.consents = tenant.consents.filter((each) => !agreed.includes(each));
    if (agreed.length === 0) continue;
    run.note(tenant, reply, {
      action: "consents.removed",
      actor: { type: "user", accountId },
      target: { type: "service", id },
      before: { serviceId: id, label, count: agreed.length },
    });
  }
  for (const { id, audience } of before.services.filter((service) => !isListed(service, services))) {
    const takenBack = tenant.consents.filter((each) => each.serviceId === id && each.state === "withdrawn");
    tenant.withdrawn.push(...takenBack.map((each) => ({ accountId: each.accountId, audience })));
  }
  const isThere = ({ serviceId }: { readonly serviceId: string }) =>
    services.some(({ id }) => id === serviceId);
  tenant.consents = tenant.consents.filter(isThere);
  tenant.keys = tenant.keys.filter(isThere);
  for (const serviceId of tenant.uses.keys()) if (!isThere({ serviceId })) tenant.uses.delete(serviceId);
  for (const service of services.filter((each) => !isListed(each, before.services))) adopt(tenant, service);
}

function isListed({ id, audience }: ListedService, services: readonly ListedService[]): boolean {
  return services.some((each) => each.id === id && each.audience === audience);
}

/** What people took back from a service counts for the next one of its audience. */
function adopt(tenant: KnownTenant, service: ListedService): void {
  const adopted = tenant.withdrawn.filter(({ audience }) => audience === service.audience);
  tenant.withdrawn = tenant.withdrawn.filter((each) => !adopted.includes(each));
  for (const { accountId } of adopted) {
    decide(tenant, { accountId, serviceId: service.id, digest: digestOf(service), state: "withdrawn" });
  }
}

export async function readSettings(run: Run, caller: Caller): Promise<void> {
  const reply = await run.stage.ask(caller, "GET", "/api/v1/settings");
  if (run.wasRefused("read settings", reply, run.model.refuseAdmin(caller))) return;
  run.expectAnswer("read settings", reply, 200, run.model.settingsOf(caller.tenant));
}

/** `null` asks about the team in the settings. */
export async function checkTeam(run: Run, caller: Caller, team: TeamName | null): Promise<void> {
  const body = team ? { teamDomain: teamDomainOf(team) } : {};
  const reply = await run.stage.ask(caller, "POST", "/api/v1/settings/check", body);
  if (run.wasRefused("check team", reply, run.model.refuseAdmin(caller))) return;
  const teamDomain = body.teamDomain ?? run.model.settingsOf(caller.tenant).teamDomain;
  run.expectAnswer("check team", reply, 200);
  expect(reply.body).toMatchObject({ ok: teamDomain !== null, teamDomain });
  run.expectTells(reply, teamDomain === null ? [] : [teamDomain]);
}

/** All of them came through one door, so nobody is anybody's predecessor. */
export async function findPredecessor(run: Run, caller: Caller): Promise<void> {
  const reply = await run.stage.ask(caller, "GET", "/api/v1/settings/predecessor");
  if (run.wasRefused("find predecessor", reply, run.model.refuseAdmin(caller))) return;
  const nobody = { available: false, installedAt: null, services: null, links: null };
  run.expectAnswer("find predecessor", reply, 200, nobody);
}

export async function takeOver(run: Run, caller: Caller): Promise<void> {
  const { version } = run.model.settingsOf(caller.tenant);
  const reply = await run.stage.ask(caller, "POST", "/api/v1/settings/predecessor/take-over", { version });
  run.expectRefused("take over", reply, run.model.refuseAdmin(caller) ?? "not_found");
}

export async function checkPopup(run: Run, caller: Caller): Promise<void> {
  const reply = await run.stage.ask(caller, "POST", "/api/v1/settings/popup-check");
  if (run.wasRefused("check popup", reply, run.model.refuseAdmin(caller))) return;
  run.expectAnswer("check popup", reply, 200);
  expect(reply.body).toMatchObject({ ok: false, finding: "open", teamDomain: null, audience: null });
  run.expectTells(reply, []);
}
