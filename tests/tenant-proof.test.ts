import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { confirmInPopup } from "../sandbox/app-page.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { createRsaKeyPair } from "../sandbox/jwt.js";
import { ADA, CLEO, createPerson, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, type World } from "../sandbox/world.js";
import { mintRs256 } from "../src/connect/connect-jwt.fixture.js";
import type { Product } from "../src/tenants/tenant.js";
import { createSender, expectProblem, TenantsWorld, travel } from "./lifecycle.fixture.js";

/** Administers a site of her own, and knows what everybody can know of acme: its team and its AUD tags. */
const MALLORY = createPerson("Mallory Mischief", { administers: ["jira", "confluence"] });
const JILL = createPerson("Jill Jira-Admin", { administers: ["jira"] });

let tenants: TenantsWorld;
let world: World;
beforeAll(async () => {
  const teamDomains = ["acme.cloudflareaccess.com", "globex.cloudflareaccess.com"] as const;
  tenants = await TenantsWorld.start({ teamDomains });
  world = tenants.world;
});
afterAll(() => tenants.close());

/** Enters acme's team and both services. */
async function setUp(site: AtlassianSite, admin: Person = ADA, product: Product = "jira"): Promise<void> {
  site.accounts.set(admin.accountId, admin);
  await world.page(admin, product, site).saveSettings({ teamDomain: world.team.domain, services: SERVICES });
}

