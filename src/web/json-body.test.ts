import { describe, expect, it, onTestFinished } from "vitest";

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

const MIB = 1024 * 1024;

describe("a JSON body", () => {
  it.each<[string, string, unknown]>([
    ["an object", "application/json", { a: 1 }],
    ["an array", "application/json; charset=utf-8", [1]],
    ["a quoted charset in upper case", 'Application/JSON;charset="UTF-8"', {}],
    ["another parameter", "application/json; profile=x", {}],
    ["text outside ASCII", "application/json", { name: "Zoë 🙂" }],
    ["as large as the limit", "application/json", { a: "x".repeat(64 * 1024 - 8) }],
  ])("is read: %s", async (_name, type, value) => {
    const running = await start();
    const response = await post(running, type, JSON.stringify(value));

    expect(await response.json()).toEqual({ received: value });
  });

  it.each<[string, string, string | Buffer, number, string]>([
    ["no type", "", "{}", 415, "unsupported_media_type"],
    ["a form", "application/x-www-form-urlencoded", "a=1", 415, "unsupported_media_type"],
    ["a type that only begins alike", "application/json-patch+json", "{}", 415, "unsupported_media_type"],
    ["another charset", "application/json; charset=utf-16", "{}", 415, "unsupported_media_type"],
    ["nothing", "application/json", "", 400, "malformed_request"],
    ["no JSON", "application/json", "{secret", 400, "malformed_request"],
    ["a bare string", "application/json", '"secret"', 400, "malformed_request"],
    ["null", "application/json", "null", 400, "malformed_request"],
    [
      "bytes that aren't UTF-8",
      "application/json",
      Buffer.from('{"a":"\xff"}', "latin1"),
      400,
      "malformed_request",
    ],
    ["a byte too many", "application/json", " ".repeat(64 * 1024 + 1), 413, "too_large"],
  ])("is refused: %s", async (_name, type, body, status, code) => {
    const running = await start();
    const response = await post(running, type, body);

    expect(response.status).toBe(status);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code });
    expect(text).not.toContain("secret");
    expect(JSON.stringify(running.lines)).not.toContain("secret");
  });

  it("is refused when it is compressed", async () => {
    const running = await start();
    const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
    const response = await fetch(`${running.url}/json`, { method: "POST", body: "{}", headers });

    expect(response.status).toBe(415);
  });

  it("is refused when its chunks hold nothing", async () => {
    const running = await start();
    const answers = await exchange(
      running.port,
      `${request("POST /json HTTP/1.1", JSON_TYPE, "Transfer-Encoding: chunked", "Connection: close")}0\r\n\r\n`,
    );

    expectProblem(answers, "malformed_request");
  });
});

describe("a body that is too large", () => {
  it.each([
    ["announced, then nothing", [`Content-Length: ${2 * MIB}`], ""],
    ["announced, begun, then nothing", [`Content-Length: ${2 * MIB}`], "x".repeat(1000)],
    ["announced with Expect", [`Content-Length: ${2 * MIB}`, "Expect: 100-continue"], ""],
    ["in chunks, then nothing", ["Transfer-Encoding: chunked"], `11000\r\n${"x".repeat(0x11000)}\r\n`],
  ])("is refused before it has arrived: %s", async (_name, headers, body) => {
    const running = await start();
    const startedMs = performance.now();
    const answers = await exchange(
      running.port,
      request("POST /json HTTP/1.1", JSON_TYPE, ...headers) + body,
    );

    expectProblem(answers, "too_large");
    expect(answers[0]?.headers.get("connection")).toBe("close");
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  it("is refused wherever it goes", async () => {
    const running = await start();
    const length = `Content-Length: ${2 * MIB}`;

    const paths = ["/nowhere", "/api/v1/sites/x/identity", "/hello"];
    const exchanges = paths.map((path) => exchange(running.port, request(`POST ${path} HTTP/1.1`, length)));

    for (const answers of await Promise.all(exchanges)) expectProblem(answers, "too_large");
  });

  it.each([
    ["announced", `Content-Length: ${40 * MIB}`, ""],
    ["in chunks", "Transfer-Encoding: chunked", `${(40 * MIB).toString(16)}\r\n`],
  ])(
    "is refused also to a sender that reads only after it has sent everything: %s",
    async (_name, ...sent) => {
      const running = await start();
      const socket = await openConnection(running.port);
      const [header, beginning] = sent;
      socket.write(request("POST /json HTTP/1.1", JSON_TYPE, header) + beginning);
      await write(socket, Buffer.alloc(40 * MIB));

      expectProblem(await readAnswers(socket), "too_large");
    },
  );

  it("is invited with 100 Continue as long as it is small enough", async () => {
    const running = await start();
    const socket = await openConnection(running.port);
    const answers = readAnswers(socket);
    socket.write(
      request(
        "POST /json HTTP/1.1",
        JSON_TYPE,
        "Content-Length: 7",
        "Expect: 100-continue",
        "Connection: close",
      ),
    );
    socket.once("data", () => socket.write('{"a":1}'));

    expect(await answers).toMatchObject([{ status: 100 }, { status: 200, body: '{"received":{"a":1}}' }]);
  });
});

async function start(): Promise<TestServer> {
  const running = await startTestServer();
  onTestFinished(() => running.close());
  return running;
}

function post(running: TestServer, type: string, body: string | Buffer): Promise<Response> {
  return fetch(`${running.url}/json`, { method: "POST", headers: { "Content-Type": type }, body });
}
