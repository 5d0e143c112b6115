import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";

import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { createForgeSender, FORGE_APP_ID, triggerClaims } from "../sandbox/forge-fit.js";
import { ForgeKeys } from "../sandbox/forge-keys.js";
import { ADA } from "../sandbox/people.js";
import type { Env } from "../src/config/env.js";
import { Writers } from "./durability.fixture.js";
import { ENCRYPTED_COLUMNS } from "../src/storage/encrypted-columns.js";
import { SecretBox } from "../src/storage/secret-box.js";
import { it, PATIENCE, type Deployment } from "./process-deployment.fixture.js";
import { readDatabase } from "./process-logs.fixture.js";
import { createKey, runCli, spawnCli, type ProcessEnd } from "./process.fixture.js";

const KEY = createKey();
const ROTATE_ASSERTION_KEYS = "/api/v1/settings/assertion-keys/rotate";
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

/** Installs the app in one more site through the second door. */
async function installThroughForge({ world }: Deployment, keys: ForgeKeys): Promise<void> {
  const token = await keys.sign(triggerClaims(createForgeSender(), "on-installed"));
  const headers = { authorization: `Bearer ${token}`, "x-forge-oauth-system": "a-system-token" };
  const url = `${world.appUrl}/forge/installed`;
  (await world.parts.client.send({ caller: "Forge", method: "POST", url, headers })).expect(204);
}

/** The app can read the secrets of these sites. */
async function expectReadable({ world }: Deployment, sites: readonly AtlassianSite[]): Promise<void> {
  for (const site of sites) (await world.page(ADA, "jira", site).send("GET", "/api/v1/me")).expect(200);
}

function openBox(...keys: readonly string[]): SecretBox {
  return new SecretBox(keys.map((key) => Buffer.from(key, "base64")));
}

/** The columns of the database in which anything is encrypted. */
async function findEncryptedColumns(deployment: Deployment): Promise<string[]> {
  const tables = await deployment.query<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table'",
  );
  const columns = new Set<string>();
  for (const { name } of tables) {
    for (const row of await deployment.query<Record<string, unknown>>(`SELECT * FROM ${name}`)) {
      for (const [column, value] of Object.entries(row)) {
        if (typeof value === "string" && /\bv1\.[0-9a-f]{8}\./.test(value)) columns.add(`${name}.${column}`);
      }
    }
  }
  return [...columns].sort();
}

/** As many more tenants as it says; answers their secrets by id. */
async function addTenants(
  deployment: Deployment,
  count: number,
  box: SecretBox,
): Promise<Map<string, string>> {
  const secrets = new Map<string, string>();
  const row = (nth: number) => {
    const id = `tenant-${nth}`;
    // As long as an install event may have one, so that a rotation fills more than SQLite keeps in memory.
    const secret = `${id}-`.padEnd(1024, "s");
    secrets.set(id, secret);
    const encrypted = box.encrypt(secret, { tenantId: id, column: "tenants.shared_secret" });
    const site = `${id}.atlassian.net`;
    return `('${id}', 'jira', '${site}', 'https://${site}', 'key-${nth}', '${encrypted}', 'enabled', 1, 0, 0, 1, 1,
      '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00')`;
  };
  for (let from = 0; from < count; from += 500) {
    const rows = Array.from({ length: Math.min(500, count - from) }, (_, nth) => row(from + nth));
    await deployment.query(
      `INSERT INTO tenants (id, product, site, base_url, client_key, shared_secret, state, generation, proven,
       suspended, last_install_event_at, last_toggle_event_at, created_at, updated_at) VALUES ${rows.join()}`,
    );
  }
  return secrets;
}

async function readSecrets(deployment: Deployment): Promise<Map<string, string>> {
  const rows = await deployment.query<{ id: string; secret: string }>(
    "SELECT id, shared_secret AS secret FROM tenants WHERE client_key LIKE 'key-%'",
  );
  return new Map(rows.map(({ id, secret }) => [id, secret]));
}

function decryptAll(encrypted: ReadonlyMap<string, string>, box: SecretBox): Map<string, string> {
  const column = "tenants.shared_secret";
  return new Map(
    [...encrypted].map(([tenantId, value]) => [tenantId, box.decrypt(value, { tenantId, column })]),
  );
}

