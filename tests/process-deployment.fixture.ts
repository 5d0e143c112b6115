import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "vitest";

import { AccessEdge } from "../sandbox/access-edge.js";
import { AccessTeam } from "../sandbox/access-team.js";
import { AppPage } from "../sandbox/app-page.js";
import { AtlassianOauth } from "../sandbox/atlassian-oauth.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import { HttpClient } from "../sandbox/http-client.js";
import type { Server } from "../sandbox/http-server.js";
import { InstallKeys } from "../sandbox/install-keys.js";
import type { Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { World } from "../sandbox/world.js";
import type { Env } from "../src/config/env.js";
import { connect } from "../src/storage/sqlite-connection.js";
import { spawnServer, type AppProcess } from "./process.fixture.js";

/**
 * A folder with a database, and around it all that an app talks to. App processes come and go; Cloudflare in front of
 * them stays, and with it the app's public URL.
 */
export class Deployment {
  readonly folder: string;
  /** Whoever asks through Cloudflare reaches the process that is served. */
  readonly world: World;
  readonly #edge: AccessEdge;
  readonly #processes: AppProcess[] = [];
  readonly #sites: AtlassianSite[] = [];

  private constructor(folder: string, world: World, edge: AccessEdge) {
    this.folder = folder;
    this.world = world;
    this.#edge = edge;
  }

  static async create(folder: string): Promise<Deployment> {
    const client = new HttpClient();
    const installKeys = await InstallKeys.start();
    const oauth = await AtlassianOauth.start();
    const site = await AtlassianSite.start({ keys: installKeys, client });
    oauth.serve(site);
    const team = await AccessTeam.start();
    const application = { label: "This app", audience: AUDIENCES.app, pathPrefix: "/access/" };
    const edge = await AccessEdge.start({ team, applications: [application] });
    const world = new World({
      get app(): never {
        throw new Error("There may be none, or several.");
      },
      appUrl: edge.url,
      hasEdge: true,
      sites: [site],
      installKeys,
      oauth,
      teams: [team],
      demoUrl: edge.url,
      examples: null,
      forge: null,
      databaseFile: null,
      client,
      close: async () => {
        for (const part of [edge, team, site, oauth, installKeys]) await part.close();
      },
    });
    return new Deployment(folder, world, edge);
  }

  get databaseFile(): string {
    return path.join(this.folder, "app.sqlite");
  }

  get env(): Env {
    const { appUrl, team, parts } = this.world;
    return {
      PORT: "0",
      HOST: "127.0.0.1",
      BASE_URL: appUrl,
      DATABASE_URL: `sqlite:${this.databaseFile}`,
      CONNECT_KEYS_CDN_URL: parts.installKeys.url,
      ATLASSIAN_OAUTH_URL: parts.oauth.url,
      ACCESS_ORIGIN_OVERRIDES: `${team.domain}=${team.url}`,
      TRUST_PROXY: "1",
    };
  }

  /** A process that may or may not come up. */
  spawnApp(env: Env = {}, ...nodeArguments: readonly string[]): AppProcess {
    const app = spawnServer({ env: { ...this.env, ...env }, cwd: this.folder }, ...nodeArguments);
    this.#processes.push(app);
    return app;
  }

  /** A process that listens, with Cloudflare in front of it from now on. */
  async startApp(env: Env = {}, ...nodeArguments: readonly string[]): Promise<AppProcess> {
    const app = await this.spawnApp(env, ...nodeArguments).listens();
    this.serve(app);
    return app;
  }

  serve(app: AppProcess): void {
    this.#edge.originPort = app.port;
  }

  /** The app's page in Jira; `appUrl` leads past Cloudflare, to one of several processes. */
  page(person: Person, appUrl = this.world.appUrl): AppPage {
    const { site, parts } = this.world;
    return new AppPage({ client: parts.client, appUrl, site, product: "jira", person });
  }

  /** One more site, where the app isn't installed yet. */
  async addSite(): Promise<AtlassianSite> {
    const { installKeys, oauth, client } = this.world.parts;
    const site = await AtlassianSite.start({ keys: installKeys, client });
    oauth.serve(site);
    this.#sites.push(site);
    return site;
  }

  /** Asks the database itself, as somebody with the file could. */
  async query<Row extends object>(sql: string): Promise<Row[]> {
    const connection = { busyTimeoutMilliseconds: 5_000, foreignKeys: true, tries: 1 };
    const sequelize = connect({ file: this.databaseFile, ...connection });
    try {
      const [rows] = await sequelize.query(sql);
      return rows as Row[];
    } finally {
      await sequelize.close();
    }
  }

  async close(): Promise<void> {
    for (const app of this.#processes) app.kill("SIGKILL");
    await Promise.all(this.#processes.map(({ ended }) => ended));
    for (const site of this.#sites) await site.close();
    await this.world.close();
  }
}

interface Fixtures {
  /** Removed when the test ends. */
  readonly folder: string;
  /** Ended when the test ends, with all its processes. */
  readonly deployment: Deployment;
}

export const it = test.extend<Fixtures>({
  folder: async ({}, use) => {
    const folder = mkdtempSync(path.join(tmpdir(), "access-process-"));
    await use(folder);
    rmSync(folder, { recursive: true });
  },
  deployment: async ({ folder }, use) => {
    const deployment = await Deployment.create(folder);
    await use(deployment);
    await deployment.close();
  },
});

/** For tests that run side by side: a process is up in a second, and on a busy machine in ten. */
export const PATIENCE = { timeout: 180_000 };

export interface Gate {
  /** The first request is there. */
  readonly reached: Promise<void>;
  open(): void;
}

/** Lets requests to one path wait for their answer until the gate is opened. */
export function closeGate(server: Server, path: string): Gate {
  let reach: () => void = () => undefined;
  let open: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  const index = server.routes.findIndex(([, pattern]) => pattern.test(path));
  const route = server.routes[index];
  if (!route) throw new Error(`The server has nothing at ${path}.`);
  const [method, pattern, handle] = route;
  server.routes[index] = [
    method,
    pattern,
    async (request, match) => {
      reach();
      await opened;
      return handle(request, match);
    },
  ];
  return { reached, open };
}
