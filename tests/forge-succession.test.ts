import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ADA, CLEO, createPerson, GRACE } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import { ForgeWorld } from "./forge.fixture.js";
import { senderOf, travel } from "./lifecycle.fixture.js";
import { expectRefusal, SiteOfBoth } from "./succession.fixture.js";

let world: ForgeWorld;
beforeAll(async () => {
  world = await ForgeWorld.start();
});
afterAll(() => world.close());

const NOBODY = { available: false, installedAt: null, services: null, links: null };

describe("while both are installed", () => {
  it("services go on with what Connect's has, and Forge's says who can end that", async () => {
    const site = await SiteOfBoth.start(world);
    const before = await site.identify();
    const me = (await site.asForge(GRACE, "/api/v1/me")).expect(200).body;
    expect(me).toMatchObject({
      links: [],
      linking: {
        available: false,
        reason: expect.stringContaining(
          "an admin has to open the app's page and take the settings over",
        ) as string,
      },
    });
    const refused = await site.asForge(GRACE, "/api/v1/me/link-attempts", { method: "POST" });
    expect(expectRefusal(refused, "paused").detail).toContain("take the settings over");
    expect(await site.identify()).toEqual(before);
    (await site.act(site.serviceKey)).expect(200);
  });

  it("an admin of both is told what could come over", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.linkThroughConnect(CLEO)).expect(201);
    expect(await site.look()).toEqual({
      available: true,
      installedAt: expect.stringMatching(/^20..-..-..T.*Z$/) as string,
      services: 3,
      links: 2,
    });
  });

  it.each([
    ["of Connect's alone", CLEO, "not_admin"],
    ["of neither", GRACE, "not_admin"],
  ] as const)("an admin %s is refused", async (_which, person, code) => {
    const site = await SiteOfBoth.start(world);
    site.connect.accounts.set(CLEO.accountId, { ...CLEO, administers: ["jira"] });
    expectRefusal(await site.asForge(person, "/api/v1/settings/predecessor"), code);
    expectRefusal(await site.takeOver(person), code);
    expect(await site.findTenants()).toMatchObject([{ door: "connect", proven: 1 }, { door: "forge" }]);
  });

  it("an admin of Forge's alone isn't told, and is refused", async () => {
    const site = await SiteOfBoth.start(world);
    site.connect.accounts.set(ADA.accountId, createPerson("Ada", { ...ADA, administers: ["confluence"] }));
    travel(61);
    expect(await site.look()).toEqual(NOBODY);
    const { detail } = expectRefusal(await site.takeOver(), "not_admin");
    expect(detail).toContain("the other installation");
    expect(await site.findTenants()).toMatchObject([{ door: "connect", proven: 1 }, { door: "forge" }]);
  });

  it("the other product and other sites have nothing to take over", async () => {
    const site = await SiteOfBoth.start(world);
    const strangers = world.site();
    const headers = world.userToken(strangers, ADA);
    const path = "/api/v1/settings/predecessor";
    expect((await world.page(strangers, ADA, { path, headers })).expect(200).body).toEqual(NOBODY);
    expect(await site.look(ADA, "confluence")).toEqual(NOBODY);
    expectRefusal(await site.takeOver(ADA, { product: "confluence" }), "not_found");
    expect(await site.look()).toMatchObject({ available: true });
  });

  it("one that came through Forge has nothing to take over from another that did, and has the name now", async () => {
    const [before, after] = [world.site(), world.site()];
    (await world.page(before, GRACE)).expect(200);
    (await world.page({ ...after, siteUrl: before.siteUrl }, GRACE)).expect(200);
    expect(await world.findTenant(before)).toMatchObject({ proven: 0 });
    const path = "/api/v1/settings/predecessor";
    const reply = await world.page(before, ADA, { path, headers: world.userToken(before, ADA) });
    expect(reply.expect(200).body).toEqual(NOBODY);
  });

  it("Connect's own pages have nothing to take over", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.asForge(GRACE, "/api/v1/me")).expect(200);
    const path = "/api/v1/settings/predecessor";
    expect((await site.asConnect(ADA, path)).expect(200).body).toEqual(NOBODY);
    expectRefusal(await site.asConnect(ADA, `${path}/take-over`, "POST", { version: 1 }), "not_found");
  });

  it("nothing is taken over while the product behind Connect doesn't answer", async () => {
    const site = await SiteOfBoth.start(world);
    expect(await site.look()).toMatchObject({ available: true });
    travel(61);
    site.answer("failing");
    expectRefusal(await site.asForge(ADA, "/api/v1/settings/predecessor"), "upstream_failed");
    expectRefusal(await site.takeOver(), "upstream_failed");
    site.answer("as ever");
    (await site.takeOver()).expect(200);
  });

  it("what was saved through Forge is dropped by those alone who say that they saw it", async () => {
    const site = await SiteOfBoth.start(world);
    const path = "/api/v1/settings";
    const own = (await site.asForge(ADA, path)).body as object;
    const saved = { ...own, allowedEmailDomains: ["acme.example"] };
    (await site.asForge(ADA, path, { method: "PUT", body: saved })).expect(200);
    expectRefusal(await site.takeOver(), "version_conflict");
    for (const body of [{}, { version: null }, { version: "1" }, { version: 1, force: true }]) {
      const reply = await site.asForge(ADA, `${path}/predecessor/take-over`, { method: "POST", body });
      expectRefusal(reply, "validation_failed");
    }
    const reply = await site.takeOver(ADA, { version: 1 });
    expect(reply.expect(200).body).toMatchObject({ allowedEmailDomains: [], version: 1 });
    const [tenant] = await site.findTenants();
    const event = (await site.auditOf(tenant?.["id"])).at(-1);
    expect(JSON.parse(String(event?.["before"]))).toMatchObject({
      dropped: { settings: { allowedEmailDomains: ["acme.example"], version: 1 } },
    });
  });

  it("an installation with links of its own takes nothing over", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.asForge(GRACE, "/api/v1/me")).expect(200);
    const own = await world.findTenant(site.forge);
    await world.tenants.database.execute("UPDATE links SET tenant_id = ? WHERE tenant_id = ?", [
      own?.["id"],
      (await site.findTenants())[0]?.["id"],
    ]);
    expect(await site.look()).toEqual(NOBODY);
    expectRefusal(await site.takeOver(), "not_found");
  });
});

