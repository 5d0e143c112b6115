import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { LifecycleEvent } from "../sandbox/atlassian-site.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, type World } from "../sandbox/world.js";
import { mintToken } from "../src/connect/connect-jwt.fixture.js";
import type { ProblemCode } from "../src/errors.js";
import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { createSender, expectProblem, senderOf, TenantsWorld, travel } from "./lifecycle.fixture.js";

let tenants: TenantsWorld;
let world: World;
/** Installed for all tests; those that use it leave no trace. */
let settled: AtlassianSite;
beforeAll(async () => {
  tenants = await TenantsWorld.start();
  world = tenants.world;
  settled = world.site;
  await world.install("jira");
  await tenants.waitUntilProven(settled);
});
afterAll(() => tenants.close());

/** Installed and set up by Ada, with a link of Grace's. */
async function linkedSite(): Promise<AtlassianSite> {
  const site = await tenants.installed();
  await world.page(ADA, "jira", site).saveSettings({ teamDomain: world.team.domain, services: SERVICES });
  await world.page(GRACE, "jira", site).link(await world.browser(GRACE));
  return site;
}

async function identifyGrace(site: string): Promise<{ status: number; code?: string; accountId?: string }> {
  const reply = await tenants.identify(site, await world.team.signAccessJwt(GRACE, AUDIENCES.demo));
  const { code, accountId } = reply.body as { code?: string; accountId?: string };
  return { status: reply.status, ...(code && { code }), ...(accountId && { accountId }) };
}

const NOBODY_LISTENS = { baseUrl: "http://127.0.0.1:9" };
const IDENTIFIED = { status: 200, accountId: GRACE.accountId };
const UNTRUSTED = { status: 401, code: "access_jwt_untrusted" };

describe("the descriptor", () => {
  async function fetchDescriptor(url: string): Promise<Claims> {
    const call = { caller: "Jira", method: "GET", url: `${url}/atlassian-connect.json` };
    return (await tenants.send(call)).expect(200).body as Claims;
  }

  it("says where the app is, where events go, and that install events are signed", async () => {
    expect(await fetchDescriptor(world.appUrl)).toMatchObject({
      key: "access-for-atlassian-cloud",
      baseUrl: world.appUrl,
      authentication: { type: "jwt" },
      apiMigrations: { "signed-install": true, "context-qsh": true },
      lifecycle: {
        installed: "/installed",
        uninstalled: "/uninstalled",
        enabled: "/enabled",
        disabled: "/disabled",
      },
    });
  });

  it("has modules that Jira and Confluence both know", async () => {
    const { modules } = await fetchDescriptor(world.appUrl);
    expect(modules).toMatchObject({
      adminPages: [{ key: "admin", url: "/admin" }],
      configurePage: { key: "configure", url: "/admin" },
      generalPages: [{ key: "account" }],
    });
    expect(Object.keys(modules as object).sort()).toEqual(["adminPages", "configurePage", "generalPages"]);
  });

  it("takes its key and its base URL from the environment, under whose path everything is mounted", async () => {
    const env = { CONNECT_APP_KEY: "acme.access", BASE_URL: "https://access.acme.example/base/" };
    const other = await TenantsWorld.start({ env });
    try {
      const origin = `http://127.0.0.1:${other.world.parts.app.port}`;
      expect(await fetchDescriptor(`${origin}/base`)).toMatchObject({
        key: "acme.access",
        baseUrl: "https://access.acme.example/base",
        links: { self: "https://access.acme.example/base/atlassian-connect.json" },
      });
      expect(
        (await other.send({ caller: "Jira", method: "GET", url: `${origin}/atlassian-connect.json` })).status,
      ).toBe(404);
    } finally {
      await other.close();
    }
  });
});