/** Links an Access identity to an account: usually both are the same person's. */
async function link(
  person: Person,
  site: AtlassianSite,
  { product = "jira", as = person }: { product?: Product; as?: Person } = {},
): Promise<void> {
  const accessJwt = await world.team.signAccessJwt(person, AUDIENCES.app);
  (await world.page(as, product, site).send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
}

/** A company's site, set up by Ada, with a link of Grace's. */
async function companySite(): Promise<AtlassianSite> {
  const site = await tenants.installed();
  await setUp(site);
  await link(GRACE, site);
  return site;
}

/** Mallory's site, which says that whoever is Grace in Access is Mallory in Jira. */
async function mallorySite(): Promise<AtlassianSite> {
  const site = await tenants.installed();
  await setUp(site, MALLORY);
  await link(GRACE, site, { as: MALLORY });
  return site;
}

interface Outcome {
  readonly status: number;
  readonly code: string | undefined;
  readonly accountId: string | undefined;
}

/** What a service behind acme's Access learns of its visitor. */
async function identify(
  site: string,
  person: Person = GRACE,
  query: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const reply = await tenants.identify(site, await world.team.signAccessJwt(person, AUDIENCES.demo), query);
  const { code, accountId } = reply.body as Partial<Outcome>;
  return { status: reply.status, code, accountId };
}

const UNTRUSTED = { status: 401, code: "access_jwt_untrusted", accountId: undefined };
const NOT_LINKED = { status: 404, code: "not_linked", accountId: undefined };

function identified({ accountId }: Person): Outcome {
  return { status: 200, code: undefined, accountId };
}

/** How often the app has asked a site whether it accepts the installation. */
function tries(site: AtlassianSite): number {
  return site.server.requests.filter((line) => line.includes("/addons/")).length;
}

async function waitForTries(site: AtlassianSite, count: number): Promise<void> {
  await vi.waitFor(() => expect(tries(site)).toBe(count), { timeout: 10_000, interval: 5 });
}

describe("an install event that names somebody else's host", () => {
  it.each<[string, () => Promise<AtlassianSite>, Outcome]>([
    ["is installed", companySite, identified(GRACE)],
    ["isn't installed yet", () => tenants.startSite(), UNTRUSTED],
    ["has uninstalled the app", uninstalledSite, UNTRUSTED],
  ])("gains nothing when that host %s", async (_name, startVictim, expected) => {
    const victim = await startVictim();
    const attacker = await mallorySite();
    const before = tries(victim);
    (await attacker.install("jira", world.appUrl, { body: { baseUrl: victim.url } })).expect(204);
    await waitForTries(victim, before + 1);

    expect(await identify(victim.host)).toEqual(expected);
    travel(61);
    expect(await identify(victim.host)).toEqual(expected);
    expect(await identify(victim.host, GRACE, { product: "jira" })).toEqual(expected);
    expect(await identify(attacker.host)).toEqual(UNTRUSTED);
    expect(await tenants.findTenant(attacker.getInstallation("jira").clientKey)).toMatchObject({
      site: victim.host,
      proven: 0,
      suspended: 1,
    });
  });

  async function uninstalledSite(): Promise<AtlassianSite> {
    const site = await companySite();
    (await site.uninstall("jira")).expect(204);
    return site;
  }

  it("lets its sender neither administer nor link there", async () => {
    const victim = await companySite();
    const attacker = await mallorySite();
    (await attacker.install("jira", world.appUrl, { body: { baseUrl: victim.url } })).expect(204);
    const page = world.page(MALLORY, "jira", attacker);
    expectProblem(await page.send("GET", "/api/v1/settings"), "upstream_failed");
    expectProblem(await page.send("GET", "/api/v1/links"), "upstream_failed");
    expectProblem(await page.send("POST", "/api/v1/me/link-attempts", {}), "paused");
    const accessJwt = await world.team.signAccessJwt(MALLORY, AUDIENCES.app);
    expectProblem(await page.send("POST", "/api/v1/me/links", { accessJwt }), "paused");
  });

  it("doesn't get in the way of the owner, who installs later", async () => {
    const victim = await tenants.startSite();
    const attacker = await mallorySite();
    (await attacker.install("jira", world.appUrl, { body: { baseUrl: victim.url } })).expect(204);
    const stranger = createSender({ baseUrl: victim.url });
    (await tenants.sendEvent(stranger, "installed")).expect(204);
    await waitForTries(victim, 2);

    await world.install("jira", victim);
    await tenants.waitUntilProven(victim);
    expect(await identify(victim.host)).toEqual(UNTRUSTED);
    await setUp(victim);
    expect(await identify(victim.host)).toEqual(NOT_LINKED);
    await link(LINUS, victim);
    expect(await identify(victim.host, LINUS)).toEqual(identified(LINUS));
    for (const { clientKey } of [attacker.getInstallation("jira"), stranger]) {
      expect(await tenants.findTenant(clientKey)).toMatchObject({ proven: 0 });
    }
  });

  it("can't take over by naming the victim's host in Confluence either", async () => {
    const victim = await companySite();
    const attacker = await tenants.installed("confluence");
    await setUp(attacker, MALLORY, "confluence");
    await link(GRACE, attacker, { product: "confluence", as: MALLORY });
    const body = { baseUrl: `${victim.url}/wiki` };
    (await attacker.install("confluence", world.appUrl, { body })).expect(204);
    await waitForTries(victim, 2);
    expect(await identify(victim.host)).toEqual(identified(GRACE));
    expect(await identify(victim.host, GRACE, { product: "confluence" })).toEqual(UNTRUSTED);
  });
});

it("can't make Confluence vouch for what calls itself Jira", async () => {
  const victim = await tenants.installed("jira", "confluence");
  await setUp(victim);
  await link(GRACE, victim);
  const asJira = createSender({ baseUrl: `${victim.url}/wiki`, product: "jira" });
  await tenants.expectNoTrace(async () => {
    expectProblem(await tenants.sendEvent(asJira, "installed"), "validation_failed", ["baseUrl"]);
    const body = { productType: "jira", baseUrl: `${victim.url}/wiki` };
    const reply = await victim.install("confluence", world.appUrl, { body });
    expectProblem(reply, "validation_failed", ["baseUrl"]);
  });
  expect(await identify(victim.host)).toEqual(identified(GRACE));
});

describe("a second tenant on the same host and product", () => {
  it("takes over once the host has accepted it, as after a site import", async () => {
    const site = await companySite();
    const before = site.getInstallation("jira");
    const old = await site.contextJwt("jira", ADA.accountId);
    const imported = { clientKey: randomUUID() };
    const claims = { iss: imported.clientKey };
    (await site.install("jira", world.appUrl, { claims, body: imported })).expect(204);
    await tenants.waitUntilProven(site, "jira", imported);
    expect(await tenants.findTenant(before.clientKey)).toMatchObject({ proven: 0, state: "enabled" });
    // Nor does the old one come back: the host no longer knows its secret.
    travel(61);
    expect(await identify(site.host)).toEqual(UNTRUSTED);
    expectProblem(await tenants.sendAs(old, "/api/v1/settings"), "upstream_failed");

    // The same pages, from now on signed for the new client key.
    const as = async (person: Person) => site.contextJwt("jira", person.accountId, { claims });
    const settings = (await tenants.sendAs(await as(ADA), "/api/v1/settings")).expect(200).body as object;
    const changes = { ...settings, teamDomain: world.team.domain, services: SERVICES };
    (await tenants.sendAs(await as(ADA), "/api/v1/settings", "PUT", changes)).expect(200);
    expect(await identify(site.host)).toEqual(NOT_LINKED);
    const accessJwt = await world.team.signAccessJwt(GRACE, AUDIENCES.app);
    (await tenants.sendAs(await as(GRACE), "/api/v1/me/links", "POST", { accessJwt })).expect(201);
    expect(await identify(site.host)).toEqual(identified(GRACE));
  });

  it("takes nothing while the host refuses it", async () => {
    const site = await companySite();
    const stranger = createSender({ baseUrl: site.url });
    (await tenants.sendEvent(stranger, "installed")).expect(204);
    await waitForTries(site, 2);
    expect(await tenants.findTenant(stranger.clientKey)).toMatchObject({ proven: 0 });
    expect(await tenants.findTenant(site.getInstallation("jira").clientKey)).toMatchObject({ proven: 1 });
    expect(await identify(site.host)).toEqual(identified(GRACE));
  });
});

/** Set up and then installed again, at a moment when the host couldn't be asked. */
async function unprovenSite(): Promise<AtlassianSite> {
  const site = await companySite();
  const before = site.server.requests.length;
  site.behaviour.failing = true;
  (await site.install("jira", world.appUrl)).expect(204);
  // It is asked for the app, and for the admin who saved the settings.
  await vi.waitFor(() => expect(site.server.requests).toHaveLength(before + 2), {
    timeout: 10_000,
    interval: 5,
  });
  return site;
}

describe("proof on demand", () => {
  it("waits for a minute after a try in vain", async () => {
    const site = await unprovenSite();
    site.behaviour.failing = false;
    travel(50);
    await tenants.expectNoTrace(async () => {
      for (let times = 0; times < 5; times += 1) expect(await identify(site.host)).toEqual(UNTRUSTED);
    });
  });

  it("asks once, however many services ask at once", async () => {
    const site = await unprovenSite();
    const before = tries(site);
    travel(61);
    site.behaviour.failing = false;
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => identify(site.host)));
    expect(outcomes).toEqual(outcomes.map(() => identified(GRACE)));
    expect(tries(site)).toBe(before + 1);
    expect(await identify(site.host)).toEqual(identified(GRACE));
    expect(tries(site)).toBe(before + 1);
  });

  it.each(["failing", "off"] as const)("asks once in a minute while the host is %s", async (how) => {
    const site = await unprovenSite();
    site.behaviour.failing = false;
    site.behaviour[how] = true;
    for (let minutes = 1; minutes <= 3; minutes += 1) {
      const before = tries(site);
      travel(61);
      await Promise.all(Array.from({ length: 5 }, () => identify(site.host)));
      for (let times = 0; times < 5; times += 1) expect(await identify(site.host)).toEqual(UNTRUSTED);
      expect(tries(site)).toBe(before + 1);
    }
  });

  it.each<[string, (site: AtlassianSite) => Promise<[string, Record<string, string>, string?]>]>([
    ["no token", () => Promise.resolve(["", {}])],
    ["something that is no token", () => Promise.resolve(["x.y.z", {}])],
    ["a token of a team that nobody here names", async () => [await globexJwt(), {}]],
    ["a token for an application that isn't listed", async () => [await accessJwt("0".repeat(64)), {}]],
    [
      "a token for another audience than is asked for",
      async () => [await accessJwt(), { audience: AUDIENCES.app }],
    ],
    ["a token for another product", async () => [await accessJwt(), { product: "confluence" }]],
    ["a token for another site", async (site) => [await accessJwt(), {}, `${site.host}0`]],
    ["a forged token", async () => [await forgedJwt(), {}]],
  ])("never asks for a stranger with %s", async (_name, prepare) => {
    const site = await unprovenSite();
    const warm = await tenants.installed();
    await setUp(warm);
    travel(61);
    site.behaviour.failing = false;
    // So that the team's keys are at hand.
    expect(await identify(warm.host, LINUS)).toEqual(NOT_LINKED);
    const [token, query, host = site.host] = await prepare(site);
    await tenants.expectNoTrace(async () => {
      expect((await tenants.identify(host, token, query)).status).toBe(401);
    });
    expect(await identify(site.host)).toEqual(identified(GRACE));
  });

  async function accessJwt(audience: string = AUDIENCES.demo): Promise<string> {
    return world.team.signAccessJwt(GRACE, audience);
  }

  async function globexJwt(): Promise<string> {
    const [, globex] = world.parts.teams;
    return globex!.signAccessJwt(GRACE, AUDIENCES.demo);
  }

  /** As Grace's, but signed by somebody else's key. */
  async function forgedJwt(): Promise<string> {
    const [header = "", claims = ""] = (await accessJwt()).split(".");
    const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as object;
    const { privateKey } = await createRsaKeyPair();
    return mintRs256(decode(claims), privateKey, decode(header));
  }
});

