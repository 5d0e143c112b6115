import { chownSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect } from "vitest";

import { ADA } from "../sandbox/people.js";
import type { Env } from "../src/config/env.js";
import { it, PATIENCE, type Deployment } from "./process-deployment.fixture.js";
import { createKey, spawnServer, type ProcessEnd } from "./process.fixture.js";

/** The variables that standard error names: one sentence per line. */
function namedIn({ stderr }: ProcessEnd): string[] {
  const lines = stderr.trimEnd().split("\n");
  return lines.map((line) => /^([A-Z_]+): \S.*\.$/.exec(line)?.[1] ?? line);
}

/** Every file with its bytes. */
function readAll(folder: string): object {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(path.join(folder, name), "hex")]));
}

/** Installs the app, and stops. */
async function useAndStop(deployment: Deployment, env: Env = {}): Promise<void> {
  const app = await deployment.startApp(env);
  await deployment.world.install("jira");
  await app.close();
}

function makeGarbage(file: string): void {
  mkdirSync(path.dirname(file));
  writeFileSync(file, "This is no database. ".repeat(100));
}

/** The superuser may write anywhere, so their tests run the app as nobody. */
function findOrdinaryUser(folder: string): { uid?: number } {
  if (process.getuid?.() !== 0) return {};
  const nobody = 65_534;
  for (const name of ["", ...readdirSync(folder, { recursive: true, encoding: "utf8" })]) {
    chownSync(path.join(folder, name), nobody, nobody);
  }
  return { uid: nobody };
}

