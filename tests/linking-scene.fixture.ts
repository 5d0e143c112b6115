import { expect, vi } from "vitest";

import type { AppPage, LinkAttempt, SettingsChanges } from "../sandbox/app-page.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, type Person } from "../sandbox/people.js";
import { AUDIENCES, type WorldOptions } from "../sandbox/world-parts.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import type { Problem } from "../src/web/problem-response.js";
import type { Product } from "../src/tenants/tenant.js";
import { DatabaseFile, type Row } from "./linking-database.fixture.js";

/** One app and its Access team. Every test installs the app in a site of its own. */
export interface LinkingWorld {
  readonly world: World;
  readonly database: DatabaseFile;
  /** Up until the world ends: a port that is free again would become another test's site of the same name. */
  readonly sites: AtlassianSite[];
  close(): Promise<void>;
}

export async function startLinkingWorld(options: WorldOptions = {}): Promise<LinkingWorld> {
  const database = await DatabaseFile.create();
  const world = await startWorld({ hasEdge: false, databaseFile: database.file, ...options });
  const sites: AtlassianSite[] = [];
  return {
    world,
    database,
    sites,
    close: async () => {
      for (const site of sites) await site.close();
      await world.close();
      await database.close();
    },
  };
}

export interface SceneOptions {
  readonly products?: readonly Product[];
  /** Laid over the team and both services, in each product; null leaves the app as it was installed. */
  readonly settings?: SettingsChanges | null;
}

/** A new site where the app is installed and Ada, who administers it, has entered the team and the services. */
export async function createScene(
  { world, database, sites }: Omit<LinkingWorld, "close">,
  { products = ["jira"], settings = {} }: SceneOptions = {},
): Promise<Scene> {
  const { client, installKeys } = world.parts;
  const site = await AtlassianSite.start({ keys: installKeys, client });
  sites.push(site);
  const scene = new Scene(world, database, site);
  for (const product of products) {
    await scene.install(product);
    if (settings) {
      const changes = { teamDomain: world.team.domain, services: SERVICES, ...settings };
      await scene.page(ADA, product).saveSettings(changes);
    }
  }
  return scene;
}

export interface PopupCall {
  /** Whose Access JWT Cloudflare adds, for the app's own Access application. */
  readonly as?: Person;
  /** This one instead; null for none at all. */
  readonly accessJwt?: string | null;
  readonly cookie?: string;
  /** Laid over what a browser sends. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

/** What `POST /access/link/{attempt}` answers as JSON. */
export interface PopupCodes {
  readonly attempt: string;
  readonly code: string | null;
  readonly typedCode: string | null;
  readonly email: string;
  readonly site: string;
  readonly expiresAt: string;
}

export class Scene {
  readonly world: World;
  readonly database: DatabaseFile;
  readonly site: AtlassianSite;

  constructor(world: World, database: DatabaseFile, site: AtlassianSite) {
    this.world = world;
    this.database = database;
    this.site = site;
  }

  /** Installs, and waits until the app has asked the site whether that is true. */
  async install(product: Product): Promise<void> {
    await this.world.install(product, this.site);
    await vi.waitFor(
      async () => {
        const sql = "SELECT proven FROM tenants WHERE site = ? AND product = ?";
        expect(await this.database.select(sql, [this.site.host, product])).toEqual([{ proven: 1 }]);
      },
      { timeout: 5_000, interval: 10 },
    );
  }

  page(person: Person, product: Product = "jira"): AppPage {
    return this.world.page(person, product, this.site);
  }

  /** An attempt of this person, opened from the page in this person's browser. */
  async beginInPopup(
    person: Person,
    product: Product = "jira",
  ): Promise<{ readonly attempt: LinkAttempt; readonly cookie: string }> {
    const attempt = await this.page(person, product).beginLink();
    return { attempt, cookie: await this.openFromPage(attempt) };
  }

  /** The context JWT's holder sends a code, as the page in Jira does. */
  async redeem(
    person: Person,
    attempt: Pick<LinkAttempt, "id">,
    code: string,
    product: Product = "jira",
  ): Promise<Reply> {
    return this.page(person, product).send("POST", "/api/v1/me/links", { attempt: attempt.id, code });
  }

