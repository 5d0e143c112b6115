import { expect } from "vitest";

import type { Settings } from "../../src/services/settings.js";
import {
  PERSON,
  servicesOf,
  teamDomainOf,
  type ServiceList,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";
import type { Caller } from "./model.fixture.js";
import type { Run } from "./run.fixture.js";

/** What an admin enters and checks, each held against the model. */

export interface SettingsEntry {
  readonly team: TeamName | null;
  readonly services: ServiceList;
  readonly allowedEmailDomains: readonly string[];
  readonly paused: boolean;
  /** Whose version and service ids are sent. */
  readonly versionOf: TenantName;
  readonly idsOf: TenantName | null;
}

export async function saveSettings(run: Run, caller: Caller, entry: SettingsEntry): Promise<void> {
  const { model, stage } = run;
  const known = entry.idsOf === null ? [] : model.settingsOf(entry.idsOf).services;
  const services = servicesOf(caller.tenant, entry.services).map((service) => ({
    ...service,
    limits: null,
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
  tenant.settings = reply.body as Settings;
  for (const { id } of tenant.settings.services) run.own(id, tenant.name);
  run.note(tenant, reply, {
    action: "settings.changed",
    actor: { type: "user", accountId: PERSON[caller.person].accountId },
    target: { type: "settings", id: tenant.id },
    before,
    after: tenant.settings,
  });
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

export async function checkPopup(run: Run, caller: Caller): Promise<void> {
  const reply = await run.stage.ask(caller, "POST", "/api/v1/settings/popup-check");
  if (run.wasRefused("check popup", reply, run.model.refuseAdmin(caller))) return;
  run.expectAnswer("check popup", reply, 200);
  expect(reply.body).toMatchObject({ ok: false, finding: "open", teamDomain: null, audience: null });
  run.expectTells(reply, []);
}
