import { expect } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { ForgeSender } from "../sandbox/forge-fit.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES } from "../sandbox/world.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import type { Product } from "../src/tenants/tenant.js";
import type { Problem } from "../src/web/problem-response.js";
import { ForgeWorld } from "./forge.fixture.js";
import { acting, ALL_METHODS } from "./gateway.fixture.js";
import type { Row } from "./linking-database.fixture.js";

const SETTINGS = "/api/v1/settings";
const PREDECESSOR = "/api/v1/settings/predecessor";
const BOT = acting("bot", { requests: [{ methods: ALL_METHODS, path: "/rest/api/3/**" }] });

/** One site whose Jira is in use through Connect, and where the app has been installed through Forge as well. */
export class SiteOfBoth {
  readonly #world: ForgeWorld;
  readonly connect: AtlassianSite;
  readonly forge: ForgeSender;

  private constructor(world: ForgeWorld, connect: AtlassianSite) {
    this.#world = world;
    this.connect = connect;
    this.forge = world.site({ siteUrl: connect.url, products: ["jira", "confluence"] });
  }

  /** Grace has linked and agreed to what the bot may do; the bot has a key. */
  static async start(world: ForgeWorld): Promise<SiteOfBoth & { readonly serviceKey: string }> {
    const site = new SiteOfBoth(world, await world.tenants.installed("jira"));
    world.tenants.world.parts.oauth.serve(site.connect);
    await site.save({ teamDomain: world.tenants.world.team.domain, services: [...SERVICES, BOT] });
    (await site.linkThroughConnect()).expect(201);
    const { services } = (await site.asConnect(GRACE, "/api/v1/me")).body as { services: [Asking] };
    const [{ serviceId, digest }] = services;
    (await site.asConnect(GRACE, `/api/v1/me/consents/${serviceId}`, "PUT", { digest })).expect(204);
    const made = await site.asConnect(ADA, `/api/v1/services/${serviceId}/keys`, "POST");
    (await world.trigger(site.forge, "installed")).expect(204);
    return Object.assign(site, { serviceKey: (made.expect(201).body as { key: string }).key });
  }

  async save(settings: object): Promise<void> {
    const document = { ...((await this.asConnect(ADA, SETTINGS)).body as object), ...settings };
    (await this.asConnect(ADA, SETTINGS, "PUT", document)).expect(200);
  }

  async linkThroughConnect(person: Person = GRACE): Promise<Reply> {
    const accessJwt = await this.#world.tenants.world.team.signAccessJwt(person, AUDIENCES.app);
    return this.asConnect(person, "/api/v1/me/links", "POST", { accessJwt });
  }

  async asConnect(person: Person, path: string, method = "GET", body?: unknown): Promise<Reply> {
    const token = await this.connect.contextJwt("jira", person.accountId);
    return this.#world.tenants.sendAs(token, path, method, body);
  }

  /** As a page of the Forge app, with the person's own token. */
  async asForge(person: Person, path: string, { method = "GET", body, product = "jira" }: ForgeCall = {}) {
    const headers = this.#world.userToken(this.forge, person);
    return this.#world.page(this.forge, person, { path, headers, method, product, body });
  }

  async look(person: Person = ADA, product: Product = "jira"): Promise<unknown> {
    return (await this.asForge(person, PREDECESSOR, { product })).expect(200).body;
  }

  async takeOver(
    person: Person = ADA,
    { version = 0, product = "jira" }: TakeOverOptions = {},
  ): Promise<Reply> {
    return this.asForge(person, `${PREDECESSOR}/take-over`, { method: "POST", body: { version }, product });
  }

  async identify(): Promise<unknown> {
    const token = await this.#world.tenants.world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    return (await this.#world.tenants.identify(this.connect.host, token, { product: "jira" })).body;
  }

  /** As the bot, with its key. */
  async act(key: string): Promise<Reply> {
    const token = await this.#world.tenants.world.team.signAccessJwt(GRACE, audienceOf("bot"));
    return this.#world.tenants.send({
      caller: "The bot",
      method: "GET",
      url: `${this.#world.tenants.world.appUrl}/api/v1/sites/${this.connect.host}/jira/rest/api/3/search/jql?jql=assignee%20%3D%20currentUser()`,
      headers: { authorization: `Bearer ${token}`, "x-service-key": key },
    });
  }

  /** Of the product behind Connect: whether it knows the app still, or answers at all. */
  answer(as: "forgotten" | "failing" | "as ever"): void {
    const { behaviour, routes } = this.connect.server;
    behaviour.failing = as === "failing";
    if (as === "forgotten") routes.unshift(["GET", /./, unknown], ["POST", /./, unknown]);
  }

  /** Of the product behind Connect: who its admins are. */
  holdQuestion() {
    const { promise: asked, resolve: noteAsked } = createSignal();
    const { promise: answered, resolve: answer } = createSignal();
    this.connect.server.routes.unshift([
      "POST",
      /^\/rest\/api\/3\/permissions\/check$/,
      async () => {
        noteAsked();
        await answered;
        return { status: 200, body: JSON.stringify({ globalPermissions: ["ADMINISTER"] }) };
      },
    ]);
    return { asked, answer };
  }

  async findTenants(): Promise<Row[]> {
    const sql = "SELECT * FROM tenants WHERE site = ? AND product = 'jira' ORDER BY created_at, id";
    return this.#world.tenants.database.select(sql, [this.connect.host]);
  }

  /** Oldest first. */
  async auditOf(tenantId: unknown): Promise<Row[]> {
    const sql = "SELECT * FROM audit_events WHERE tenant_id = ? ORDER BY sequence";
    return this.#world.tenants.database.select(sql, [tenantId]);
  }
}

interface Asking {
  readonly serviceId: string;
  readonly digest: string;
}

interface TakeOverOptions {
  readonly version?: number;
  readonly product?: Product;
}

interface ForgeCall {
  readonly method?: string;
  readonly body?: unknown;
  readonly product?: Product;
}

function createSignal() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

const unknown = () => ({ status: 401, body: "" });

/** Through either door: Forge's passes on no other types than JSON's own, and no 401. */
export function expectRefusal(reply: Reply, code: ProblemCode): Problem {
  const problem = reply.body as Problem;
  expect({ status: problem.status, code: problem.code }, reply.text).toEqual({
    status: PROBLEMS[code].status,
    code,
  });
  return problem;
}
