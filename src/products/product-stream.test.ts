import { once } from "node:events";
import http, {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";

import { startHttpServer } from "../connect/http-server.fixture.js";
import { buildInstallation } from "../connect/installation.fixture.js";
import type { AppError } from "../errors.js";
import { startGatewayProxy, type GatewayProxy } from "./gateway-proxy.fixture.js";
import { ProductStream } from "./product-stream.js";

type ProxyOptions = Parameters<typeof startGatewayProxy>[1];

const parts: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of parts.splice(0).reverse()) await part.close();
});

function keep<T extends { close(): Promise<void> }>(part: T): T {
  parts.push(part);
  return part;
}

async function startBehind(
  product: RequestListener,
  options?: ProxyOptions,
  path = "",
): Promise<GatewayProxy> {
  const { url } = keep(await startHttpServer(product));
  return keep(await startGatewayProxy(`${url}${path}`, options));
}

/** A server that speaks for itself, byte by byte; its address. */
async function startRaw(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  keep({
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startBehindRaw(
  onConnection: (socket: Socket) => void,
  options?: ProxyOptions,
): Promise<GatewayProxy> {
  return keep(await startGatewayProxy(`http://${await startRaw(onConnection)}`, options));
}

function afterHeaders(socket: Socket, then: () => void): void {
  socket.once("data", then);
}

interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawTrailers: readonly string[];
  readonly body: Buffer;
  /** Of the caller's connection. */
  readonly port: number | undefined;
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly agent?: http.Agent;
}

/** Rejects when the answer isn't complete. */
async function call(proxy: GatewayProxy, sent: Sent = {}): Promise<Received> {
  const { method = "GET", path = "/", headers = {}, body, agent } = sent;
  const request = http.request(proxy.url, { path, method, headers, agent: agent ?? false });
  // A reset is heard of here as well as where the answer is read.
  request.on("error", () => undefined).end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const port = response.socket.localPort;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode: status = 0, rawTrailers } = response;
  return { status, headers: response.headers, rawTrailers, body: Buffer.concat(chunks), port };
}

async function readAll(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function lastFailure({ failures }: GatewayProxy): AppError {
  return failures.at(-1) as AppError;
}

describe("a request", () => {
  it("reaches the product as it was written, as the person", async () => {
    const seen: IncomingMessage[] = [];
    const proxy = await startBehind((req, res) => void (seen.push(req), res.end()), undefined, "/wiki");
    const path = "/rest/api/%C3%BC/a%20b?jql=a+%3D%22'<>\\^&&x=%zz&jwts=";
    await call(proxy, {
      path,
      headers: { authorization: "Bearer stolen", cookie: "a=b", "x-forwarded-for": "1.2.3.4", accept: "a/b" },
    });
    const [{ url, method, headers }] = seen as [IncomingMessage];
    expect([method, url]).toEqual(["GET", `/wiki${path}`]);
    expect(headers).toEqual({
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      connection: "keep-alive",
      accept: "a/b",
      authorization: "Bearer the-token",
      "user-agent": "Access for Atlassian Cloud",
    });
  });

  it.each<[what: string, method: string, headers: http.OutgoingHttpHeaders, framing: IncomingHttpHeaders]>([
    ["with its length", "POST", { "content-length": 5 }, { "content-length": "5" }],
    ["in chunks", "PUT", { "transfer-encoding": "chunked" }, {}],
    ["with a DELETE", "DELETE", { "content-length": 5 }, { "content-length": "5" }],
    [
      "after a 100-continue",
      "PATCH",
      { "content-length": 5, expect: "100-continue" },
      { "content-length": "5" },
    ],
  ])("has its body, sent %s", async (_what, method, headers, framing) => {
    let seen: IncomingHttpHeaders = {};
    const proxy = await startBehind(async (req, res) => {
      seen = req.headers;
      res.end(await readAll(req));
    });
    const reply = await call(proxy, {
      method,
      headers: { ...headers, "content-type": "a/b" },
      body: "hello",
    });
    expect(reply.body.toString()).toBe("hello");
    expect(seen).toMatchObject({ ...framing, "content-type": "a/b" });
    expect(seen).not.toHaveProperty("expect");
  });

  it.each([
    ["POST", "0"],
    ["DELETE", undefined],
    ["GET", undefined],
  ])("%s without a body has none", async (method, length) => {
    let seen: IncomingHttpHeaders = {};
    const proxy = await startBehind((req, res) => void ((seen = req.headers), res.end()));
    await call(proxy, { method, headers: length === undefined ? {} : { "content-length": length } });
    expect(seen["content-length"]).toBe(length);
    expect(seen["transfer-encoding"]).toBeUndefined();
  });

  it.each(["GET", "HEAD"])("%s loses a body, which has no meaning there", async (method) => {
    let seen: IncomingHttpHeaders = {};
    const proxy = await startBehind((req, res) => void ((seen = req.headers), res.end()));
    expect((await call(proxy, { method, headers: { "content-length": 5 }, body: "hello" })).status).toBe(200);
    expect([seen["content-length"], seen["transfer-encoding"]]).toEqual([undefined, undefined]);
  });

  it("may take longer to arrive than the product may take to answer", async () => {
    const proxy = await startBehind(async (req, res) => res.end(await readAll(req)), {
      limits: { headersMs: 1_000 },
    });
    const request = http.request(proxy.url, { method: "POST", agent: false });
    for (let part = 0; part < 6; part += 1) {
      request.write("x");
      await sleep(500);
    }
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(await readAll(response)).toBe("xxxxxx");
  });
});

describe("an answer", () => {
  it("comes back with status, bytes and the headers that may pass, marked as the product's own", async () => {
    const packed = gzipSync("hello");
    const proxy = await startBehind((_req, res) => {
      res.writeHead(418, {
        "content-encoding": "gzip",
        "content-type": "a/b",
        "set-cookie": "a=b",
        server: "x",
      });
      res.end(packed);
    });
    const { status, headers, body } = await call(proxy);
    expect(status).toBe(418);
    expect(body.equals(packed)).toBe(true);
    expect(headers).toMatchObject({
      "content-encoding": "gzip",
      "content-type": "a/b",
      "x-gateway-upstream": "jira",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    });
    expect(headers).not.toHaveProperty("set-cookie");
    expect(headers).not.toHaveProperty("server");
  });

  it("that is a redirect is passed on, and followed by nobody", async () => {
    let count = 0;
    const proxy = await startBehind((_req, res) => {
      count += 1;
      res.writeHead(302, { location: "/rest/elsewhere" }).end();
    });
    expect((await call(proxy)).headers.location).toBe("https://app.example.com/gateway/rest/elsewhere");
    expect(count).toBe(1);
  });

  it.each<
    [
      what: string,
      method: string,
      status: number,
      headers: http.OutgoingHttpHeaders,
      length: string | undefined,
    ]
  >([
    ["to HEAD", "HEAD", 200, { "content-length": 1000 }, "1000"],
    ["204", "DELETE", 204, {}, undefined],
    ["304", "GET", 304, { etag: '"1"' }, undefined],
  ])("%s has no body, and the connection goes on", async (_what, method, status, headers, length) => {
    const proxy = await startBehind((_req, res) => void res.writeHead(status, headers).end());
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let time = 0; time < 3; time += 1) {
      const reply = await call(proxy, { method, agent });
      expect([reply.status, reply.body.length, reply.headers["content-length"]]).toEqual([status, 0, length]);
      ports.add(reply.port);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  it.each<[what: string, value: Buffer]>([
    ["UTF-8", Buffer.from('attachment; filename="日本 é.txt"')],
    ["Latin-1", Buffer.from('attachment; filename="é.txt"', "latin1")],
  ])("has headers with the bytes that they came with: %s", async (_what, value) => {
    const head = Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Disposition: "),
      value,
      Buffer.from("\r\nETag: "),
      value,
      Buffer.from("\r\n\r\n"),
    ]);
    const proxy = await startBehindRaw((socket) => {
      socket.on("data", (asked) => {
        socket.write(head);
        if (asked.toString().startsWith("GET")) socket.write("hello");
      });
    });
    for (const method of ["GET", "HEAD"]) {
      const { status, headers } = await call(proxy, { method });
      expect([status, headers["content-length"]]).toEqual([200, "5"]);
      expect(Buffer.from(headers["content-disposition"] ?? "", "latin1")).toEqual(value);
      expect(Buffer.from(headers.etag ?? "", "latin1")).toEqual(value);
    }
  });

  it("304 may have the length of what isn't sent", async () => {
    const proxy = await startBehindRaw((socket) => {
      socket.on("data", () =>
        socket.write('HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 5\r\n\r\n'),
      );
    });
    for (const method of ["GET", "HEAD", "GET"]) {
      const { status, headers, body } = await call(proxy, { method, headers: { "if-none-match": '"1"' } });
      expect([status, headers.etag, headers["content-length"], body.length]).toEqual([304, '"1"', "5", 0]);
    }
  });

  it("204 with a length loses the length", async () => {
    const proxy = await startBehindRaw((socket) => {
      afterHeaders(socket, () =>
        socket.end("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
      );
    });
    expect((await call(proxy)).headers["content-length"]).toBeUndefined();
  });

  it("keeps to itself what is said before it, and trailers after it", async () => {
    const proxy = await startBehind((_req, res) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: "</x>; rel=preload" });
      res.writeHead(200, { trailer: "x-sum" });
      res.write("hello");
      res.addTrailers({ "x-sum": "1" });
      res.end();
    });
    const reply = await call(proxy);
    expect([reply.status, reply.body.toString(), reply.rawTrailers]).toEqual([200, "hello", []]);
    expect(reply.headers).not.toHaveProperty("trailer");
  });

  it("begins before the request's body is complete, if the product likes", async () => {
    const proxy = await startBehind((req, res) => {
      res.writeHead(200);
      req.pipe(res);
    });
    const request = http.request(proxy.url, { method: "POST", agent: false });
    request.write("first");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const [chunk] = (await once(response, "data")) as [Buffer];
    expect(chunk.toString()).toBe("first");
    request.end("last");
    expect(await readAll(response)).toBe("last");
  });

  it("of 413 arrives though the body is still on its way, and the rest of the body isn't waited for", async () => {
    const proxy = await startBehind((_req, res) => {
      res.writeHead(413, { "content-length": 15, connection: "close" }).end('{"too":"large"}');
    });
    const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1").on("error", () => undefined);
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    const chunk = Buffer.alloc(64 * 1024);
    const sending = setInterval(() => socket.write(chunk), 5);
    let text = "";
    socket.on("data", (data: Buffer) => (text += data.toString("latin1")));
    await once(socket, "close");
    clearInterval(sending);
    expect(text).toMatch(/^HTTP\/1\.1 413 [^]*Connection: close\r\n\r\n\{"too":"large"\}$/i);
  });

  it("that was complete counts, though the product resets the connection right after", async () => {
    const proxy = await startBehindRaw((socket) => {
      afterHeaders(socket, () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", () =>
          setTimeout(() => socket.resetAndDestroy(), 20),
        );
      });
    });
    expect((await call(proxy)).body.toString()).toBe("hello");
    await sleep(50);
    expect((await call(proxy)).body.toString()).toBe("hello");
  });
});

