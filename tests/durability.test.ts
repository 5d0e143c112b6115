import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";

import { ADA } from "../sandbox/people.js";
import { HALF_WRITTEN, Writers } from "./durability.fixture.js";
import { it, PATIENCE, type Deployment } from "./process-deployment.fixture.js";

async function expectNothingHalfWritten(deployment: Deployment): Promise<void> {
  const found = await Promise.all(
    HALF_WRITTEN.map(async ([what, sql]) => ((await deployment.query(sql)).length > 0 ? [what] : [])),
  );
  expect(found.flat()).toEqual([]);
}

/** Everything that was answered with success is there. */
async function expectKept(deployment: Deployment, writers: Writers): Promise<void> {
  const { world } = deployment;
  const stored = (await deployment.query<{ id: string }>("SELECT id FROM links")).map(({ id }) => id);
  expect(stored).toEqual(expect.arrayContaining([...writers.links]));
  expect(stored.filter((id) => writers.removedLinks.has(id))).toEqual([]);
  const { version } = await world.page(ADA).getSettings();
  expect(version).toBeGreaterThanOrEqual(writers.settingsVersion);
  // Signed with the secret that came with the installation.
  for (const site of writers.sites.splice(0)) {
    (await world.page(ADA, "jira", site).send("GET", "/api/v1/me")).expect(200);
  }
}

describe.concurrent("an app that is killed", PATIENCE, () => {
  it("keeps every write that was answered, whole, however often it happens", async ({ deployment }) => {
    const writers = new Writers(deployment);
    let app = await deployment.startApp();
    await deployment.world.install("jira");
    await writers.save();
    for (let round = 0; round < 10; round++) {
      const wanted = writers.count + 2 + Math.random() * 30;
      const writing = writers.writeUntilCutOff();
      await Promise.race([writers.reach(wanted), writing]);
      // At any moment of the writes that are under way.
      await sleep(Math.random() * 15);
      app.kill("SIGKILL");
      await Promise.all([app.ended, writing]);

      app = await deployment.startApp();
      await expectNothingHalfWritten(deployment);
      await expectKept(deployment, writers);
    }
  });

  it("comes up again when that was in the middle of its first start", async ({ deployment }) => {
    for (let round = 0; round < 3; round++) {
      for (const name of readdirSync(deployment.folder)) rmSync(path.join(deployment.folder, name));
      const killed = deployment.spawnApp();
      // Made first; then come the database and its tables.
      while (!existsSync(`${deployment.databaseFile}.key`)) await sleep(1);
      await sleep(Math.random() * 80);
      killed.kill("SIGKILL");
      await killed.ended;

      const app = await deployment.startApp();
      await deployment.world.install("jira");
      await expectNothingHalfWritten(deployment);
      await app.close();
    }
  });
});

describe.concurrent("several processes on one database", PATIENCE, () => {
  it("all come up on a new one at once, with the same key, and see what any of them has stored", async ({
    deployment,
  }) => {
    const started = [deployment.spawnApp(), deployment.spawnApp(), deployment.spawnApp()];
    const apps = await Promise.all(started.map((app) => app.listens()));
    for (const app of apps) {
      deployment.serve(app);
      await deployment.world.install("jira");
      for (const { url } of apps) {
        (await deployment.page(ADA, url).send("GET", "/api/v1/settings")).expect(200);
      }
    }
  });

  it("lose nothing when they write at once", async ({ deployment }) => {
    const apps = [await deployment.startApp(), await deployment.startApp()];
    await deployment.world.prepare();
    const writers = new Writers(deployment);
    await Promise.all(apps.flatMap(({ url }) => Array.from({ length: 30 }, () => writers.link(url))));
    expect(writers.links.size).toBe(60);
    await expectKept(deployment, writers);
    await expectNothingHalfWritten(deployment);
  });

  it("let only one of two changes win that know the same version", async ({ deployment }) => {
    const apps = [await deployment.startApp(), await deployment.startApp()];
    await deployment.world.install("jira");
    for (let version = 0; version < 5; version++) {
      const settings = { ...(await deployment.page(ADA).getSettings()), paused: version % 2 === 0 };
      expect(settings.version).toBe(version);
      const replies = await Promise.all(
        apps.map(({ url }) => deployment.page(ADA, url).send("PUT", "/api/v1/settings", settings)),
      );
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    }
    await expectNothingHalfWritten(deployment);
  });
});