describe("installed", () => {
  it("makes a tenant, and keeps its secret encrypted", async () => {
    const site = await tenants.installed();
    const { clientKey, sharedSecret } = site.getInstallation("jira");
    expect(await tenants.findTenant(clientKey)).toMatchObject({
      product: "jira",
      site: site.host,
      base_url: site.url,
      state: "enabled",
    });
    expect((await tenants.database.bytes()).includes(sharedSecret)).toBe(false);
    expect(await tenants.auditOf(clientKey)).toEqual(["tenant.installed"]);
    (await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200);
  });

  it("changes nothing when the same event arrives again", async () => {
    const site = await tenants.startSite();
    const { call } = (await site.install("jira", world.appUrl)).expect(204);
    await tenants.waitUntilProven(site);
    await tenants.expectNoTrace(async () => {
      for (let times = 0; times < 3; times += 1) (await tenants.send(call)).expect(204);
    });
  });

  it("obeys an event once that arrives many times at once", async () => {
    const site = await tenants.startSite();
    const sender = createSender({ baseUrl: site.url });
    const call = await tenants.buildEvent(sender, "installed");
    const replies = await Promise.all(Array.from({ length: 20 }, () => tenants.send(call)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([204]));
    expect(await tenants.auditOf(sender.clientKey)).toEqual(["tenant.installed"]);
  });

  it("refuses an event that is older than the tenant's last", async () => {
    const site = await tenants.installed();
    const iat = epochSeconds() - 20;
    await tenants.expectNoTrace(async () => {
      expectProblem(await site.install("jira", world.appUrl, { claims: { iat } }), "connect_jwt_invalid");
      expectProblem(await site.uninstall("jira", { claims: { iat } }), "connect_jwt_invalid");
    });
    (await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200);
  });

  it("takes several events of the same second in their order", async () => {
    const iat = epochSeconds();
    const site = await tenants.startSite();
    (await site.install("jira", world.appUrl, { claims: { iat } })).expect(204);
    (await site.install("jira", world.appUrl, { claims: { iat } })).expect(204);
    (await site.uninstall("jira", { claims: { iat } })).expect(204);
    (await site.install("jira", world.appUrl, { claims: { iat } })).expect(204);
    (await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200);
  });

  it("again with a new secret ends the old one at once, and keeps settings and links", async () => {
    const site = await linkedSite();
    const old = await site.contextJwt("jira", ADA.accountId);
    (await tenants.sendAs(old, "/api/v1/settings")).expect(200);
    const settings = await world.page(ADA, "jira", site).getSettings();
    (await site.install("jira", world.appUrl)).expect(204);
    for (const path of ["/api/v1/me", "/api/v1/settings", "/api/v1/links", "/api/v1/audit"]) {
      expectProblem(await tenants.sendAs(old, path), "connect_jwt_invalid");
    }
    await tenants.waitUntilProven(site);
    expect(await identifyGrace(site.host)).toEqual(IDENTIFIED);
    expect(await world.page(GRACE, "jira", site).listLinks()).toHaveLength(1);
    expect(await world.page(ADA, "jira", site).getSettings()).toEqual(settings);
  });

  it("again with the same secret on the same host leaves the tenant proven, even while the host is away", async () => {
    const site = await linkedSite();
    site.behaviour.off = true;
    (await tenants.sendEvent(senderOf(site), "installed")).expect(204);
    expect(await identifyGrace(site.host)).toEqual(IDENTIFIED);
    (await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200);
  });

  it("again on another host suspends settings and links until that host has answered", async () => {
    const site = await linkedSite();
    const moved = `127.0.0.1:${site.server.port}`;
    site.behaviour.failing = true;
    (await site.install("jira", world.appUrl, { body: { baseUrl: `http://${moved}` } })).expect(204);
    expect(await identifyGrace(site.host)).toEqual(UNTRUSTED);
    expect(await identifyGrace(moved)).toEqual(UNTRUSTED);
    expect((await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200).body).toMatchObject({
      site: moved,
      linking: { available: false, methods: [] },
    });

    site.behaviour.failing = false;
    await world.page(ADA, "jira", site).getSettings();
    expect(await identifyGrace(moved)).toEqual(IDENTIFIED);
    expect(await identifyGrace(site.host)).toEqual(UNTRUSTED);
    expect((await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200).body).toMatchObject({
      linking: { available: true },
    });
  });
});

describe("uninstalled", () => {
  it("makes every token of the tenant worthless at once", async () => {
    const site = await linkedSite();
    const sender = senderOf(site);
    const attempt = await world.page(GRACE, "jira", site).beginLink();
    const token = await site.contextJwt("jira", ADA.accountId);
    const enabling = await tenants.buildEvent(sender, "enabled", { isSignedByTenant: true });
    const disabling = await tenants.buildEvent(sender, "disabled", { isSignedByTenant: true });
    (await site.uninstall("jira")).expect(204);
    await tenants.expectNoTrace(async () => {
      for (const path of ["/api/v1/me", "/api/v1/settings", "/api/v1/links", "/api/v1/audit"]) {
        expectProblem(await tenants.sendAs(token, path), "connect_jwt_invalid");
      }
      expectProblem(await tenants.send(enabling), "connect_jwt_invalid");
      expectProblem(await tenants.send(disabling), "connect_jwt_invalid");
      expect(await identifyGrace(site.host)).toEqual(UNTRUSTED);
      const popup = await (await world.browser(GRACE)).open(attempt.url, world.appUrl);
      expect(popup.status).toBe(410);
    });
  });

  it("erases secret, links and attempts at once; settings and audit stay, and count after a reinstall", async () => {
    const site = await linkedSite();
    const { clientKey } = site.getInstallation("jira");
    await world.page(GRACE, "jira", site).beginLink();
    const settings = await world.page(ADA, "jira", site).getSettings();
    const encryptedSecret = String((await tenants.findTenant(clientKey))?.["shared_secret"]);
    expect((await tenants.database.bytes()).includes(encryptedSecret)).toBe(true);
    (await site.uninstall("jira")).expect(204);
    expect(await tenants.findTenant(clientKey)).toMatchObject({ state: "uninstalled", shared_secret: null });
    expect((await tenants.database.bytes()).includes(encryptedSecret)).toBe(false);
    expect(await tenants.database.ofSite("links", site.host)).toEqual([]);
    expect(await tenants.database.ofSite("link_attempts", site.host)).toEqual([]);
    expect(await tenants.database.ofSite("settings", site.host)).toHaveLength(1);

    await world.install("jira", site);
    await tenants.waitUntilProven(site);
    expect(await world.page(ADA, "jira", site).getSettings()).toEqual(settings);
    expect(await identifyGrace(site.host)).toEqual({ status: 404, code: "not_linked" });
    const audit = (await world.page(ADA, "jira", site).send("GET", "/api/v1/audit")).expect(200);
    expect((audit.body as { items: { action: string }[] }).items.map(({ action }) => action)).toEqual([
      "tenant.installed",
      "tenant.uninstalled",
      "link.created",
      "settings.changed",
      "tenant.installed",
    ]);
  });

  it("changes nothing when the same event arrives again, before and after a reinstall", async () => {
    const site = await tenants.installed();
    const { call } = (await site.uninstall("jira")).expect(204);
    await tenants.expectNoTrace(async () => (await tenants.send(call)).expect(204));
    (await site.install("jira", world.appUrl)).expect(204);
    await tenants.waitUntilProven(site);
    await tenants.expectNoTrace(async () => (await tenants.send(call)).expect(204));
    (await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200);
  });

  it("of somebody unknown is taken, and makes no tenant", async () => {
    const sender = createSender();
    (await tenants.sendEvent(sender, "uninstalled")).expect(204);
    expect(await tenants.findTenant(sender.clientKey)).toBeUndefined();
  });

  it("isn't undone by a replay of the install event", async () => {
    const site = await tenants.startSite();
    const { call } = (await site.install("jira", world.appUrl)).expect(204);
    await tenants.waitUntilProven(site);
    const token = await site.contextJwt("jira", GRACE.accountId);
    (await site.uninstall("jira")).expect(204);
    await tenants.expectNoTrace(async () => {
      (await tenants.send(call)).expect(204);
      expectProblem(await tenants.sendAs(token, "/api/v1/me"), "connect_jwt_invalid");
    });
  });

  it("isn't undone by an install event that was held back", async () => {
    const site = await tenants.installed();
    const sender = senderOf(site);
    const held = await tenants.buildEvent(sender, "installed", { claims: { iat: epochSeconds() - 5 } });
    (await site.uninstall("jira")).expect(204);
    await tenants.expectNoTrace(async () => {
      expectProblem(await tenants.send(held), "connect_jwt_invalid");
    });
  });

  it("and a replay of the first install event doesn't bring the first secret back after a reinstall", async () => {
    const site = await tenants.startSite();
    const { call } = (await site.install("jira", world.appUrl)).expect(204);
    const old = await site.contextJwt("jira", GRACE.accountId);
    await tenants.waitUntilProven(site);
    (await site.uninstall("jira")).expect(204);
    (await site.install("jira", world.appUrl)).expect(204);
    await tenants.waitUntilProven(site);
    await tenants.expectNoTrace(async () => {
      (await tenants.send(call)).expect(204);
      expectProblem(await tenants.sendAs(old, "/api/v1/me"), "connect_jwt_invalid");
    });
    (await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200);
  });
});

describe("uninstalled and disabled within the same second", () => {
  it.each<[string, LifecycleEvent[], boolean, number[]]>([
    ["disabled first, by the tenant", ["disabled", "uninstalled"], true, [204, 204]],
    ["disabled first, by Atlassian", ["disabled", "uninstalled"], false, [204, 204]],
    // Its secret is gone, so that nobody can tell whether it is the tenant.
    ["uninstalled first, disabled by the tenant", ["uninstalled", "disabled"], true, [204, 401]],
    ["uninstalled first, disabled by Atlassian", ["uninstalled", "disabled"], false, [204, 204]],
  ])("end uninstalled, ready for a reinstall: %s", async (_name, order, isSignedByTenant, statuses) => {
    const site = await linkedSite();
    const sender = senderOf(site);
    const iat = epochSeconds();
    const events = [];
    for (const type of order) {
      const isByTenant = isSignedByTenant && type === "disabled";
      events.push(await tenants.buildEvent(sender, type, { claims: { iat }, isSignedByTenant: isByTenant }));
    }
    const replies = [];
    for (const event of events) replies.push((await tenants.send(event)).status);
    expect(replies).toEqual(statuses);
    expect(await tenants.findTenant(sender.clientKey)).toMatchObject({
      state: "uninstalled",
      shared_secret: null,
    });
    expect(await tenants.database.ofSite("links", site.host)).toEqual([]);

    (await site.install("jira", world.appUrl, { claims: { iat } })).expect(204);
    for (const event of events) await tenants.send(event);
    (await world.page(GRACE, "jira", site).send("GET", "/api/v1/me")).expect(200);
  });
});

describe("disabled", () => {
  it("refuses everything until the tenant is enabled, and then all is as it was", async () => {
    const site = await linkedSite();
    const attempt = await world.page(GRACE, "jira", site).beginLink();
    (await site.disable("jira")).expect(204);
    await tenants.expectNoTrace(async () => {
      for (const person of [ADA, GRACE]) {
        const page = world.page(person, "jira", site);
        const calls = [
          page.send("GET", "/api/v1/me"),
          page.send("POST", "/api/v1/me/link-attempts", {}),
          page.send("POST", "/api/v1/me/links", { attempt: attempt.id, code: "x" }),
          page.send("GET", "/api/v1/settings"),
          page.send("PUT", "/api/v1/settings", {}),
          page.send("POST", "/api/v1/settings/check", {}),
          page.send("GET", "/api/v1/links"),
          page.send("GET", "/api/v1/audit"),
        ];
        for (const reply of await Promise.all(calls)) expectProblem(reply, "connect_jwt_invalid");
      }
      expect(await identifyGrace(site.host)).toEqual(UNTRUSTED);
    });

    (await site.enable("jira")).expect(204);
    expect(await identifyGrace(site.host)).toEqual(IDENTIFIED);
    expect(await world.page(GRACE, "jira", site).listLinks()).toHaveLength(1);
    expect(await tenants.auditOf(site.getInstallation("jira").clientKey)).toEqual([
      "tenant.installed",
      "settings.changed",
      "link.created",
      "tenant.disabled",
      "tenant.enabled",
    ]);
  });

  // Atlassian sends `installed` alone after a site was renamed or the app was upgraded, disabled or not.
  it("outlasts another install event", async () => {
    const site = await tenants.installed();
    (await site.disable("jira")).expect(204);
    (await site.install("jira", world.appUrl)).expect(204);
    await tenants.waitUntilProven(site);
    const page = world.page(GRACE, "jira", site);
    expectProblem(await page.send("GET", "/api/v1/me"), "connect_jwt_invalid");
    (await site.enable("jira")).expect(204);
    (await page.send("GET", "/api/v1/me")).expect(200);
  });

  it("leaves the other product of the site alone", async () => {
    const site = await tenants.installed("jira", "confluence");
    (await site.disable("jira")).expect(204);
    expectProblem(await world.page(GRACE, "jira", site).send("GET", "/api/v1/me"), "connect_jwt_invalid");
    (await world.page(GRACE, "confluence", site).send("GET", "/api/v1/me")).expect(200);
    (await site.uninstall("jira")).expect(204);
    (await world.page(GRACE, "confluence", site).send("GET", "/api/v1/me")).expect(200);
  });
});

describe("enabled and disabled", () => {
  const SIGNERS = [
    { signer: "the tenant's secret (HS256)", isSignedByTenant: true },
    { signer: "Atlassian's key (RS256)", isSignedByTenant: false },
  ];

  it.each(SIGNERS)("are taken when signed by $signer", async ({ isSignedByTenant }) => {
    const site = await tenants.installed();
    const sender = senderOf(site);
    const steps = [
      ["disabled", "disabled"],
      ["enabled", "enabled"],
    ] as const;
    for (const [type, state] of steps) {
      const { call } = (await tenants.sendEvent(sender, type, { isSignedByTenant })).expect(204);
      expect(await tenants.findTenant(sender.clientKey)).toMatchObject({ state });
      await tenants.expectNoTrace(async () => (await tenants.send(call)).expect(204));
    }
    expect(await tenants.auditOf(sender.clientKey)).toEqual([
      "tenant.installed",
      "tenant.disabled",
      "tenant.enabled",
    ]);
  });

  it("are told once in the audit log when they change nothing", async () => {
    const site = await tenants.installed();
    const { clientKey } = site.getInstallation("jira");
    for (let times = 0; times < 3; times += 1) (await site.disable("jira")).expect(204);
    expect(await tenants.auditOf(clientKey)).toEqual(["tenant.installed", "tenant.disabled"]);
  });

  it("of somebody unknown make no tenant", async () => {
    const sender = createSender();
    (await tenants.sendEvent(sender, "enabled")).expect(204);
    expectProblem(
      await tenants.sendEvent(sender, "enabled", { isSignedByTenant: true }),
      "connect_jwt_invalid",
    );
    expect(await tenants.findTenant(sender.clientKey)).toBeUndefined();
  });

  it("don't bring an uninstalled tenant back", async () => {
    const site = await tenants.installed();
    const sender = senderOf(site);
    (await site.uninstall("jira")).expect(204);
    (await tenants.sendEvent(sender, "enabled")).expect(204);
    expect(await tenants.findTenant(sender.clientKey)).toMatchObject({ state: "uninstalled" });
  });
});

const OPPOSITE: Record<LifecycleEvent, LifecycleEvent> = {
  installed: "uninstalled",
  uninstalled: "installed",
  enabled: "disabled",
  disabled: "enabled",
};
const EVENTS = Object.keys(OPPOSITE) as LifecycleEvent[];

describe.each(EVENTS)("%s", (type) => {
  it("is refused when its body names another tenant, another app or another event", async () => {
    await tenants.expectNoTrace(async () => {
      const send = (body: Claims) => tenants.sendEvent(senderOf(settled), type, { body });
      expectProblem(await send({ clientKey: "somebody-else" }), "connect_jwt_invalid");
      expectProblem(await send({ key: "another-app" }), "validation_failed", ["key"]);
      expectProblem(await send({ eventType: OPPOSITE[type] }), "validation_failed", ["eventType"]);
    });
  });
});

describe("the body of an install event", () => {
  it.each<[string, string[], Claims]>([
    ["no key", ["key"], { key: undefined }],
    ["an array as key", ["key"], { key: ["access-for-atlassian-cloud"] }],
    ["no clientKey", ["clientKey"], { clientKey: undefined }],
    ["an array as clientKey", ["clientKey"], { clientKey: ["a", "b"] }],
    ["a nested clientKey", ["clientKey"], { clientKey: { toString: "x" } }],
    ["a clientKey of 256 characters", ["clientKey"], { clientKey: "x".repeat(256) }],
    ["no sharedSecret", ["sharedSecret"], { sharedSecret: undefined }],
    ["null as sharedSecret", ["sharedSecret"], { sharedSecret: null }],
    ["an empty sharedSecret", ["sharedSecret"], { sharedSecret: "" }],
    ["an array as sharedSecret", ["sharedSecret"], { sharedSecret: ["x"] }],
    ["a huge sharedSecret", ["sharedSecret"], { sharedSecret: "x".repeat(50_000) }],
    ["no baseUrl", ["baseUrl"], { baseUrl: undefined }],
    ["an object as baseUrl", ["baseUrl"], { baseUrl: { href: "https://acme.atlassian.net" } }],
    ["an array as baseUrl", ["baseUrl"], { baseUrl: ["https://acme.atlassian.net"] }],
    ["a huge baseUrl", ["baseUrl"], { baseUrl: `https://acme.atlassian.net/${"x".repeat(2000)}` }],
    ["no productType", ["productType"], { productType: undefined }],
    ["an unknown productType", ["productType"], { productType: "bitbucket" }],
    ["an array as productType", ["productType"], { productType: ["jira"] }],
    ["a number as oauthClientId", ["oauthClientId"], { oauthClientId: 1 }],
    ["an array as eventType", ["eventType"], { eventType: ["installed"] }],
    ["several at once", ["key", "sharedSecret", "baseUrl"], { key: 1, sharedSecret: 2, baseUrl: 3 }],
  ])("with %s is refused, and so is a reinstall", async (_name, fields, body) => {
    await tenants.expectNoTrace(async () => {
      for (const sender of [createSender(), senderOf(settled)]) {
        expectProblem(await tenants.sendEvent(sender, "installed", { body }), "validation_failed", fields);
      }
    });
  });

  it.each<[string, ProblemCode, unknown]>([
    ["an array", "validation_failed", []],
    ["an array of events", "validation_failed", [{ key: "access-for-atlassian-cloud", clientKey: "x" }]],
    ["no JSON", "malformed_request", "{"],
    ["a JSON text", "malformed_request", '"installed"'],
    ["nothing", "malformed_request", ""],
    ["more than 64 KiB", "too_large", { padding: "x".repeat(64 * 1024) }],
  ])("can't be %s", async (_name, code, body) => {
    const call = await tenants.buildEvent(createSender(), "installed");
    const headers = { ...call.headers, "content-type": "application/json" };
    await tenants.expectNoTrace(async () => {
      expectProblem(await tenants.send({ ...call, headers, body }), code);
    });
  });

  it("can't be a form", async () => {
    const call = await tenants.buildEvent(createSender(), "installed");
    const body = new URLSearchParams(call.body as Record<string, string>);
    await tenants.expectNoTrace(async () => {
      expectProblem(await tenants.send({ ...call, body }), "unsupported_media_type");
    });
  });

  it.each([
    ["may be nested where nobody looks", 30, 204],
    ["can't be nested deeper than it can be told apart", 30_000, 400],
  ])("%s", async (_name, depth, status) => {
    const sender = createSender(NOBODY_LISTENS);
    const call = await tenants.buildEvent(sender, "installed");
    const headers = { ...call.headers, "content-type": "application/json" };
    const nested = `"nested":${"[".repeat(depth)}${"]".repeat(depth)}`;
    const body = JSON.stringify(call.body).replace(/}$/, `,${nested}}`);
    (await tenants.send({ ...call, headers, body })).expect(status);
    expect((await tenants.findTenant(sender.clientKey)) !== undefined).toBe(status === 204);
  });

  it("can't turn a tenant of Jira into one of Confluence", async () => {
    const site = await tenants.installed("jira", "confluence");
    await tenants.expectNoTrace(async () => {
      for (const product of PRODUCTS) {
        const productType = product === "jira" ? "confluence" : "jira";
        const body = { productType, baseUrl: site.baseUrl(productType) };
        const reply = await site.install(product, world.appUrl, { body });
        expectProblem(reply, "validation_failed", ["productType"]);
      }
    });
  });
});

