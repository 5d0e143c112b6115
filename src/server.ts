import { ConfigError } from "./config/config.js";
import { readEnv } from "./config/env.js";
import { createLogger } from "./create-logger.js";
import { startApp, type RunningApp } from "./start-app.js";

// sysexits.h: EX_CONFIG
const EXIT_CONFIG = 78;

// Whatever a library does about unhandled rejections (ACE logs and swallows them): a fault nobody handled may have
// left anything half done, and a supervisor starts a clean process.
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error: unknown) => {
    createLogger("error").error({ err: error }, `${event}: the process ends`);
    process.exit(1);
  });
}

const app = await startOrExit();

let isStopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    void app.close().then(() => process.exit(0));
  });
}

async function startOrExit(): Promise<RunningApp> {
  try {
    return await startApp(readEnv());
  } catch (error) {
    if (error instanceof ConfigError) return exit(EXIT_CONFIG, error.problems);
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") return exit(1, ["PORT: another program already listens on this port."]);
    if (code === "EACCES") return exit(1, ["PORT: this user may not listen on this port."]);
    throw error;
  }
}

function exit(code: number, lines: readonly string[]): never {
  process.stderr.write(lines.map((line) => `${line}\n`).join(""));
  process.exit(code);
}
