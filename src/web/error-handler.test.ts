import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AppError, NotLinkedError, PROBLEMS, ValidationError, type ProblemCode } from "../errors.js";
import { startTestServer, type TestServer } from "./http-server.fixture.js";
import { noteThroughForge } from "./request-context.js";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

describe("an error in Express", () => {
  let running: TestServer;
  beforeAll(async () => {
    running = await startTestServer({}, (app) => {
      app.get("/script", () => {
        throw new AppError("not_found", "<script>alert(1)</script>");
      });
      app.get("/invalid", () => {
        throw ValidationError.of("services[0].label", "Too <long>.");
      });
      app.get("/unlinked", () => {
        throw new NotLinkedError('https://acme.atlassian.net/?"><script>');
      });
      app.get("/prepared", (_req, res) => {
        res.set("Content-Security-Policy", "frame-ancestors https://acme.atlassian.net");
        res.set({ "Cache-Control": "public", "Content-Encoding": "gzip", ETag: '"x"' });
        res.cookie("half", "made");
        throw new AppError("not_admin");
      });
      app.get("/halfway", (_req, res) => {
        res.write("half");
        throw new Error("too late");
      });
      app.get("/done", (_req, res) => {
        res.send("done");
        throw new Error("after the answer");
      });
      app.get("/through-forge/:code", (req) => {
        noteThroughForge(req);
        throw new AppError(req.params.code as ProblemCode, undefined, { extras: { retryAfterSeconds: 7 } });
      });
      app.get("/param/:id", (_req, res) => {
        res.send("ok");
      });
    });
  });
  afterAll(() => running.close());

  function get(path: string, accept?: string): Promise<Response> {
    return fetch(running.url + path, accept === undefined ? {} : { headers: { Accept: accept } });
  }

  it.each([
    [undefined, "application/problem+json"],
    ["*/*", "application/problem+json"],
    ["application/json", "application/problem+json"],
    ["application/problem+json", "application/problem+json"],
    ["image/png", "application/problem+json"],
    [BROWSER, "text/html; charset=utf-8"],
    ["text/html", "text/html; charset=utf-8"],
    ["application/json;q=0.5, text/html;q=0.9", "text/html; charset=utf-8"],
    ["application/json;q=0.9, text/html;q=0.5", "application/problem+json"],
    ["text/html;q=0, */*", "application/problem+json"],
  ])("answers Accept %s with %s", async (accept, type) => {
    const response = await get("/nowhere", accept);

    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("etag")).toBeNull();
    expect(response.headers.get("x-powered-by")).toBeNull();
  });

  it("says the same on a page, with what it quotes escaped", async () => {
    const response = await get("/script", BROWSER);
    const html = await response.text();

    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).not.toContain("<script");
    expect(html).toContain(response.headers.get("x-request-reference"));
    expect(html).toContain("/problems#not_found");
    expect(response.headers.get("vary")).toBe("Accept");
  });

  it("lists the fields on a page, and where to link", async () => {
    const invalid = await (await get("/invalid", BROWSER)).text();
    const unlinked = await (await get("/unlinked", BROWSER)).text();

    expect(invalid).toContain("<code>services[0].label</code>: Too &lt;long&gt;.");
    expect(unlinked).toContain('href="https://acme.atlassian.net/?&quot;&gt;&lt;script&gt;"');
  });

  it.each(Object.keys(PROBLEMS).filter((code) => !code.startsWith("forge_jwt_")))(
    "lets Forge pass it on: %s",
    async (code) => {
      const response = await get(`/through-forge/${code}`, BROWSER);
      const { status } = PROBLEMS[code as ProblemCode];

      expect(response.status).toBe(status === 401 ? 422 : status);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(response.headers.get("retry-after")).toBe("7");
      expect(response.headers.get("www-authenticate")).toBeNull();
      expect(await response.json()).toMatchObject({ code, status });
    },
  );

  it.each(["forge_jwt_invalid", "forge_jwt_expired"])(
    "tells Forge of its own token as it is: %s",
    async (code) => {
      const response = await get(`/through-forge/${code}`);

      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
    },
  );

  it("answers HEAD with headers alone", async () => {
    const response = await fetch(`${running.url}/nowhere`, { method: "HEAD" });

    expect(response.status).toBe(404);
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(0);
    expect(await response.text()).toBe("");
  });

  it("drops what a handler prepared for its own answer, but not who may frame the page", async () => {
    const response = await get("/prepared", BROWSER);

    expect(response.status).toBe(403);
    expect(response.headers.get("content-security-policy")).toBe(
      "frame-ancestors https://acme.atlassian.net",
    );
    expect(response.headers.get("cache-control")).toBe("no-cache, no-store");
    for (const name of ["content-encoding", "etag", "set-cookie"]) {
      expect(response.headers.get(name)).toBeNull();
    }
  });

  it("cuts the connection when the answer has begun", async () => {
    await expect(get("/halfway").then((response) => response.text())).rejects.toThrow();

    expect(running.lines.at(-1)).toMatchObject({
      level: "error",
      fields: { aborted: true, code: "internal_error" },
    });
  });

  it("leaves an answer alone that is complete", async () => {
    expect(await (await get("/done")).text()).toBe("done");
  });

  it("calls a path that can't be decoded malformed", async () => {
    const response = await get("/param/%E0%A4%A");

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "malformed_request" });
  });
});