describe("the host that an install event names", () => {
  it.each([
    "https://evil.example",
    "http://acme.atlassian.net",
    "https://atlassian.net",
    "https://.atlassian.net",
    "https://*.atlassian.net",
    "https://a;b.atlassian.net",
    "https://a,b.atlassian.net",
    "https://a_b.atlassian.net",
    "https://a.b.atlassian.net",
    "https://acme.atlassian.net.",
    "https://acme.atlassian.net.evil.example",
    "https://evil-atlassian.net",
    "https://acme.atlassian.net@evil.example",
    "https://evil.example@acme.atlassian.net",
    "https://acme.atlassian.net:password@evil.example/",
    "https://evil.example/acme.atlassian.net",
    "https://evil.example#.atlassian.net",
    "https://evil.example?.atlassian.net",
    "https://evil.example\\.atlassian.net",
    "https://acme.atlassian.net:8443",
    "https://acme.atlassian.net/?x=1",
    "https://acme.atlassian.net/#x",
    "https://acme.atlassian.net/wiki/../rest",
    "https://acme.atlassian.net/%2e%2e/rest",
    "https://acme.atlassian.net//evil.example",
    "https://xn--acme-atlassian.net",
    "https://acme.atl\u0430ssian.net",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://user@localhost:4000",
    "http://0.0.0.0:4000",
    "http://10.0.0.1",
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:169.254.169.254]",
    "http://metadata.google.internal",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "ftp://localhost",
    "//acme.atlassian.net",
    "acme.atlassian.net",
    "https://",
    " ",
  ])("can't be %j", async (baseUrl) => {
    await tenants.expectNoTrace(async () => {
      for (const sender of [createSender({ baseUrl }), { ...senderOf(settled), baseUrl }]) {
        expectProblem(await tenants.sendEvent(sender, "installed"), "validation_failed", ["baseUrl"]);
      }
    });
  });

  it.each<[Product, string, string, string]>([
    ["jira", "http://localhost:9", "localhost:9", "http://localhost:9"],
    ["jira", "http://LocalHost:9/", "localhost:9", "http://localhost:9"],
    ["confluence", "https://127.0.0.1:9/wiki/", "127.0.0.1:9", "https://127.0.0.1:9/wiki"],
    ["confluence", "http://[::1]:9/wiki", "[::1]:9", "http://[::1]:9/wiki"],
  ])("may be, outside production, %s at %s", async (product, baseUrl, site, stored) => {
    const sender = createSender({ baseUrl, product });
    (await tenants.sendEvent(sender, "installed")).expect(204);
    expect(await tenants.findTenant(sender.clientKey)).toMatchObject({ site, base_url: stored, proven: 0 });
  });

  // Else whoever administers one product could have it vouch for an installation in the other.
  it.each<[Product, string]>([
    ["jira", "https://acme.atlassian.net/wiki"],
    ["jira", "http://localhost:9/wiki"],
    ["jira", "https://acme.atlassian.net/gateway/api"],
    ["confluence", "https://acme.atlassian.net"],
    ["confluence", "https://acme.atlassian.net/wiki/wiki"],
  ])("can't be, for %s, %s, where another product is", async (product, baseUrl) => {
    await tenants.expectNoTrace(async () => {
      const reply = await tenants.sendEvent(createSender({ product, baseUrl }), "installed");
      expectProblem(reply, "validation_failed", ["baseUrl"]);
    });
  });

  it("is never on loopback in production", async () => {
    const env = {
      NODE_ENV: "production",
      BASE_URL: "https://access.acme.example",
      CONNECT_KEYS_CDN_URL: "https://keys.acme.example",
      ACCESS_ORIGIN_OVERRIDES: undefined,
    };
    const production = await TenantsWorld.start({ env });
    // Stands in for TLS, which production insists on.
    const { fetch: realFetch } = globalThis;
    const { url } = production.world.parts.installKeys;
    vi.stubGlobal("fetch", (address: string, init: RequestInit) =>
      realFetch(address.replace(env.CONNECT_KEYS_CDN_URL, url), init),
    );
    try {
      const claims = { aud: [env.BASE_URL] };
      const send = (baseUrl: string) =>
        production.sendEvent(createSender({ baseUrl }), "installed", { claims });
      for (const baseUrl of [
        "http://localhost:9",
        "https://localhost",
        "http://127.0.0.1:9",
        "http://[::1]:9",
      ]) {
        expectProblem(await send(baseUrl), "validation_failed", ["baseUrl"]);
      }
      expect(await production.database.snapshot()).toMatchObject({
        tenants: [],
        audit_events: [],
        spent_tokens: [],
      });
    } finally {
      vi.unstubAllGlobals();
      await production.close();
    }
  });
});

