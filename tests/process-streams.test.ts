import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Deployment } from "./process-deployment.fixture.js";
import type { AppProcess } from "./process.fixture.js";
import {
  answerOf,
  countBytes,
  MIB,
  reportMemory,
  StreamingScene,
  TELLS_MEMORY,
  write,
  writeUntilStuck,
  type Memory,
} from "./streams.fixture.js";

const STREAMS = 200;
const BODY_BYTES = 10 * MIB;
/** What the kernel's buffers of the connections on the way hold, and a few pieces in the app. */
const ON_THE_WAY_BYTES = 24 * MIB;

let folder: string;
let deployment: Deployment;
let app: AppProcess;
let scene: StreamingScene;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "access-streams-"));
  deployment = await Deployment.create(folder);
  app = await deployment.startApp({}, ...TELLS_MEMORY);
  scene = await StreamingScene.start(deployment, app);
}, 120_000);
afterAll(async () => {
  await scene.close();
  await deployment.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every body goes to the product and comes back at the same time; answers how long each one was. */
async function exchangeAll(bytes: number): Promise<number[]> {
  scene.behaviours.set("echo", (req, res) => req.pipe(res));
  return Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const request = scene.open("POST", "echo");
      const [received] = await Promise.all([answerOf(request).then(countBytes), write(request, bytes)]);
      return received;
    }),
  );
}

function inMebibytes({ heapUsed, external, rss }: Memory): string {
  const [heap, buffers, resident] = [heapUsed, external, rss].map((bytes) => (bytes / MIB).toFixed(0));
  return `heap ${heap} MiB, buffers ${buffers} MiB, resident ${resident} MiB`;
}

describe("bodies that pass through", { timeout: 300_000 }, () => {
  it("are never held: 200 of 10 MB each, both ways at once, take what 200 of 1 MB take", async () => {
    const atRest = await reportMemory(app);
    await exchangeAll(MIB);
    const small = await reportMemory(app);
    const startedAt = performance.now();
    const received = await exchangeAll(BODY_BYTES);
    const seconds = (performance.now() - startedAt) / 1000;
    const large = await reportMemory(app);

    console.info(`at rest: ${inMebibytes(atRest.now)}`);
    console.info(`at most, with 200 bodies of 1 MB: ${inMebibytes(small.peak)}`);
    console.info(`at most, with 200 of 10 MB in ${seconds.toFixed(1)} s: ${inMebibytes(large.peak)}`);
    console.info(`afterwards: ${inMebibytes(large.now)}`);
    expect(received).toEqual(Array.from({ length: STREAMS }, () => BODY_BYTES));
    const held = ({ heapUsed, external }: Memory) => heapUsed + external;
    // Less than one megabyte for each of them, where each is ten each way.
    expect(held(large.peak) - held(atRest.now)).toBeLessThan(STREAMS * MIB);
    expect(large.peak.rss - small.peak.rss).toBeLessThan(150 * MIB);
    // The connections to the product stay open for a while, each with what it reads into.
    expect(held(large.now) - held(atRest.now)).toBeLessThan(STREAMS * 0.2 * MIB);
  });

  it("wait for a caller who stops reading: the product is held up", async () => {
    const serving = new Promise<number>((resolve) => {
      scene.behaviours.set("endless", (_req, res) => {
        res.on("error", () => undefined);
        resolve(writeUntilStuck(res));
      });
    });
    const request = scene.open("GET", "endless").end();
    const answer = await answerOf(request);
    answer.pause();

    expect(await serving).toBeLessThan(ON_THE_WAY_BYTES);
    request.destroy();
  });

  it("wait for a product that stops reading: the caller is held up", async () => {
    scene.behaviours.set("deaf", (req) => {
      req.pause().on("error", () => undefined);
    });
    const request = scene.open("POST", "deaf");

    expect(await writeUntilStuck(request)).toBeLessThan(ON_THE_WAY_BYTES);
    request.destroy();
  });

  it("end on the product's side when the caller leaves, while sending and while reading", async () => {
    for (const method of ["POST", "GET"] as const) {
      const left = new Promise((resolve) => {
        scene.behaviours.set("patient", (req, res) => {
          req.on("error", () => undefined).resume();
          res.on("error", () => undefined).write("more");
          req.socket.once("close", () => resolve(method));
        });
      });
      const request = scene.open(method, "patient");
      if (method === "POST") request.write("first");
      else request.end();
      await answerOf(request);
      request.destroy();
      expect(await left).toBe(method);
    }
  });

  it("that the product breaks off don't look complete, with a length and without one", async () => {
    for (const headers of [{}, { "content-length": "1000" }]) {
      scene.behaviours.set("broken", (_req, res) => {
        res.writeHead(200, headers).write("first", () => res.destroy());
      });
      const answer = await answerOf(scene.open("GET", "broken").end());

      await expect(countBytes(answer)).rejects.toThrow(/aborted|ECONNRESET/);
      expect(answer.complete).toBe(false);
    }
  });
});
