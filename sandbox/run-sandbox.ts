import { once } from "node:events";
import { createInterface } from "node:readline/promises";

import { tellCurlCalls } from "./curl-calls.js";
import { Menu } from "./menu.js";
import { describeOwnToolEnvironment, tellOwnToolTokens } from "./own-tool.js";
import { ADA, VISITORS } from "./people.js";
import { Stage } from "./stage.js";
import { playStory } from "./story.js";
import { Transcript } from "./transcript.js";
import type { WorldPorts } from "./world-parts.js";
import { startWorld, type World } from "./world.js";

export interface SandboxOptions {
  readonly ports: WorldPorts;
  /** Ends after the story. */
  readonly once: boolean;
}

const MAX_WIDTH = 100;

/** Starts the world, plays the story, stays up. Throws when a step of the story isn't what it should be. */
export async function runSandbox(
  { ports, once: isOnce }: SandboxOptions,
  stopped: AbortSignal,
): Promise<void> {
  const world = await startWorld({ ports, hasExamples: !isOnce, hasForge: true });
  try {
    const stage = new Stage(world, createTranscript(stopped));
    await untilStopped(() => playStory(stage), stopped);
    if (stopped.aborted) return;
    stage.transcript.say(recap(stage.transcript.stepCount));
    if (isOnce) return;
    await listExamples(stage);
    console.log(describe(world));
    if (!process.stdin.isTTY) {
      await tellCurlCalls(stage);
      await tellOwnToolTokens(stage, VISITORS);
    }
    // npm doesn't pass on what only npm is sent.
    console.log(`${process.stdin.isTTY ? "" : "\n"}Press Ctrl-C to end. From elsewhere: kill ${process.pid}`);
    await untilStopped(
      process.stdin.isTTY ? () => showMenu(stage) : () => new Promise(() => undefined),
      stopped,
    );
  } finally {
    await world.close();
  }
}

function createTranscript(stopped: AbortSignal): Transcript {
  return new Transcript({
    write: (text) => {
      if (!stopped.aborted) process.stdout.write(text);
    },
    // Knows NO_COLOR; the method is there on a terminal only.
    hasColours: process.stdout.isTTY && process.stdout.hasColors(),
    width: readableWidth(process.stdout.columns),
  });
}

/** Columns are unknown where it's no terminal, and 0 on some. */
function readableWidth(columns: number | undefined): number {
  return columns ? Math.min(MAX_WIDTH, columns) : MAX_WIDTH;
}

function recap(stepCount: number): string {
  const result = `${stepCount} steps, all as expected.`;
  return process.stdout.isTTY
    ? `${result} To read it page by page: npm run sandbox -- --once | less -R`
    : result;
}

/** The admin lists the services of the examples in Jira. Acting for somebody still needs that person's consent. */
async function listExamples({ world, transcript }: Stage): Promise<void> {
  const { EXAMPLE_SERVICES } = await import("./examples.js");
  const admin = world.page(ADA);
  await transcript.aside(async () => {
    const { services } = await admin.getSettings();
    await admin.saveSettings({ services: [...services, ...EXAMPLE_SERVICES] });
  });
}

function describe(world: World): string {
  const { appUrl, site, parts } = world;
  const { examples } = parts;
  const ownToolPort = examples?.ownToolPort ?? 0;
  return `
Open ${site.url} in a browser and follow the steps. Grace Green is linked already.

Also there:
  ${parts.demoUrl}  the demo service
  ${examples?.myIssuesUrl ?? ""}  an example: my open issues
  ${examples?.buildsUrl ?? ""}  an example: a build that comments on an issue
  ${examples?.assistantUrl ?? ""}  an example: an assistant that uses the MCP server ${examples?.mcpUrl ?? ""}/mcp
  ${examples?.ownToolUrl ?? ""}  a tool of your own, once it listens on port ${ownToolPort} of this machine. What to tell it:
    ${describeOwnToolEnvironment(world, ownToolPort)}
  ${world.forgeSite.url}  Jira and Confluence, with the app through Forge
  ${site.url}/refusals  every refusal, and what gets through, to be clicked
  ${appUrl}/problems  the cause and the fix of each
  ${appUrl}/openapi.json  the API
${process.stdin.isTTY ? "The menu below also switches the Access team off, makes it slow and rotates its keys." : "To call the API:"}`;
}

/** Until somebody quits, or closes the terminal. */
async function showMenu(stage: Stage): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  await Promise.race([new Menu(stage, terminal).run(), once(terminal, "close")]);
  terminal.close();
}

/** Until the work is done, or somebody wants to go. */
async function untilStopped(work: () => Promise<unknown>, stopped: AbortSignal): Promise<void> {
  if (stopped.aborted) return;
  await Promise.race([work(), once(stopped, "abort")]);
}
