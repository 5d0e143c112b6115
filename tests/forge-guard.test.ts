import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ADA, GRACE } from "../sandbox/people.js";
import { ForgeWorld, SECOND_APP_ID } from "./forge.fixture.js";
import { expectProblem, travel } from "./lifecycle.fixture.js";

let world: ForgeWorld;
beforeAll(async () => {
  world = await ForgeWorld.start({ siteCount: 6 });
});
afterAll(() => world.close());

const DAY = 24 * 3600;

describe("a site that comes through Forge", () => {
  it("is a tenant once somebody has opened a page there, and from then on nothing is stored for a call", async () => {
    const site = world.site();
    const reply = (await world.page(site, GRACE)).expect(200);
    expect(reply.body).toMatchObject({
      accountId: GRACE.accountId,
      site: site.siteUrl.slice("https://".length),
      product: "jira",
      links: [],
    });
    expect(await world.findTenant(site)).toMatchObject({
      door: "forge",
      state: "enabled",
      generation: 1,
      proven: 1,
      client_key: null,
      base_url: `${world.api.url}/ex/jira/${site.cloudId}`,
    });
    expect(await world.auditOf(site)).toEqual(["tenant.installed"]);
    await world.tenants.expectNothingStored(async () => (await world.page(site, ADA)).expect(200));
  });

  it("is one tenant, however many open their first page at the same time", async () => {
    const site = world.site();
    const replies = await Promise.all(Array.from({ length: 8 }, () => world.page(site, GRACE)));
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await world.auditOf(site)).toEqual(["tenant.installed"]);
  });

  it("is two tenants with two products, though it is one installation", async () => {
    const site = world.site({ products: ["jira", "confluence"] });
    (await world.page(site, GRACE)).expect(200);
    const reply = (await world.page(site, GRACE, { product: "confluence" })).expect(200);
    expect(reply.body).toMatchObject({ product: "confluence" });
    const [jira, confluence] = [await world.findTenant(site), await world.findTenant(site, "confluence")];
    expect(jira?.["id"]).not.toBe(confluence?.["id"]);
    expect(confluence).toMatchObject({ base_url: `${world.api.url}/ex/confluence/${site.cloudId}/wiki` });
  });

  it("stays the same tenant when it is installed again, and what was learnt before is void", async () => {
    const site = world.site();
    (await world.page(site, GRACE, { madeIn: -10 })).expect(200);
    const before = await world.findTenant(site);
    (await world.page(world.reinstalled(site), GRACE)).expect(200);
    expect(await world.findTenant(site)).toMatchObject({ id: before?.["id"], generation: 2, proven: 1 });
    expect(await world.auditOf(site)).toEqual(["tenant.installed", "tenant.installed"]);
    expectProblem(await world.page(site, GRACE, { madeIn: -5 }), "forge_jwt_invalid");
  });

  it("stays the same tenant when it is renamed", async () => {
    const site = world.site();
    (await world.page(site, GRACE, { madeIn: -10 })).expect(200);
    const before = await world.findTenant(site);
    const renamed = { ...site, siteUrl: "https://renamed.atlassian.net" };
    expect((await world.page(renamed, GRACE)).expect(200).body).toMatchObject({
      site: "renamed.atlassian.net",
    });
    expect(await world.findTenant(site)).toMatchObject({ id: before?.["id"], generation: 2, proven: 1 });
  });

  it("takes a name over from a site that has it no longer", async () => {
    const before = world.site();
    (await world.page(before, GRACE)).expect(200);
    const after = world.site({ siteUrl: before.siteUrl });
    (await world.page(after, GRACE)).expect(200);
    expect(await world.findTenant(before)).toMatchObject({ proven: 0 });
    expect(await world.findTenant(after)).toMatchObject({ proven: 1 });

    (await world.page(before, GRACE)).expect(200);
    (await world.trigger(world.reinstalled(before), "installed", { madeIn: 5 })).expect(204);
    expect(await world.findTenant(before)).toMatchObject({ state: "enabled", generation: 2, proven: 0 });
    expect(await world.findTenant(after)).toMatchObject({ proven: 1 });
  });

  it("keeps to one of two apps until that one hasn't been heard of for a day", async () => {
    const site = world.site();
    (await world.page(site, GRACE, { madeIn: -10 })).expect(200);
    (await world.trigger(site, "hourly", { madeIn: -5 })).expect(204);
    const other = world.reinstalled(site);
    expectProblem(await world.page(other, GRACE, { appId: SECOND_APP_ID }), "forge_jwt_invalid");
    const both = { ...other, products: ["jira", "confluence"] } as const;
    (await world.trigger(both, "hourly", { appId: SECOND_APP_ID })).expect(204);
    expect(await world.findInstallation(site)).toMatchObject({ installation_id: site.installationId });
    expect(await world.findInstallation(site, "confluence")).toMatchObject({
      installation_id: other.installationId,
    });
    travel(DAY + 1);
    (await world.page(other, GRACE, { appId: SECOND_APP_ID })).expect(200);
  });

  it("is heard of by its pages, too, and that is noted once a day", async () => {
    const site = world.site();
    (await world.page(site, GRACE)).expect(200);
    const before = await world.findInstallation(site);
    travel(DAY + 1);
    (await world.page(site, GRACE)).expect(200);
    const after = await world.findInstallation(site);
    expect(Number(after?.["last_call_at"])).toBeGreaterThan(Number(before?.["last_call_at"]) + DAY);
    await world.tenants.expectNothingStored(async () => (await world.page(site, GRACE)).expect(200));
  });

  it("isn't let in to what admins do without the person's own token", async () => {
    const site = world.site();
    const path = "/api/v1/settings";
    expect((await world.page(site, ADA, { path })).expect(403).body).toMatchObject({ code: "not_admin" });
    const planted = world.userToken(site, ADA);
    const reply = await world.page(site, GRACE, { path, headers: planted });
    expect(reply.expect(403).body).toMatchObject({ code: "not_admin" });
    (await world.page(site, ADA, { path, headers: world.userToken(site, ADA) })).expect(200);
  });
});

