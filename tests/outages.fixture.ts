import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { vi } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { listen, type Listening } from "../sandbox/http-server.js";

/** What the honest server behind would have answered. */
interface GoodAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

interface Exchange {
  readonly socket: Socket;
  readonly good: GoodAnswer;
}

/** How a server treats whoever has sent it a whole request. */
type Behaviour = (exchange: Exchange) => unknown;

/** Stands in front of an honest key server, counts what it is asked, and misbehaves on demand. */
export class KeyServer {
  /** Where the honest answer to a path comes from. */
  findGood: (path: string) => string = (path) => path;
  /** For single paths. */
  readonly behaviours = new Map<string, Behaviour>();
  behaviour: Behaviour = good;
  /** The paths asked for, in order. */
  readonly asked: string[] = [];
  #refused = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refusesConnections = false;
  #port = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      socket.on("error", () => undefined);
      if (this.#refusesConnections) {
        this.#refused += 1;
        socket.resetAndDestroy();
        return;
      }
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      let head = "";
      socket.on("data", (chunk) => {
        head += chunk.toString("latin1");
        if (head.endsWith("\r\n\r\n")) void this.#answer(socket, head);
      });
    });
  }

  static async start(): Promise<KeyServer> {
    const server = new KeyServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    server.#port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** How often anybody has come, connections that were refused included. */
  get visits(): number {
    return this.asked.length + this.#refused;
  }

  misbehave({ behaviour }: OutageRow): void {
    if (behaviour === "refuses connections") this.#refuseConnections();
    else this.behaviour = behaviour;
  }

  recover(): void {
    this.behaviour = good;
    this.#refusesConnections = false;
  }

  async close(): Promise<void> {
    this.#hangUp();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Keeps the port, which a server of another test could get otherwise. */
  #refuseConnections(): void {
    this.#refusesConnections = true;
    this.#hangUp();
  }

  #hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #answer(socket: Socket, head: string): Promise<void> {
    const path = head.split(" ")[1] ?? "/";
    this.asked.push(path);
    const response = await fetch(this.findGood(path));
    const type = response.headers.get("content-type") ?? "";
    const answer = { status: response.status, type, body: await response.text() };
    const behaviour = this.behaviours.get(path) ?? this.behaviour;
    await behaviour({ socket, good: answer });
  }
}

export function good({ socket, good: { status, type, body } }: Exchange): void {
  respond(socket, { status, headers: { "content-type": type }, body });
}

type RawHeaders = Readonly<Record<string, string | number | null>>;

interface RawResponse {
  readonly status?: number;
  /** Content-Length is the body's, unless it is given or null. */
  readonly headers?: RawHeaders;
  readonly body?: string | Buffer;
}

function respond(socket: Socket, { status = 200, headers = {}, body = "" }: RawResponse): void {
  socket.end(Buffer.concat([Buffer.from(head({ status, headers, body })), Buffer.from(body)]));
}