describe.concurrent("keys rotate", PATIENCE, () => {
  it("puts the secrets of three generations under the newest key while the app runs", async ({
    deployment,
    onTestFinished,
  }) => {
    const forgeKeys = await ForgeKeys.start();
    onTestFinished(() => forgeKeys.close());
    const forge = { FORGE_APP_ID, FORGE_KEYS_URL: forgeKeys.url };
    const [first, second, third] = [createKey(), createKey(), createKey()];
    const generations = [first, `${second},${first}`, `${third},${second},${first}`];
    const sites: AtlassianSite[] = [];
    for (const ENCRYPTION_KEYS of generations) {
      const app = await deployment.startApp({ ENCRYPTION_KEYS, ...forge });
      const site = await installSomewhere(deployment);
      await installThroughForge(deployment, forgeKeys);
      const newKey = deployment.world.page(ADA, "jira", site).send("POST", ROTATE_ASSERTION_KEYS);
      (await newKey).expect(200);
      sites.push(site);
      await app.close();
    }
    const newest = { ENCRYPTION_KEYS: third };
    const [firstId, secondId] = [first, second].map((key) => openBox(key).keyIds[0] ?? "");
    for (const [ENCRYPTION_KEYS, missingIds] of [
      [third, [firstId, secondId]],
      [`${third},${first}`, [secondId]],
      [`${third},${second}`, [firstId]],
    ] as const) {
      const { code, stdout, stderr } = await deployment.spawnApp({ ENCRYPTION_KEYS }).ended;
      expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
      for (const id of [firstId, secondId]) {
        expect(stderr.split("but the keys given")[0]?.includes(id ?? ""), id).toBe(missingIds.includes(id));
      }
      expect([first, second, third].filter((key) => stderr.includes(key))).toEqual([]);
    }

    const app = await deployment.startApp({ ENCRYPTION_KEYS: generations[2] });
    await deployment.world.prepare();
    const writers = new Writers(deployment);
    const rotating = rotate(deployment, { ENCRYPTION_KEYS: generations[2] });
    for (let count = 0; count < 20; count++) await writers.link();
    expect(await rotating).toEqual({
      code: 0,
      signal: null,
      stdout:
        "6 secrets were encrypted with the newest key. Once every process runs with that key first, the older keys can be removed.\n",
      stderr: "",
    });
    await expectReadable(deployment, sites);
    expect((await rotate(deployment, newest)).stdout).toBe(
      "Every secret is already encrypted with the newest key.\n",
    );
    const columns = Object.values(ENCRYPTED_COLUMNS).map(({ table, column }) => `${table}.${column}`);
    expect(await findEncryptedColumns(deployment)).toEqual(columns.sort());
    // Neither in a free page, nor in the write-ahead log.
    const bytes = readDatabase(deployment);
    expect([firstId, secondId].filter((id) => bytes.includes(`v1.${id}.`))).toEqual([]);

    await app.close();
    await deployment.startApp(newest);
    await expectReadable(deployment, sites);
  });

  it("loses nothing when it is killed in the middle", async ({ deployment }) => {
    const newest = createKey();
    const both = { ENCRYPTION_KEYS: `${newest},${KEY}` };
    const app = await deployment.startApp({ ENCRYPTION_KEYS: KEY });
    const secrets = await addTenants(deployment, 2000, openBox(KEY));
    await app.close();
    const before = await readSecrets(deployment);

    const killed = spawnCli(["keys", "rotate"], {
      env: { ...deployment.env, ...both },
      cwd: deployment.folder,
    });
    const sizeOfLog = () => statSync(`${deployment.databaseFile}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const over = new AbortController();
    void killed.ended.then(() => over.abort());
    while (!over.signal.aborted && sizeOfLog() < 500_000) await sleep(1);
    killed.kill("SIGKILL");
    expect(await killed.ended).toMatchObject({ signal: "SIGKILL", stdout: "" });

    expect(await readSecrets(deployment)).toEqual(before);
    expect((await rotate(deployment, both)).stdout).toMatch(/^2000 secrets were encrypted /);
    expect(decryptAll(await readSecrets(deployment), openBox(newest))).toEqual(secrets);
    await deployment.startApp({ ENCRYPTION_KEYS: newest });
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