describe("after a reinstall on another host", () => {
  it("nobody can link there until that host has answered, and then everybody can", async () => {
    const site = await companySite();
    const grace = world.page(GRACE, "jira", site);
    const linus = world.page(LINUS, "jira", site);
    const attempt = await linus.beginLink();
    const browser = await world.browser(LINUS);
    await linus.openPopup(attempt, browser);
    const code = await confirmInPopup(browser);

    site.behaviour.failing = true;
    const moved = `127.0.0.1:${site.server.port}`;
    (await site.install("jira", world.appUrl, { body: { baseUrl: `http://${moved}` } })).expect(204);
    expectProblem(await linus.send("POST", "/api/v1/me/link-attempts", {}), "paused");
    const token = await world.team.signAccessJwt(LINUS, AUDIENCES.app);
    expectProblem(await linus.send("POST", "/api/v1/me/links", { accessJwt: token }), "paused");
    expectProblem(await linus.send("POST", "/api/v1/me/links", { attempt: attempt.id, code }), "paused");
    expect((await browser.open(attempt.url.replace("/link/start/", "/access/link/"))).status).toBe(403);
    expect(await linus.listLinks()).toEqual([]);
    expectProblem(await world.page(ADA, "jira", site).send("GET", "/api/v1/settings"), "upstream_failed");

    // What the host tells of a member, it might tell to anybody.
    site.behaviour.failing = false;
    expect((await grace.send("GET", "/api/v1/me")).expect(200).body).toMatchObject({
      linking: { available: false },
    });
    expectProblem(await linus.send("POST", "/api/v1/me/link-attempts", {}), "paused");
    await world.page(ADA, "jira", site).getSettings();
    await linus.finishLink(attempt, code);
    expect(await identify(moved, LINUS)).toEqual(identified(LINUS));
    expect(await grace.listLinks()).toHaveLength(1);
  });
});

