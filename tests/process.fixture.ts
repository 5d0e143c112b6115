import { execFileSync, spawn, type ChildProcessByStdio } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";

import type { Env } from "../src/config/env.js";

const ROOT = path.resolve(import.meta.dirname, "..");
const DIST = path.join(ROOT, "dist");
const SERVER = path.join(DIST, "server.js");
const CLI = path.join(DIST, "cli/main.js");

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface StartOptions {
  readonly env: Env;
  readonly cwd: string;
  readonly uid?: number;
}

/** A program with exactly the environment it is given. */
export class RunningProcess {
  readonly ended: Promise<ProcessEnd>;
  stdout = "";
  stderr = "";
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(nodeArguments: readonly string[], { env, ...options }: StartOptions) {
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    this.#child = spawn(process.execPath, nodeArguments, { ...options, env: { ...env }, stdio });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The first match in what it prints. Throws what it printed instead when it ends without one. */
  async saw(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout);
      if (found) return found;
      const more = new Promise<null>((resolve) => this.#child.stdout.once("data", () => resolve(null)));
      const end = await Promise.race([more, this.ended]);
      if (end) throw new Error(`It ended without ${pattern.source}:\n${end.stdout}${end.stderr}`);
    }
  }
}

/** The built app, from the moment it listens. */
export class AppProcess extends RunningProcess {
  #port = 0;

  get port(): number {
    return this.#port;
  }

  /** Where it is reached without Cloudflare in front. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listens(): Promise<this> {
    const [line = ""] = await this.saw(/^.*"msg":"listening".*$/m);
    this.#port = (JSON.parse(line) as { port: number }).port;
    return this;
  }

  /** As a supervisor stops it. */
  async close(): Promise<void> {
    this.kill("SIGTERM");
    await this.ended;
  }
}

/** For ENCRYPTION_KEYS. */
export function createKey(): string {
  return randomBytes(32).toString("base64");
}

export function spawnServer(options: StartOptions, ...nodeArguments: readonly string[]): AppProcess {
  buildIfMissing();
  return new AppProcess([...nodeArguments, SERVER], options);
}

export function spawnCli(args: readonly string[], options: StartOptions): RunningProcess {
  buildIfMissing();
  return new RunningProcess([CLI, ...args], options);
}

export function runCli(args: readonly string[], options: StartOptions): Promise<ProcessEnd> {
  return spawnCli(args, options).ended;
}

/** `npm test` builds before the tests. Alone, they build what isn't there, and never touch what is. */
function buildIfMissing(): void {
  if (existsSync(SERVER)) return;
  const draft = mkdtempSync(path.join(ROOT, "dist-"));
  try {
    const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", draft], { cwd: ROOT });
    // Some tests start it as another user.
    chmodSync(draft, 0o755);
    // Fails when another worker was faster, and then its build is as good.
    renameSync(draft, DIST);
  } catch (error) {
    if (!existsSync(SERVER)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
