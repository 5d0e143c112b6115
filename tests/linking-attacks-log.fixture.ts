import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished, vi } from "vitest";

import { listen } from "../sandbox/http-server.js";
import { World } from "../sandbox/world.js";
import { DatabaseFile } from "./linking-database.fixture.js";
import type { LinkingWorld } from "./linking-scene.fixture.js";

export interface LoggedWorld extends LinkingWorld {
  /** Everything that the app has printed so far. */
  output(): string;
  /** Ends the app, so that all it prints and stores is there. */
  stop(): Promise<void>;
}

/** The same team and keys around an app in a process of its own, which tells its operator as much as it ever does. */
export async function startLoggedWorld({
  world: { parts },
  sites,
}: Omit<LinkingWorld, "close">): Promise<LoggedWorld> {
  const probe = await listen(() => Promise.resolve(), {});
  await probe.close();
  const appUrl = `http://localhost:${probe.port}`;
  const database = await DatabaseFile.create();
  const child = spawn(process.execPath, ["--import", "tsx", "src/server.ts"], {
    env: {
      PATH: process.env["PATH"],
      PORT: String(probe.port),
      HOST: "127.0.0.1",
      BASE_URL: appUrl,
      DATABASE_URL: `sqlite:${database.file}`,
      CONNECT_KEYS_CDN_URL: parts.installKeys.url,
      ACCESS_ORIGIN_OVERRIDES: parts.teams.map(({ domain, url }) => `${domain}=${url}`).join(","),
      LOG_LEVEL: "trace",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const closed = once(child, "close");
  const stop = async () => {
    child.kill("SIGTERM");
    await closed;
  };
  const close = async () => {
    await stop();
    await database.close();
  };
  onTestFinished(close);
  await vi.waitFor(() => {
    if (!output.includes('"listening"')) throw new Error(`The app doesn't listen yet: ${output}`);
  }, 40_000);
  const app = { url: appUrl, port: probe.port, close: stop };
  return {
    world: new World({ ...parts, app, appUrl, close }),
    database,
    sites,
    output: () => output,
    stop,
    close,
  };
}
