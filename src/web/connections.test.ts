import { once } from "node:events";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it, onTestFinished, vi } from "vitest";

import { AppError } from "../errors.js";
import { startTestServer, type TestServer } from "./http-server.fixture.js";
import type { HttpServerOptions, HttpTimeouts } from "./http-server.js";
import {
  exchange,
  expectProblem,
  JSON_TYPE,
  openConnection,
  readAnswers,
  request,
} from "./raw-http.fixture.js";
import { openRequestBody } from "./request-stream.js";

const SHORT: HttpTimeouts = {
  headersMs: 150,
  requestMs: 200,
  keepAliveMs: 60_000,
  stalledMs: 60_000,
  checkEveryMs: 20,
};

describe("a request that doesn't arrive", () => {
  it.each([
    ["no byte at all", ""],
    ["half the headers", "GET /hello HTTP/1.1\r\nHost:"],
    ["half the body", `${request("POST /json HTTP/1.1", JSON_TYPE, "Content-Length: 9")}{"a":`],
  ])("is given up with a 408: %s", async (_name, bytes) => {
    const running = await start({ timeouts: SHORT });

    expectProblem(await exchange(running.port, bytes), "request_timeout");
  });

  it("isn't given up where bodies pass through for as long as they keep coming", async () => {
    const received: string[] = [];
    const running = await start({
      timeouts: SHORT,
      serviceApi: {
        handles: (path) => path.startsWith("/stream/"),
        streams: (path) => path.startsWith("/stream/"),
        handle: async (req, res) => {
          for await (const chunk of req) received.push(String(chunk));
          res.end("received");
        },
      },
    });
    const socket = await openConnection(running.port);
    const answers = readAnswers(socket);
    const headers = ["Content-Length: 9000000", "Connection: close"];
    socket.write(request("PUT /stream/x HTTP/1.1", ...headers));
    for (let nth = 0; nth < 9; nth += 1) {
      await sleep(50);
      socket.write("x".repeat(1_000_000));
    }

    expect(await answers).toMatchObject([{ status: 200 }]);
    expect(received.join("").length).toBe(9_000_000);
  });

  it("gets no second answer when it was answered without its body", async () => {
    const running = await start({ timeouts: SHORT });
    const answers = await exchange(running.port, request("POST /nowhere HTTP/1.1", "Content-Length: 9"));

    expectProblem(answers, "not_found");
  });

  it("doesn't hurry an answer that takes its time", async () => {
    const running = await start({ timeouts: { ...SHORT, headersMs: 30, requestMs: 50 } });

    expect(await (await fetch(`${running.url}/slow`)).text()).toBe("slow");
  });
});

describe("a crowd that sends a byte at a time", () => {
  it("keeps nobody from being answered, and is cut off", async () => {
    const timeouts = { ...SHORT, headersMs: 1000, requestMs: 1500 };
    const running = await start({ timeouts });
    const crowd = await openConnections(running.port, 200);
    const body = `${request("POST /json HTTP/1.1", JSON_TYPE, "Content-Length: 60000")}{"a":"`;
    for (const [nth, socket] of crowd.entries())
      socket.write(nth % 2 === 0 ? "GET /hello HTTP/1.1\r\n" : body);
    const cutOff = Promise.all(crowd.map(readAnswers));
    let isCutOff = false;
    void cutOff.then(() => (isCutOff = true));

    let good = 0;
    for (; !isCutOff; good += 1) {
      for (const socket of crowd) if (socket.writable) socket.write("x");
      expect(await (await fetch(`${running.url}/hello`)).text()).toBe("hello");
      await sleep(20);
    }

    expect(good).toBeGreaterThan(10);
    for (const answers of await cutOff) expectProblem(answers, "request_timeout");
  });
});

