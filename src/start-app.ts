import type { AppContext } from "./app-context.js";
import { createApp } from "./app.js";
import { parseConfig } from "./config/config.js";
import type { Env } from "./config/env.js";
import { createContext } from "./context.js";
import { createLogger } from "./create-logger.js";
import { createHttpServer, type HttpServer } from "./web/http-server.js";
import { JSON_BODY_LIMIT_BYTES } from "./web/json-body.js";
import { RATES, type Rates } from "./web/limits.js";
import { ServiceApi } from "./web/service-api.js";

export interface RunningApp {
  /** Where it listens, for callers on this machine. */
  readonly url: string;
  readonly port: number;
  /** Answers what is in flight (ten seconds at most), then closes the database. */
  close(): Promise<void>;
}

const DRAIN_SECONDS = 10;

/** Environment → config → context → listen. Throws ConfigError, AppError `store_unavailable`, and what listening throws. */
export async function startApp(env: Env, rates: Rates = RATES): Promise<RunningApp> {
  const { config, secrets } = parseConfig(env);
  const logger = createLogger(config.logLevel);
  const ctx = await createContext(config, secrets, logger, rates);
  const server = createAppServer(ctx);
  const { port } = await server.listen(config.port, config.host).catch(async (error: unknown) => {
    await ctx.close();
    throw error;
  });
  logger.info({ port, baseUrl: config.baseUrl }, "listening");
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      await server.drain(DRAIN_SECONDS * 1000);
      await ctx.close();
      logger.info({}, "stopped");
    },
  };
}

function createAppServer(ctx: AppContext): HttpServer {
  const { config, clock, logger, metrics, limits } = ctx;
  const server: HttpServer = createHttpServer({
    ...config,
    clock,
    logger,
    metrics,
    bodyLimitBytes: () => JSON_BODY_LIMIT_BYTES,
    onRefusal: (refused, failure) => {
      if (!refused.isCallerKnown) limits.countForgery(refused, failure);
    },
    serviceApi: new ServiceApi(ctx),
    app: createApp(ctx, { isDraining: () => server.isDraining() }),
  });
  return server;
}
