import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect } from "vitest";

import { it, PATIENCE } from "./process-deployment.fixture.js";
import { RunningProcess } from "./process.fixture.js";

const ROOT = path.resolve(import.meta.dirname, "..");

describe.concurrent("a sandbox that is told to go", PATIENCE, () => {
  it.for<[when: string, signal: NodeJS.Signals, pattern: RegExp]>([
    ["in the middle of its story", "SIGTERM", /^ 3 {2}/m],
    ["when it waits for people", "SIGINT", /Press Ctrl-C to end\./],
  ])(
    "%s leaves no server and no file behind (%s)",
    async ([, signal, pattern], { folder, onTestFinished }) => {
      const sandbox = new RunningProcess(["--import", "tsx", "sandbox/main.ts", "--port", "0"], {
        env: { TMPDIR: folder },
        cwd: ROOT,
      });
      onTestFinished(() => sandbox.kill("SIGKILL"));
      await sandbox.saw(pattern);
      const servers = new Set(sandbox.stdout.match(/http:\/\/(?:localhost|127\.0\.0\.1):\d+/g));
      expect(servers.size).toBeGreaterThan(1);
      expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/^access-sandbox-/));
      sandbox.kill(signal);
      expect(await sandbox.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
      for (const url of servers) await expect(fetch(url)).rejects.toThrow("fetch failed");
      // The cache of the program that runs TypeScript stays.
      expect(readdirSync(folder).filter((name) => !name.startsWith("tsx-"))).toEqual([]);
    },
  );
});
