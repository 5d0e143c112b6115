import { env } from "node:process";
import { parseArgs } from "node:util";

import type { SandboxOptions } from "./run-sandbox.js";

const HELP = `npm run sandbox -- [options]

Starts the app on this machine together with all it needs: a Jira and Confluence site, a Cloudflare Access
team, and a small service behind Access. Plays the main job once, then stays up for you to try it in a
browser. Everything listens on loopback only; the data is temporary.

  --once          play the story and end: exit code 0 if every step gave what it should
  --port <n>      first of the twelve ports that are used (default 3000; also SANDBOX_PORT); 0 for any free ones
  --tool <n>      the port of a tool of your own, which one of them leads to (default: the one after the twelve)
  --help          this text`;

process.exitCode = await main();

async function main(): Promise<number> {
  const stopped = new AbortController();
  // Once or several times: npm and tsx pass on what the terminal has sent to everybody already.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopped.abort());
  // Nobody reads on, as after `| head`.
  process.stdout.on("error", () => stopped.abort());

  try {
    const options = readOptions();
    if (!options) {
      console.log(HELP);
      return 0;
    }
    console.log("Starting a Jira and Confluence site, an Access team and the app on this machine …");
    console.log("Words: docs/GLOSSARY.md");
    // Late, so that signals are heard while the app is being loaded.
    const { runSandbox } = await import("./run-sandbox.js");
    await runSandbox(options, stopped.signal);
    return 0;
  } catch (error) {
    if (stopped.signal.aborted) return 0;
    console.error(`\n${explain(error)}`);
    return 1;
  }
}

/** Null when it's the help that is wanted. */
function readOptions(): SandboxOptions | null {
  const { values } = parseArgs({
    options: {
      once: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      port: { type: "string", default: env["SANDBOX_PORT"] ?? "3000" },
      tool: { type: "string" },
    },
  });
  if (values.help) return null;
  const port = parsePort(values.port, { least: 0, room: 12 });
  const ownTool = values.tool === undefined ? null : parsePort(values.tool, { least: 1, room: 0 });
  if (port === 0) return { once: values.once, ports: ownTool === null ? {} : { examples: { ownTool } } };
  const examples = {
    myIssues: port + 5,
    builds: port + 6,
    mcp: port + 7,
    assistant: port + 8,
    ownToolEdge: port + 9,
    ownTool: ownTool ?? port + 12,
  };
  const ports = { app: port, appOrigin: port + 1, site: port + 2, team: port + 3, demo: port + 4, examples };
  const forge = { forgeSite: port + 10, forgeFiles: port + 11 };
  return { once: values.once, ports: { ...ports, ...forge } };
}

function parsePort(text: string, { least, room }: { readonly least: number; readonly room: number }): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= least && port + room <= 65_535) return port;
  throw new Error(`"${text}" is not a port number${room > 0 ? ` that leaves room for ${room} more` : ""}.`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code?.startsWith("ERR_PARSE_ARGS")) return `${error.message}\nAll options: npm run sandbox -- --help`;
  if (code !== "EADDRINUSE") return error.message;
  return (
    `Port ${port ?? ""} is taken by another program (another sandbox?). ` +
    "Choose twelve others in a row: npm run sandbox -- --port 4300"
  );
}
