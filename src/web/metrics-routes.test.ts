import { describe, expect, it, onTestFinished } from "vitest";

import { startTestServer, type TestServer } from "./http-server.fixture.js";
import { createMetricsRoutes } from "./metrics-routes.js";
import { createMetrics } from "./metrics.js";

async function start(metricsToken: string | null, host = "127.0.0.1"): Promise<TestServer> {
  const metrics = createMetrics();
  const running = await startTestServer(
    // Trust in the proxy doesn't open the metrics to whoever it speaks for.
    { metrics, trustProxy: { kind: "hops", hops: 1 } },
    (app) => {
      app.use((req, _res, next) => {
        if (host !== "127.0.0.1") Object.defineProperty(req.socket, "remoteAddress", { value: host });
        next();
      });
      app.use(createMetricsRoutes({ metrics, metricsToken }));
    },
  );
  onTestFinished(() => running.close());
  return running;
}

async function status(running: TestServer, headers: Record<string, string> = {}): Promise<number> {
  return (await fetch(`${running.url}/metrics`, { headers })).status;
}

describe("/metrics", () => {
  it("counts requests by route, method, status and code", async () => {
    const running = await start(null);
    await fetch(`${running.url}/problems`);
    await fetch(`${running.url}/somebody@acme.com`);
    const response = await fetch(`${running.url}/metrics`);
    const text = await response.text();

    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toContain(
      'http_requests_total{route="/problems",method="GET",status="404",code="not_found"} 1',
    );
    expect(text).toContain('http_requests_total{route="other",method="GET",status="404",code="not_found"} 1');
    expect(text).toContain('http_request_duration_seconds_count{route="other",method="GET"} 1');
    expect(text).toContain("process_cpu_seconds_total");
    expect(text).not.toContain("somebody");
  });

  describe("without a token", () => {
    it.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])(
      "answers this machine: %s",
      async (host) => {
        expect(await status(await start(null, host))).toBe(200);
      },
    );

    it.each(["203.0.113.9", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"])(
      "answers no other: %s",
      async (host) => {
        expect(await status(await start(null, host))).toBe(404);
      },
    );

    it.each([
      "X-Forwarded-For",
      "X-Forwarded-Proto",
      "Forwarded",
      "CF-Ray",
      "CF-Connecting-IP",
      "Cf-Access-Jwt-Assertion",
      "X-Real-IP",
    ])("answers nobody for whom a proxy on this machine speaks: %s", async (name) => {
      expect(await status(await start(null), { [name]: "127.0.0.1" })).toBe(404);
    });
  });

  describe("with a token", () => {
    it.each([
      ["Bearer right", 200],
      ["bearer right", 200],
      ["Bearer wrong", 401],
      ["Bearer right wrong", 401],
      ["Basic right", 401],
      ["Bearer ", 401],
      ["right", 401],
    ])("answers Authorization: %s with %d", async (authorization, expected) => {
      const running = await start("right", "203.0.113.9");

      expect(await status(running, { authorization, "X-Forwarded-For": "1.2.3.4" })).toBe(expected);
    });

    it("refuses callers on this machine, too", async () => {
      expect(await status(await start("right"))).toBe(401);
    });
  });
});
