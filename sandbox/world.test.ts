import { mkdtemp, readdir, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, vi } from "vitest";

import { HttpClient } from "./http-client.js";
import { startServer } from "./http-server.js";
import { GRACE, LINUS } from "./people.js";
import { AUDIENCES } from "./world-parts.js";
import { startWorld } from "./world.js";

it("lets people link with and without an edge in front of the app", async () => {
  for (const hasEdge of [true, false]) {
    const world = await startWorld({ hasEdge });
    await world.prepare();
    await world.link(GRACE);
    const grace = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    expect((await world.identify(grace)).expect(200).body).toMatchObject({ accountId: GRACE.accountId });
    const linus = await world.team.signAccessJwt(LINUS, AUDIENCES.demo);
    expect((await world.identify(linus)).expect(404).body).toMatchObject({ code: "not_linked" });
    await world.close();
  }
});

it("has as many teams and sites as it is asked for, each of its own", async () => {
  const world = await startWorld({
    hasEdge: false,
    teamDomains: ["acme.cloudflareaccess.com", "globex.cloudflareaccess.com"],
    siteCount: 2,
  });
  const { sites, teams } = world.parts;
  const globex = sites[1]!;
  await world.prepare();
  await world.install("jira", globex);
  const admin = world.page(GRACE, "jira", globex);
  globex.accounts.set(GRACE.accountId, { ...GRACE, administers: ["jira"] });
  await admin.saveSettings({
    teamDomain: teams[1]!.domain,
    services: [{ label: "App", audience: AUDIENCES.app, purposes: ["link", "identify"] }],
  });
  const accessJwt = await teams[1]!.signAccessJwt(GRACE, AUDIENCES.app);
  (await admin.send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
  expect((await world.identify(accessJwt)).body).toMatchObject({ code: "access_jwt_untrusted" });
  await world.close();
});

it("names the port that is taken, and leaves nothing behind", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "access-sandbox-test-"));
  vi.stubEnv("TMPDIR", folder);
  const other = await startServer();
  const site = await startServer();
  await site.close();
  await expect(startWorld({ ports: { site: site.port, demo: other.port } })).rejects.toMatchObject({
    code: "EADDRINUSE",
    port: other.port,
  });
  const call = { caller: "test", method: "GET", url: site.url };
  await expect(new HttpClient().send(call)).rejects.toThrow("ECONNREFUSED");
  await other.close();
  expect(await readdir(folder)).toEqual([]);
  await rmdir(folder);
  vi.unstubAllEnvs();
});