describe("Jira and Confluence of one site", () => {
  async function bothProducts(): Promise<AtlassianSite> {
    const site = await tenants.installed("jira", "confluence");
    site.accounts.set(JILL.accountId, JILL);
    return site;
  }

  it.each<[Person, Product, Product]>([
    [JILL, "jira", "confluence"],
    [CLEO, "confluence", "jira"],
  ])("have admins of their own: $name", async (admin, theirs, other) => {
    const site = await bothProducts();
    (await world.page(admin, theirs, site).send("GET", "/api/v1/settings")).expect(200);
    const page = world.page(admin, other, site);
    for (const [method, path, body] of [
      ["GET", "/api/v1/settings", undefined],
      ["PUT", "/api/v1/settings", { teamDomain: null, services: [], version: 0 }],
      ["POST", "/api/v1/settings/check", {}],
      ["GET", "/api/v1/links", undefined],
      ["DELETE", "/api/v1/links/x", undefined],
      ["POST", "/api/v1/links/x/restore", {}],
      ["POST", "/api/v1/settings/popup-check", {}],
      ["GET", "/api/v1/audit", undefined],
    ] as const) {
      expectProblem(await page.send(method, path, body), "not_admin");
    }
  });

  it("have settings of their own", async () => {
    const site = await bothProducts();
    await setUp(site, JILL);
    expect(await world.page(CLEO, "confluence", site).getSettings()).toMatchObject({
      teamDomain: null,
      services: [],
      version: 0,
    });
    expect(await identify(site.host, GRACE, { product: "jira" })).toEqual(NOT_LINKED);
    expect(await identify(site.host, GRACE, { product: "confluence" })).toEqual(UNTRUSTED);
    await world.page(CLEO, "confluence", site).saveSettings({ paused: true });
    expect(await world.page(JILL, "jira", site).getSettings()).toMatchObject({ paused: false, version: 1 });
  });

  it("have links of their own", async () => {
    const site = await bothProducts();
    await setUp(site, JILL);
    await setUp(site, CLEO, "confluence");
    await link(GRACE, site);
    expect(await identify(site.host, GRACE, { product: "jira" })).toEqual(identified(GRACE));
    expect(await identify(site.host, GRACE, { product: "confluence" })).toEqual(NOT_LINKED);
    expect(await world.page(GRACE, "confluence", site).listLinks()).toEqual([]);
    const { items } = (await world.page(CLEO, "confluence", site).send("GET", "/api/v1/links")).expect(200)
      .body as { items: unknown[] };
    expect(items).toEqual([]);

    const [own] = await world.page(GRACE, "jira", site).listLinks();
    const removals = [
      world.page(CLEO, "confluence", site).send("DELETE", `/api/v1/links/${own!.id}`),
      world.page(GRACE, "confluence", site).send("DELETE", `/api/v1/me/links/${own!.id}`),
    ];
    for (const removal of removals) expectProblem(await removal, "not_found");
    expect(await world.page(GRACE, "jira", site).listLinks()).toHaveLength(1);
  });

  it("don't make an admin of one somebody else in the other", async () => {
    const site = await bothProducts();
    await setUp(site, JILL);
    await link(GRACE, site);
    await setUp(site, CLEO, "confluence");
    await link(GRACE, site, { product: "confluence", as: CLEO });
    expect(await identify(site.host, GRACE, { product: "jira" })).toEqual(identified(GRACE));
    expect(await identify(site.host, GRACE, { product: "confluence" })).toEqual(identified(CLEO));
    expect(await identify(site.host)).toEqual({ status: 409, code: "ambiguous_site", accountId: undefined });
  });

  it("don't take each other's tokens or attempts", async () => {
    const site = await bothProducts();
    await setUp(site, JILL);
    await setUp(site, CLEO, "confluence");
    const { sharedSecret } = site.getInstallation("jira");
    const token = await site.contextJwt("confluence", ADA.accountId, { secret: sharedSecret });
    expectProblem(await tenants.sendAs(token, "/api/v1/settings"), "connect_jwt_invalid");

    const page = world.page(GRACE, "jira", site);
    const attempt = await page.beginLink();
    const browser = await world.browser(GRACE);
    await page.openPopup(attempt, browser);
    const body = { attempt: attempt.id, code: await confirmInPopup(browser) };
    const elsewhere = world.page(GRACE, "confluence", site);
    expectProblem(await elsewhere.send("POST", "/api/v1/me/links", body), "attempt_expired");
    expect(await elsewhere.listLinks()).toEqual([]);
  });
});

