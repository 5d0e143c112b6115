import type { Socket } from "node:net";
import { expect, vi } from "vitest";

import { listen } from "../sandbox/http-server.js";
import { epochSeconds, queryStringHash } from "../sandbox/jwt.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { startWorld, World } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { openConnection } from "../src/web/raw-http.fixture.js";
import { DatabaseFile } from "./linking-database.fixture.js";
import { expectProblem, type Answer } from "./refusals.fixture.js";

/** Whose credentials a request carries, so that what stands behind the guard of its route is reached. */
export type Caller = "admin" | "member" | "atlassian" | "popup" | "service" | "anybody";

export interface Route {
  readonly method: string;
  /** Below the base URL. `:attempt` and `:site` are filled in. */
  readonly path: string;
  readonly as: Caller;
}

/** Every route that there is. */
export const ROUTES: readonly (Omit<Route, "method"> & { readonly allow: string })[] = [
  { path: "/atlassian-connect.json", allow: "GET, HEAD", as: "anybody" },
  { path: "/installed", allow: "POST", as: "atlassian" },
  { path: "/uninstalled", allow: "POST", as: "atlassian" },
  { path: "/enabled", allow: "POST", as: "atlassian" },
  { path: "/disabled", allow: "POST", as: "atlassian" },
  { path: "/healthz", allow: "GET, HEAD", as: "anybody" },
  { path: "/readyz", allow: "GET, HEAD", as: "anybody" },
  { path: "/metrics", allow: "GET, HEAD", as: "anybody" },
  { path: "/openapi.json", allow: "GET, HEAD", as: "anybody" },
  { path: "/problems", allow: "GET, HEAD", as: "anybody" },
  { path: "/sites/:site/jira/jwks.json", allow: "GET, HEAD", as: "anybody" },
  { path: "/sites/:site/confluence/jwks.json", allow: "GET, HEAD", as: "anybody" },
  { path: "/admin", allow: "GET", as: "anybody" },
  { path: "/account", allow: "GET", as: "anybody" },
  { path: "/api/v1/settings", allow: "GET, HEAD, PUT", as: "admin" },
  { path: "/api/v1/settings/check", allow: "POST", as: "admin" },
  { path: "/api/v1/settings/popup-check", allow: "POST", as: "admin" },
  { path: "/api/v1/settings/assertion-keys/rotate", allow: "POST", as: "admin" },
  { path: "/api/v1/settings/predecessor", allow: "GET, HEAD", as: "admin" },
  { path: "/api/v1/settings/predecessor/take-over", allow: "POST", as: "admin" },
  { path: "/api/v1/services", allow: "GET, HEAD", as: "admin" },
  { path: "/api/v1/services/x/keys", allow: "POST", as: "admin" },
  { path: "/api/v1/services/x/keys/x", allow: "DELETE", as: "admin" },
  { path: "/api/v1/links", allow: "GET, HEAD", as: "admin" },
  { path: "/api/v1/links/x", allow: "DELETE", as: "admin" },
  { path: "/api/v1/links/x/restore", allow: "POST", as: "admin" },
  { path: "/api/v1/audit", allow: "GET, HEAD", as: "admin" },
  { path: "/api/v1/me", allow: "GET, HEAD", as: "member" },
  { path: "/api/v1/me/link-attempts", allow: "POST", as: "member" },
  { path: "/api/v1/me/links", allow: "POST", as: "member" },
  { path: "/api/v1/me/links/x", allow: "DELETE", as: "member" },
  { path: "/api/v1/me/links/x/confirm", allow: "POST", as: "member" },
  { path: "/api/v1/me/news/seen", allow: "POST", as: "member" },
  { path: "/api/v1/me/activity", allow: "GET, HEAD", as: "member" },
  { path: "/api/v1/me/consents/x", allow: "PUT, DELETE", as: "member" },
  { path: "/api/v1/me/assertions", allow: "POST", as: "member" },
  { path: "/link/start/:attempt", allow: "GET", as: "popup" },
  { path: "/access/link/:attempt", allow: "GET, HEAD, POST", as: "popup" },
  { path: "/api/v1/sites/:site/identity", allow: "GET, HEAD", as: "service" },
];

/** Every call that needs a context JWT. */
export const CONTEXT_CALLS: readonly (readonly [method: string, path: string])[] = ROUTES.filter(
  ({ as }) => as === "admin" || as === "member",
).flatMap(({ path, allow }) =>
  allow
    .split(", ")
    .filter((method) => method !== "HEAD")
    .map((method) => [method, path] as const),
);

/** The whole app, mounted at `basePath`, with all that hostile requests need to get as far as they can. */
export class HostileWorld {
  readonly basePath: string;
  readonly world: World;
  readonly #database: DatabaseFile;
  #attempt = "";
  #contextJwts: Readonly<Partial<Record<Caller, string>>> = {};
  #accessJwts: Readonly<Partial<Record<Caller, string>>> = {};

  private constructor(basePath: string, world: World, database: DatabaseFile) {
    this.basePath = basePath;
    this.world = world;
    this.#database = database;
  }

