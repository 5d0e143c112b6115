import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { startServerWithRawPaths } from "../sandbox/raw-paths.js";
import { audienceOf } from "../sandbox/access-team.js";
import { SERVICES, startWorld } from "../sandbox/world.js";
import { spawnServer, type AppProcess } from "../tests/process.fixture.js";
import type { Load } from "./load.js";
import type { Sample } from "./statistics.js";

const PATH = "/rest/api/3/bench/issue";
const PREFIX = "/rest/api/3/bench/";
/** As long as a small issue. */
const ISSUE = JSON.stringify({
  key: "DEMO-1",
  fields: { summary: "A small issue", description: "x".repeat(2000) },
});

const SERVICE = {
  label: "Bench",
  audience: audienceOf("Bench"),
  purposes: ["act"],
  limits: {
    requests: [{ methods: ["GET"], path: "/rest/api/3/**" }],
    maxTokenAgeSeconds: null,
    ipAddresses: ["127.0.0.0/8"],
    consent: "required",
  },
} as const;

/** Both ways to the same upstream, and who calls them; each is a process of its own. */
export interface Scene {
  readonly gateway: Pick<Load, "url" | "headers">;
  readonly bareProxy: Pick<Load, "url" | "headers">;
  readonly app: AppProcess;
  measure(load: Load): Promise<Sample>;
  close(): Promise<void>;
}

/** Installs, configures, links and agrees as people do, and then starts the built app on the database this has left. */
export async function startScene(...nodeArguments: readonly string[]): Promise<Scene> {
  const folder = await mkdtemp(path.join(tmpdir(), "access-bench-"));
  const databaseFile = path.join(folder, "app.sqlite");
  const world = await startWorld({ hasEdge: false, databaseFile });
  const { installKeys, oauth, client, app: firstApp } = world.parts;
  const server = await startServerWithRawPaths(PREFIX, (request, response) => {
    request.resume();
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(ISSUE),
    });
    response.end(ISSUE);
  });
  const site = await AtlassianSite.start({ keys: installKeys, client, server });
  oauth.serve(site);
  await world.install("jira", site);
  await world.page(ADA, "jira", site).saveSettings({
    teamDomain: world.team.domain,
    services: [SERVICES[0], SERVICE],
  });
  const page = world.page(GRACE, "jira", site);
  await page.link(await world.browser(GRACE));
  await page.agree(SERVICE.label);
  await firstApp.close();

  const env = {
    PORT: String(firstApp.port),
    HOST: "127.0.0.1",
    BASE_URL: world.appUrl,
    DATABASE_URL: `sqlite:${databaseFile}`,
    CONNECT_KEYS_CDN_URL: installKeys.url,
    ATLASSIAN_OAUTH_URL: oauth.url,
    ACCESS_ORIGIN_OVERRIDES: `${world.team.domain}=${world.team.url}`,
  };
  const app = await spawnServer({ env, cwd: folder }, ...nodeArguments).listens();
  const bareProxy = startChild("bare-proxy.ts", server.url);
  const load = startChild("load.ts");
  const brokenOff = new AbortController();
  load.once("exit", () => brokenOff.abort());
  const [{ port }] = (await once(bareProxy, "message")) as [{ port: number }];
  const token = await world.team.signAccessJwt(GRACE, SERVICE.audience);
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };

  return {
    gateway: { url: `${app.url}/api/v1/sites/${site.host}/jira${PATH}`, headers },
    bareProxy: { url: `http://127.0.0.1:${port}${PATH}`, headers },
    app,
    measure: async (calls) => {
      load.send(calls);
      const [sample] = (await once(load, "message", { signal: brokenOff.signal })) as [Sample];
      return sample;
    },
    close: async () => {
      bareProxy.kill();
      load.kill();
      await app.close();
      await site.close();
      await world.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startChild(file: string, ...args: readonly string[]): ChildProcess {
  return fork(path.join(import.meta.dirname, file), args, { execArgv: ["--import", "tsx"] });
}
