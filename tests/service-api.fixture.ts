import { expect } from "vitest";

import type { SettingsChanges } from "../sandbox/app-page.js";
import type { AccessTeam } from "../sandbox/access-team.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import type { Claims } from "../sandbox/jwt.js";
import { ADA, GRACE, type Person, type ServiceToken } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import type { Product } from "../src/tenants/tenant.js";
import { expectNoBrowserFavours, expectProblem } from "./refusals.fixture.js";

export type Headers = Readonly<Record<string, string>>;

export interface TokenOptions {
  readonly team?: AccessTeam;
  readonly audience?: string;
  /** Laid over the usual ones; what is undefined is left out. */
  readonly claims?: Claims;
}

interface AskOptions {
  /** What stands behind `/api/v1/sites/`. */
  readonly path?: string;
  readonly method?: string;
}

interface TenantState {
  readonly settings: unknown;
  readonly links: readonly { readonly id: string; readonly lastUsedAt: string | null }[];
  readonly audit: unknown;
}

/** One app and several teams. In the Jira of its site Grace is linked and nobody else; its Confluence is not set up. */
export class ServiceWorld {
  readonly world: World;
  /** The team of every site, unless a test says otherwise. */
  readonly acme: AccessTeam;
  /** The team of some other site. */
  readonly globex: AccessTeam;
  /** Another site trusts it, but it can't be reached. */
  readonly initech: AccessTeam;
  /** Nobody trusts it. */
  readonly stranger: AccessTeam;
  readonly #sites: AtlassianSite[] = [];

  private constructor(world: World) {
    this.world = world;
    const teams = world.parts.teams as readonly AccessTeam[] as [
      AccessTeam,
      AccessTeam,
      AccessTeam,
      AccessTeam,
    ];
    [this.acme, this.globex, this.initech, this.stranger] = teams;
  }

  static async start(): Promise<ServiceWorld> {
    const teamDomains = ["acme", "globex", "initech", "stranger"].map(
      (name) => `${name}.cloudflareaccess.com`,
    );
    const world = await startWorld({ hasEdge: false, teamDomains: teamDomains as [string, ...string[]] });
    const scene = new ServiceWorld(world);
    scene.initech.behaviour.off = true;
    await world.prepare();
    await world.link(GRACE);
    for (const team of [scene.globex, scene.initech]) await scene.startSite({ teamDomain: team.domain });
    return scene;
  }

  async close(): Promise<void> {
    for (const site of this.#sites) await site.close();
    await this.world.close();
  }

  get site(): AtlassianSite {
    return this.world.site;
  }

  /** A site of its own, with the app in its Jira; `changes` are laid over the usual settings, null leaves them fresh. */
  async startSite(changes: SettingsChanges | null = {}): Promise<AtlassianSite> {
    const { installKeys, client } = this.world.parts;
    const site = await AtlassianSite.start({ keys: installKeys, client });
    this.#sites.push(site);
    if (changes) await this.setUp(site, "jira", changes);
    return site;
  }

  async setUp(site: AtlassianSite, product: Product, changes: SettingsChanges = {}): Promise<void> {
    await this.world.install(product, site);
    const settings = { teamDomain: this.acme.domain, services: SERVICES, ...changes };
    await this.world.page(ADA, product, site).saveSettings(settings);
  }

  /** Links an Access identity, Grace's unless it is another, to somebody's account. */
  async link(
    account: Person,
    site: AtlassianSite,
    product: Product = "jira",
    identity = GRACE,
  ): Promise<void> {
    await this.world.page(account, product, site).link(await this.world.browser(identity));
  }

  async sign(holder: Person | ServiceToken, options: TokenOptions = {}): Promise<string> {
    const { team = this.acme, audience = AUDIENCES.demo, claims = {} } = options;
    return team.signAccessJwt(holder, audience, { claims });
  }

  /** Every answer, good or bad, is held against what none may have. */
  async ask(
    headers: Headers,
    { path = `${this.site.host}/identity`, method = "GET" }: AskOptions = {},
  ): Promise<Reply> {
    const url = `${this.world.appUrl}/api/v1/sites/${path}`;
    const reply = await this.world.parts.client.send({ caller: "A service", method, url, headers });
    expectNoBrowserFavours(reply.headers);
    expect(reply.headers["cache-control"]).toBe("no-cache, no-store");
    expect(reply.headers["x-content-type-options"]).toBe("nosniff");
    return reply;
  }

  async identify(token: string, { site = this.site, query = "" } = {}): Promise<Reply> {
    return this.ask(bearer(token), { path: `${site.host}/identity${query}` });
  }

  /** The person's account, or the refusal. */
  expectOutcome(reply: Reply, outcome: Person | ProblemCode): void {
    if (typeof outcome === "string") expectProblem(reply, outcome, this.world.appUrl);
    else expect(reply.expect(200).body).toMatchObject({ accountId: outcome.accountId });
  }

  /** What its admin sees of the Jira of a site. */
  async readTenant(site: AtlassianSite): Promise<TenantState> {
    const admin = this.world.page(ADA, "jira", site);
    const read = async (path: string) =>
      (await admin.send("GET", path)).expect(200).body as { items: never[] };
    return {
      settings: await read("/api/v1/settings"),
      links: (await read("/api/v1/links")).items,
      audit: (await read("/api/v1/audit")).items,
    };
  }

  /** How often the app has asked anybody anything. */
  countQuestions(): number {
    const { teams, installKeys } = this.world.parts;
    const everybody = [this.site, ...this.#sites, ...teams, installKeys];
    return everybody.reduce((count, { server }) => count + server.requests.length, 0);
  }
}

export function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` };
}

/** Two lines of one header. Node takes an array for that; the type of the client doesn't know. */
export function twice(one: string, other: string): string {
  return [one, other] as unknown as string;
}

/** The same header and claims under a signature that isn't theirs. */
export function forge(token: string): string {
  const [header, claims, signature = ""] = token.split(".");
  return [header, claims, Buffer.from(signature, "base64url").reverse().toString("base64url")].join(".");
}
