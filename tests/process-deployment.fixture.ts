import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "vitest";

import { AccessEdge } from "../sandbox/access-edge.js";
import { AccessTeam } from "../sandbox/access-team.js";
import { AppPage } from "../sandbox/app-page.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import { HttpClient } from "../sandbox/http-client.js";
import type { Server } from "../sandbox/http-server.js";
import { InstallKeys } from "../sandbox/install-keys.js";
import type { Person } from "../sandbox/people.js";
import { AUDIENCES, type WorldParts } from "../sandbox/world-parts.js";
import { World } from "../sandbox/world.js";
import type { Env } from "../src/config/env.js";
import { connect } from "../src/storage/sqlite-connection.js";
import { spawnServer, type AppProcess } from "./process.fixture.js";

/**
 * A folder with a database, and around it all that an app talks to. App processes come and go; Cloudflare in front of
 * them stays, and so does the app's public URL.
 */
export class Deployment {
  readonly folder: string;
  /** Who asks through Cloudflare reaches the process that is served. */
  readonly world: World;
  readonly #parts: Omit<WorldParts, "app">;
  readonly #edge: AccessEdge;
  readonly #processes: AppProcess[] = [];
  readonly #sites: AtlassianSite[] = [];

  private constructor(folder: string, parts: Omit<WorldParts, "app">, edge: AccessEdge) {
    this.folder = folder;
    this.#parts = parts;
    this.#edge = edge;
    const lastProcess = () => this.#getLastProcess();
    this.world = new World({
      ...parts,
      get app() {
        return lastProcess();
      },
    });
  }

  static async create(folder: string): Promise<Deployment> {
    const client = new HttpClient();
    const installKeys = await InstallKeys.start();
    const site = await AtlassianSite.start({ keys: installKeys, client });
    const team = await AccessTeam.start();
    const application = { label: "This app", audience: AUDIENCES.app, pathPrefix: "/access/" };
    const edge = await AccessEdge.start({ team, applications: [application] });
    const close = async () => {
      for (const part of [edge, team, site, installKeys]) await part.close();
    };
    const { url } = edge;
    const parts = { appUrl: url, hasEdge: true, demoUrl: url, installKeys, client, close };
    return new Deployment(folder, { ...parts, sites: [site], teams: [team] }, edge);
  }

  get databaseFile(): string {
    return path.join(this.folder, "app.sqlite");
  }

  get env(): Env {
    const [team] = this.#parts.teams;
    return {
      PORT: "0",
      HOST: "127.0.0.1",
      BASE_URL: this.#parts.appUrl,
      DATABASE_URL: `sqlite:${this.databaseFile}`,
      CONNECT_KEYS_CDN_URL: this.#parts.installKeys.url,
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

  /** A process that listens, and that Cloudflare is in front of from now on. */
  async startApp(env: Env = {}, ...nodeArguments: readonly string[]): Promise<AppProcess> {
    const app = await this.spawnApp(env, ...nodeArguments).listens();
    this.serve(app);
    return app;
  }

  serve(app: AppProcess): void {
    this.#edge.originPort = app.port;
  }

  /** The app's page in Jira; `appUrl` leads past Cloudflare, to one of several processes. */
  page(person: Person, appUrl = this.#parts.appUrl): AppPage {
    const { client } = this.#parts;
    return new AppPage({ client, appUrl, site: this.world.site, product: "jira", person });
  }

  /** One more site, where the app isn't installed yet. */
  async addSite(): Promise<AtlassianSite> {
    const { installKeys: keys, client } = this.#parts;
    const site = await AtlassianSite.start({ keys, client });
    this.#sites.push(site);
    return site;
  }

  /** Asks the database itself, as somebody with the file could. */
  async query<Row extends object>(sql: string): Promise<Row[]> {
    const sequelize = this.connect();
    try {
      const [rows] = await sequelize.query(sql);
      return rows as Row[];
    } finally {
      await sequelize.close();
    }
  }

  connect(): ReturnType<typeof connect> {
    return connect({ file: this.databaseFile, busyTimeoutMilliseconds: 5_000, foreignKeys: true, tries: 1 });
  }

  async close(): Promise<void> {
    for (const app of this.#processes) app.kill("SIGKILL");
    await Promise.all(this.#processes.map(({ ended }) => ended));
    for (const site of this.#sites) await site.close();
    await this.#parts.close();
  }

  #getLastProcess(): AppProcess {
    const last = this.#processes.at(-1);
    if (!last) throw new Error("No process was started yet.");
    return last;
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
