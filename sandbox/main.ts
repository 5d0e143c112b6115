import { once } from "node:events";
import { env } from "node:process";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";

import { Menu } from "./menu.js";
import { Stage } from "./stage.js";
import { playStory } from "./story.js";
import { Transcript } from "./transcript.js";
import type { WorldPorts } from "./world-parts.js";
import { startWorld, type World } from "./world.js";

const HELP = `npm run sandbox -- [options]

Starts the app on this machine together with all it needs: a Jira and Confluence site, a Cloudflare Access
team, and a small service behind Access. Plays the main job once, then stays up for you to try things.
Everything listens on loopback only; the data is temporary.

  --once          play the story and end: exit code 0 if every step gave what it should
  --port <n>      first of the five ports that are used (default 3000; also SANDBOX_PORT); 0 for any free ones
  --help          this text`;

const DEFAULT_PORT = 3000;

interface Arguments {
  readonly once: boolean;
  readonly help: boolean;
  readonly port: number;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const args = readArguments();
  if (typeof args === "string") return fail(args);
  if (args.help) {
    console.log(HELP);
    return 0;
  }

  const stopped = new AbortController();
  // Once or several times: npm and tsx pass on what the terminal has sent to everybody already.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopped.abort());
  // Nobody reads on, as after `| head`.
  process.stdout.on("error", () => stopped.abort());
  let world: World | null = null;
  try {
    world = await startWorld({ ports: portsFrom(args.port) });
    return await play(world, args, stopped.signal);
  } catch (error) {
    return stopped.signal.aborted ? 0 : fail(explain(error));
  } finally {
    await world?.close();
  }
}

async function play(world: World, args: Arguments, stopped: AbortSignal): Promise<number> {
  const transcript = new Transcript({
    write: (text) => {
      if (!stopped.aborted) process.stdout.write(text);
    },
    // Knows NO_COLOR; the method is there on a terminal only.
    hasColours: process.stdout.isTTY && process.stdout.hasColors(),
  });
  const stage = new Stage(world, transcript);
  await untilStopped(playStory(stage), stopped);
  if (args.once || stopped.aborted) return 0;

  console.log(`
Everything is up. Open in a browser:
  ${world.parts.demoUrl}  the demo service: sign in as Grace Green, who is linked, or as somebody else
  ${world.appUrl}/problems  every refusal, its cause and its fix
  ${world.appUrl}/openapi.json  the API
Press Ctrl-C to end.`);
  if (!process.stdin.isTTY) {
    await untilStopped(new Promise<never>(() => undefined), stopped);
    return 0;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const closed = once(terminal, "close");
  await untilStopped(Promise.race([new Menu(stage, terminal).run(), closed]), stopped);
  terminal.close();
  return 0;
}

/** Whatever comes first: the end of the work, or somebody who wants to go. */
async function untilStopped(work: Promise<unknown>, stopped: AbortSignal): Promise<void> {
  const leaving = new Promise<void>((resolve) => {
    if (stopped.aborted) resolve();
    stopped.addEventListener("abort", () => resolve());
  });
  await Promise.race([leaving, work]);
}

/** The arguments, or a sentence about what is wrong with them. */
function readArguments(): Arguments | string {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        port: { type: "string", default: env["SANDBOX_PORT"] ?? String(DEFAULT_PORT) },
      },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_531) return `"${values.port}" is not a port number.`;
    return { ...values, port };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\nSee npm run sandbox -- --help`;
  }
}

function portsFrom(port: number): WorldPorts {
  if (port === 0) return {};
  return { app: port, appOrigin: port + 1, site: port + 2, team: port + 3, demo: port + 4 };
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== "EADDRINUSE") return error.message;
  return `Port ${port ?? ""} is taken by another program. Choose five others in a row: npm run sandbox -- --port 4300`;
}

function fail(message: string): number {
  console.error(`\n${message}`);
  return 1;
}