describe("events in any order", () => {
  /** What each event makes of a tenant; what isn't listed changes nothing. */
  const NEXT: Record<string, Partial<Record<LifecycleEvent, string>>> = {
    none: { installed: "enabled" },
    enabled: { uninstalled: "uninstalled", disabled: "disabled" },
    disabled: { uninstalled: "uninstalled", enabled: "enabled" },
    uninstalled: { installed: "enabled" },
  };

  const ORDERS = EVENTS.flatMap((first) =>
    EVENTS.flatMap((second) => EVENTS.map((third): LifecycleEvent[] => [first, second, third])),
  );

  it.each(ORDERS)("%s, %s, %s, installed, all within a second", async (...order) => {
    const sender = createSender(NOBODY_LISTENS);
    const iat = epochSeconds();
    let state = "none";
    for (const type of [...order, "installed"] as const) {
      (await tenants.sendEvent(sender, type, { claims: { iat } })).expect(204);
      state = NEXT[state]?.[type] ?? state;
      expect((await tenants.findTenant(sender.clientKey))?.["state"] ?? "none").toBe(state);
      const claims = { iss: sender.clientKey, sub: GRACE.accountId, iat, exp: iat + 60, qsh: "context-qsh" };
      const reply = await tenants.sendAs(
        mintToken({ alg: "HS256" }, claims, sender.sharedSecret),
        "/api/v1/me",
      );
      reply.expect(state === "enabled" ? 200 : 401);
    }
  });
});