describe.concurrent("an environment that can't be used", PATIENCE, () => {
  const production = { NODE_ENV: "production", BASE_URL: "https://access.acme.example" };
  const override = "acme.cloudflareaccess.com=http://127.0.0.1:4001";

  it.for<[names: string[], env: Env]>([
    [["PORT"], { PORT: "http" }],
    [["BASE_URL"], { PORT: "0" }],
    [["PORT", "DATABASE_URL", "LOG_LEVEL"], { PORT: "-1", DATABASE_URL: "postgres://db", LOG_LEVEL: "loud" }],
    [["BASE_URL", "ACCESS_ORIGIN_OVERRIDES"], { NODE_ENV: "production", ACCESS_ORIGIN_OVERRIDES: override }],
    [["AC_OPTS", "AC_APP_KEY"], { ...production, AC_OPTS: "no-auth", AC_APP_KEY: "other" }],
  ])("stops the start, and nothing is made: %j in %j", async ([names, env], { folder }) => {
    const end = await spawnServer({ env, cwd: folder }).ended;
    expect(end).toMatchObject({ code: 78, stdout: "" });
    expect(namedIn(end)).toEqual(names);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.concurrent("a database that can't be used", PATIENCE, () => {
  const ownKey = { ENCRYPTION_KEYS: createKey() };

  it.for<[what: string, name: string, env: Env, make: (file: string, folder: string) => void]>([
    ["is a folder", "DATABASE_URL", {}, (file) => mkdirSync(file, { recursive: true })],
    ["is no database", "ENCRYPTION_KEYS", {}, makeGarbage],
    ["is no database", "DATABASE_URL", ownKey, makeGarbage],
    ["lies below a file", "DATABASE_URL", ownKey, (_, folder) => writeFileSync(folder, "")],
    ["lies where the app may not write", "DATABASE_URL", {}, (_, folder) => mkdirSync(folder, 0o500)],
  ])(
    "stops the start in a sentence, and nothing is made, when it %s",
    async ([, name, env, make], { folder }) => {
      const data = path.join(folder, "data");
      const file = path.join(data, "app.sqlite");
      make(file, data);
      const before = readdirSync(folder, { recursive: true });
      const environment = { DATABASE_URL: `sqlite:${file}`, ...env };
      const end = await spawnServer({ env: environment, cwd: folder, ...findOrdinaryUser(folder) }).ended;
      expect(end).toMatchObject({ code: 78, stdout: "" });
      expect(namedIn(end)).toEqual([name]);
      expect(readdirSync(folder, { recursive: true })).toEqual(before);
    },
  );

  it("stops the start when a newer version has changed it, and changes nothing", async ({ deployment }) => {
    await useAndStop(deployment);
    await deployment.query("INSERT INTO migrations VALUES ('9999-from-the-future')");
    const before = readAll(deployment.folder);
    const end = await deployment.spawnApp().ended;
    expect(end).toMatchObject({ code: 78, stdout: "" });
    expect(end.stderr).toMatch(/^DATABASE_URL: .* newer version of the app \(9999-from-the-future\).*\n$/);
    expect(readAll(deployment.folder)).toEqual(before);
  });
});

describe.concurrent("an encryption key that doesn't fit the data", PATIENCE, () => {
  it("stops the start, nothing changes, and the right one fits as before", async ({ deployment }) => {
    await useAndStop(deployment);
    const keyFile = `${deployment.databaseFile}.key`;
    const expectRefused = async (env: Env) => {
      const before = readAll(deployment.folder);
      const end = await deployment.spawnApp(env).ended;
      expect(end).toMatchObject({ code: 78, stdout: "" });
      expect(namedIn(end)).toEqual(["ENCRYPTION_KEYS"]);
      expect(readAll(deployment.folder)).toEqual(before);
    };
    await expectRefused({ ENCRYPTION_KEYS: createKey() });
    renameSync(keyFile, `${keyFile}.lost`);
    await expectRefused({});
    renameSync(`${keyFile}.lost`, keyFile);
    await deployment.startApp();
    (await deployment.page(ADA).send("GET", "/api/v1/me")).expect(200);
  });

  it("stops the start when the variable is lost, and no file is made in its place", async ({
    deployment,
  }) => {
    await useAndStop(deployment, { ENCRYPTION_KEYS: createKey() });
    const before = readAll(deployment.folder);
    const end = await deployment.spawnApp().ended;
    expect(end).toMatchObject({ code: 78, stdout: "" });
    expect(namedIn(end)).toEqual(["ENCRYPTION_KEYS"]);
    expect(readAll(deployment.folder)).toEqual(before);
  });
});

describe.concurrent("an address that can't be listened on", PATIENCE, () => {
  it("ends the start in a sentence when another program has the port", async ({ deployment }) => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    const end = await deployment.spawnApp({ PORT: String(port), LOG_LEVEL: "error" }).ended;
    other.close();
    const stderr = `PORT: another program already listens on port ${port}.\n`;
    expect(end).toMatchObject({ code: 1, stdout: "", stderr });
    await deployment.startApp();
  });

  it("ends the start in a sentence when it is another machine's", async ({ deployment }) => {
    // RFC 5737: for documentation.
    const end = await deployment.spawnApp({ HOST: "203.0.113.9", LOG_LEVEL: "error" }).ended;
    expect(end).toMatchObject({ code: 78, stdout: "" });
    expect(namedIn(end)).toEqual(["HOST"]);
  });
});

describe.concurrent("a fault that nobody handled", PATIENCE, () => {
  const planted = `Object.assign(new Error("planted", { cause: new Error("the cause") }), { payload: "hu" + "sh" })`;

  it.for([
    ["an unhandled rejection", `Promise.reject(${planted})`, "planted"],
    ["an uncaught exception", `throw ${planted}`, "planted"],
    [
      "a rejection with something else than an error",
      `Promise.reject("hu" + "sh")`,
      "Something that isn't an Error.",
    ],
  ] as const)(
    "ends the process with code 1 and a line in the log: %s",
    async ([, code, message], { deployment }) => {
      const preload = `data:text/javascript,process.on("SIGUSR2", () => { ${code} })`;
      const app = await deployment.startApp({}, "--import", preload);
      app.kill("SIGUSR2");
      const { stdout, ...end } = await app.ended;
      expect(end).toEqual({ code: 1, signal: null, stderr: "" });
      const lastLine = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { msg: string };
      expect(lastLine).toMatchObject({ level: 50, err: { message } });
      expect(lastLine.msg).toMatch(/^un.+: the process ends$/);
      expect(stdout).not.toContain("hush");
    },
  );
});

describe.concurrent("the probes", PATIENCE, () => {
  it("answer while the app can serve", async ({ deployment }) => {
    const app = await deployment.startApp();
    for (const probe of ["/healthz", "/readyz"]) {
      const response = await fetch(`${app.url}${probe}`);
      expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
    }
  });
});
