import { once } from "node:events";
import { text } from "node:stream/consumers";
import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";

import { audienceOf } from "../sandbox/access-team.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { startServerWithRawPaths } from "../sandbox/raw-paths.js";
import { SERVICES } from "../sandbox/world.js";
import { acting } from "./gateway.fixture.js";
import type { Deployment } from "./process-deployment.fixture.js";
import type { AppProcess } from "./process.fixture.js";

export const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, "x");
const PREFIX = "/rest/api/3/streams/";
const EVERYTHING = [{ methods: ["GET", "POST"], path: "/rest/api/3/streams/*" }];

export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** What there is once everything that nobody needs is thrown away, and the most there has been since the last question. */
export interface MemoryReport {
  readonly now: Memory;
  readonly peak: Memory;
}

const WATCH = `
  let peak = process.memoryUsage();
  setInterval(() => {
    const now = process.memoryUsage();
    for (const key of Object.keys(now)) peak[key] = Math.max(peak[key], now[key]);
  }, 20).unref();
  process.on("SIGUSR2", () => {
    gc();
    const now = process.memoryUsage();
    console.log("memory " + JSON.stringify({ now, peak }));
    peak = now;
  });`;

/** For a process that answers `reportMemory`. */
export const TELLS_MEMORY = [
  "--expose-gc",
  "--max-semi-space-size=2",
  "--import",
  `data:text/javascript,${encodeURIComponent(WATCH)}`,
];

export async function reportMemory(app: AppProcess): Promise<MemoryReport> {
  app.stdout = "";
  app.kill("SIGUSR2");
  const [, report = ""] = await app.saw(/^memory (.+)$/m);
  return JSON.parse(report) as MemoryReport;
}

/** A site whose product streams, and a service that may call it as Grace. */
export class StreamingScene {
  /** What the product does with a call to a path of this name. */
  readonly behaviours = new Map<string, (req: IncomingMessage, res: ServerResponse) => void>();
  readonly #site: AtlassianSite;
  readonly #app: AppProcess;
  readonly #token: string;

  private constructor(site: AtlassianSite, app: AppProcess, token: string) {
    this.#site = site;
    this.#app = app;
    this.#token = token;
  }

  static async start({ world }: Deployment, app: AppProcess): Promise<StreamingScene> {
    const { installKeys, client, oauth } = world.parts;
    const server = await startServerWithRawPaths(PREFIX, (req, res) => {
      const behave = scene.behaviours.get(req.url?.slice(PREFIX.length) ?? "");
      if (behave) behave(req, res);
      else res.writeHead(404).end();
    });
    const site = await AtlassianSite.start({ keys: installKeys, client, server });
    oauth.serve(site);
    await world.install("jira", site);
    const service = acting("Streams", { requests: EVERYTHING, consent: "given" });
    await world
      .page(ADA, "jira", site)
      .saveSettings({ teamDomain: world.team.domain, services: [SERVICES[0], service] });
    await world.page(GRACE, "jira", site).link(await world.browser(GRACE));
    const token = await world.team.signAccessJwt(GRACE, audienceOf("Streams"));
    const scene = new StreamingScene(site, app, token);
    return scene;
  }

  /** A call whose body, if it has one, is still to be written. Its failures are for whoever reads the answer. */
  open(method: "GET" | "POST", name: string): ClientRequest {
    return http
      .request({
        host: "127.0.0.1",
        port: this.#app.port,
        path: `/api/v1/sites/${this.#site.host}/jira${PREFIX}${name}`,
        method,
        agent: false,
        headers: { authorization: `Bearer ${this.#token}` },
      })
      .on("error", () => undefined);
  }

  async close(): Promise<void> {
    await this.#site.close();
  }
}

export async function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`The app answered ${await text(answer)}`);
  return answer.on("error", () => undefined);
}

/** Writes as fast as the other side takes it. */
export async function write(stream: NodeJS.WritableStream, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    if (!stream.write(CHUNK)) await once(stream, "drain");
  }
  stream.end();
}

/** How much of it there is. */
export async function countBytes(stream: AsyncIterable<Buffer>): Promise<number> {
  let count = 0;
  for await (const chunk of stream) count += chunk.length;
  return count;
}

/** Writes all that is taken, for as long as any is; answers how much that was when nothing more has been for a while. */
export async function writeUntilStuck(stream: NodeJS.WritableStream, patienceMs = 500): Promise<number> {
  let sent = 0;
  for (;;) {
    sent += CHUNK.length;
    if (stream.write(CHUNK)) continue;
    const isTaken = await Promise.race([
      once(stream, "drain").then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, patienceMs, false)),
    ]);
    if (!isTaken) return sent;
  }
}
