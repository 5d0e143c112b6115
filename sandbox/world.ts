import type { Product } from "../src/tenants/tenant.js";
import type { AccessTeam } from "./access-team.js";
import { AppPage, readTypedCode, type PageSite } from "./app-page.js";
import type { AtlassianSite } from "./atlassian-site.js";
import { Browser } from "./browser.js";
import type { ForgeSite } from "./forge-site.js";
import type { Reply } from "./http-client.js";
import { ADA, type Person } from "./people.js";
import { addRefusalPages } from "./refusal-pages.js";
import { Scenes } from "./scenes.js";
import { AUDIENCES, startParts, type WorldOptions, type WorldParts } from "./world-parts.js";

/** What the admin enters: both Access applications, each with what it may be used for. */
export const SERVICES = [
  { label: "This app", audience: AUDIENCES.app, purposes: ["link"] },
  { label: "Demo service", audience: AUDIENCES.demo, purposes: ["identify"] },
] as const;

/** Everything on loopback: the app, the site it is installed in, the Access team around it, and a service that asks it. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const world = new World(await startParts(options));
  addRefusalPages(world);
  return world;
}

export class World {
  readonly parts: WorldParts;
  /** What a service can meet, to be played. */
  readonly scenes = new Scenes(this);

  constructor(parts: WorldParts) {
    this.parts = parts;
  }

  /** The app's public URL, without a trailing slash. */
  get appUrl(): string {
    return this.parts.appUrl;
  }

  get site(): AtlassianSite {
    return this.parts.sites[0];
  }

  /** Where the app comes in through Forge; only in a world that has it. */
  get forgeSite(): ForgeSite {
    const { forge } = this.parts;
    if (!forge) throw new Error("The app isn't deployed to Forge in this world.");
    return forge.sites[0];
  }

  get team(): AccessTeam {
    return this.parts.teams[0];
  }

  /** The app's page as a person has it open in one product. */
  page(person: Person, product: Product = "jira", site: PageSite = this.site): AppPage {
    const { client, appUrl } = this.parts;
    return new AppPage({ client, appUrl, site, product, person });
  }

  /** A browser without cookies. Where there is no edge, it sends the Access JWT that Cloudflare would have added. */
  async browser(person: Person): Promise<Browser> {
    const { client, hasEdge } = this.parts;
    const name = `${person.name}'s browser`;
    if (hasEdge) return new Browser({ client, name });
    const accessJwt = await this.team.signAccessJwt(person, AUDIENCES.app);
    return new Browser({ client, name, headers: { "cf-access-jwt-assertion": accessJwt } });
  }

  /** Installs and enables the app in one product of a site. */
  async install(product: Product, site: AtlassianSite = this.site): Promise<void> {
    (await site.install(product, this.appUrl)).expect(204);
    (await site.enable(product)).expect(204);
  }

  /** Installs the app in both products of the first site; the admin of Jira enters team and services. */
  async prepare(): Promise<void> {
    await this.install("jira");
    await this.install("confluence");
    await this.page(ADA).saveSettings({ teamDomain: this.team.domain, services: SERVICES });
  }

  /** Links with proof of both sides, in a browser of their own. */
  async link(person: Person, product: Product = "jira"): Promise<void> {
    await this.page(person, product).link(await this.browser(person));
  }

  /** Links as people do where the product opens no popups: with the code that a tab shows. */
  async linkByCode(person: Person, product: Product, site: PageSite): Promise<void> {
    const page = this.page(person, product, site);
    const browser = await this.browser(person);
    const attempt = await page.beginLink();
    await page.openTab(attempt, browser);
    await page.finishLink(attempt, await readTypedCode(browser));
  }

  /** Asks as a service who a token's holder is; `query` is `product` and `audience`. */
  async identify(token: string, query: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const search = new URLSearchParams(query).toString();
    return this.parts.client.send({
      caller: "A service",
      method: "GET",
      url: `${this.appUrl}/api/v1/sites/${this.site.host}/identity${search && `?${search}`}`,
      headers: { authorization: `Bearer ${token}` },
    });
  }

  /** Ends everything and removes the temporary database. */
  async close(): Promise<void> {
    await this.scenes.close();
    await this.parts.close();
  }
}
