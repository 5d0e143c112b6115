import { readEnv } from "./config/env.js";
import { createLogger } from "./create-logger.js";
import { hideSecrets } from "./hide-secrets.js";
import { startApp, type RunningApp } from "./start-app.js";
import { explainStartFailure } from "./start-failure.js";

// Whatever a library does about unhandled rejections: a fault nobody handled may have left anything half done, and a
// supervisor starts a clean process.
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error: unknown) => endByFault(error, `${event}: the process ends`));
}

// From the start: a signal that the first process of a container doesn't listen to never arrives.
const toldToStop = new Promise<void>((resolve) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve());
});

const app = await startOrExit();
await toldToStop;
await app.close();
// Calls to other servers may still be waiting for an answer that nobody waits for.
process.exit(0);

async function startOrExit(): Promise<RunningApp> {
  try {
    return await startApp(readEnv());
  } catch (error) {
    const failure = explainStartFailure(error);
    if (failure === null) return endByFault(error, "the app can't start");
    process.stderr.write(failure.lines.map((line) => `${hideSecrets(line)}\n`).join(""));
    process.exit(failure.exitCode);
  }
}

function endByFault(error: unknown, message: string): never {
  createLogger("error").error({ err: error }, message);
  process.exit(1);
}
