import { randomBytes } from "node:crypto";

import type { Product } from "../src/tenants/tenant.js";
import { audienceOf } from "./access-team.js";
import type { NewService, SettingsChanges } from "./app-page.js";
import type { Descriptor, Installation } from "./atlassian-site.js";
import type { Call, Reply } from "./http-client.js";
import type { Answer, Server } from "./http-server.js";
import type { Claims } from "./jwt.js";
import { ADA, createPerson, type Person, type ServiceToken } from "./people.js";
import { READING, REPORTS, type SceneSite } from "./scene-site.js";

export interface SceneToken {
  readonly holder?: Person | ServiceToken;
  readonly audience?: string;
  readonly claims?: Claims;
}

export interface SceneCall extends SceneToken {
  readonly method?: string;
  /** Below the product. */
  readonly path?: string;
  /** Instead of one that is made of the above; null for none. */
  readonly token?: string | null;
  readonly headers?: Call["headers"];
  readonly body?: unknown;
}

/** The service that a scene adds, and that goes with it. */
export const SCENE_LABEL = "A service for this scene";
export const SCENE_AUDIENCE = audienceOf("Scene");

/** One scene being played. Whatever it arranges, it says how to put it back. */
export class SceneRun {
  readonly scene: SceneSite;
  /** Somebody who exists for this run alone: what is remembered of an account is of no other's. */
  readonly person: Person;
  readonly #undoing: (() => unknown)[] = [];

  constructor(scene: SceneSite) {
    this.scene = scene;
    this.person = createPerson(`Robin-${randomBytes(3).toString("hex")} Refused`);
  }

  get site(): SceneSite["site"] {
    return this.scene.site;
  }

  get installation(): Installation {
    return this.site.getInstallation("jira");
  }

  /** Is called when the scene is over, however it ends: the last one first. */
  afterwards(undo: () => unknown): void {
    this.#undoing.push(undo);
  }

  /** Fails with the first error, but not before everything was tried. */
  async putBack(): Promise<void> {
    const errors: unknown[] = [];
    for (const undo of this.#undoing.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Gives the run's person an account on the site. */
  join(person: Person = this.person): void {
    this.site.accounts.set(person.accountId, person);
    this.afterwards(() => this.site.accounts.delete(person.accountId));
  }

  /** The same, linked. */
  async joinLinked(): Promise<void> {
    this.join();
    await this.link(this.person);
  }

  async link(person: Person, product: Product = "jira"): Promise<void> {
    await this.scene.link(person, product);
    this.afterwards(() => this.scene.page(person, product).unlinkAll());
  }

  async changeSettings(
    change: (services: readonly NewService[]) => SettingsChanges,
    product: Product = "jira",
  ): Promise<void> {
    const admin = this.scene.page(ADA, product);
    const { teamDomain, services, allowedEmailDomains, paused } = await admin.getSettings();
    this.afterwards(() => admin.saveSettings({ teamDomain, services, allowedEmailDomains, paused }));
    await admin.saveSettings(change(services));
  }

  /** Trusts one service more, which may read, and needn't ask. Answers its id. */
  async trust(changes: Partial<NewService> = {}): Promise<string> {
    await this.changeSettings((services) => ({ services: [...services, createService(changes)] }));
    const { services } = await this.scene.page(ADA).getSettings();
    return services.find(({ audience }) => audience === SCENE_AUDIENCE)?.id ?? "";
  }

  /** A linked person, and a service that may act for them. */
  async setOut(changes: Partial<NewService> = {}): Promise<string> {
    await this.joinLinked();
    return this.trust(changes);
  }

  async sign({
    holder = this.person,
    audience = SCENE_AUDIENCE,
    claims = {},
  }: SceneToken = {}): Promise<string> {
    return this.scene.world.team.signAccessJwt(holder, audience, { claims });
  }

  /** Calls Jira through the app, as a service does that was visited by the token's holder. */
  async call({ path = "/rest/api/3/myself", ...call }: SceneCall = {}): Promise<Reply> {
    return this.send(`/api/v1/sites/${this.site.host}/jira${path}`, call);
  }

  /** The same, from the service that is always there. */
  async callReports(call: SceneCall = {}): Promise<Reply> {
    return this.call({ audience: REPORTS.audience, ...call });
  }

  /** Asks as that service who its visitor is. */
  async identifyReports(query: Readonly<Record<string, string>>, holder = this.person): Promise<Reply> {
    const search = new URLSearchParams({ ...query, audience: REPORTS.audience }).toString();
    const path = `/api/v1/sites/${this.site.host}/identity?${search}`;
    return this.send(path, { holder, audience: REPORTS.audience });
  }

  /** `path` is below the app's URL. */
  async send(path: string, call: SceneCall, appUrl = this.scene.world.appUrl): Promise<Reply> {
    const token = call.token === undefined ? await this.sign(call) : call.token;
    return this.scene.world.parts.client.send({
      caller: "A service",
      method: call.method ?? "GET",
      url: `${appUrl}${path}`,
      headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...call.headers },
      ...(call.body !== undefined && { body: call.body }),
    });
  }

  /** To what a service may do now. */
  async agree(person: Person, label = REPORTS.label): Promise<void> {
    const page = this.scene.page(person);
    await page.agree(label);
    this.afterwards(() => page.withdraw(label));
  }

  /** So that they are asked, whatever they have decided before. */
  async unagree(person: Person): Promise<void> {
    const page = this.scene.page(person);
    if ((await page.findService(REPORTS.label)).standing !== "agreed") return;
    await page.withdraw(REPORTS.label);
    this.afterwards(() => page.agree(REPORTS.label));
  }

  /** Somebody who may have linked since the last time. */
  async unlink(person: Person): Promise<void> {
    const linkCount = await this.scene.page(person).unlinkAll();
    if (linkCount > 0) this.afterwards(() => this.scene.link(person));
  }

  /** As a page in Jira does that this person looks at. */
  async askAssertion(person: Person, serviceId: string): Promise<Reply> {
    return this.scene.page(person).send("POST", "/api/v1/me/assertions", { serviceId });
  }

  /** A server answers GET of this path so, until the run is over. */
  answer({ routes }: Pick<Server, "routes">, path: RegExp, answer: Answer): void {
    const route: (typeof routes)[number] = ["GET", path, () => answer];
    routes.unshift(route);
    this.afterwards(() => routes.splice(routes.indexOf(route), 1));
  }

  /** A key that the service has to show from now on. It goes with the service. */
  async makeKey(serviceId: string): Promise<string> {
    const reply = await this.scene.page(ADA).send("POST", `/api/v1/services/${serviceId}/keys`, {});
    return (reply.expect(201).body as { key: string }).key;
  }

  /** What Atlassian knows of the app in Jira. */
  changeInstallation(change: (app: Descriptor | null) => Descriptor | null): void {
    const { installation } = this;
    const { app } = installation;
    Object.assign(installation, { app: change(app) });
    this.afterwards(() => Object.assign(installation, { app }));
  }
}

function createService({ limits, ...changes }: Partial<NewService>): NewService {
  return {
    label: SCENE_LABEL,
    audience: SCENE_AUDIENCE,
    purposes: ["identify", "act"],
    limits: { requests: READING, consent: "given", ...limits },
    ...changes,
  };
}
