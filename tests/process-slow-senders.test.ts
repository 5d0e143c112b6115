import { describe, expect } from "vitest";

import { openConnection, readAnswers, write } from "../src/web/raw-http.fixture.js";
import { it } from "./process-deployment.fixture.js";

interface SlowSender {
  readonly bytes: string;
  /** What docs/operations.md promises. */
  readonly seconds: number;
}

const POST = "POST /installed HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

const SENDERS: Readonly<Record<string, SlowSender>> = {
  "half a request line": { bytes: "GET /heal", seconds: 20 },
  "half a header": { bytes: "GET /healthz HTTP/1.1\r\nHost: x\r\nAccep", seconds: 20 },
  "a length, and no body": { bytes: `${POST}Content-Length: 100\r\n\r\n`, seconds: 30 },
  "half a body": { bytes: `${POST}Content-Length: 100\r\n\r\n{"key": "acc`, seconds: 30 },
  "half a chunk": { bytes: `${POST}Transfer-Encoding: chunked\r\n\r\n64\r\n{"key": "acc`, seconds: 30 },
};

/** The app looks for slow senders every second. */
const CHECK_SECONDS = 1;
const SLACK_SECONDS = 5;

// As long as the app waits for a whole request: these are its real limits, and a process has no other clock.
describe("whoever sends so slowly that it never ends", { timeout: 120_000 }, () => {
  it("is told and cut off, while others are answered", async ({ deployment }) => {
    const { port, url } = await deployment.startApp();

    const outcomes = await Promise.all(
      Object.entries(SENDERS).map(async ([name, { bytes, seconds }]) => {
        const socket = await openConnection(port);
        const startedMs = performance.now();
        await write(socket, Buffer.from(bytes));
        const answers = await readAnswers(socket);
        const waited = (performance.now() - startedMs) / 1000;
        return {
          name,
          seconds,
          waited,
          told: answers.map(({ status, body }) => `${status} ${codeIn(body)}`),
        };
      }),
    );

    for (const { name, seconds, waited, told } of outcomes) {
      expect(told, name).toEqual(["408 request_timeout"]);
      expect(waited, name).toBeGreaterThan(seconds - CHECK_SECONDS);
      expect(waited, name).toBeLessThan(seconds + CHECK_SECONDS + SLACK_SECONDS);
    }
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

function codeIn(body: string): string {
  return (JSON.parse(body) as { code: string }).code;
}