  async linkWithToken(person: Person, accessJwt: string, product: Product = "jira"): Promise<Reply> {
    return this.page(person, product).send("POST", "/api/v1/me/links", { accessJwt });
  }

  /** Follows the page's link to the popup as far as the cookie that ties the two together: `name=value`. */
  async openFromPage(attempt: LinkAttempt): Promise<string> {
    const reply = await this.#browse("GET", attempt.url, { "sec-fetch-site": "same-origin" });
    return reply.expect(303).headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  }

  /** What the popup shows before the click. Refusals come as JSON unless `headers` ask for a page. */
  async showPopup(attempt: Pick<LinkAttempt, "id">, call: PopupCall): Promise<Reply> {
    return this.#browse("GET", this.#popupUrl(attempt), await this.#popupHeaders(call));
  }

  /** What a click on the popup's button sends: the answer is JSON unless `headers` ask for something else. */
  async clickInPopup(attempt: Pick<LinkAttempt, "id">, call: PopupCall): Promise<Reply> {
    const headers = { ...this.#fromOurPage(), ...(await this.#popupHeaders(call)) };
    return this.#browse("POST", this.#popupUrl(attempt), headers, call.body);
  }

  async getCodes(attempt: Pick<LinkAttempt, "id">, call: PopupCall): Promise<PopupCodes> {
    return (await this.clickInPopup(attempt, call)).expect(200).body as PopupCodes;
  }

  /** The popup with both codes for whoever opened it from the page. */
  async getBothCodes(
    attempt: Pick<LinkAttempt, "id">,
    call: PopupCall,
  ): Promise<{ code: string; typedCode: string }> {
    const { code, typedCode } = await this.getCodes(attempt, { ...call, body: { typed: true } });
    return { code: code ?? "", typedCode: typedCode ?? "" };
  }

  async accessJwtOf(person: Person): Promise<string> {
    return this.world.team.signAccessJwt(person, AUDIENCES.app);
  }

  /** A service asks who somebody is, with the Access JWT that was made for it. */
  async identify(person: Person, product: Product = "jira"): Promise<Reply> {
    const token = await this.world.team.signAccessJwt(person, AUDIENCES.demo);
    const url = `${this.world.appUrl}/api/v1/sites/${this.site.host}/identity?product=${product}`;
    return this.#browse("GET", url, { authorization: `Bearer ${token}` });
  }

  async links(): Promise<Row[]> {
    return this.database.ofSite("links", this.site.host);
  }

  async attempts(): Promise<Row[]> {
    return this.database.ofSite("link_attempts", this.site.host);
  }

  /** What the audit log tells of links, oldest first. */
  async linkEvents(): Promise<unknown[]> {
    const events = await this.database.ofSite("audit_events", this.site.host);
    return events.map(({ action }) => action).filter((action) => String(action).startsWith("link"));
  }

  #fromOurPage(): Record<string, string> {
    return { origin: new URL(this.world.appUrl).origin, "sec-fetch-site": "same-origin" };
  }

  async #popupHeaders({
    as = ADA,
    accessJwt,
    cookie,
    headers,
  }: PopupCall): Promise<Record<string, string | undefined>> {
    const token = accessJwt === undefined ? await this.accessJwtOf(as) : accessJwt;
    return { "cf-access-jwt-assertion": token ?? undefined, cookie, ...headers };
  }

  #popupUrl({ id }: Pick<LinkAttempt, "id">): string {
    return `${this.world.appUrl}/access/link/${id}`;
  }

  async #browse(
    method: string,
    url: string,
    headers: Readonly<Record<string, string | undefined>>,
    body?: unknown,
  ) {
    const sent = { accept: "application/json", ...headers };
    return this.world.parts.client.send({ caller: "A browser", method, url, headers: sent, body });
  }
}

/** What the problem says besides; its status and code are as expected. */
export function expectProblem(reply: Reply, status: number, code: ProblemCode): Problem {
  expect({ status: reply.status, body: reply.body }).toMatchObject({ status, body: { status, code } });
  return reply.body as Problem;
}