  static async start(basePath = ""): Promise<HostileWorld> {
    const database = await DatabaseFile.create();
    const port = await findFreePort();
    const appUrl = `http://localhost:${port}${basePath}`;
    const options = { hasEdge: false, databaseFile: database.file, ports: { app: port } };
    const { parts } = await startWorld({ ...options, env: { BASE_URL: appUrl } });
    const hostile = new HostileWorld(basePath, new World({ ...parts, appUrl }), database);
    await hostile.#prepare();
    return hostile;
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.#database.close();
  }

  get appUrl(): string {
    return this.world.appUrl;
  }

  /** A request that its route would let in, with its length unless the headers say something else about that. */
  async message(
    { method, path, as }: Route,
    headers: readonly string[] = [],
    body: string | Buffer = "",
  ): Promise<Buffer> {
    const isFramed = headers.some((header) => /^(?:content-length|transfer-encoding):/i.test(header));
    const lines = [
      `${method} ${this.basePath}${this.#fill(path)} HTTP/1.1`,
      "Host: localhost",
      "Connection: close",
      ...(await this.#credentials(method, path, as)),
      ...headers,
      ...(isFramed ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ];
    return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), Buffer.from(body)]);
  }

  /** Sends bytes and waits for the first answer; `isEnded` closes its own half behind them. */
  async exchange(bytes: string | Buffer, { isEnded = false } = {}): Promise<Answer> {
    const socket = await openConnection(this.world.parts.app.port);
    if (isEnded) socket.end(bytes);
    else socket.write(bytes);
    return readAnswer(socket);
  }

  /** What comes back is a problem as the contract has it, nothing has changed, and the next request is served. */
  async expectRefusal(
    bytes: string | Buffer,
    code: ProblemCode,
    options: { readonly isEnded?: boolean } = {},
  ): Promise<Answer> {
    const before = await this.#database.snapshot();
    const answer = await this.exchange(bytes, options);
    expectProblem(answer, code, this.appUrl);
    expect(await this.#database.snapshot()).toEqual(before);
    await this.expectAlive();
    return answer;
  }

  async expectAlive(): Promise<void> {
    const answer = await this.exchange(
      await this.message({ method: "GET", path: "/healthz", as: "anybody" }),
    );
    expect(answer.status).toBe(200);
  }

  async #prepare(): Promise<void> {
    const { world } = this;
    await world.prepare();
    await world.link(GRACE);
    this.#attempt = (await world.page(GRACE).beginLink()).id;
    this.#contextJwts = {
      admin: await world.site.contextJwt("jira", ADA.accountId),
      member: await world.site.contextJwt("jira", GRACE.accountId),
    };
    const service = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    this.#accessJwts = { popup: await world.team.signAccessJwt(GRACE, AUDIENCES.app), service };
    // The use of a link is noted once an hour, in the background: from now on nothing is written by itself.
    await world.identify(service);
    await vi.waitFor(
      async () => expect((await world.page(GRACE).listLinks())[0]).not.toMatchObject({ lastUsedAt: null }),
      5_000,
    );
  }

  #fill(path: string): string {
    return path.replace(":attempt", this.#attempt).replace(":site", this.world.site.host);
  }

  async #credentials(method: string, path: string, as: Caller): Promise<string[]> {
    if (as === "anybody") return [];
    if (as === "atlassian") return [`Authorization: JWT ${await this.#signInstallJwt(method, path)}`];
    const contextJwt = this.#contextJwts[as];
    if (contextJwt !== undefined) return [`Authorization: JWT ${contextJwt}`];
    const accessJwt = `Cf-Access-Jwt-Assertion: ${this.#accessJwts[as] ?? ""}`;
    // What the browser adds that shows our own pages.
    const fromOurPage = [`Origin: ${new URL(this.appUrl).origin}`, "Sec-Fetch-Site: same-origin"];
    return as === "popup" ? [accessJwt, ...fromOurPage] : [accessJwt];
  }

  async #signInstallJwt(method: string, path: string): Promise<string> {
    const { world, appUrl } = this;
    return world.parts.installKeys.sign({
      iss: world.site.getInstallation("jira").clientKey,
      aud: [appUrl],
      iat: epochSeconds(),
      exp: epochSeconds() + 180,
      qsh: queryStringHash(method, `${appUrl}${path}`, appUrl),
    });
  }
}

async function findFreePort(): Promise<number> {
  const probe = await listen(() => Promise.resolve(), {});
  await probe.close();
  return probe.port;
}

/** The first answer that isn't just `100 Continue`, as soon as it is complete, or what there is of it at the end. */
async function readAnswer(socket: Socket): Promise<Answer> {
  let text = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString("latin1");
    const answer = parseAnswer(text);
    if (answer?.isComplete) return answer;
  }
  const answer = parseAnswer(text);
  if (!answer) throw new Error(`The connection ended without an answer: ${text}`);
  return answer;
}

function parseAnswer(received: string): (Answer & { readonly isComplete: boolean }) | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [statusLine = "", ...lines] = received.slice(0, headEnd).split("\r\n");
  const text = received.slice(headEnd + 4);
  const status = Number(statusLine.split(" ")[1]);
  if (status === 100) return parseAnswer(text);
  const headers = Object.fromEntries(
    lines.map((line) => [line.replace(/:.*/s, "").toLowerCase(), line.replace(/^[^:]*: */, "")]),
  );
  return { status, headers, text, isComplete: text.length >= Number(headers["content-length"] ?? Infinity) };
}
