import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect } from "vitest";

import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA } from "../sandbox/people.js";
import type { Env } from "../src/config/env.js";
import { Writers } from "./durability.fixture.js";
import { it, PATIENCE, type Deployment } from "./process-deployment.fixture.js";
import { createKey, runCli, type ProcessEnd } from "./process.fixture.js";

const KEY = createKey();
const DAMAGE = "UPDATE tenants SET shared_secret = 'x' WHERE product = 'confluence'";

function rotate({ env, folder }: Deployment, overrides: Env = {}): Promise<ProcessEnd> {
  return runCli(["keys", "rotate"], { env: { ...env, ...overrides }, cwd: folder });
}

/** Installs the app in one more site. */
async function installSomewhere(deployment: Deployment): Promise<AtlassianSite> {
  const site = await deployment.addSite();
  await deployment.world.install("jira", site);
  return site;
}

/** The app can read the secrets of these sites. */
async function expectReadable({ world }: Deployment, sites: readonly AtlassianSite[]): Promise<void> {
  for (const site of sites) (await world.page(ADA, "jira", site).send("GET", "/api/v1/me")).expect(200);
}

describe.concurrent("keys rotate", PATIENCE, () => {
  it("puts the secrets of three generations under the newest key while the app runs", async ({
    deployment,
  }) => {
    const [first, second, third] = [createKey(), createKey(), createKey()];
    const generations = [first, `${second},${first}`, `${third},${second},${first}`];
    const sites: AtlassianSite[] = [];
    for (const ENCRYPTION_KEYS of generations) {
      const app = await deployment.startApp({ ENCRYPTION_KEYS });
      sites.push(await installSomewhere(deployment));
      await app.close();
    }
    const newest = { ENCRYPTION_KEYS: third };
    expect(await deployment.spawnApp(newest).ended).toMatchObject({ code: 78 });

    const app = await deployment.startApp({ ENCRYPTION_KEYS: generations[2] });
    await deployment.world.prepare();
    const writers = new Writers(deployment);
    const rotating = rotate(deployment, { ENCRYPTION_KEYS: generations[2] });
    for (let count = 0; count < 20; count++) await writers.link();
    expect(await rotating).toEqual({
      code: 0,
      signal: null,
      stdout:
        "2 secrets were encrypted with the newest key. Once every process runs with that key first, the older keys can be removed.\n",
      stderr: "",
    });
    await expectReadable(deployment, sites);
    expect((await rotate(deployment, newest)).stdout).toBe(
      "Every secret is already encrypted with the newest key.\n",
    );

    await app.close();
    await deployment.startApp(newest);
    await expectReadable(deployment, sites);
  });

  it("does so with the key file", async ({ deployment }) => {
    const keyFile = `${deployment.databaseFile}.key`;
    let app = await deployment.startApp();
    const site = await installSomewhere(deployment);
    await app.close();
    const newest = createKey();
    writeFileSync(keyFile, `${newest},${readFileSync(keyFile, "utf8")}`);
    app = await deployment.startApp();
    expect((await rotate(deployment)).stdout).toMatch(/^1 secret was encrypted with the newest key\./);
    await app.close();
    writeFileSync(keyFile, `${newest}\n`);
    await deployment.startApp();
    await expectReadable(deployment, [site]);
  });

  it.for<[what: string, code: number, line: RegExp, keys: string[], damage: string]>([
    ["without the key of the data", 78, /^ENCRYPTION_KEYS: .* Nothing was changed\.\n$/, [createKey()], ""],
    ["with a damaged secret", 1, /^A value of tenants\.shared_secret .*\.\n$/, [createKey(), KEY], DAMAGE],
  ])("changes nothing, and says why, %s", async ([, code, line, keys, damage], { deployment }) => {
    const app = await deployment.startApp({ ENCRYPTION_KEYS: KEY });
    await deployment.world.install("jira");
    await deployment.world.install("confluence");
    await app.close();
    if (damage) await deployment.query(damage);
    const readSecrets = () => deployment.query("SELECT id, shared_secret FROM tenants ORDER BY id");
    const before = await readSecrets();
    const end = await rotate(deployment, { ENCRYPTION_KEYS: keys.join(",") });
    expect(end).toMatchObject({ code, stdout: "" });
    expect(end.stderr).toMatch(line);
    expect(await readSecrets()).toEqual(before);
  });

  it.for<[what: string, line: RegExp, env: Env]>([
    ["an unusable environment", /^LOG_LEVEL: .*\.\n$/, { LOG_LEVEL: "loud" }],
    // Else whoever is in the wrong folder would hear that all is well, and throw the old key away.
    ["no database", /^DATABASE_URL: there is no database at data\/app.sqlite\.\n$/, {}],
  ])("makes nothing, and says why, with %s", async ([, line, env], { folder }) => {
    const end = await runCli(["keys", "rotate"], { env, cwd: folder });
    expect(end).toMatchObject({ code: 78, stdout: "" });
    expect(end.stderr).toMatch(line);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.concurrent("the command line", PATIENCE, () => {
  it.for<[args: string[], code: number, stream: "stdout" | "stderr"]>([
    [["--help"], 0, "stdout"],
    [[], 2, "stderr"],
    [["keys", "rotate", "now"], 2, "stderr"],
  ])("answers %j with code %i and its usage on %s", async ([args, code, stream], { folder }) => {
    const end = await runCli(args, { env: {}, cwd: folder });
    expect(end).toMatchObject({ code, stdout: "", stderr: "", [stream]: end[stream] });
    expect(end[stream]).toMatch(/^Usage: [^]* keys rotate /);
    expect(readdirSync(folder)).toEqual([]);
  });
});
