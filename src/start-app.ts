import type { AddressInfo } from "node:net";

import { createApp } from "./app.js";
import { parseConfig } from "./config/config.js";
import type { Env } from "./config/env.js";
import { createContext } from "./context.js";
import { createLogger } from "./create-logger.js";
import { createHttpServer } from "./web/http-server.js";
import { ServiceApi } from "./web/service-api.js";

export interface RunningApp {
  /** Where it listens, for callers on this machine. */
  readonly url: string;
  readonly port: number;
  /** Answers what is in flight (ten seconds at most), then closes the database. */
  close(): Promise<void>;
}

const DRAIN_SECONDS = 10;

/** Environment → config → context → listen. Throws ConfigError, EncryptionKeyError, and what listening throws. */
export async function startApp(env: Env): Promise<RunningApp> {
  const { config, secrets } = parseConfig(env);
  const logger = createLogger(config.logLevel);
  const ctx = await createContext(config, secrets, logger);
  const server = createHttpServer({ ctx, app: createApp(ctx), serviceApi: new ServiceApi(ctx) });
  try {
    await server.listen(config.port, config.host);
  } catch (error) {
    await ctx.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
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
