import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export interface ListenOptions {
  readonly port?: number;
  /** How the URL names loopback. Two names are two sites to a browser. */
  readonly hostname?: "localhost" | "127.0.0.1";
}

export interface Listening {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on loopback only; on any free port unless one is given. */
export async function listen(
  listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { port = 0, hostname = "localhost" }: ListenOptions,
): Promise<Listening> {
  const server = http.createServer((request, response) => {
    listener(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(`The sandbox can't answer this: ${String(error)}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${hostname}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** For programs whose port must be known before they listen. */
export async function findFreePort(port = 0): Promise<number> {
  const probe = await listen(() => Promise.resolve(), { port });
  await probe.close();
  return probe.port;
}

export interface Incoming {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** A stream is sent on as it comes. */
  readonly body?: string | Readable;
}

export type Handler = (request: Incoming, match: RegExpExecArray) => Answer | Promise<Answer>;
export type Route = readonly [method: string, path: RegExp, handler: Handler];

/** How a server is doing, for whoever wants to see what the app makes of it. */
export interface Behaviour {
  /** Every connection is cut. */
  off: boolean;
  /** Every answer is a 500. */
  failing: boolean;
  delaySeconds: number;
}

export interface Server extends Listening {
  readonly routes: Route[];
  readonly behaviour: Behaviour;
  /** A line such as `GET /rest/api/3/user?accountId=1 → 200` for every request so far. */
  readonly requests: string[];
  /** Hears each of these lines. */
  onRequest: (line: string) => void;
}

/** A server that answers by a table of routes, empty at first. */
export async function startServer(options: ListenOptions = {}): Promise<Server> {
  const listening = await listen(async (request, response) => {
    const { method = "", url = "/" } = request;
    const body = await readBody(request);
    const { behaviour } = server;
    if (behaviour.delaySeconds > 0) await sleep(behaviour.delaySeconds * 1000, undefined, { ref: false });
    const answer = await findAnswer(server, {
      method,
      url: new URL(url, listening.url),
      headers: request.headers,
      body,
    });
    const line = `${method} ${url} → ${answer?.status ?? "cut off"}`;
    server.requests.push(line);
    server.onRequest(line);
    if (answer) response.writeHead(answer.status, { "cache-control": "no-store", ...answer.headers });
    if (!answer) response.destroy();
    else if (answer.body instanceof Readable) pipeline(answer.body, response, () => undefined);
    else response.end(answer.body);
  }, options);
  const server: Server = {
    ...listening,
    routes: [],
    behaviour: { off: false, failing: false, delaySeconds: 0 },
    requests: [],
    onRequest: () => undefined,
  };
  return server;
}

async function readBody(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function findAnswer({ behaviour, routes }: Server, request: Incoming): Promise<Answer | null> {
  if (behaviour.off) return null;
  if (behaviour.failing) return json(500, { message: "Out of order." });
  for (const [method, path, handler] of routes) {
    // RFC 9110 §9.3.2; Node leaves the body out.
    const isMeant = method === request.method || (request.method === "HEAD" && method === "GET");
    const match = isMeant ? path.exec(request.url.pathname) : null;
    if (match) return handler(request, match);
  }
  return json(404, { message: "There is nothing here." });
}

export function json(status: number, value: unknown): Answer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

export function text(status: number, body: string): Answer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}

export function html(status: number, body: string): Answer {
  return { status, headers: { "content-type": "text/html; charset=utf-8" }, body };
}

export function redirect(location: string, headers: Answer["headers"] = {}): Answer {
  return { status: 303, headers: { ...headers, location } };
}