describe("a product that breaks off", () => {
  it.each<[what: string, head: string]>([
    ["a counted answer", "Content-Length: 1000"],
    ["an answer in chunks", "Transfer-Encoding: chunked"],
  ])(
    "%s, by closing or by a reset, breaks the caller's connection, also of one who counts nothing",
    async (_what, head) => {
      for (const how of ["destroy", "resetAndDestroy"] as const) {
        const proxy = await startBehindRaw((socket) => {
          afterHeaders(socket, () => {
            socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhello\r\n`, () =>
              setTimeout(() => socket[how](), 50),
            );
          });
        });
        await expect(call(proxy)).rejects.toMatchObject({ code: "ECONNRESET" });

        const oldFashioned = connect(Number(new URL(proxy.url).port), "127.0.0.1").resume();
        oldFashioned.write("GET / HTTP/1.0\r\n\r\n");
        const [error] = (await once(oldFashioned, "error")) as [NodeJS.ErrnoException];
        expect(error.code).toBe("ECONNRESET");
      }
    },
  );

  it.each<[what: string, answer: string]>([
    ["without a word", ""],
    ["in the middle of the headers", "HTTP/1.1 200 OK\r\nContent-"],
    ["with something that isn't HTTP", "SSH-2.0-OpenSSH\r\n"],
    [
      "with two framings",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["with two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"],
    // RFC 9110 §15.2 would have it ignored; undici doesn't.
    [
      "with a 100 that nobody asked for",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
    ["with headers without end", `HTTP/1.1 200 OK\r\n${"X-A: b\r\n".repeat(20_000)}\r\n`],
    [
      "with a 101 that nobody asked for",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
  ])("%s is upstream_failed, without a trace of the token", async (_what, answer) => {
    const proxy = await startBehindRaw((socket) => {
      afterHeaders(socket, () => socket.end(answer));
    });
    expect((await call(proxy)).status).toBe(502);
    expect(lastFailure(proxy)).toMatchObject({ code: "upstream_failed" });
    expect(inspect(lastFailure(proxy), { depth: 10, showHidden: true })).not.toContain("the-token");
  });

  it("before it listens is upstream_failed", async () => {
    const nobody = await startHttpServer(() => undefined);
    await nobody.close();
    const proxy = keep(await startGatewayProxy(nobody.url));
    expect((await call(proxy)).status).toBe(502);
    expect(lastFailure(proxy).reason).toContain("ECONNREFUSED");
  });
});

describe("a product that is late", () => {
  it("to connect is upstream_timeout", async () => {
    const address = await startRaw(() => undefined);
    // It accepts, and never shakes hands.
    const proxy = keep(await startGatewayProxy(`https://${address}`, { limits: { connectMs: 100 } }));
    expect((await call(proxy)).status).toBe(504);
    expect(lastFailure(proxy)).toMatchObject({ code: "upstream_timeout", reason: "UND_ERR_CONNECT_TIMEOUT" });
  });

  it("to answer is upstream_timeout", async () => {
    const proxy = await startBehind(() => undefined, { limits: { headersMs: 100 } });
    expect((await call(proxy)).status).toBe(504);
    expect(lastFailure(proxy)).toMatchObject({ code: "upstream_timeout", reason: "UND_ERR_HEADERS_TIMEOUT" });
  });

  it("with the rest of its answer breaks the caller's connection", async () => {
    const proxy = await startBehind((_req, res) => void res.write("hello"), { limits: { idleMs: 100 } });
    await expect(call(proxy)).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

describe("a caller", () => {
  it.each<[when: string, product: RequestListener, isSending: boolean]>([
    ["waiting for the answer", () => undefined, false],
    ["reading the answer", (_req, res) => void res.write("hello"), false],
    ["sending the body", (req) => void req.resume(), true],
    ["doing both", (req, res) => void req.pipe(res), true],
  ])("who leaves while %s takes the product's connection along", async (_when, product, isSending) => {
    const reached = vi.fn();
    const left = vi.fn();
    const proxy = await startBehind((req, res) => {
      req.on("error", () => undefined).socket.once("close", left);
      reached();
      product(req, res);
    });
    const request = http.request(proxy.url, { method: "POST", agent: false }).on("error", () => undefined);
    const answered = vi.fn((response: IncomingMessage) => void response.on("error", () => undefined));
    request.on("response", answered).write("hello");
    if (!isSending) request.end();
    await vi.waitFor(() => expect(reached).toHaveBeenCalled());
    await sleep(100);
    expect(left).not.toHaveBeenCalled();

    request.destroy();
    await vi.waitFor(() => expect(left).toHaveBeenCalled(), 5_000);
    await vi.waitFor(() => expect(proxy.doneCount).toBe(1), 5_000);
    // Nobody is to blame but the caller.
    for (const failure of proxy.failures) expect((failure as AppError).status).toBe(400);
  });

  it("who stalls in the middle of the body is told so", async () => {
    const left = vi.fn();
    const proxy = await startBehind((req) => void req.resume().socket.once("close", left), {
      uploadIdleMs: 100,
    });
    const request = http.request(proxy.url, { method: "POST", agent: false });
    request.write("hello");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(408);
    await vi.waitFor(() => expect(left).toHaveBeenCalled());
    request.destroy();
  });

  it("who stops reading is cut off, and the product with them", async () => {
    const left = vi.fn();
    const proxy = await startBehind(
      (req, res) => {
        req.socket.once("close", left);
        const chunk = Buffer.alloc(64 * 1024);
        const write = () => {
          while (res.write(chunk));
        };
        res.on("drain", write);
        write();
      },
      { stallMs: 300 },
    );
    const request = http.request(proxy.url, { agent: false }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.pause().on("error", () => undefined);
    await vi.waitFor(() => expect(left).toHaveBeenCalled(), 10_000);
    request.destroy();
  });
});

describe("connections", () => {
  it("are used again, one after the other", async () => {
    const ports = new Set<number | undefined>();
    const proxy = await startBehind((req, res) => void (ports.add(req.socket.remotePort), res.end("x")));
    for (let time = 0; time < 20; time += 1) await call(proxy);
    expect(ports.size).toBe(1);
  });

  it("are so many of a tenant and no more; a call beyond them is told to come again, and those that end make room", async () => {
    const waiting: ServerResponse[] = [];
    const proxy = await startBehind((_req, res) => void waiting.push(res), { limits: { maxPerTenant: 2 } });
    const first = [call(proxy), call(proxy)];
    await vi.waitFor(() => expect(waiting).toHaveLength(2));
    expect((await call(proxy)).status).toBe(429);
    expect(waiting).toHaveLength(2);

    for (const res of waiting) res.end();
    await Promise.all(first);
    await vi.waitFor(async () => {
      const next = call(proxy);
      await vi.waitFor(() => expect(waiting).toHaveLength(3));
      waiting[2]?.end();
      expect((await next).status).toBe(200);
    });
  });

  it("are no fewer for a tenant because others use as many at the same address", async () => {
    const waiting: ServerResponse[] = [];
    const { url } = keep(await startHttpServer((_req, res) => void waiting.push(res)));
    const products = keep(new ProductStream({ maxPerTenant: 1 }));
    const send = (id: string) =>
      products.send({
        tenant: buildInstallation({ tenant: { id, baseUrl: `${url}/ex/jira/${id}` } }).tenant,
        caller: { serviceId: "service-1", accountId: "grace" },
        target: { path: "/", query: null },
        ...{ method: "GET", headers: {}, token: "the-token", body: null },
        ...{ signal: new AbortController().signal, onSending: () => undefined },
      });
    const answers = ["one", "two", "three"].map(send);
    await vi.waitFor(() => expect(waiting).toHaveLength(3));
    await expect(send("one")).rejects.toMatchObject({ code: "rate_limited" });
    for (const res of waiting) res.end();
    for (const { body } of await Promise.all(answers)) body.resume();
  });

  it("make room after every way to fail, too", async () => {
    let count = 0;
    const proxy = await startBehindRaw(
      (socket) => {
        afterHeaders(socket, () => {
          count += 1;
          if (count % 2 === 0) socket.destroy();
          else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", () => socket.resetAndDestroy());
        });
      },
      { limits: { maxPerTenant: 1 } },
    );
    for (let time = 0; time < 6; time += 1) {
      const outcome = await call(proxy).catch(() => null);
      expect(outcome?.status ?? 0).not.toBe(429);
      await sleep(20);
    }
    expect(count).toBe(6);
  });
});