describe("taking over", () => {
  it("answers Connect's settings, and all is as it was, through Forge", async () => {
    const site = await SiteOfBoth.start(world);
    const settings = (await site.asConnect(ADA, "/api/v1/settings")).body;
    const overviews = (await site.asConnect(ADA, "/api/v1/services")).body;
    const before = { identity: await site.identify(), me: (await site.asConnect(GRACE, "/api/v1/me")).body };
    const [connectTenant] = await site.findTenants();

    expect((await site.takeOver()).expect(200).body).toEqual(settings);

    expect(await site.findTenants()).toMatchObject([
      {
        id: connectTenant?.["id"],
        ...{ door: "forge", proven: 1, state: "enabled", suspended: 0 },
        generation: Number(connectTenant?.["generation"]) + 1,
        base_url: `${world.api.url}/ex/jira/${site.forge.cloudId}`,
        ...{ client_key: null, shared_secret: null, oauth_client_id: null },
      },
    ]);
    expect(await world.findInstallation(site.forge)).toMatchObject({ tenant_id: connectTenant?.["id"] });
    expect(await site.identify()).toEqual(before.identity);
    expect((await site.asForge(ADA, "/api/v1/settings")).expect(200).body).toEqual(settings);
    expect((await site.asForge(ADA, "/api/v1/services")).expect(200).body).toMatchObject(overviews as object);
    const { links, consents } = before.me as { links: { id: string }[]; consents: object[] };
    expect(links).toHaveLength(1);
    expect(consents).toHaveLength(1);
    const me = (await site.asForge(GRACE, "/api/v1/me")).expect(200).body;
    expect(me).toMatchObject({
      consents,
      linking: { available: true },
      links: [{ id: links[0]?.id, lastUsedAt: expect.any(String) as string }],
    });
    expect(await site.look()).toEqual(NOBODY);
  });

  it("the bot goes on acting with its key, through Forge", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.act(site.serviceKey)).expect(200);
    (await site.takeOver()).expect(200);
    const asked = site.connect.server.requests.length;
    (await site.act(site.serviceKey)).expect(200);
    expect(site.connect.server.requests.length).toBe(asked);
    expectRefusal(await site.act("sk_wrong"), "service_key_required");
  });

  it("is in the audit log, after what both logs told before", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.asForge(GRACE, "/api/v1/me")).expect(200);
    const [connect, forge] = await site.findTenants();
    const before = [...(await site.auditOf(connect?.["id"])), ...(await site.auditOf(forge?.["id"]))];
    expect(await site.auditOf(forge?.["id"])).toHaveLength(1);
    (await site.takeOver()).expect(200);
    const after = await site.auditOf(connect?.["id"]);
    expect(after.slice(0, -1)).toEqual(before.map((event) => ({ ...event, tenant_id: connect?.["id"] })));
    const shown = (await site.asForge(ADA, "/api/v1/audit?limit=1")).expect(200).body;
    expect(shown).toMatchObject({
      items: [
        {
          action: "settings.taken_over",
          actor: { type: "user", accountId: ADA.accountId },
          target: { type: "tenant", id: connect?.["id"] },
          before: {
            baseUrl: site.connect.url,
            site: site.connect.host,
            product: "jira",
            dropped: { tenantId: forge?.["id"], settings: { version: 0 } },
          },
          after: { baseUrl: `${world.api.url}/ex/jira/${site.forge.cloudId}`, services: 3, links: 1 },
        },
      ],
    });
    expect(JSON.stringify(shown)).not.toContain("hash");
  });

  it("leaves no secret of Connect's behind", async () => {
    const site = await SiteOfBoth.start(world);
    const [before] = await site.findTenants();
    (await site.takeOver()).expect(200);
    expect((await world.tenants.database.bytes()).includes(String(before?.["shared_secret"]))).toBe(false);
  });

  it("happens once, however many begin it at the same time", async () => {
    const site = await SiteOfBoth.start(world);
    await site.look();
    const replies = await Promise.all(Array.from({ length: 5 }, () => site.takeOver()));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422, 422]);
    const actions = await site.auditOf((await site.findTenants())[0]?.["id"]);
    expect(actions.filter(({ action }) => action === "settings.taken_over")).toHaveLength(1);
  });

  it.each(["uninstalled", "disabled", "installed"] as const)(
    "isn't done when Connect's is %s while its product is being asked",
    async (type) => {
      const site = await SiteOfBoth.start(world);
      (await site.asForge(GRACE, "/api/v1/me")).expect(200);
      travel(61);
      const sender = { ...senderOf(site.connect), ...(type === "installed" && { sharedSecret: "another" }) };
      const gate = site.holdQuestion();
      const taking = site.takeOver();
      await gate.asked;
      (await world.tenants.sendEvent(sender, type)).expect(204);
      gate.answer();
      expectRefusal(await taking, "not_found");
      expect(await site.findTenants()).toMatchObject([{ door: "connect" }, { door: "forge" }]);
    },
  );

  it("isn't done when Connect's has another secret by the time that its product has answered", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.asForge(GRACE, "/api/v1/me")).expect(200);
    travel(61);
    const gate = site.holdQuestion();
    const taking = site.takeOver();
    await gate.asked;
    await world.tenants.world.install("jira", site.connect);
    await world.tenants.waitUntilProven(site.connect);
    gate.answer();
    expectRefusal(await taking, "not_found");
    (await site.takeOver()).expect(200);
  });

  it("isn't done when Forge's is uninstalled while Connect's product is being asked", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.asForge(GRACE, "/api/v1/me")).expect(200);
    travel(61);
    const gate = site.holdQuestion();
    const taking = site.takeOver();
    await gate.asked;
    (await world.trigger(site.forge, "uninstalled")).expect(204);
    gate.answer();
    expectRefusal(await taking, "connect_jwt_invalid");
    expect(await site.findTenants()).toMatchObject([
      { door: "connect", proven: 1 },
      { door: "forge", state: "uninstalled" },
    ]);
  });

  it("what is begun with one product is begun with that alone", async () => {
    const site = await SiteOfBoth.start(world);
    await world.tenants.world.install("confluence", site.connect);
    await world.tenants.waitUntilProven(site.connect, "confluence");
    (await site.takeOver()).expect(200);
    expect(await site.look(ADA, "confluence")).toMatchObject({ available: true, services: 0, links: 0 });
    expect(await site.look()).toEqual(NOBODY);
    (await site.takeOver(ADA, { product: "confluence" })).expect(200);
    expect(await world.findTenant(site.forge, "confluence")).toMatchObject({
      proven: 1,
      base_url: `${world.api.url}/ex/confluence/${site.forge.cloudId}/wiki`,
    });
  });
});

