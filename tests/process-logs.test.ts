import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect } from "vitest";

import { AccessTeam } from "../sandbox/access-team.js";
import { FORGE_APP_ID } from "../sandbox/forge-fit.js";
import { ForgeKeys } from "../sandbox/forge-keys.js";
import { PEOPLE } from "../sandbox/people.js";
import type { Env } from "../src/config/env.js";
import { mintHs256 } from "../src/connect/connect-jwt.fixture.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import { ROUTE_PATTERNS } from "../src/web/route-pattern.js";
import { BYTES, GOOD_ANSWERS, REFUSALS } from "./headers-answers.fixture.js";
import { it, PATIENCE } from "./process-deployment.fixture.js";
import { actInEveryWay, actWithSecrets } from "./process-logs-acting.fixture.js";
import {
  askWhatSettingsForbid,
  askWithEveryToken,
  breakEverything,
  callThroughForge,
  Eavesdropper,
  linkInEveryWay,
  putSecretsInWrongPlaces,
  readAssertionKeys,
  readDatabase,
} from "./process-logs.fixture.js";
import { createKey, spawnServer } from "./process.fixture.js";
import { INSTALLABLE_SITE, prepare, sendBytes, type Scene, type Stage } from "./production.fixture.js";

/** Refusals that the run doesn't provoke, and why. */
const UNSEEN: readonly ProblemCode[] = [
  // Takes 30 seconds, and is written by raw-problem.ts like other requests that can't be read.
  "request_timeout",
];

it(
  "leaves no secret, token, code or address in the output of a full run, and no secret in its database",
  PATIENCE,
  async ({ deployment, onTestFinished }) => {
    const { world } = deployment;
    const ears = new Eavesdropper();
    world.parts.client.observer = ears;
    const unreachableTeam = await AccessTeam.start({ domain: "globex.cloudflareaccess.com" });
    onTestFinished(() => unreachableTeam.close());
    const otherSite = await deployment.addSite();
    const forgeKeys = await ForgeKeys.start();
    onTestFinished(() => forgeKeys.close());
    const env = {
      FORGE_APP_ID,
      FORGE_KEYS_URL: forgeKeys.url,
      // Nothing listens there.
      ATLASSIAN_API_URL: "http://127.0.0.1:9",
      LOG_LEVEL: "trace",
      METRICS_TOKEN: "metrics-token",
      ENCRYPTION_KEYS: `${createKey()},${createKey()}`,
      CONNECT_HOSTS: INSTALLABLE_SITE,
      ACCESS_ORIGIN_OVERRIDES: [world.team, unreachableTeam]
        .map(({ domain, url }) => `${domain}=${url}`)
        .join(),
    };
    ears.keep("operator's secret", env.METRICS_TOKEN, ...env.ENCRYPTION_KEYS.split(","));
    ears.keepEmails(...PEOPLE.map(({ email }) => email));

    const app = await deployment.startApp(env);
    const stage: Stage = {
      isProduction: false,
      port: app.port,
      baseUrl: world.appUrl,
      overhear: (said) => ears.hear(said),
    };
    const scene: Scene = { world, otherSite, unreachableTeam, execute: (sql) => deployment.query(sql) };
    await prepare(scene);
    for (const { server } of [world.site, world.team, world.parts.oauth]) ears.listenAt(server);
    for (const { ask } of [...GOOD_ANSWERS, ...REFUSALS]) await ask(scene, stage);
    for (const [, , bytes] of BYTES) await sendBytes(stage, bytes);
    await linkInEveryWay(world);
    await askWithEveryToken(world);
    await callThroughForge(stage, forgeKeys, ears);
    await askWhatSettingsForbid(world);
    await actInEveryWay(scene);
    await actWithSecrets(scene, ears);
    expect(world.team.server.requests.join()).toContain("/cdn-cgi/access/get-identity");
    const privateKeys = await readAssertionKeys(deployment, env.ENCRYPTION_KEYS);
    expect(privateKeys.length).toBeGreaterThan(0);
    ears.keep("private half of an assertion key", ...privateKeys);
    await putSecretsInWrongPlaces(scene, stage, ears);
    expect(readDatabase(deployment)).toContain(world.site.getInstallation("jira").clientKey);
    // The label of a link, which admins search for.
    expect(ears.findIn(readDatabase(deployment))).toEqual(new Set(["e-mail"]));
    await world.install("jira");
    (await world.site.uninstall("confluence")).expect(204);
    await world.install("confluence");
    await breakEverything(deployment, scene, ears);
    // Of the planted error, which stands in the schema.
    await deployment.query("DROP TRIGGER planted");
    app.kill("SIGTERM");
    const { stdout, stderr } = await app.ended;

    expect(ears.findIn(readDatabase(deployment))).toEqual(new Set(["e-mail"]));
    expect([...ears.kinds]).toEqual(
      expect.arrayContaining([
        "JWT",
        "Authorization value",
        "cookie",
        "attempt id",
        "code",
        "shared secret",
        "service key",
        "token of a person",
        "operator's secret",
        "e-mail",
      ]),
    );
    expect(ears.findIn(stdout)).toEqual(new Set());
    expect(stderr).toBe("");

    const lines = stdout.trimEnd().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const entry of entries) {
      expect(entry).toEqual(
        expect.objectContaining({
          level: expect.any(Number) as number,
          time: expect.any(String) as string,
          msg: expect.any(String) as string,
        }),
      );
    }
    const logged = new Set(entries.map(({ reference }) => String(reference)));
    expect([...ears.references].filter((reference) => !logged.has(reference))).toEqual([]);
    const codes = new Set(entries.map(({ code }) => String(code)));
    expect([...Object.keys(PROBLEMS)].filter((code) => !codes.has(code))).toEqual(UNSEEN);
    const routes = new Set(entries.map(({ route }) => route));
    expect(ROUTE_PATTERNS.filter((pattern) => !routes.has(pattern))).toEqual([]);
  },
);

