import { randomBytes, randomUUID } from "node:crypto";
import { decodeProtectedHeader } from "jose";
import { expect, onTestFinished, vi } from "vitest";

import { AtlassianSite, type LifecycleEvent } from "../sandbox/atlassian-site.js";
import type { Call, Reply } from "../sandbox/http-client.js";
import { epochSeconds, queryStringHash, signJwt, type Claims } from "../sandbox/jwt.js";
import type { WorldOptions } from "../sandbox/world-parts.js";
import { startWorld, type World } from "../sandbox/world.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import type { Product } from "../src/tenants/tenant.js";
import type { Problem } from "../src/web/problem-response.js";
import { DatabaseFile, type Row } from "./linking-database.fixture.js";

export const APP_KEY = "access-for-atlassian-cloud";

/** Whoever lifecycle events are about. */
export interface Sender {
  readonly clientKey: string;
  readonly sharedSecret: string;
  readonly baseUrl: string;
  readonly product: Product;
}

export interface EventOptions {
  /** Where it is sent, and what its token is bound to. */
  readonly path?: string;
  readonly claims?: Claims;
  readonly header?: Claims;
  /** With the tenant's secret instead of Atlassian's key. */
  readonly isSignedByTenant?: boolean;
  /** Makes the token of the claims. */
  readonly sign?: (claims: Claims) => string | Promise<string>;
  /** Laid over the body; what is undefined is left out. */
  readonly body?: Claims;
}

/** One app. Tests bring sites of their own, and see what is stored and whom the app calls. */
export class TenantsWorld {
  readonly world: World;
  readonly database: DatabaseFile;
  readonly #sites: AtlassianSite[] = [];

  private constructor(world: World, database: DatabaseFile) {
    this.world = world;
    this.database = database;
    this.#sites.push(...world.parts.sites);
  }

  static async start(options: WorldOptions = {}): Promise<TenantsWorld> {
    const database = await DatabaseFile.create();
    const world = await startWorld({ hasEdge: false, databaseFile: database.file, ...options });
    return new TenantsWorld(world, database);
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.database.close();
  }

  /** A site where the app is not installed; gone when the test ends. */
  async startSite(): Promise<AtlassianSite> {
    const { installKeys, client } = this.world.parts;
    const site = await AtlassianSite.start({ keys: installKeys, client });
    this.#sites.push(site);
    onTestFinished(() => site.close());
    return site;
  }

  /** A site of its own where the app is installed, enabled and proven. */
  async installed(...products: readonly Product[]): Promise<AtlassianSite> {
    const site = await this.startSite();
    for (const product of products.length === 0 ? (["jira"] as const) : products) {
      await this.world.install(product, site);
      await this.waitUntilProven(site, product);
    }
    return site;
  }

  /** The app asks the host in the background, after it has answered the install event. */
  async waitUntilProven(
    site: AtlassianSite,
    product: Product = "jira",
    { clientKey }: Pick<Sender, "clientKey"> = site.getInstallation(product),
  ): Promise<void> {
    await vi.waitFor(async () => expect(await this.findTenant(clientKey)).toMatchObject({ proven: 1 }), {
      timeout: 10_000,
      interval: 5,
    });
  }

  async findTenant(clientKey: string): Promise<Row | undefined> {
    const [tenant] = await this.database.select("SELECT * FROM tenants WHERE client_key = ?", [clientKey]);
    return tenant;
  }

  /** What the audit log tells of a tenant, oldest first. */
  async auditOf(clientKey: string): Promise<unknown[]> {
    const events = await this.database.select(
      `SELECT action FROM audit_events JOIN tenants ON tenants.id = tenant_id WHERE client_key = ? ORDER BY sequence`,
      [clientKey],
    );
    return events.map(({ action }) => action);
  }

