import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AppError } from "../errors.js";
import { startTestServer, type LogLine, type TestServer } from "./http-server.fixture.js";
import { openConnection, request } from "./raw-http.fixture.js";

const ATTEMPT = "cJ5VtTf8Zr2mYwq0NhXsKA";

describe("the log line of a request", () => {
  let running: TestServer;
  beforeAll(async () => {
    running = await startTestServer({ basePath: "/base" }, (app) => {
      app.get("/refused", () => {
        throw new AppError("access_jwt_untrusted", undefined, { reason: "Another audience." });
      });
      app.get("/quoting", () => {
        throw new AppError("malformed_request", undefined, { cause: new Error("a secret at 1") });
      });
      app.get("/unavailable", () => {
        throw new AppError("store_unavailable", undefined, { cause: new Error("disk I/O error") });
      });
    });
  });
  afterAll(() => running.close());

  async function lineOf(path: string): Promise<LogLine> {
    const response = await fetch(running.url + path);
    await response.text();
    const reference = response.headers.get("x-request-reference");
    const findLine = () => running.lines.find(({ fields }) => fields["reference"] === reference);
    await expect.poll(findLine).toBeDefined();
    return findLine()!;
  }

  it("says what was asked and what came of it", async () => {
    expect(await lineOf("/hello?token=secret")).toMatchObject({
      level: "info",
      message: "request",
      fields: { method: "GET", path: "/hello", status: 200, code: null, ip: "127.0.0.1" },
    });
  });

  it.each([
    [`/base/link/start/${ATTEMPT}?jwt=x`, { route: "/link/start/:attempt" }],
    [`/base/access/link/${ATTEMPT}`, { route: "/access/link/:attempt" }],
    [`/base/access/link/${ATTEMPT}/`, { path: "/base/access/link/…/" }],
    [`/base/ACCESS/LINK/${ATTEMPT}`, { path: "/base/…/…/…" }],
    [`/base//access/link/${ATTEMPT}`, { path: "/base//access/link/…" }],
    [`/access/link/${ATTEMPT}`, { path: "/access/link/…" }],
    [`/base/access/link/${ATTEMPT}/more`, { path: "/base/access/link/…/more" }],
    ["/base/api/v1/me/links/7f1c", { route: "/api/v1/me/links/:id" }],
    ["/base/api/v1/sites/acme.atlassian.net/identity", { route: "/api/v1/sites/:site/identity" }],
    ["/basement", { path: "/basement" }],
    [`/base/healthz/${ATTEMPT.slice(0, 10)}`, { path: "/base/healthz/…" }],
    ["/base/users/grace@acme.example", { path: "/base/users/…" }],
    ["/base/users/grace%40acme.example/x", { path: "/base/users/…/x" }],
    ["/base/codes/ABCDEFGHIJ", { path: "/base/codes/…" }],
  ])("names %s without what it holds", async (path, named) => {
    const line = await lineOf(path);

    expect(line.fields).toMatchObject(named);
    expect(JSON.stringify(line)).not.toContain(ATTEMPT);
    expect(JSON.stringify(line)).not.toMatch(/jwt|grace|ABCDEFGHIJ/);
  });

  it("gives the reason of a refusal, at info, in our words alone", async () => {
    expect(await lineOf("/refused")).toMatchObject({
      level: "info",
      fields: { status: 401, code: "access_jwt_untrusted", reason: "Another audience." },
    });
    expect(JSON.stringify(await lineOf("/quoting"))).not.toMatch(/reason|secret/);
  });

  it("gives the cause of a failure, at error", async () => {
    const line = await lineOf("/unavailable");

    expect(line).toMatchObject({ level: "error", fields: { status: 503, code: "store_unavailable" } });
    expect(line.fields["err"]).toMatchObject({ cause: { message: "disk I/O error" } });
  });

  it("tells an aborted request", async () => {
    const socket = await openConnection(running.port);
    socket.write(request("GET /hang HTTP/1.1"));
    await expect.poll(() => running.server.isDraining()).toBe(false);
    setTimeout(() => socket.resetAndDestroy(), 20);

    await expect.poll(() => running.lines.at(-1)?.fields).toMatchObject({ aborted: true, status: null });
  });

  it("is counted by pattern, never by path", async () => {
    await lineOf("/base/api/v1/sites/acme.atlassian.net/identity");
    await lineOf("/refused");

    expect(running.samples.slice(-2)).toMatchObject([
      { route: "/api/v1/sites/:site/identity", method: "GET", status: "404", code: "not_found" },
      { route: "other", method: "GET", status: "401", code: "access_jwt_untrusted" },
    ]);
  });
});