const JWT = mintHs256({ iss: "acme", email: "grace@acme.example" }, "x".repeat(32));
const KEY = createKey();
const SECRETS = {
  jwt: JWT,
  claims: JWT.split(".")[1] ?? "",
  key: KEY,
  email: "grace@acme.example",
  password: "correct-horse-battery",
  secret: "aB3q8Zr2mYwq0NhXsKAcJ5VtTf8Zr2mYwq0NhXsKA",
};

function expectNoSecretIn(output: string): void {
  const lower = output.toLowerCase();
  expect(Object.values(SECRETS).filter((value) => lower.includes(value.toLowerCase()))).toEqual([]);
}

describe.concurrent("a process that ends badly", PATIENCE, () => {
  it.for<[what: string, env: Env]>([
    [
      "values that can't be",
      {
        BASE_URL: `https://ops:${SECRETS.password}@access.acme.example`,
        DATABASE_URL: `postgres://app:${SECRETS.password}@db.acme.example/app`,
        ENCRYPTION_KEYS: `${KEY},${KEY.slice(1)}`,
        CONNECT_KEYS_CDN_URL: `https://ops:${SECRETS.password}@keys.acme.example`,
        ACCESS_ORIGIN_OVERRIDES: `acme.cloudflareaccess.com=ftp://ops:${SECRETS.password}@gateway.acme.example`,
        METRICS_TOKEN: `${SECRETS.secret} ${SECRETS.password}`,
      },
    ],
    [
      "values that belong to other variables",
      {
        PORT: SECRETS.secret,
        BASE_URL: `https://access.acme.example/?jwt=${JWT}`,
        ENCRYPTION_KEYS: SECRETS.password,
        CONNECT_APP_KEY: `${SECRETS.secret}!`,
        CONNECT_HOSTS: KEY,
        TRUST_PROXY: JWT,
        LOG_LEVEL: SECRETS.secret,
      },
    ],
  ])("names the variables that hold %s, and doesn't repeat these", async ([, env], { folder }) => {
    const { code, stdout, stderr } = await spawnServer({ env, cwd: folder }).ended;
    expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
    const named = new Set(
      stderr
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(/:.*/, "")),
    );
    expect(named).toEqual(new Set(Object.keys(env)));
    expectNoSecretIn(stderr);
  });

  it("doesn't repeat what somebody else's code says when it crashes", async ({ deployment }) => {
    const { password, ...recognisable } = SECRETS;
    const said = `can't use ${Object.values(recognisable).join(" nor ")}`;
    const options = JSON.stringify({ said, payload: { password } });
    // From a file of its own, as stacks show where code stands.
    const preload = path.join(deployment.folder, "crash.mjs");
    writeFileSync(
      preload,
      `const { said, payload } = ${options};
       process.on("SIGUSR2", () => {
         throw Object.assign(new Error(said, { cause: new TypeError(said) }), { payload, sql: said });
       });`,
    );
    const app = await deployment.startApp({ LOG_LEVEL: "trace" }, "--import", preload);
    app.kill("SIGUSR2");
    const { code, stdout, stderr } = await app.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("can't use [token] nor [token] nor [hidden] nor [e-mail] nor [hidden]");
    expectNoSecretIn(stdout + stderr);
  });
});
