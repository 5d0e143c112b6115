import { describe, expect, it, onTestFinished } from "vitest";

import { createHealthRoutes, type HealthRoutesOptions } from "./health-routes.js";
import { startTestServer } from "./http-server.fixture.js";

async function get(path: string, overrides: Partial<HealthRoutesOptions> = {}): Promise<Response> {
  const options = { isReady: () => Promise.resolve(), isDraining: () => false, ...overrides };
  const running = await startTestServer({}, (app) => app.use(createHealthRoutes(options)));
  onTestFinished(() => running.close());
  return fetch(running.url + path);
}

describe("the probes", () => {
  it.each(["/healthz", "/readyz"])("answer 200 while all is well: %s", async (path) => {
    const response = await get(path);

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
  });

  it("tell alive from ready", async () => {
    const isReady = () => Promise.reject(new Error("The database is away."));

    expect((await get("/healthz", { isReady })).status).toBe(200);
    expect((await get("/readyz", { isReady })).status).toBe(503);
  });

  it.each<[string, Partial<HealthRoutesOptions>]>([
    ["it can't serve", { isReady: () => Promise.reject(new Error("away")) }],
    ["it doesn't know in time", { isReady: () => new Promise(() => undefined), readyTimeoutMs: 10 }],
    ["it shuts down", { isDraining: () => true }],
  ])("answer 503 and when to ask again when %s", async (_name, overrides) => {
    const response = await get("/readyz", overrides);

    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ code: "store_unavailable" });
  });
});
