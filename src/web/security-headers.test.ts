import { describe, expect, it, onTestFinished } from "vitest";

import { startTestServer, type TestServer } from "./http-server.fixture.js";
import { exchange } from "./raw-http.fixture.js";
import { createSecurityHeaders } from "./security-headers.js";

async function start(isProduction: boolean): Promise<TestServer> {
  const running = await startTestServer({ isProduction });
  onTestFinished(() => running.close());
  return running;
}

describe("the security headers", () => {
  it.each([true, false])("are the same whoever answers (in production: %s)", async (isProduction) => {
    const running = await start(isProduction);
    const [raw] = await exchange(running.port, "garbage\r\n\r\n");
    const answers = [
      raw!.headers,
      ...(await Promise.all(
        ["/hello", "/nowhere", "/broken", "/api/v1/sites/x/identity"].map(
          async (path) => (await fetch(running.url + path)).headers,
        ),
      )),
    ];

    for (const [name, value] of Object.entries(createSecurityHeaders({ isProduction }))) {
      expect(answers.map((headers) => headers.get(name))).toEqual(answers.map(() => value));
    }
    for (const headers of answers) {
      expect(headers.has("strict-transport-security")).toBe(isProduction);
      for (const name of ["x-powered-by", "etag", "cross-origin-opener-policy", "server"]) {
        expect(headers.has(name)).toBe(false);
      }
    }
  });

  it("say what they are meant to say", () => {
    expect(createSecurityHeaders({ isProduction: true })).toEqual({
      "cache-control": "no-cache, no-store",
      "content-security-policy":
        "default-src 'none';style-src 'self';img-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
    });
  });
});
