import http, { type IncomingHttpHeaders } from "node:http";

import type { NewService } from "../sandbox/app-page.js";
import { audienceOf } from "../sandbox/access-team.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Claims } from "../sandbox/jwt.js";
import { ADA, CLEO, GRACE, LINUS, type Person, type ServiceToken } from "../sandbox/people.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import type { ServiceLimits } from "../src/services/settings.js";
import type { Product } from "../src/tenants/tenant.js";
import { DatabaseFile } from "./linking-database.fixture.js";

export const ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const EVERYTHING: ServiceLimits["requests"] = [{ methods: ALL_METHODS, path: "/**" }];
const MYSELF: ServiceLimits["requests"] = [{ methods: ["GET"], path: "/rest/api/3/myself" }];

/** The services of Jira, each with limits of its own; Confluence has `wiki` alone. */
export const ACTING = {
  free: acting("free", { requests: EVERYTHING, consent: "given" }),
  local: acting("local", { requests: EVERYTHING, ipAddresses: ["127.0.0.0/8", "::1"], consent: "given" }),
  asking: acting("asking", { requests: EVERYTHING }),
  strict: acting("strict", { requests: MYSELF, maxTokenAgeSeconds: 60, ipAddresses: ["203.0.113.0/24"] }),
  empty: { ...acting("empty", {}), limits: null },
  wiki: acting("wiki", { requests: EVERYTHING, consent: "given" }),
} as const;
export type ActingName = keyof typeof ACTING;

export function acting(label: string, limits: Partial<ServiceLimits>): NewService {
  return {
    label,
    audience: audienceOf(label),
    purposes: ["act"],
    limits: {
      requests: [],
      maxTokenAgeSeconds: null,
      ipAddresses: [],
      consent: "required",
      liveCheckSeconds: null,
      ...limits,
    },
  };
}

export interface GatewayCall {
  readonly as?: Person | ServiceToken;
  readonly service?: ActingName;
  readonly audience?: string;
  readonly claims?: Claims;
  /** Instead of a token that is made of the above; null for none. */
  readonly token?: string | null;
  readonly method?: string;
  readonly product?: Product;
  readonly site?: string;
  /** Goes out as it is. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One app in both products of one site. Grace, Ada and Cleo have proved their links in Jira; an admin wrote Linus' there. */
export class GatewayWorld {
  readonly world: World;
  readonly database: DatabaseFile;

  private constructor(world: World, database: DatabaseFile) {
    this.world = world;
    this.database = database;
  }

  static async start(): Promise<GatewayWorld> {
    const database = await DatabaseFile.create();
    const world = await startWorld({ hasEdge: false, databaseFile: database.file });
    const scene = new GatewayWorld(world, database);
    await world.install("jira");
    await world.install("confluence");
    const { wiki, ...ofJira } = ACTING;
    await scene.save("jira", [...SERVICES, ...Object.values(ofJira)]);
    await scene.save("confluence", [SERVICES[0], wiki]);
    for (const person of [GRACE, ADA, CLEO, LINUS]) await world.link(person);
    for (const person of [GRACE, LINUS]) await world.link(person, "confluence");
    await database.execute(
      "UPDATE links SET method = 'admin' WHERE account_id = ? AND tenant_id IN (SELECT id FROM tenants WHERE product = 'jira')",
      [LINUS.accountId],
    );
    return scene;
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.database.close();
  }

  get site(): AtlassianSite {
    return this.world.site;
  }

  /** What the product was asked, but for what the app asks it in its own name. */
  productCalls(): string[] {
    return this.site.server.requests.filter((line) => !line.includes("/rest/atlassian-connect/"));
  }

  async sign({ as = GRACE, service = "free", audience, claims = {} }: GatewayCall): Promise<string> {
    return this.world.team.signAccessJwt(as, audience ?? ACTING[service].audience, { claims });
  }

  url({ site = this.site.host, product = "jira", path = "/rest/api/3/myself" }: GatewayCall): string {
    return `/api/v1/sites/${site}/${product}${path}`;
  }

  /** Calls as a service does. No URL parser comes near the path. */
  async call(call: GatewayCall): Promise<GatewayAnswer> {
    const response = await this.open(call);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  }

  /** The same, as soon as the answer's headers are there. */
  async open(call: GatewayCall): Promise<http.IncomingMessage> {
    const token = call.token === undefined ? await this.sign(call) : call.token;
    const headers = { ...(token !== null && { authorization: `Bearer ${token}` }), ...call.headers };
    const path = this.url(call);
    return new Promise((resolve, reject) => {
      const { port } = this.world.parts.app;
      const options = { host: "127.0.0.1", port, path, method: call.method ?? "GET", agent: false, headers };
      const request = http.request(options, resolve);
      request.on("error", reject);
      request.end(call.body);
    });
  }

  async save(product: Product, services: readonly NewService[]): Promise<void> {
    const team = { teamDomain: this.world.team.domain, allowedEmailDomains: ["acme.example"] };
    await this.world.page(ADA, product).saveSettings({ ...team, services });
  }
}
