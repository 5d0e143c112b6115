import { once } from "node:events";
import path from "node:path";
import type { Readable } from "node:stream";
import { Worker } from "node:worker_threads";

import { AccessEdge, type ProtectedPath } from "./access-edge.js";
import { audienceOf, type AccessTeam } from "./access-team.js";
import type { NewService } from "./app-page.js";
import { startAssistant } from "./assistant.js";
import type { AtlassianSite } from "./atlassian-site.js";
import { startBuildServer } from "./build-server.js";
import { addCallingPage } from "./calling-page.js";
import type { HttpClient } from "./http-client.js";
import { findFreePort } from "./http-server.js";
import { OWN_TOOL, startOwnToolEdge } from "./own-tool.js";
import { getPresetRequests } from "./preset-requests.js";

/** Where the programs of `examples/`, and those that people use them through, are reached through Cloudflare. */
export interface Examples {
  readonly myIssuesUrl: string;
  /** Stands in for Jenkins. */
  readonly buildsUrl: string;
  readonly mcpUrl: string;
  /** Stands in for somebody's assistant, which uses the MCP server. */
  readonly assistantUrl: string;
  /** The spare application, and the port on loopback that it leads to. */
  readonly ownToolUrl: string;
  readonly ownToolPort: number;
}

export interface ExamplePorts {
  readonly myIssues?: number;
  readonly builds?: number;
  readonly mcp?: number;
  readonly assistant?: number;
  readonly ownToolEdge?: number;
  readonly ownTool?: number;
}

interface Options {
  readonly team: AccessTeam;
  /** The app's public URL. */
  readonly appUrl: string;
  readonly site: AtlassianSite;
  readonly client: HttpClient;
  readonly ports: ExamplePorts;
  /** Has what is started closed at the end. */
  readonly keep: <T extends Part>(starting: Promise<T>) => Promise<T>;
}

interface Part {
  close(): Promise<void>;
}

interface Origin extends Part {
  readonly port: number;
}

const LABELS = {
  myIssues: "My issues",
  builds: "Jenkins",
  mcp: "Jira for assistants",
  assistant: "Assistant",
};
type ExampleName = keyof typeof LABELS;

export const EXAMPLE_AUDIENCES = {
  myIssues: audienceOf(LABELS.myIssues),
  builds: audienceOf(LABELS.builds),
  mcp: audienceOf(LABELS.mcp),
  assistant: audienceOf(LABELS.assistant),
};

/** As an admin lists them. The assistant isn't there: it has nothing to do with the app. */
export const EXAMPLE_SERVICES: readonly NewService[] = [
  {
    label: LABELS.myIssues,
    audience: EXAMPLE_AUDIENCES.myIssues,
    purposes: ["identify", "act", "assert"],
    limits: { requests: getPresetRequests("read-issues") },
  },
  {
    label: LABELS.builds,
    audience: EXAMPLE_AUDIENCES.builds,
    purposes: ["act"],
    limits: { requests: getPresetRequests("comment-on-issues") },
  },
  {
    label: LABELS.mcp,
    audience: EXAMPLE_AUDIENCES.mcp,
    purposes: ["act"],
    limits: { requests: [...getPresetRequests("read-issues"), ...getPresetRequests("comment-on-issues")] },
  },
  OWN_TOOL,
];

const FOLDER = path.resolve(import.meta.dirname, "../examples");
const PATIENCE_MILLISECONDS = 20_000;

export async function startExamples(options: Options): Promise<Examples> {
  const { team, appUrl, site, client, ports, keep } = options;
  const about = { APP_URL: appUrl, SITE: site.host };
  const protect = async (name: ExampleName, origin: Origin, policies: Partial<ProtectedPath> = {}) => {
    const all = { label: LABELS[name], audience: EXAMPLE_AUDIENCES[name], pathPrefix: "/", ...policies };
    const edge = await keep(AccessEdge.start({ team, applications: [all], port: ports[name] ?? 0 }));
    edge.originPort = origin.port;
    return edge.url;
  };

  const myIssues = await keep(
    startExample("my-issues/server.js", { ...about, AUDIENCE: EXAMPLE_AUDIENCES.myIssues }),
  );
  const builds = await keep(startBuildServer({ ...about, script: path.join(FOLDER, "jenkins/comment.sh") }));
  const mcp = await keep(
    startExample("mcp/server.js", {
      ...about,
      AUDIENCE: EXAMPLE_AUDIENCES.mcp,
      TEAM_DOMAIN: team.domain,
      CERTS_URL: `${team.url}/cdn-cgi/access/certs`,
    }),
  );
  const mcpUrl = await protect("mcp", mcp, { calledBy: EXAMPLE_AUDIENCES.assistant });
  const assistant = await keep(startAssistant({ mcpUrl: `${mcpUrl}/mcp` }));
  const myIssuesUrl = await protect("myIssues", myIssues, { bypassed: "/from-jira" });
  const tool = { url: `${myIssuesUrl}/from-jira`, label: LABELS.myIssues };
  addCallingPage({ site, client, appUrl, tool });
  const ownToolPort = ports.ownTool ?? (await findFreePort());
  const ownToolEdge = await keep(
    startOwnToolEdge({ team, port: ports.ownToolEdge ?? 0, toolPort: ownToolPort }),
  );
  return {
    myIssuesUrl,
    buildsUrl: await protect("builds", builds),
    mcpUrl,
    assistantUrl: await protect("assistant", assistant),
    ownToolUrl: ownToolEdge.url,
    ownToolPort,
  };
}

/** Runs a program of `examples/` as it is, with this environment and no other. Ends with this process at the latest. */
export async function startExample(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<Origin & { readonly stdout: Readable }> {
  const port = await findFreePort();
  const worker = new Worker(path.join(FOLDER, file), {
    env: { ...env, PORT: String(port) },
    // Whatever loads TypeScript here, the examples don't need.
    execArgv: [],
    stdout: true,
  });
  const close = async () => {
    await worker.terminate();
  };
  const failed = new AbortController();
  worker.once("error", (error) => failed.abort(error));
  try {
    const signal = AbortSignal.any([failed.signal, AbortSignal.timeout(PATIENCE_MILLISECONDS)]);
    await once(worker.stdout, "data", { signal });
  } catch (error) {
    await close();
    throw error;
  }
  worker.once("error", (error) => console.error(`examples/${file} has ended:`, error));
  return { port, close, stdout: worker.stdout };
}