describe("tenants that name the same team and audience", () => {
  it("don't see each other's links, settings and events", async () => {
    const acme = await companySite();
    const other = await tenants.installed();
    await setUp(other, MALLORY);
    expect(await identify(other.host)).toEqual(NOT_LINKED);
    expect(await world.page(GRACE, "jira", other).listLinks()).toEqual([]);
    const page = world.page(MALLORY, "jira", other);
    const list = async (path: string) => (await page.send("GET", path)).expect(200).body;
    expect(await list("/api/v1/links")).toEqual({ items: [], nextCursor: null });
    expect(await list(`/api/v1/links?query=${GRACE.email}`)).toEqual({ items: [], nextCursor: null });
    expect(JSON.stringify(await list("/api/v1/audit"))).not.toContain(GRACE.email);

    const [own] = await world.page(GRACE, "jira", acme).listLinks();
    await tenants.expectNoTrace(async () => {
      expectProblem(await page.send("DELETE", `/api/v1/links/${own!.id}`), "not_found");
      const graceThere = world.page(GRACE, "jira", other);
      expectProblem(await graceThere.send("DELETE", `/api/v1/me/links/${own!.id}`), "not_found");
    });
  });

  it("may link the same person, each to an account of its own", async () => {
    const acme = await companySite();
    const other = await tenants.installed();
    await setUp(other, MALLORY);
    await link(GRACE, other, { as: LINUS });
    expect(await identify(acme.host)).toEqual(identified(GRACE));
    expect(await identify(other.host)).toEqual(identified(LINUS));
    await world.page(LINUS, "jira", other).unlinkAll();
    expect(await identify(acme.host)).toEqual(identified(GRACE));
  });

  it("can't spend each other's linking tokens twice", async () => {
    const acme = await tenants.installed();
    await setUp(acme);
    const other = await tenants.installed();
    await setUp(other, MALLORY);
    const accessJwt = await world.team.signAccessJwt(GRACE, AUDIENCES.app);
    (await world.page(GRACE, "jira", acme).send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
    const again = await world.page(MALLORY, "jira", other).send("POST", "/api/v1/me/links", { accessJwt });
    expectProblem(again, "already_linked");
  });
});

describe("a tenant that names another company's team", () => {
  it("learns nothing of it, and doesn't change who its people are", async () => {
    const acme = await companySite();
    const mallory = await mallorySite();
    expect(await identify(acme.host)).toEqual(identified(GRACE));
    const page = world.page(MALLORY, "jira", mallory);
    await page.saveSettings({ allowedEmailDomains: ["nobody.example.com"], paused: true });
    expect(await identify(acme.host)).toEqual(identified(GRACE));
  });

  it("doesn't take its keys along when it leaves, nor spoil them with a check", async () => {
    const acme = await companySite();
    expect(await identify(acme.host)).toEqual(identified(GRACE));
    const mallory = await mallorySite();
    const page = world.page(MALLORY, "jira", mallory);
    world.team.behaviour.off = true;
    try {
      expect((await page.send("POST", "/api/v1/settings/check", {})).expect(200).body).toMatchObject({
        ok: false,
      });
      expect(await identify(acme.host)).toEqual(identified(GRACE));
      await page.saveSettings({ teamDomain: null, services: [] });
      (await mallory.uninstall("jira")).expect(204);
      expect(await identify(acme.host)).toEqual(identified(GRACE));
    } finally {
      world.team.behaviour.off = false;
    }
  });

  it("doesn't make that team trusted anywhere else", async () => {
    const [, globex] = world.parts.teams;
    const mallory = await tenants.installed();
    mallory.accounts.set(MALLORY.accountId, MALLORY);
    await world
      .page(MALLORY, "jira", mallory)
      .saveSettings({ teamDomain: globex!.domain, services: SERVICES });
    const acme = await companySite();
    const token = await globex!.signAccessJwt(GRACE, AUDIENCES.demo);
    expectProblem(await tenants.identify(mallory.host, token), "not_linked");
    expectProblem(await tenants.identify(acme.host, token), "access_jwt_untrusted");
    const accessJwt = await globex!.signAccessJwt(GRACE, AUDIENCES.app);
    const reply = await world.page(GRACE, "jira", acme).send("POST", "/api/v1/me/links", { accessJwt });
    expectProblem(reply, "access_jwt_untrusted");
  });
});
