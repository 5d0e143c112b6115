import { setTimeout as sleep } from "node:timers/promises";

import type { AppPage } from "../sandbox/app-page.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, createPerson } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES } from "../sandbox/world.js";
import type { Deployment } from "./process-deployment.fixture.js";

/** People and sites that keep the app writing, and what it has answered with success. */
export class Writers {
  readonly links = new Set<string>();
  readonly removedLinks = new Set<string>();
  /** Where the app was installed, once each. */
  readonly sites: AtlassianSite[] = [];
  settingsVersion = 0;
  #people = 0;
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  get count(): number {
    return this.links.size + this.removedLinks.size + this.sites.length + this.settingsVersion;
  }

  async reach(count: number): Promise<void> {
    while (this.count < count) await sleep(1);
  }

  /** All at once, each until the app is gone. */
  async writeUntilCutOff(): Promise<void> {
    const writers = [() => this.link(), () => this.linkAndRemove(), () => this.install(), () => this.save()];
    await Promise.all(writers.map(untilCutOff));
  }

  /** Somebody new links; `appUrl` leads past Cloudflare, to one of several processes. */
  async link(appUrl?: string): Promise<{ id: string; page: AppPage }> {
    const { world } = this.#deployment;
    this.#people += 1;
    const person = createPerson(`Person ${this.#people}`);
    world.site.accounts.set(person.accountId, person);
    const page = this.#deployment.page(person, appUrl);
    const accessJwt = await world.team.signAccessJwt(person, AUDIENCES.app);
    const reply = await page.send("POST", "/api/v1/me/links", { accessJwt });
    const { id } = reply.expect(201).body as { id: string };
    this.links.add(id);
    return { id, page };
  }

  async linkAndRemove(): Promise<void> {
    const { id, page } = await this.link();
    // Whether it's still there is open until the answer.
    this.links.delete(id);
    (await page.send("DELETE", `/api/v1/me/links/${id}`)).expect(204);
    this.removedLinks.add(id);
  }

  async install(): Promise<void> {
    const site = await this.#deployment.addSite();
    (await site.install("jira", this.#deployment.world.appUrl)).expect(204);
    this.sites.push(site);
  }

  async save(): Promise<void> {
    const { world } = this.#deployment;
    const settings = await world
      .page(ADA)
      .saveSettings({ teamDomain: world.team.domain, services: SERVICES });
    this.settingsVersion = settings.version;
  }
}

async function untilCutOff(work: () => Promise<unknown>): Promise<void> {
  try {
    for (;;) await work();
  } catch (error) {
    // From the client, and from Cloudflare.
    if (!/got no answer|answered 502/.test(String(error))) throw error;
  }
}

/** Each finds what only half of a write can have left. */
export const HALF_WRITTEN: readonly (readonly [what: string, sql: string])[] = [
  ["damage", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"],
  ["a row that refers to nothing", "SELECT * FROM pragma_foreign_key_check"],
  [
    "a link without its event",
    "SELECT id FROM links WHERE id NOT IN (SELECT target_id FROM audit_events WHERE action = 'link.created')",
  ],
  [
    "an event without its link",
    `SELECT target_id FROM audit_events WHERE action = 'link.created' AND target_id NOT IN (SELECT id FROM links)
     AND target_id NOT IN (SELECT target_id FROM audit_events WHERE action = 'link.removed')`,
  ],
  [
    "a link whose removal is told of",
    "SELECT id FROM links WHERE id IN (SELECT target_id FROM audit_events WHERE action = 'link.removed')",
  ],
  [
    "a token that was spent for nothing",
    `SELECT 1 WHERE (SELECT count(*) FROM spent_tokens WHERE use LIKE 'linked %')
     <> (SELECT count(*) FROM audit_events WHERE action = 'link.created')`,
  ],
  [
    "an installation without its event",
    `SELECT id FROM tenants WHERE 1 <>
     (SELECT count(*) FROM audit_events WHERE tenant_id = tenants.id AND action = 'tenant.installed')`,
  ],
  [
    "a version of settings without its event",
    `SELECT tenant_id FROM settings WHERE version <>
     (SELECT count(*) FROM audit_events WHERE tenant_id = settings.tenant_id AND action = 'settings.changed')`,
  ],
];
