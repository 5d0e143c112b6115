import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";

import { startHttpServer } from "../connect/http-server.fixture.js";
import { startGatewayProxy } from "./gateway-proxy.fixture.js";

const STREAMS = 50;
const MEGABYTE = 1024 * 1024;
const BODY_BYTES = 10 * MEGABYTE;
const CHUNK = Buffer.alloc(64 * 1024, "x");
/** Sockets and streams of four parties in one process, for each of the fifty; all the bodies together are 500 MB. */
const ROOM_BYTES = 150 * MEGABYTE;

const parts: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of parts.splice(0).reverse()) await part.close();
});

async function startEchoingProxy() {
  const product = await startHttpServer((req, res) => req.pipe(res));
  parts.push(product);
  const proxy = await startGatewayProxy(product.url);
  parts.push(proxy);
  return proxy;
}

function measure(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function upload(request: http.ClientRequest): Promise<void> {
  for (let sent = 0; sent < BODY_BYTES; sent += CHUNK.length) {
    if (!request.write(CHUNK)) await once(request, "drain");
  }
  request.end();
}

/** Takes a megabyte, and then its time. */
async function readSlowly(response: IncomingMessage): Promise<number> {
  let received = 0;
  let rested = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received - rested < MEGABYTE) continue;
    rested = received;
    await sleep(20);
  }
  return received;
}

it("fifty bodies of 10 MB, to the product and back to slow readers, take no more memory than a few pieces of each", async () => {
  const proxy = await startEchoingProxy();
  const before = measure();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, measure())), 20);
  const exchanges = Array.from({ length: STREAMS }, async () => {
    const request = http.request(proxy.url, { method: "POST", agent: false }).on("error", () => undefined);
    const uploading = upload(request);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const [received] = await Promise.all([readSlowly(response), uploading]);
    return received;
  });
  const received = await Promise.all(exchanges);
  clearInterval(watch);
  expect(received).toEqual(Array.from({ length: STREAMS }, () => BODY_BYTES));
  expect(proxy.failures).toEqual([]);
  expect(peak - before).toBeLessThan(ROOM_BYTES);
}, 120_000);

it("a reader who stops holds the sender up instead of filling the memory", async () => {
  const proxy = await startEchoingProxy();
  const request = http.request(proxy.url, { method: "POST", agent: false }).on("error", () => undefined);
  let sent = 0;
  const send = () => {
    let isTaken = true;
    while (isTaken && sent < 100 * BODY_BYTES) {
      isTaken = request.write(CHUNK);
      sent += CHUNK.length;
    }
  };
  request.on("drain", send);
  send();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.pause().on("error", () => undefined);

  let last = -1;
  while (last !== sent) {
    last = sent;
    await sleep(500);
  }
  // What the kernel's buffers of four connections hold, and no more.
  expect(sent).toBeLessThan(3 * BODY_BYTES);
  request.destroy();
});