function head({ status = 200, headers = {}, body = "" }: RawResponse): string {
  const all: RawHeaders = {
    "content-length": Buffer.byteLength(body),
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} X`, ...lines, "", ""].join("\r\n");
}

/** More than any key file may have. Behind so much space there is a good answer, for whoever reads on. */
const PADDING = " ".repeat(2 * 1024 * 1024);
const CHUNKED = { "content-length": null, "transfer-encoding": "chunked" };

export interface OutageRow {
  readonly behaviour: Behaviour | "refuses connections";
  /** The keys arrive all the same. */
  readonly isHarmless?: boolean;
}

/** Every way in which a key server has been thought to fail; `elsewhere` is where its redirects lead. */
export function outages(elsewhere: string): Readonly<Record<string, OutageRow>> {
  const status = (code: number): OutageRow => ({
    behaviour: ({ socket, good: { body } }) => {
      respond(socket, { status: code, body });
    },
  });
  const redirect = (code: number): OutageRow => ({
    behaviour: ({ socket, good: { body } }) => {
      respond(socket, { status: code, headers: { location: elsewhere }, body });
    },
  });
  const body = (text: string | Buffer): OutageRow => ({
    behaviour: ({ socket }) => {
      respond(socket, { body: text });
    },
  });
  return {
    "refuses connections": { behaviour: "refuses connections" },
    "hangs up": { behaviour: ({ socket }) => socket.destroy() },
    "never answers": { behaviour: () => undefined },
    "answers after two seconds": {
      behaviour: async (exchange) => {
        await sleep(2000);
        good(exchange);
      },
      isHarmless: true,
    },
    "answers 403, with the keys": status(403),
    "answers 500, with the keys": status(500),
    "answers 503, with the keys": status(503),
    "answers 204": {
      behaviour: ({ socket }) => {
        respond(socket, { status: 204, headers: { "content-length": null } });
      },
    },
    "answers with half of what it announced": {
      behaviour: ({ socket, good: { body: text } }) => {
        respond(socket, { headers: { "content-length": 2 * text.length }, body: text });
      },
    },
    "answers with half of what it announced, and waits": {
      behaviour: ({ socket, good: { body: text } }) =>
        socket.write(head({ headers: { "content-length": 2 * text.length } }) + text),
    },
    "breaks off between two chunks": {
      behaviour: ({ socket, good: { body: text } }) =>
        socket.end(`${head({ headers: CHUNKED })}64\r\n${text.slice(0, 100)}\r\n`),
    },
    "trickles the keys byte by byte": {
      behaviour: ({ socket, good: { body: text } }) =>
        writeUntilClosed(socket, head({ body: text }), (nth) => text[nth] ?? "", 25),
    },
    "trickles headers": {
      behaviour: ({ socket }) =>
        writeUntilClosed(socket, "HTTP/1.1 200 X\r\n", (nth) => `x-${nth}: x\r\n`, 25),
    },
    "goes on promising an answer": {
      behaviour: ({ socket }) => writeUntilClosed(socket, "", () => "HTTP/1.1 103 X\r\nlink: x\r\n\r\n", 25),
    },
    "announces too much": {
      behaviour: ({ socket, good: { body: text } }) => {
        respond(socket, { body: PADDING + text });
      },
    },
    "sends too much, unannounced": {
      behaviour: ({ socket, good: { body: text } }) => {
        const chunk = PADDING + text;
        socket.end(`${head({ headers: CHUNKED })}${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`);
      },
    },
    "sends without end": {
      behaviour: ({ socket }) =>
        writeUntilClosed(
          socket,
          head({ headers: { "content-length": null } }),
          () => " ".repeat(64 * 1024),
          0,
        ),
    },
    "sends a small file that unpacks to too much": {
      behaviour: ({ socket, good: { body: text } }) => {
        respond(socket, {
          headers: { "content-encoding": "gzip" },
          body: gzipSync(PADDING.repeat(20) + text),
        });
      },
    },
    "packs the keys": {
      behaviour: ({ socket, good: { body: text } }) => {
        respond(socket, { headers: { "content-encoding": "gzip" }, body: gzipSync(text) });
      },
      isHarmless: true,
    },
    "says that it packs, and doesn't": {
      behaviour: ({ socket, good: { body: text } }) => {
        respond(socket, { headers: { "content-encoding": "gzip" }, body: text });
      },
    },
    "sends huge headers": {
      behaviour: ({ socket, good: { body: text } }) => {
        respond(socket, { headers: { "x-huge": "x".repeat(100_000) }, body: text });
      },
    },
    "sends a web page": body("<!doctype html><title>Sign in to the network</title>"),
    "sends nothing": body(""),
    "sends bytes at random": body(Buffer.from(Array.from({ length: 4096 }, (_, nth) => (nth * 73) % 256))),
    "doesn't speak HTTP": {
      behaviour: ({ socket }) => socket.end("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03"),
    },
    "answers as something else than it is": {
      behaviour: ({ socket, good: { body: text } }) => {
        respond(socket, { headers: { "content-type": "text/html" }, body: text });
      },
      isHarmless: true,
    },
    "redirects for now": redirect(302),
    "redirects for good": redirect(308),
  };
}

async function writeUntilClosed(
  socket: Socket,
  first: string,
  next: (nth: number) => string,
  everyMilliseconds: number,
): Promise<void> {
  socket.write(first);
  for (let nth = 0; socket.writable; nth += 1) {
    const isTaken = socket.write(next(nth));
    await sleep(isTaken ? everyMilliseconds : 5);
  }
}

/** Counts whoever comes; none should. */
export interface Trap extends Listening {
  readonly caught: readonly string[];
}

export async function startTrap(): Promise<Trap> {
  const caught: string[] = [];
  const trap = await listen(
    (request, response) => {
      caught.push(request.url ?? "");
      response.end();
      return Promise.resolve();
    },
    { hostname: "127.0.0.1" },
  );
  return { ...trap, caught };
}

export interface Crowd {
  /** What they were told, each answer once. */
  readonly answers: readonly string[];
  /** Until the last of them had an answer. */
  readonly seconds: number;
}

/** So many who come at once. */
export async function crowd(size: number, ask: () => Promise<Reply>): Promise<Crowd> {
  const startedMs = performance.now();
  const replies = await Promise.all(Array.from({ length: size }, ask));
  return {
    answers: [...new Set(replies.map(answerOf))],
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** The code of a problem, else the status. */
export function answerOf(reply: Reply): string {
  return (reply.body as { code?: string } | null)?.code ?? String(reply.status);
}

/** Beyond what the app waits for others: what a busy machine may need itself. */
export const SLACK_SECONDS = 5;

export function laterBy(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

/** Lets a server answer well, but only when it is told to; with a path, for this path alone. */
export function hold(server: KeyServer, path?: string): { release: () => void } {
  const held: (() => void)[] = [];
  const wait: Behaviour = (exchange) => held.push(() => good(exchange));
  if (path === undefined) server.behaviour = wait;
  else server.behaviours.set(path, wait);
  return {
    release: () => {
      if (path === undefined) server.behaviour = good;
      else server.behaviours.delete(path);
      for (const answer of held.splice(0)) answer();
    },
  };
}
