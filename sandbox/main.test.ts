import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";

import { startServer } from "./http-server.js";

function run(...args: string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", `${import.meta.dirname}/main.ts`, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
  const ended = once(child, "exit").then(([code]) => ({ code: code as number | null, output }));
  const saw = async (text: string) => {
    while (!output.includes(text)) await once(child.stdout, "data");
  };
  return { child, ended, saw };
}

it("plays the story once and ends well", async () => {
  const { code, output } = await run("--once", "--port", "0").ended;
  expect(output).toMatch(/^Starting a Jira and Confluence site/);
  expect(output).toMatch(/\n {4}24 steps, all as expected\.\n$/);
  expect(code).toBe(0);
});

it.each(["SIGINT", "SIGHUP"] as const)("stays up until it is told to go (%s)", async (signal) => {
  const { child, ended, saw } = run("--port", "0");
  await saw("Press Ctrl-C to end.");
  child.kill(signal);
  const { code, output } = await ended;
  expect(output).toMatch(/as expected\.\n\nOpen http:\/\/localhost:\d+ in a browser/);
  expect(output).toContain(`From elsewhere: kill ${child.pid ?? ""}\n`);
  expect(output.match(/^ACCESS_JWT=eyJ/gm)).toHaveLength(4);
  // Without a terminal there is no menu to ask for them.
  expect(output.match(/^curl -H 'Authorization: /gm)).toHaveLength(4);
  expect(code).toBe(0);
});

it("says in a sentence which port is taken", async () => {
  const other = await startServer();
  const { code, output } = await run("--once", "--port", String(other.port)).ended;
  expect(output).toMatch(
    /^Port \d+ is taken by another program \(another sandbox\?\)\. Choose twelve others/m,
  );
  expect(code).toBe(1);
  await other.close();
});

it.each([
  [["--help"], "npm run sandbox -- [options]", 0],
  [["--nonsense"], "Unknown option '--nonsense'", 1],
  [["nonsense"], "npm run sandbox -- --help", 1],
  [["--port", "many"], '"many" is not a port number that leaves room for 12 more', 1],
  [["--port", "65526"], '"65526" is not a port number', 1],
  [["--tool", "0"], '"0" is not a port number.', 1],
])("answers %j", async (args, text, exitCode) => {
  const { code, output } = await run(...args).ended;
  expect(output).toContain(text);
  expect(code).toBe(exitCode);
});
