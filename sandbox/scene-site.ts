import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { audienceOf } from "./access-team.js";
import { AppPage, type NewService } from "./app-page.js";
import { AtlassianSite } from "./atlassian-site.js";
import { HttpClient } from "./http-client.js";
import { redirect } from "./http-server.js";
import { ADA, GRACE, type Person } from "./people.js";
import { getPresetRequests } from "./preset-requests.js";
import { AUDIENCES } from "./world-parts.js";
import type { World } from "./world.js";

export const READING = [
  ...getPresetRequests("read-issues"),
  { methods: ["GET"], path: "/rest/api/3/myself" },
];
export const COMMENTING = getPresetRequests("comment-on-issues");

/** Asks its visitors before it does anything for them, and is there before and after every scene. */
export const REPORTS: NewService = {
  label: "Weekly reports",
  audience: audienceOf("Weekly reports"),
  purposes: ["identify", "act", "assert"],
  limits: { requests: [...READING, ...COMMENTING] },
};

/**
 * Another site, with its own settings and links, where scenes are played: whatever is arranged there disturbs nobody who
 * is trying something else.
 */
export class SceneSite {
  readonly world: World;
  readonly site: AtlassianSite;
  /** Nobody watches what is arranged. */
  readonly #client: HttpClient;

  private constructor(world: World, site: AtlassianSite, client: HttpClient) {
    this.world = world;
    this.site = site;
    this.#client = client;
  }

  static async open(world: World): Promise<SceneSite> {
    const { installKeys: keys, oauth } = world.parts;
    const client = new HttpClient();
    const site = await AtlassianSite.start({ keys, client });
    const scenes = new SceneSite(world, site, client);
    try {
      oauth.serve(site);
      site.surroundings = world.site.surroundings;
      // It has no first screen of its own.
      site.server.routes.unshift(["GET", /^\/$/, () => redirect(`${world.site.url}/refusals`)]);
      await scenes.#prepare();
    } catch (error) {
      await scenes.close();
      throw error;
    }
    return scenes;
  }

  page(person: Person, product: Product = "jira"): AppPage {
    const { world, site } = this;
    return new AppPage({ client: this.#client, appUrl: world.appUrl, site, product, person });
  }

  /** With proof of both sides, as a front end does it that holds both. */
  async link(person: Person, product: Product = "jira"): Promise<void> {
    const accessJwt = await this.world.team.signAccessJwt(person, AUDIENCES.app);
    (await this.page(person, product).send("POST", "/api/v1/me/links", { accessJwt })).expect(200, 201);
  }

  async close(): Promise<void> {
    this.world.parts.oauth.leave(this.site);
    await this.site.close();
  }

  async #prepare(): Promise<void> {
    for (const product of PRODUCTS) {
      await this.world.install(product, this.site);
      await this.page(ADA, product).saveSettings({
        teamDomain: this.world.team.domain,
        allowedEmailDomains: ["acme.example"],
        services: [{ label: "This app", audience: AUDIENCES.app, purposes: ["link"] }, REPORTS],
      });
    }
    await this.link(GRACE);
  }
}