describe("a site that has the app through Connect already", () => {
  const startBoth = async (index: number) => {
    const connect = world.tenants.world.parts.sites[index]!;
    await world.tenants.world.install("jira", connect);
    await world.tenants.waitUntilProven(connect);
    return { connect, forge: world.site({ siteUrl: connect.url }) };
  };

  it("isn't taken from it while its product knows it", async () => {
    const { connect, forge } = await startBoth(0);
    (await world.page(forge, GRACE)).expect(200);
    (await world.page(forge, GRACE)).expect(200);
    expect(await world.findTenant(forge)).toMatchObject({ proven: 0 });
    await world.tenants.waitUntilProven(connect);
  });

  it.each(["off", "failing"] as const)("nor while its product is %s", async (state) => {
    const { connect, forge } = await startBoth(state === "off" ? 1 : 2);
    connect.server.behaviour[state] = true;
    (await world.page(forge, GRACE)).expect(200);
    expect(await world.findTenant(forge)).toMatchObject({ proven: 0 });
    await world.tenants.waitUntilProven(connect);
  });

  it("goes over when its product says that it no longer knows it, and doesn't go back", async () => {
    const { connect, forge } = await startBoth(3);
    const { clientKey } = connect.getInstallation("jira");
    connect.server.routes.unshift(["GET", /^\/rest\/atlassian-connect\//, () => ({ status: 401, body: "" })]);
    (await world.page(forge, GRACE)).expect(200);
    expect(await world.findTenant(forge)).toMatchObject({ proven: 1 });
    expect(await world.tenants.findTenant(clientKey)).toMatchObject({ proven: 0 });

    connect.server.routes.shift();
    const token = await connect.contextJwt("jira", ADA.accountId);
    const until = new Date().toISOString();
    expectProblem(await world.tenants.sendAs(token, "/api/v1/me/news/seen", "POST", { until }), "paused");
    (await world.tenants.sendAs(token, "/api/v1/settings")).expect(200);
    expect(await world.tenants.findTenant(clientKey)).toMatchObject({ proven: 0 });
    expect(await world.findTenant(forge)).toMatchObject({ proven: 1 });
  });

  it("goes over when it is disabled or uninstalled there", async () => {
    const { connect, forge } = await startBoth(4);
    const sent = await world.tenants.sendEvent(
      { ...connect.getInstallation("jira"), baseUrl: connect.url, product: "jira" },
      "disabled",
    );
    sent.expect(204);
    (await world.page(forge, GRACE)).expect(200);
    expect(await world.findTenant(forge)).toMatchObject({ proven: 1 });
  });

  it("is asked again after a minute", async () => {
    const { connect, forge } = await startBoth(5);
    (await world.page(forge, GRACE)).expect(200);
    connect.server.routes.unshift(["GET", /^\/rest\/atlassian-connect\//, () => ({ status: 401, body: "" })]);
    const count = () => connect.server.requests.filter((line) => line.includes("atlassian-connect")).length;
    const before = count();
    (await world.page(forge, GRACE)).expect(200);
    expect(count()).toBe(before);
    travel(61);
    (await world.page(forge, GRACE)).expect(200);
    expect(await world.findTenant(forge)).toMatchObject({ proven: 1 });
  });
});

describe("while the second door is closed", () => {
  it("what Forge sends is nobody's, and Forge's routes aren't there", async () => {
    const closed = await ForgeWorld.start({ env: { FORGE_APP_ID: undefined } });
    try {
      const site = closed.site();
      expectProblem(await closed.page(site, GRACE), "connect_jwt_missing");
      expectProblem(await closed.trigger(site, "installed"), "not_found");
      expect(await closed.findInstallation(site)).toBeUndefined();
    } finally {
      await closed.close();
    }
  });

  it("tenants that came through it are kept, and nobody is asked for them", async () => {
    const site = world.site();
    (await world.page(site, GRACE)).expect(200);
    const { file } = world.tenants.database;
    const closed = await ForgeWorld.start({ env: { FORGE_APP_ID: undefined }, databaseFile: file });
    await closed.close();
    expect(await world.findTenant(site)).toMatchObject({ state: "enabled" });
  });
});
