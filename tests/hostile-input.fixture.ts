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

/** Who can get past the guard of a route, so that what stands behind it is reached. */
export type Caller = "admin" | "member" | "atlassian" | "popup" | "service" | "anybody";

export interface Route {
  readonly method: string;
  /** Below the base URL. `:attempt` and `:site` are filled in. */
  readonly path: string;
  readonly as: Caller;
}

/** The whole app, mounted at `basePath`, with everything at hand that hostile requests need to get as far as they can. */
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

  static async start(basePath: string): Promise<HostileWorld> {
    const database = await DatabaseFile.create();
    const port = await findFreePort();
    const appUrl = `http://localhost:${port}${basePath}`;
    const env = { BASE_URL: appUrl };
    const { parts } = await startWorld({
      hasEdge: false,
      databaseFile: database.file,
      ports: { app: port },
      env,
    });
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

  /** The head of a request that its route would let in, up to and without the empty line. */
  async head({ method, path, as }: Route, headers: readonly string[] = []): Promise<string> {
    const target = `${this.basePath}${this.fill(path)}`;
    const lines = [`${method} ${target} HTTP/1.1`, "Host: localhost", "Connection: close"];
    return [...lines, ...(await this.#credentials(method, path, as)), ...headers].join("\r\n");
  }

  fill(path: string): string {
    return path.replace(":attempt", this.#attempt).replace(":site", this.world.site.host);
  }

  /** A request with its length, unless the headers say something else about that. */
  async message(route: Route, headers: readonly string[], body: string | Buffer): Promise<Buffer> {
    const isFramed = headers.some((header) => /^(?:content-length|transfer-encoding):/i.test(header));
    const length = isFramed ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const head = await this.head(route, [...headers, ...length]);
    return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body)]);
  }

  /** Sends bytes and waits for the first answer, however long the connection stays open; `end` closes its own half. */
  async exchange(bytes: string | Buffer, { end = false } = {}): Promise<Answer> {
    const socket = await openConnection(this.world.parts.app.port);
    if (end) socket.end(bytes);
    else socket.write(bytes);
    return readAnswer(socket);
  }

  /** Holds what comes back against the contract; nothing may have changed, and the next one is served. */
  async expectRefusal(
    bytes: string | Buffer,
    code: ProblemCode | readonly ProblemCode[],
    options: { readonly end?: boolean } = {},
  ): Promise<Answer> {
    const before = await this.#database.snapshot();
    const answer = await this.exchange(bytes, options);
    const codes = [code].flat();
    const found = codes.find((each) => answer.text.includes(`"code":"${each}"`));
    expectProblem(answer, found ?? codes[0]!, this.appUrl);
    expect(await this.#database.snapshot()).toEqual(before);
    await this.expectAlive();
    return answer;
  }

  async expectAlive(): Promise<void> {
    const answer = await this.exchange(
      `GET ${this.basePath}/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
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
    this.#accessJwts = {
      popup: await world.team.signAccessJwt(GRACE, AUDIENCES.app),
      service: await world.team.signAccessJwt(GRACE, AUDIENCES.demo),
    };
    // The use of a link is noted once an hour, in the background: from now on nothing is written by itself.
    await world.identify(this.#accessJwts.service!);
    await vi.waitFor(async () =>
      expect((await world.page(GRACE).listLinks())[0]).not.toMatchObject({ lastUsedAt: null }),
    );
  }

  async #credentials(method: string, path: string, as: Caller): Promise<string[]> {
    if (as === "anybody") return [];
    if (as === "atlassian") return [`Authorization: JWT ${await this.#installJwt(method, path)}`];
    const contextJwt = this.#contextJwts[as];
    if (contextJwt !== undefined) return [`Authorization: JWT ${contextJwt}`];
    const accessJwt = `Cf-Access-Jwt-Assertion: ${this.#accessJwts[as] ?? ""}`;
    return as === "popup" ? [accessJwt, `Origin: ${new URL(this.appUrl).origin}`] : [accessJwt];
  }

  async #installJwt(method: string, path: string): Promise<string> {
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

/** The first answer that isn't just `100 Continue`, as soon as it is complete. */
async function readAnswer(socket: Socket): Promise<Answer> {
  let text = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString("latin1");
    const answer = parseAnswer(text);
    if (answer) return answer;
  }
  throw new Error(`The connection ended without a complete answer: ${text}`);
}

/** Null while bytes are missing. */
function parseAnswer(text: string): Answer | null {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const body = rest.join("\r\n\r\n");
  if (rest.length === 0) return null;
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = Number(statusLine.split(" ")[1]);
  if (status === 100) return parseAnswer(body);
  const headers = Object.fromEntries(
    lines.map((line) => [line.replace(/:.*/s, "").toLowerCase(), line.replace(/^[^:]*: */, "")]),
  );
  const isComplete =
    "content-length" in headers ? body.length >= Number(headers["content-length"]) : body !== "";
  return isComplete || status === 204 ? { status, headers, text: body } : null;
}