describe("too many connections", () => {
  const LIMITED = { maxConnections: 20 };

  it.each([
    ["nothing", ""],
    ["half a request line", "GET /he"],
    ["half a body", `${request("POST /json HTTP/1.1", JSON_TYPE, "Content-Length: 9")}{"a":`],
    ["a request, and then nothing more", request("GET /hello HTTP/1.1")],
  ])("that sent %s make room for newcomers, the oldest first", async (_what, bytes) => {
    const running = await start(LIMITED);
    const crowd = await openConnections(running.port, 20);
    for (const socket of crowd) socket.resume().write(bytes);
    await sleep(50);
    const [oldest, second] = crowd as [Socket, Socket];
    const closed = once(oldest, "end");

    expect(await exchange(running.port, request("GET /hello HTTP/1.1", "Connection: close"))).toMatchObject([
      { status: 200, body: "hello" },
    ]);
    await closed;
    expect(second.readableEnded).toBe(false);
  });

  it("spare the one on which a request has just begun, however old it is", async () => {
    const running = await start(LIMITED);
    const [oldest, ...others] = (await openConnections(running.port, 20)) as [Socket, ...Socket[]];
    oldest.write(request("GET /hello HTTP/1.1"));
    await once(oldest, "data");
    const answers = readAnswers(oldest);
    const closed = Promise.all(others.slice(0, 5).map((socket) => once(socket.resume(), "end")));
    await openConnections(running.port, 5);
    await closed;

    oldest.write(request("GET /hello HTTP/1.1", "Connection: close"));
    expect(await answers).toMatchObject([{ status: 200 }]);
  });

  describe("and bodies that pass through", () => {
    const BODY_LENGTH = 30;

    async function startUploads(maxConnections: number): Promise<TestServer> {
      return start({
        maxConnections,
        serviceApi: {
          handles: (path) => path.startsWith("/stream/"),
          streams: (path) => path.startsWith("/stream/"),
          handle: async (req, res) => {
            if (req.url !== "/stream/known") throw new AppError("access_jwt_untrusted");
            const body = openRequestBody(req);
            res.end(body && (await text(body)));
          },
        },
      });
    }

    async function startUpload(running: TestServer, path: string): Promise<Socket> {
      const socket = await openConnection(running.port);
      onTestFinished(() => void socket.destroy());
      socket.write(
        `${request(`POST ${path} HTTP/1.1`, `Content-Length: ${BODY_LENGTH}`, JSON_TYPE, "Connection: close")}x`,
      );
      await sleep(10);
      return socket;
    }

    it("spare one that was let in, however old it is", async () => {
      const running = await startUploads(20);
      const upload = await startUpload(running, "/stream/known");
      const answers = readAnswers(upload);
      for (let nth = 1; nth < BODY_LENGTH; nth += 1) {
        await openConnections(running.port, 2);
        upload.write("x");
      }
      expect(await answers).toMatchObject([{ status: 200, body: "x".repeat(BODY_LENGTH) }]);
    });

    it.each([
      ["was refused", "/stream/unknown"],
      ["isn't of that kind", "/json"],
    ])("don't spare one that %s", async (_what, path) => {
      const running = await startUploads(2);
      const known = await startUpload(running, "/stream/known");
      const other = await startUpload(running, path);
      const closed = once(other.resume(), "end");
      const [newcomer] = await openConnections(running.port, 1);
      await closed;
      await sleep(20);
      expect([known.readableEnded, newcomer?.readableEnded]).toEqual([false, false]);
    });

    it("end the oldest where there is nothing else", async () => {
      const running = await startUploads(2);
      const oldest = await startUpload(running, "/stream/known");
      const second = await startUpload(running, "/stream/known");
      const closed = once(oldest.resume(), "end");
      expect(await exchange(running.port, request("GET /hello HTTP/1.1", "Connection: close"))).toHaveLength(
        1,
      );
      await closed;
      expect(second.readableEnded).toBe(false);
    });
  });

  it("are closed themselves as long as all the others are being answered", async () => {
    const running = await start(LIMITED);
    const busy = await openConnections(running.port, 20);
    for (const socket of busy) socket.write(request("GET /slow HTTP/1.1", "Connection: close"));
    const answered = Promise.all(busy.map(readAnswers));
    await sleep(20);

    expect(await exchange(running.port, request("GET /hello HTTP/1.1"))).toEqual([]);
    for (const answers of await answered) expect(answers).toMatchObject([{ status: 200, body: "slow" }]);
    expect(await (await fetch(`${running.url}/hello`)).text()).toBe("hello");
  });
});

