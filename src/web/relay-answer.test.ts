import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";

import { startHttpServer, type TestServer } from "../connect/http-server.fixture.js";
import { relayAnswer } from "./relay-answer.js";
import { abortWhenGone } from "./request-stream.js";

let server: TestServer;
const over = vi.fn();

async function startRelay(body: PassThrough, stallMs?: number): Promise<http.ClientRequest> {
  server = await startHttpServer((req, res) => {
    const answer = { status: 200, headers: { "x-a": ["1", "2"] }, body };
    void relayAnswer(req, res, answer, abortWhenGone(res), stallMs).then(over);
  });
  return http.get(server.url, { agent: false }).on("error", () => undefined);
}

afterEach(async () => {
  over.mockClear();
  await server.close();
});

it("passes each piece on at once", async () => {
  const body = new PassThrough();
  const request = await startRelay(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  expect([response.statusCode, response.headers["x-a"]]).toEqual([200, "1, 2"]);
  for (const piece of ["first", "last"]) {
    body.write(piece);
    const [chunk] = (await once(response, "data")) as [Buffer];
    expect(chunk.toString()).toBe(piece);
  }
  body.end();
  await once(response, "end");
  await vi.waitFor(() => expect(over).toHaveBeenCalledWith(null));
});

it("leaves out what no header may hold", async () => {
  const body = new PassThrough().end("hello");
  const headers = { "x-a": "one\u0001", "x-b": ["two\u2028", "three"], "x-c": "four" };
  server = await startHttpServer((req, res) => {
    void relayAnswer(req, res, { status: 200, headers, body }, abortWhenGone(res)).then(over);
  });
  const [response] = (await once(http.get(server.url, { agent: false }), "response")) as [IncomingMessage];
  expect(response.headers["x-a"]).toBeUndefined();
  expect([response.headers["x-b"], response.headers["x-c"]]).toEqual(["three", "four"]);
  response.resume();
});

it("destroys what nobody waits for any more", async () => {
  const body = new PassThrough();
  const request = await startRelay(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.on("error", () => undefined);
  request.destroy();
  await vi.waitFor(() => expect(body.destroyed).toBe(true));
  await vi.waitFor(() => expect(over).toHaveBeenCalledWith("caller_left"));
});

it("breaks the connection when the answer broke before it was looked at", async () => {
  const body = new PassThrough().on("error", () => undefined);
  body.destroy(new Error("The other side is gone."));
  const request = await startRelay(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const [error] = (await once(response.resume(), "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
  expect(over).toHaveBeenCalledWith("upstream_failed");
});
