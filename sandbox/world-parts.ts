import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { startApp, type RunningApp } from "../src/start-app.js";
import { RATES, type Rates } from "../src/web/limits.js";
import { AccessEdge } from "./access-edge.js";
import { AccessTeam, audienceOf } from "./access-team.js";
import { AtlassianOauth } from "./atlassian-oauth.js";
import { AtlassianSite } from "./atlassian-site.js";
import { startDemoService } from "./demo-service.js";
import type { ExamplePorts, Examples } from "./examples.js";
import { FORGE_APP_ID } from "./forge-fit.js";
import { startForge, type ForgeParts } from "./forge-parts.js";
import { HttpClient } from "./http-client.js";
import { findFreePort } from "./http-server.js";
import { InstallKeys } from "./install-keys.js";

/** 0, or none, means any free port. */
export interface WorldPorts {
  /** What people open: the app through Cloudflare. */
  readonly app?: number;
  readonly appOrigin?: number;
  readonly site?: number;
  readonly team?: number;
  /** The demo service through Cloudflare. */
  readonly demo?: number;
  readonly examples?: ExamplePorts;
  readonly forgeSite?: number;
  /** The files of the app's pages there. */
  readonly forgeFiles?: number;
}

export interface WorldOptions {
  readonly ports?: WorldPorts;
  /** Runs the programs of `examples/` too. */
  readonly hasExamples?: boolean;
  /** Deploys the app to Forge too, beside as many sites that it can come into by that door. */
  readonly hasForge?: boolean;
  /** Without it, the app's public URL is its own and callers bring their Access JWTs themselves. */
  readonly hasEdge?: boolean;
  /** The first protects the app and the demo service. */
  readonly teamDomains?: readonly [string, ...string[]];
  /** The first is the one that the demo service asks about. */
  readonly siteCount?: number;
  /** A file that stays; otherwise a temporary one. */
  readonly databaseFile?: string;
  /** Laid over the app's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Laid over the app's own. */
  readonly rates?: Partial<Rates>;
}

export interface WorldParts {
  readonly app: RunningApp;
  /** The app's public URL: the edge's, if there is one. */
  readonly appUrl: string;
  readonly hasEdge: boolean;
  readonly sites: readonly [AtlassianSite, ...AtlassianSite[]];
  readonly installKeys: InstallKeys;
  readonly oauth: AtlassianOauth;
  readonly teams: readonly [AccessTeam, ...AccessTeam[]];
  readonly demoUrl: string;
  readonly examples: Examples | null;
  readonly forge: ForgeParts | null;
  /** Null where the app's database is none of the world's business. */
  readonly databaseFile: string | null;
  /** Everybody's client except the app's own, so that one observer sees all calls. */
  readonly client: HttpClient;
  close(): Promise<void>;
}

interface Part {
  close(): Promise<void>;
}

/** Closes it with the rest. */
export type Keep = <T extends Part>(starting: Promise<T>) => Promise<T>;

/** The AUD tags of the two Access applications. */
export const AUDIENCES = { app: audienceOf("This app"), demo: audienceOf("Demo service") };

/** Nothing listens there. */
export const UNREACHABLE_TEAM = { domain: "unreachable.cloudflareaccess.com", url: "http://127.0.0.1:1" };

/** Starts everything, or nothing. */
export async function startParts(options: WorldOptions): Promise<WorldParts> {
  const started: Part[] = [];
  const close = async () => {
    for (const part of started.splice(0).reverse()) await part.close();
  };
  try {
    return { ...(await startEach(options, started)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startEach(options: WorldOptions, started: Part[]): Promise<Omit<WorldParts, "close">> {
  const { ports = {}, hasEdge = true, teamDomains = ["acme.cloudflareaccess.com"], siteCount = 1 } = options;
  const keep: Keep = async (starting) => {
    const part = await starting;
    started.push(part);
    return part;
  };
  const client = new HttpClient();

  const installKeys = await keep(InstallKeys.start());
  const oauth = await keep(AtlassianOauth.start());
  const site = await keep(AtlassianSite.start({ keys: installKeys, client, port: ports.site ?? 0 }));
  const sites: [AtlassianSite, ...AtlassianSite[]] = [site];
  while (sites.length < siteCount) sites.push(await keep(AtlassianSite.start({ keys: installKeys, client })));
  for (const each of sites) oauth.serve(each);

  const [domain, ...otherDomains] = teamDomains;
  const team = await keep(AccessTeam.start({ domain, port: ports.team ?? 0 }));
  const teams: [AccessTeam, ...AccessTeam[]] = [team];
  for (const other of otherDomains) teams.push(await keep(AccessTeam.start({ domain: other })));

  const protectedPart = {
    label: "Access for Atlassian Cloud",
    audience: AUDIENCES.app,
    pathPrefix: "/access/",
  };
  const edge = hasEdge
    ? await keep(AccessEdge.start({ team, applications: [protectedPart], port: ports.app ?? 0 }))
    : null;
  const appPort = edge ? (ports.appOrigin ?? 0) : await findFreePort(ports.app);
  const databaseFile = options.databaseFile ?? (await createTemporaryFile(started));
  const appUrl = edge?.url ?? `http://localhost:${appPort}`;
  const forge = options.hasForge ? await startForge({ appUrl, client, siteCount, ports, keep }) : null;
  const app = await keep(
    startApp(
      {
        PORT: String(appPort),
        HOST: "127.0.0.1",
        BASE_URL: appUrl,
        DATABASE_URL: `sqlite:${databaseFile}`,
        CONNECT_KEYS_CDN_URL: installKeys.url,
        ATLASSIAN_OAUTH_URL: oauth.url,
        CONNECT_ALL_JS_URL: `${site.url}/connect/all.js`,
        ACCESS_ORIGIN_OVERRIDES: [...teams, UNREACHABLE_TEAM]
          .map((each) => `${each.domain}=${each.url}`)
          .join(","),
        TRUST_PROXY: edge ? "1" : "0",
        LOG_LEVEL: "silent",
        ...(forge && {
          FORGE_APP_ID,
          FORGE_KEYS_URL: forge.keys.url,
          ATLASSIAN_API_URL: forge.api.url,
        }),
        ...options.env,
      },
      { ...RATES, ...options.rates },
    ),
  );
  if (edge) edge.originPort = app.port;

  const demo = await keep(
    startDemoService({
      appUrl,
      site: site.host,
      product: "jira",
      audience: AUDIENCES.demo,
      client,
      people: () => site.people,
    }),
  );
  const everything = { label: "Demo service", audience: AUDIENCES.demo, pathPrefix: "/" };
  const demoEdge = await keep(AccessEdge.start({ team, applications: [everything], port: ports.demo ?? 0 }));
  demoEdge.originPort = demo.port;

  let examples: Examples | null = null;
  if (options.hasExamples) {
    // Late: few need what it brings along.
    const { startExamples } = await import("./examples.js");
    examples = await startExamples({ team, appUrl, site, client, ports: ports.examples ?? {}, keep });
  }
  const demoUrl = demoEdge.url;
  const forgeSite = forge?.sites[0] ?? null;
  if (forgeSite) forgeSite.homeUrl = site.url;
  for (const each of sites) each.surroundings = { team, audiences: AUDIENCES, demoUrl, examples, forgeSite };

  const places = { app, appUrl, hasEdge, sites, installKeys, oauth, teams, forge };
  return { ...places, demoUrl, examples, databaseFile, client };
}

async function createTemporaryFile(started: Part[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "access-sandbox-"));
  started.push({ close: () => rm(folder, { recursive: true, force: true }) });
  return path.join(folder, "app.sqlite");
}