describe("a client that doesn't read", () => {
  it("is cut off when it has read nothing of its answer for too long, and one that reads slowly isn't", async () => {
    const chunk = Buffer.alloc(64 * 1024);
    const chunkCount = 512;
    const running = await startTestServer({ timeouts: { ...SHORT, stalledMs: 300 } }, (app) =>
      app.get("/huge", async (_req, res) => {
        for (let sent = 0; sent < chunkCount && !res.destroyed; sent += 1) {
          if (!res.write(chunk)) await Promise.race([once(res, "drain"), once(res, "close")]);
        }
        res.end();
      }),
    );
    onTestFinished(() => running.close());
    const [idle, slow] = [await openConnection(running.port), await openConnection(running.port)];
    for (const socket of [idle, slow]) socket.write(request("GET /huge HTTP/1.1"));
    idle.pause();
    let received = 0;
    slow.on("data", (part: Buffer) => {
      received += part.length;
      slow.pause();
      setTimeout(() => slow.resume(), 5);
    });

    await vi.waitFor(() => expect(received).toBeGreaterThan(chunkCount * chunk.length), { timeout: 20_000 });

    idle.resume();
    await Promise.race([once(idle, "end"), once(idle, "close")]);
    expect(idle.bytesRead).toBeLessThan(chunkCount * chunk.length);
    slow.destroy();
  });

  it("is cut off when it sends request after request without waiting, before their answers fill the memory", async () => {
    const running = await start();
    let begun = 0;
    const counting = await startTestServer({}, (app) =>
      app.get("/counted", (_req, res) => {
        begun += 1;
        setTimeout(() => res.end("done"), 50);
      }),
    );
    onTestFinished(() => counting.close());

    expect(await exchange(counting.port, request("GET /counted HTTP/1.1").repeat(1000))).toEqual([]);
    expect(begun).toBe(16);

    const sixteen =
      request("GET /hello HTTP/1.1").repeat(15) + request("GET /hello HTTP/1.1", "Connection: close");
    expect(await exchange(running.port, sixteen)).toHaveLength(16);
  });
});

describe("draining", () => {
  it("answers what is in flight, then is done, and idle connections don't hold it up", async () => {
    const running = await start();
    await (await fetch(`${running.url}/hello`)).text(); // leaves an idle keep-alive connection
    const silent = await openConnection(running.port);
    const slow = await openConnection(running.port);
    slow.write(request("GET /slow HTTP/1.1"));
    await sleep(20);

    const drained = running.server.drain(60_000);
    const answers = await readAnswers(slow);
    await drained;

    expect(running.server.isDraining()).toBe(true);
    expect(answers).toMatchObject([{ status: 200, body: "slow" }]);
    expect(answers[0]?.headers.get("connection")).toBe("close");
    silent.destroy();
    await expect(fetch(`${running.url}/hello`)).rejects.toThrow();
  });

  it("closes a connection whose answer had begun before", async () => {
    const running = await start();
    const response = await fetch(`${running.url}/stream`);

    const drained = running.server.drain(60_000);

    expect(await response.text()).toBe("first,last");
    await drained;
  });

  it("answers every request that was already sent on one connection", async () => {
    const running = await start();
    const socket = await openConnection(running.port);
    socket.write(request("GET /slow HTTP/1.1") + request("GET /slow HTTP/1.1"));
    await sleep(20);

    const drained = running.server.drain(60_000);
    const answers = await readAnswers(socket);
    await drained;

    expect(answers.map(({ status, headers }) => [status, headers.get("connection")])).toEqual([
      [200, "keep-alive"],
      [200, "close"],
    ]);
  });

  it("destroys what isn't finished in time", async () => {
    const running = await start();
    const hanging = await openConnection(running.port);
    hanging.write(request("GET /hang HTTP/1.1"));
    await sleep(20);

    await running.server.drain(50);

    expect(await readAnswers(hanging)).toEqual([]);
  });

  it("is done at once when it is done already", async () => {
    const running = await start();
    await running.server.drain(1000);

    await running.server.drain(1000);
  });
});

async function openConnections(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) sockets.push(await openConnection(port));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
}

async function start(overrides: Partial<HttpServerOptions> = {}): Promise<TestServer> {
  const running = await startTestServer(overrides);
  onTestFinished(() => running.close());
  return running;
}
