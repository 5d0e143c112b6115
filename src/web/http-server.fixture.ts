import { setTimeout as sleep } from "node:timers/promises";

import express, { type Express } from "express";

import { systemClock } from "../clock.js";
import type { Logger } from "../logger.js";
import { handleErrors, notFound } from "./error-handler.js";
import { createHttpServer, type HttpServer, type HttpServerOptions } from "./http-server.js";
import { jsonBody } from "./json-body.js";
import type { RequestSample } from "./metrics.js";
import { quietExpress } from "./security-headers.js";
import { useViews } from "./views.js";

export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface TestServer {
  readonly server: HttpServer;
  readonly port: number;
  readonly url: string;
  readonly lines: readonly LogLine[];
  readonly samples: readonly RequestSample[];
  close(): Promise<void>;
}

export const BASE_URL = "https://app.example.com";

/** A real server on loopback, with the routes below and those that `mountRoutes` adds. */
export async function startTestServer(
  overrides: Partial<HttpServerOptions> = {},
  mountRoutes: (app: Express) => void = () => undefined,
): Promise<TestServer> {
  const lines: LogLine[] = [];
  const samples: RequestSample[] = [];
  const app = express();
  quietExpress(app);
  useViews(app, { basePath: "" });
  mountTestRoutes(app);
  mountRoutes(app);
  app.use(notFound);
  app.use(handleErrors);
  const server = createHttpServer({
    baseUrl: BASE_URL,
    basePath: "",
    isProduction: false,
    trustProxy: { kind: "hops", hops: 0 },
    clock: systemClock,
    logger: captureLogger(lines),
    metrics: { observeRequest: (sample) => samples.push(sample) },
    serviceApi: {
      handles: (path) => path.startsWith("/api/v1/sites/"),
      streams: () => false,
      handle: (_req, res) => Promise.resolve(void res.end("service")),
    },
    app,
    bodyLimitBytes: () => 64 * 1024,
    onRefusal: () => undefined,
    ...overrides,
  });
  const { port } = await server.listen(0, "127.0.0.1");
  return {
    server,
    port,
    url: `http://127.0.0.1:${port}`,
    lines,
    samples,
    close: () => server.drain(0),
  };
}

export function captureLogger(lines: LogLine[]): Logger {
  const capture = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return {
    debug: capture("debug"),
    info: capture("info"),
    warn: capture("warn"),
    error: capture("error"),
  };
}

function mountTestRoutes(app: Express): void {
  app.get("/hello", (_req, res) => {
    res.send("hello");
  });
  app.get("/slow", async (_req, res) => {
    await sleep(100);
    res.send("slow");
  });
  app.get("/stream", async (_req, res) => {
    res.write("first,");
    await sleep(100);
    res.end("last");
  });
  app.get("/hang", () => undefined);
  app.get("/broken", () => {
    throw new Error("secret detail");
  });
  app.post("/json", jsonBody(), (req, res) => {
    res.json({ received: req.body as unknown });
  });
}
