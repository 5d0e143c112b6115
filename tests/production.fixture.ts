import { vi, type MockInstance } from "vitest";

import type { AccessTeam } from "../sandbox/access-team.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, GRACE, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import { startApp, type RunningApp } from "../src/start-app.js";
import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { exchange, type RawAnswer } from "../src/web/raw-http.fixture.js";
import { DatabaseFile } from "./linking-database.fixture.js";

/** A name that RFC 2606 keeps from ever leading anywhere: asking this host about an installation fails at once. */
export const INSTALLABLE_SITE = "acme.invalid";

export interface Message {
  readonly method: string;
  /** Below the app's public URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text goes as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** What the apps are in the middle of. */
export interface Scene {
  readonly world: World;
  /** The site of the team without keys. */
  readonly otherSite: AtlassianSite;
  readonly unreachableTeam: AccessTeam;
  /** Does something to the database behind the app's back. */
  readonly execute: (sql: string) => Promise<unknown>;
}

/** One of the apps, reached on loopback as a proxy would reach it. */
export interface Stage {
  readonly isProduction: boolean;
  readonly port: number;
  /** The app's public URL. */
  readonly baseUrl: string;
  /** Hears everything that is sent to it, and what comes back. */
  readonly overhear?: (said: string) => void;
}

/**
 * Two apps on one database: as developers run it, and in production at a public address. Production takes neither
 * sites nor teams on loopback: the sites were installed by the other app, and what is fetched of a team over https is
 * fetched from its stand-in.
 */
export class Stages implements Scene {
  readonly world: World;
  readonly database: DatabaseFile;
  readonly development: Stage;
  readonly production: Stage;
  readonly otherSite: AtlassianSite;
  readonly unreachableTeam: AccessTeam;
  readonly #app: RunningApp;
  readonly #fetch: MockInstance;

  private constructor(world: World, database: DatabaseFile, app: RunningApp, fetchSpy: MockInstance) {
    this.world = world;
    this.database = database;
    this.development = { isProduction: false, port: world.parts.app.port, baseUrl: world.appUrl };
    this.production = { isProduction: true, port: app.port, baseUrl: PUBLIC_URL };
    const [, otherSite] = world.parts.sites;
    const [, unreachableTeam] = world.parts.teams;
    if (!otherSite || !unreachableTeam) throw new Error("There must be two sites and two teams.");
    this.otherSite = otherSite;
    this.unreachableTeam = unreachableTeam;
    this.#app = app;
    this.#fetch = fetchSpy;
  }

  static async start(): Promise<Stages> {
    const database = await DatabaseFile.create();
    const teamDomains = ["acme.cloudflareaccess.com", "globex.cloudflareaccess.com"] as const;
    const env = { CONNECT_HOSTS: INSTALLABLE_SITE };
    const world = await startWorld({
      hasEdge: false,
      databaseFile: database.file,
      teamDomains: [...teamDomains],
      siteCount: 2,
      env,
    });
    const fetchSpy = standInForTeams(world);
    const app = await startApp({
      ...env,
      NODE_ENV: "production",
      BASE_URL: PUBLIC_URL,
      HOST: "127.0.0.1",
      PORT: "0",
      DATABASE_URL: `sqlite:${database.file}`,
      CONNECT_KEYS_CDN_URL: world.parts.installKeys.url,
      CONNECT_ALL_JS_URL: `${world.site.url}/connect/all.js`,
      LOG_LEVEL: "silent",
    });
    const stages = new Stages(world, database, app, fetchSpy);
    await stages.#prepare();
    return stages;
  }

  async close(): Promise<void> {
    await this.#app.close();
    this.#fetch.mockRestore();
    await this.world.close();
    await this.database.close();
  }

  readonly execute = (sql: string): Promise<void> => this.database.execute(sql);

  async #prepare(): Promise<void> {
    await prepare(this);
    await vi.waitFor(async () => {
      const unproven = await this.database.select("SELECT id FROM tenants WHERE NOT proven");
      if (unproven.length > 0) throw new Error("A tenant isn't proven yet.");
    }, 10_000);
  }
}

/** The first site is set up, and Grace has linked there; the other names a team whose keys can't be had, in both products. */
export async function prepare({ world, otherSite, unreachableTeam }: Scene): Promise<void> {
  await world.prepare();
  await world.link(GRACE);
  unreachableTeam.behaviour.off = true;
  for (const product of PRODUCTS) {
    await world.install(product, otherSite);
    await world
      .page(ADA, product, otherSite)
      .saveSettings({ teamDomain: unreachableTeam.domain, services: SERVICES });
  }
}

export async function contextJwt(
  { world }: Scene,
  person: Person,
  product: Product = "jira",
  site = world.site,
): Promise<string> {
  return `JWT ${await site.contextJwt(product, person.accountId)}`;
}

/** The path of a page as the product opens it for somebody. */
export async function pagePath(
  { world }: Scene,
  { baseUrl }: Stage,
  path: string,
  person: Person,
): Promise<string> {
  const url = `${baseUrl}${path}?cp=`;
  return `${path}?cp=&jwt=${await world.site.urlBoundJwt("jira", person.accountId, "GET", url)}`;
}

const PUBLIC_URL = "https://access.acme.example";

export async function send(stage: Stage, { method, path, headers = {}, body }: Message): Promise<RawAnswer> {
  const text = body === undefined || typeof body === "string" ? (body ?? "") : JSON.stringify(body);
  const all = {
    Host: "localhost",
    Connection: "close",
    ...(body !== undefined && { "Content-Type": "application/json" }),
    ...(body !== undefined && { "Content-Length": String(Buffer.byteLength(text)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return sendBytes(stage, [`${method} ${path} HTTP/1.1`, ...lines, "", text].join("\r\n"));
}

/** Exactly one answer must come back. */
export async function sendBytes({ port, overhear }: Stage, bytes: string | Buffer): Promise<RawAnswer> {
  const answers = await exchange(port, bytes);
  const [answer] = answers;
  if (!answer || answers.length > 1) throw new Error(`${answers.length} answers came back.`);
  const heard = [...answer.headers].map((pair) => pair.join(": "));
  overhear?.([bytes.toString(), ...heard, answer.body].join("\n"));
  return answer;
}

/** The public address of a team leads to its stand-in, and that of anybody else nowhere. */
function standInForTeams({ parts }: World): MockInstance {
  const { fetch } = globalThis;
  return vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.hostname === "127.0.0.1" || url.hostname === "localhost") return fetch(url, init);
    const team = parts.teams.find(({ domain }) => domain === url.host);
    if (!team) return Promise.reject(new TypeError("fetch failed"));
    return fetch(`${team.url}${url.pathname}`, init);
  });
}

export function linkingJwt(world: World, person: Person): Promise<string> {
  return world.team.signAccessJwt(person, AUDIENCES.app);
}
