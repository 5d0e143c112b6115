import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import type { ProblemCode } from "../errors.js";
import { startTestServer, type TestServer } from "./http-server.fixture.js";
import {
  exchange,
  expectProblem,
  JSON_TYPE,
  openConnection,
  readAnswers,
  request,
  write,
} from "./raw-http.fixture.js";

describe("a server that gets hostile bytes", () => {
  let running: TestServer;
  beforeAll(async () => {
    running = await startTestServer();
  });
  afterAll(() => running.close());

  it.each<[string, string | Buffer, ProblemCode]>([
    ["garbage", "\x16\x03\x01\x02\x00\x01\x00 nonsense\r\n\r\n", "malformed_request"],
    ["random bytes", Buffer.from("00ff80fe0d0a0d0a", "hex"), "malformed_request"],
    ["an unknown method", request("HELLO / HTTP/1.1"), "malformed_request"],
    ["no Host header", "GET /hello HTTP/1.1\r\n\r\n", "malformed_request"],
    ["headers above 16 KiB", request("GET /hello HTTP/1.1", `X: ${"x".repeat(20_000)}`), "headers_too_large"],
    ["a URL above 16 KiB", request(`GET /${"x".repeat(20_000)} HTTP/1.1`), "headers_too_large"],
    [
      "a URL and headers above 16 KiB together",
      request(`GET /hello?${"x".repeat(9000)} HTTP/1.1`, `X: ${"x".repeat(9000)}`),
      "headers_too_large",
    ],
    [
      "two lengths",
      request("POST /json HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"),
      "malformed_request",
    ],
    ["a length that is no number", request("POST /json HTTP/1.1", "Content-Length: x"), "malformed_request"],
    ["the target *", request("OPTIONS * HTTP/1.1"), "malformed_request"],
    [
      "bytes outside ASCII in the target",
      Buffer.from(request("GET /h\xe9llo HTTP/1.1", "Connection: close"), "latin1"),
      "malformed_request",
    ],
    ["a fragment", request("GET /hello#there HTTP/1.1"), "malformed_request"],
    ["another scheme", request("GET ftp://x/hello HTTP/1.1"), "malformed_request"],
    ["a damaged escape", request("GET /%zz HTTP/1.1", "Connection: close"), "not_found"],
    ["//", request("GET //evil.example/%2e%2e/ HTTP/1.1", "Connection: close"), "not_found"],
    ["CONNECT", request("CONNECT example.com:443 HTTP/1.1"), "method_not_allowed"],
  ])("answers %s with a problem and goes on", async (_name, bytes, code) => {
    expectProblem(await exchange(running.port, bytes), code);

    expect(await (await fetch(`${running.url}/hello`)).text()).toBe("hello");
  });

  it("answers a sender of garbage that reads only after it has sent everything", async () => {
    const socket = await openConnection(running.port);
    await write(socket, Buffer.alloc(40 * 1024 * 1024, "x"));

    expectProblem(await readAnswers(socket), "malformed_request");
  });

  it("answers a URL and headers of just below 16 KiB", async () => {
    const [answer] = await exchange(
      running.port,
      request(`GET /hello?${"x".repeat(8000)} HTTP/1.1`, `X: ${"x".repeat(8000)}`, "Connection: close"),
    );

    expect(answer).toMatchObject({ status: 200, body: "hello" });
  });

  it("sees the last header, where a proxy writes its own, behind thousands of others", async () => {
    const own = await startTestServer({ trustProxy: { kind: "hops", hops: 1 } });
    onTestFinished(() => own.close());
    const spoofed = "X-Forwarded-For: 192.0.2.1";
    const others = Array.from({ length: 3000 }, () => "a:");

    await exchange(
      own.port,
      request("GET /hello HTTP/1.1", "Connection: close", spoofed, ...others, "X-Forwarded-For: 203.0.113.7"),
    );

    expect(own.lines.at(-1)?.fields["ip"]).toBe("203.0.113.7");
  });

  it("answers the path of a target in absolute form", async () => {
    const [answer] = await exchange(
      running.port,
      request("GET http://app.example.com/hello?x HTTP/1.1", "Connection: close"),
    );

    expect(answer).toMatchObject({ status: 200, body: "hello" });
  });

  it("answers HTTP/1.0 without a Host header", async () => {
    const [answer] = await exchange(running.port, "GET /hello HTTP/1.0\r\n\r\n");

    expect(answer).toMatchObject({ status: 200, body: "hello" });
  });

  it("ignores a wish to upgrade (RFC 9110 §7.8), and the connection stays HTTP", async () => {
    const socket = await openConnection(running.port);
    socket.write(
      request(
        "GET /hello HTTP/1.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      ),
    );
    socket.once("data", () => socket.write(request("GET /hello HTTP/1.1", "Connection: close")));

    expect((await readAnswers(socket)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it("answers a client that has closed its half after the request", async () => {
    const socket = await openConnection(running.port);
    socket.end(request("GET /slow HTTP/1.1"));

    expect(await readAnswers(socket)).toMatchObject([{ status: 200, body: "slow" }]);
  });

  it("answers a client that closes its half within the body", async () => {
    const socket = await openConnection(running.port);
    socket.end(`${request("POST /json HTTP/1.1", JSON_TYPE, "Content-Length: 100")}{"a":`);

    expectProblem(await readAnswers(socket), "malformed_request");
  });

  it("answers a good request before garbage that follows it", async () => {
    const answers = await exchange(running.port, `${request("GET /slow HTTP/1.1")}\0garbage\r\n\r\n`);

    expect(answers).toMatchObject([{ status: 200, body: "slow" }]);
    expect(answers[0]?.headers.get("connection")).toBe("close");
  });

  it("survives a client that resets the connection while it is answered", async () => {
    const socket = await openConnection(running.port);
    socket.write(request("GET /hang HTTP/1.1"));
    await sleep(20);
    socket.resetAndDestroy();
    await expect.poll(() => running.lines.at(-1)?.fields["aborted"]).toBe(true);

    expect((await fetch(`${running.url}/hello`)).status).toBe(200);
  });

  it("says nothing about a fault of its own, and logs it", async () => {
    const answers = await exchange(running.port, request("GET /broken HTTP/1.1", "Connection: close"));

    expectProblem(answers, "internal_error");
    expect(answers[0]?.body).not.toContain("secret detail");
    const line = running.lines.at(-1);
    expect(line?.level).toBe("error");
    expect(line?.fields["err"]).toMatchObject({ cause: { message: "secret detail" } });
  });

  it("turns what the service API throws into a problem, never a page", async () => {
    const own = await startTestServer({
      serviceApi: {
        handles: () => true,
        streams: () => false,
        handle: () => Promise.reject(new Error("fault")),
      },
    });
    onTestFinished(() => own.close());

    const response = await fetch(`${own.url}/x`, { headers: { Accept: "text/html" } });

    expect(response.status).toBe(500);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });
});

describe("listening", () => {
  it("fails when the port is taken", async () => {
    const running = await startTestServer();
    onTestFinished(() => running.close());
    const other = await startTestServer();
    onTestFinished(() => other.close());

    await expect(other.server.listen(running.port, "127.0.0.1")).rejects.toThrow();
  });
});