describe("the Connect app that was left behind", () => {
  it("is nobody's any more", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.takeOver()).expect(200);
    for (const [person, path] of [
      [ADA, "/api/v1/settings"],
      [GRACE, "/api/v1/me"],
    ] as const) {
      expectRefusal(await site.asConnect(person, path), "connect_jwt_invalid");
    }
  });

  it("takes nothing along when it is disabled or uninstalled", async () => {
    const site = await SiteOfBoth.start(world);
    const sender = senderOf(site.connect);
    (await site.takeOver()).expect(200);
    const before = { identity: await site.identify(), tenants: await site.findTenants() };
    for (const type of ["disabled", "uninstalled"] as const) {
      (await world.tenants.sendEvent(sender, type)).expect(204);
    }
    expect(await site.findTenants()).toEqual(before.tenants);
    expect(await site.identify()).toEqual(before.identity);
    (await site.act(site.serviceKey)).expect(200);
  });

  it("is another tenant when it is installed anew, and can't take the site", async () => {
    const site = await SiteOfBoth.start(world);
    (await site.takeOver()).expect(200);
    const [kept] = await site.findTenants();
    (await world.tenants.sendEvent(senderOf(site.connect), "installed")).expect(204);
    (await site.asConnect(ADA, "/api/v1/settings")).expect(200);
    (await site.asConnect(GRACE, "/api/v1/me")).expect(200);
    expect(await site.findTenants()).toMatchObject([kept, { door: "connect", proven: 0, state: "enabled" }]);
    await site.save({ teamDomain: world.tenants.world.team.domain, services: SERVICES });
    expectRefusal(await site.linkThroughConnect(), "paused");
    expect(await site.identify()).toMatchObject({ tenant: kept?.["id"] });
    expect(await site.look()).toEqual(NOBODY);
    const path = "/api/v1/settings/predecessor";
    expect((await site.asConnect(ADA, path)).expect(200).body).toEqual(NOBODY);
    expectRefusal(await site.asConnect(ADA, `${path}/take-over`, "POST", { version: 1 }), "not_found");
  });
});

describe("without asking anybody", () => {
  it("Forge's has the site once Connect's is uninstalled, and starts afresh", async () => {
    const site = await SiteOfBoth.start(world);
    (await world.tenants.sendEvent(senderOf(site.connect), "uninstalled")).expect(204);
    expect(await site.look()).toEqual(NOBODY);
    expectRefusal(await site.takeOver(), "not_found");
    expect(await site.findTenants()).toMatchObject([
      { door: "connect", proven: 0, state: "uninstalled" },
      { door: "forge", proven: 1 },
    ]);
    expect((await site.asForge(ADA, "/api/v1/settings")).body).toMatchObject({ version: 0 });
  });

  it("Forge's has the site once an admin opens its page and Connect's product knows the app no longer", async () => {
    const site = await SiteOfBoth.start(world);
    site.answer("forgotten");
    expect(await site.look()).toEqual(NOBODY);
    expect(await site.findTenants()).toMatchObject([
      { door: "connect", proven: 0, state: "enabled" },
      { door: "forge", proven: 1 },
    ]);
    expectRefusal(await site.takeOver(), "not_found");
  });
});
