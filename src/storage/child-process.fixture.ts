import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

interface RunningFixture {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** The lines it had printed when it ended, in whatever way. */
  readonly ended: Promise<string[]>;
}

/** Runs a file of this folder in a process of its own, which doesn't outlive the test. */
export function startFixture(name: string, args: readonly string[]): RunningFixture {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", fileURLToPath(new URL(name, import.meta.url)), ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  const ended = new Promise<string[]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(output.split("\n").slice(0, -1)));
  });
  return { process: child, ended };
}

export async function runFixture(name: string, args: readonly string[]): Promise<string[]> {
  return startFixture(name, args).ended;
}
