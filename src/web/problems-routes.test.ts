import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { PROBLEMS } from "../errors.js";
import { startTestServer, type TestServer } from "./http-server.fixture.js";
import { createProblemsRoutes } from "./problems-routes.js";
import { createPublicFiles } from "./public-files.js";

describe("/problems", () => {
  let running: TestServer;
  beforeAll(async () => {
    running = await startTestServer({}, (app) => {
      app.use(createProblemsRoutes());
      app.use("/public", createPublicFiles());
    });
  });
  afterAll(() => running.close());

  it.each(["text/html", "*/*"])("is a page for Accept: %s, with an anchor for every code", async (accept) => {
    const response = await fetch(`${running.url}/problems`, { headers: { Accept: accept } });
    const html = await response.text();

    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    for (const code of Object.keys(PROBLEMS)) expect(html).toContain(`id="${code}"`);
    expect(html).toContain("AP.context.getToken()");
    expect(html).toContain("Authorization: JWT &lt;token&gt;");
  });

  it("is JSON for who asks for it", async () => {
    const response = await fetch(`${running.url}/problems`, { headers: { Accept: "application/json" } });

    expect(await response.json()).toMatchObject({
      items: Object.entries(PROBLEMS).map(([code, problem]) => ({ code, ...problem })),
      nextCursor: null,
    });
  });

  it("is styled by a file that may be cached", async () => {
    const html = await (await fetch(`${running.url}/problems`)).text();
    const [, href] = /<link rel="stylesheet" href="([^"]+)"/.exec(html) ?? [];
    const response = await fetch(running.url + href!);

    expect(response.headers.get("content-type")).toContain("text/css");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });
});