  /** Does something that must leave nothing behind: nothing stored, nothing changed, nobody called. */
  async expectNoTrace<T>(work: () => Promise<T>): Promise<T> {
    const before = await this.#observe();
    const result = await work();
    expect(await this.#observe()).toEqual(before);
    return result;
  }

  /** Does something that must store and change nothing, though the app may ask others first. */
  async expectNothingStored<T>(work: () => Promise<T>): Promise<T> {
    const before = await this.database.snapshot();
    const result = await work();
    expect(await this.database.snapshot()).toEqual(before);
    return result;
  }

  /** `installed`, `enabled`, … as Atlassian sends them. Later options are for events that nobody honest sends. */
  async buildEvent(sender: Sender, type: LifecycleEvent, options: EventOptions = {}): Promise<Call> {
    const { appUrl } = this.world;
    const { path = `/${type}`, isSignedByTenant = false, sign } = options;
    const claims = {
      iss: sender.clientKey,
      iat: epochSeconds(),
      exp: epochSeconds() + 180,
      qsh: queryStringHash("POST", `${appUrl}${path}`, appUrl),
      ...(isSignedByTenant ? {} : { aud: [appUrl] }),
      // Keeps two events of the same second apart.
      jti: randomUUID(),
      ...options.claims,
    };
    const token = await (sign?.(claims) ??
      (isSignedByTenant
        ? signJwt(options.header ?? {}, claims, sender.sharedSecret)
        : this.world.parts.installKeys.sign(claims, options.header)));
    return {
      caller: sender.product,
      method: "POST",
      url: `${appUrl}${path}`,
      headers: { authorization: `JWT ${token}` },
      body: {
        key: APP_KEY,
        clientKey: sender.clientKey,
        ...(type === "installed" && { sharedSecret: sender.sharedSecret }),
        baseUrl: sender.baseUrl,
        productType: sender.product,
        eventType: type,
        ...options.body,
      },
    };
  }

  async sendEvent(sender: Sender, type: LifecycleEvent, options: EventOptions = {}): Promise<Reply> {
    return this.send(await this.buildEvent(sender, type, options));
  }

  async send(call: Call): Promise<Reply> {
    return this.world.parts.client.send(call);
  }

  /** Asks for a context JWT's holder, or with the body that is given. */
  async sendAs(token: string, path: string, method = "GET", body?: unknown): Promise<Reply> {
    const headers = { authorization: `JWT ${token}` };
    return this.send({ caller: "A page", method, url: `${this.world.appUrl}${path}`, headers, body });
  }

  /** Asks as a service behind Access. */
  async identify(
    site: string,
    accessJwt: string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    const url = `${this.world.appUrl}/api/v1/sites/${site}/identity?${new URLSearchParams(query).toString()}`;
    return this.send({
      caller: "A service",
      method: "GET",
      url,
      headers: { "cf-access-jwt-assertion": accessJwt },
    });
  }

  /** The key id under which Atlassian signs now. */
  async currentKid(): Promise<string> {
    return decodeProtectedHeader(await this.world.parts.installKeys.sign({})).kid ?? "";
  }

  async #observe() {
    const { installKeys, teams } = this.world.parts;
    const servers = [...this.#sites, installKeys, ...teams].map(({ server }) => server);
    return { stored: await this.database.snapshot(), calls: servers.flatMap(({ requests }) => requests) };
  }
}

/** As whom a site sends its events. */
export function senderOf(site: AtlassianSite, product: Product = "jira"): Sender {
  return { ...site.getInstallation(product), baseUrl: site.baseUrl(product), product };
}

/** Somebody whom the app doesn't know yet. */
export function createSender(overrides: Partial<Sender> = {}): Sender {
  return {
    clientKey: randomUUID(),
    sharedSecret: randomBytes(48).toString("base64url"),
    baseUrl: "https://acme.atlassian.net",
    product: "jira",
    ...overrides,
  };
}

/** A refusal as the contract has it; with fields, exactly these are named. */
export function expectProblem(reply: Reply, code: ProblemCode, fields?: readonly string[]): Problem {
  const problem = reply.body as Problem;
  expect({ status: reply.status, code: problem.code }, reply.text).toEqual({
    status: PROBLEMS[code].status,
    code,
  });
  expect(reply.headers["content-type"]).toBe("application/problem+json");
  if (fields) expect(problem.errors?.map(({ field }) => field)).toEqual(fields);
  return problem;
}

/** Lets everybody's clocks show a later time, and stand still there, until the test ends. */
export function travel(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
  onTestFinished(() => {
    vi.useRealTimers();
  });
}
