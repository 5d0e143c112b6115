import { expect, it, onTestFinished } from "vitest";

import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES, type WorldOptions } from "../sandbox/world-parts.js";
import { startWorld, type World } from "../sandbox/world.js";
import type { PopupCheck } from "../src/services/popup-front.js";
import { popupCheck } from "../src/web/api-schemas.js";

const OTHER_TEAM = "other.cloudflareaccess.com";

async function setUp(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld(options);
  onTestFinished(() => world.close());
  await world.install("jira");
  return world;
}

async function check(world: World): Promise<PopupCheck> {
  const reply = await world.page(ADA).send("POST", "/api/v1/settings/popup-check");
  return popupCheck.parse(reply.expect(200).body);
}

function linkingThrough(audience: string) {
  return [{ label: "This app", audience, purposes: ["link"] as const }];
}

it("finds the popup's path behind the team and the application that the admin entered", async () => {
  const world = await setUp();
  const found = { teamDomain: world.team.domain, audience: AUDIENCES.app };
  // What is seen shows what to enter, before anything is.
  expect(await check(world)).toMatchObject({ ok: true, finding: "behind_access", ...found });
  await world.prepare();
  expect(await check(world)).toMatchObject({
    ok: true,
    url: `${world.appUrl}/access/link/check`,
    finding: "behind_access",
    ...found,
  });
});

it("finds a path that anybody can open", async () => {
  const world = await setUp({ hasEdge: false });
  await world.prepare();
  expect(await check(world)).toMatchObject({ ok: false, finding: "open", teamDomain: null, audience: null });
});

it("finds a path behind another team, or another application", async () => {
  const world = await setUp({ teamDomains: ["acme.cloudflareaccess.com", OTHER_TEAM] });
  const page = world.page(ADA);
  await page.saveSettings({ teamDomain: OTHER_TEAM, services: linkingThrough(AUDIENCES.app) });
  const other = await check(world);
  expect(other).toMatchObject({ ok: false, finding: "other_team", teamDomain: world.team.domain });
  expect(other.detail).toContain(world.team.domain);
  await page.saveSettings({ teamDomain: world.team.domain, services: linkingThrough(AUDIENCES.demo) });
  expect(await check(world)).toMatchObject({
    ok: false,
    finding: "other_application",
    audience: AUDIENCES.app,
  });
});

it("is for admins", async () => {
  const world = await setUp();
  const reply = await world.page(GRACE).send("POST", "/api/v1/settings/popup-check");
  expect(reply.expect(403).body).toMatchObject({ code: "not_admin" });
});