describe("the keys of install events", () => {
  function fetches(): number {
    return world.parts.installKeys.server.requests.length;
  }

  it("are fetched once, however many events come", async () => {
    await world.parts.installKeys.rotate();
    const before = fetches();
    await Promise.all(
      Array.from({ length: 10 }, async () =>
        (await tenants.sendEvent(createSender(NOBODY_LISTENS), "installed")).expect(204),
      ),
    );
    (await tenants.sendEvent(createSender(NOBODY_LISTENS), "installed")).expect(204);
    expect(fetches() - before).toBe(1);
  });

  it("that are unknown are asked for once in a minute", async () => {
    const sender = createSender(NOBODY_LISTENS);
    const before = fetches();
    const options = { header: { kid: "nobody-has-this" } };
    for (let times = 0; times < 3; times += 1) {
      expectProblem(await tenants.sendEvent(sender, "installed", options), "connect_jwt_invalid");
    }
    expect(fetches() - before).toBe(1);
    travel(61);
    expectProblem(await tenants.sendEvent(sender, "installed", options), "connect_jwt_invalid");
    expect(fetches() - before).toBe(2);
    expect(await tenants.findTenant(sender.clientKey)).toBeUndefined();
  });

  it("can't be asked for without end by made-up names; known ones go on working", async () => {
    (await tenants.sendEvent(createSender(NOBODY_LISTENS), "installed")).expect(204);
    travel(600);
    const before = fetches();
    const replies = await Promise.all(
      Array.from({ length: 310 }, (_, index) =>
        tenants.sendEvent(createSender(NOBODY_LISTENS), "installed", { header: { kid: `made-up-${index}` } }),
      ),
    );
    expect(fetches() - before).toBe(300);
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(10);
    for (const reply of refused) expectProblem(reply, "rate_limited");
    for (const reply of replies) if (!refused.includes(reply)) expectProblem(reply, "connect_jwt_invalid");
    (await tenants.sendEvent(createSender(NOBODY_LISTENS), "installed")).expect(204);
  });

  it.each(["off", "failing"] as const)(
    "make events neither accepted nor refused while their server is %s",
    async (how) => {
      const { installKeys } = world.parts;
      const site = await tenants.startSite();
      await installKeys.rotate();
      travel(1200);
      installKeys.behaviour[how] = true;
      try {
        expectProblem(await site.install("jira", world.appUrl), "keys_unavailable");
        expect(site.findInstallation("jira")).toBeNull();
        expect(await tenants.database.select("SELECT * FROM tenants WHERE site = ?", [site.host])).toEqual(
          [],
        );
      } finally {
        installKeys.behaviour[how] = false;
      }
      (await site.install("jira", world.appUrl)).expect(204);
    },
  );

  it("that are known outlive an outage of their server", async () => {
    const { installKeys } = world.parts;
    const site = await tenants.installed();
    installKeys.behaviour.off = true;
    try {
      (await site.install("jira", world.appUrl)).expect(204);
      travel(2 * 60 * 60);
      (await site.install("jira", world.appUrl)).expect(204);
    } finally {
      installKeys.behaviour.off = false;
    }
  });
});

