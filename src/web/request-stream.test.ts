import { once } from "node:events";
import http from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";

import { startTestServer, type TestServer } from "./http-server.fixture.js";
import { openConnection, readAnswers, request } from "./raw-http.fixture.js";
import { abortWhenGone } from "./request-stream.js";

const GET = request("GET /held HTTP/1.1");
/** As many as a connection may have. */
const PIPELINED = 16;

interface Held extends TestServer {
  readonly signals: readonly AbortSignal[];
  readonly sockets: readonly Socket[];
}

/** Answers only what isn't `/held`. */
async function startHolding(): Promise<Held> {
  const signals: AbortSignal[] = [];
  const sockets: Socket[] = [];
  const running = await startTestServer({
    serviceApi: {
      handles: () => true,
      streams: () => false,
      handle: (req, res) => {
        signals.push(abortWhenGone(res));
        sockets.push(req.socket);
        if (req.url !== "/held") res.end("answer");
        return Promise.resolve();
      },
    },
  });
  onTestFinished(() => running.close());
  return { ...running, signals, sockets };
}

it.each<[how: string, leave: (socket: Socket) => void]>([
  ["closing its half of the connection", (socket) => socket.end()],
  ["closing all of it", (socket) => socket.destroy()],
  ["resetting it", (socket) => socket.resetAndDestroy()],
])("a caller who leaves by %s is gone, for all the answers that it waits for", async (_how, leave) => {
  const warned = vi.fn();
  process.on("warning", warned);
  onTestFinished(() => void process.off("warning", warned));
  const { port, signals } = await startHolding();
  const socket = await openConnection(port);
  onTestFinished(() => void socket.destroy());
  socket.write(GET.repeat(PIPELINED));
  await vi.waitFor(() => expect(signals).toHaveLength(PIPELINED));
  await sleep(50);
  expect(signals.filter(({ aborted }) => aborted)).toEqual([]);

  leave(socket);
  await vi.waitFor(() => expect(signals.filter(({ aborted }) => aborted)).toHaveLength(PIPELINED), {
    timeout: 3_000,
  });
  expect(warned).not.toHaveBeenCalled();
});

it("a caller who leaves once it has its answer isn't gone, and nothing is left on a connection in use", async () => {
  const { port, signals, sockets } = await startHolding();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const counts = new Set<number>();
  for (let time = 0; time < 3; time += 1) {
    const asked = once(http.get({ port, host: "127.0.0.1", path: "/", agent }), "response");
    const [response] = (await asked) as [http.IncomingMessage];
    await once(response.resume(), "end");
    await sleep(20);
    counts.add(sockets.at(-1)!.listenerCount("end"));
  }
  expect([new Set(sockets).size, counts.size]).toEqual([1, 1]);
  agent.destroy();
  await once(sockets[0]!, "close");
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
});

it("a caller who closes its half behind the request is still answered, if that doesn't take long", async () => {
  const signals: AbortSignal[] = [];
  const running = await startTestServer({
    serviceApi: {
      handles: () => true,
      streams: () => false,
      handle: async (_req, res) => {
        signals.push(abortWhenGone(res));
        await sleep(100);
        res.end("answer");
      },
    },
  });
  onTestFinished(() => running.close());
  const socket = await openConnection(running.port);
  socket.end(GET);
  expect(await readAnswers(socket)).toMatchObject([{ status: 200 }]);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
});
