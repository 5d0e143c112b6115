import type { Reply } from "../sandbox/http-client.js";
import { GRACE, type Person } from "../sandbox/people.js";
import { startWorld, type World } from "../sandbox/world.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Product } from "../src/tenants/tenant.js";
import { RATES, type Rates } from "../src/web/limits.js";
import { expectProblem, type Problem } from "./refusals.fixture.js";

/** Small enough to be used up in a moment; seldom enough that setting a world up doesn't use them up. */
export const FEW = {
  account: { ...RATES.account, calls: 8 },
  tenant: { ...RATES.tenant, calls: 20 },
  proof: { ...RATES.proof, calls: 3 },
  lifecycle: RATES.lifecycle,
  forgery: { ...RATES.forgery, calls: 8 },
} satisfies Rates;

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** An app that is soon asked too much. Requests come from where they say, as behind a proxy that is trusted. */
export class LimitedWorld {
  readonly world: World;
  readonly #sites: AtlassianSite[] = [];
  #hosts = 0;

  private constructor(world: World) {
    this.world = world;
  }

  static async start(trustProxy = "1"): Promise<LimitedWorld> {
    const env = { TRUST_PROXY: trustProxy };
    const limited = new LimitedWorld(await startWorld({ hasEdge: false, env, rates: FEW }));
    await limited.world.prepare();
    await limited.world.link(GRACE);
    return limited;
  }

  async close(): Promise<void> {
    for (const site of this.#sites) await site.close();
    await this.world.close();
  }

  /** A site of its own, of which nobody has asked anything yet. */
  async installedSite(...products: readonly Product[]): Promise<AtlassianSite> {
    const { installKeys, client } = this.world.parts;
    const site = await AtlassianSite.start({ keys: installKeys, client });
    this.#sites.push(site);
    for (const product of products.length === 0 ? (["jira"] as const) : products) {
      await this.world.install(product, site);
    }
    return site;
  }

  /** One that nothing has come from yet. */
  newAddress(): string {
    this.#hosts += 1;
    return `203.0.113.${this.#hosts}`;
  }

  async ask(from: string, path: string, { method = "GET", headers = {}, body }: Asking = {}): Promise<Reply> {
    return this.world.parts.client.send({
      caller: from,
      method,
      url: `${this.world.appUrl}${path}`,
      headers: { "x-forwarded-for": from, ...headers },
      ...(body !== undefined && { body }),
    });
  }

  /** As many times as that, and each answer has that status. */
  async askTimes(times: number, status: number, ask: () => Promise<Reply>): Promise<void> {
    for (let nth = 0; nth < times; nth += 1) (await ask()).expect(status);
  }

  expectRefused(reply: Reply): Problem {
    const problem = expectProblem(reply, "rate_limited", this.world.appUrl);
    const seconds = Number(reply.headers["retry-after"]);
    if (!(seconds >= 1 && seconds <= 60)) throw new Error(`Retry-After is ${seconds}.`);
    return problem;
  }

  /** Opens the app's page as the product does. */
  async openPage(site: AtlassianSite, person: Person, page: "admin" | "account"): Promise<Reply> {
    const url = `${this.world.appUrl}/${page}`;
    const jwt = await site.urlBoundJwt("jira", person.accountId, "GET", url);
    return this.ask("127.0.0.1", `/${page}?jwt=${jwt}`, { headers: { accept: "text/html" } });
  }
}