describe("many at once", () => {
  it("stores 100 of 100 concurrent installs, and 100 of 100 concurrent settings", async () => {
    const many = await TenantsWorld.start({ siteCount: 50 });
    try {
      const { parts, appUrl, team } = many.world;
      const places = parts.sites.flatMap((site) => PRODUCTS.map((product) => ({ site, product })));
      const installs = await Promise.all(places.map(({ site, product }) => site.install(product, appUrl)));
      expect(installs.map(({ status }) => status)).toEqual(places.map(() => 204));
      const saved = await Promise.all(
        places.map(async ({ site, product }, index) => {
          const domain = `team${index}.example.com`;
          const settings = { teamDomain: team.domain, allowedEmailDomains: [domain] };
          await many.world.page(ADA, product, site).saveSettings(settings);
          return domain;
        }),
      );
      for (const [index, { site, product }] of places.entries()) {
        const settings = await many.world.page(ADA, product, site).getSettings();
        expect(settings).toMatchObject({ allowedEmailDomains: [saved[index]], version: 1 });
      }
      const counts = await many.database.select(
        "SELECT action, count(*) AS count FROM audit_events GROUP BY action ORDER BY action",
      );
      expect(counts).toEqual([
        { action: "settings.changed", count: 100 },
        { action: "tenant.installed", count: 100 },
      ]);
    } finally {
      await many.close();
    }
  });
});
