import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { confirmInPopup } from "../sandbox/app-page.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import { ADA, createPerson, GRACE, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, type World } from "../sandbox/world.js";
import { expectProblem, senderOf, TenantsWorld, travel } from "./lifecycle.fixture.js";

const MALLORY = createPerson("Mallory Mischief", { administers: ["jira", "confluence"] });

let tenants: TenantsWorld;
let world: World;
beforeAll(async () => {
  tenants = await TenantsWorld.start();
  world = tenants.world;
});
afterAll(() => tenants.close());

async function setUp(site: AtlassianSite, admin: Person): Promise<void> {
  site.accounts.set(admin.accountId, admin);
  await world.page(admin, "jira", site).saveSettings({ teamDomain: world.team.domain, services: SERVICES });
}

async function link(person: Person, site: AtlassianSite, as: Person = person): Promise<void> {
  const accessJwt = await world.team.signAccessJwt(person, AUDIENCES.app);
  (await world.page(as, "jira", site).send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
}

async function identify(site: string, person: Person) {
  return tenants.identify(site, await world.team.signAccessJwt(person, AUDIENCES.demo), { product: "jira" });
}

interface Identity {
  readonly site: string;
  readonly tenant: string;
  readonly accountId: string;
}

describe("a host name that somebody else registers after its owner let it go", () => {
  it("brings another tenant with it, so a service that pins the tenant isn't fooled", async () => {
    const company = await tenants.installed();
    await setUp(company, ADA);
    await link(GRACE, company);
    const pinned = (await identify(company.host, GRACE)).expect(200).body as Identity;
    // The company's site is gone without a word, as a deleted site is.
    const { installKeys, client } = world.parts;
    const squatter = await AtlassianSite.start({ keys: installKeys, client, server: company.server });
    expect(squatter.host).toBe(company.host);
    await world.install("jira", squatter);
    await tenants.waitUntilProven(squatter);
    await setUp(squatter, MALLORY);

    // Nothing that the company had linked speaks for the newcomer's accounts …
    expectProblem(await identify(squatter.host, GRACE), "not_linked");
    await link(GRACE, squatter, MALLORY);
    const fooled = (await identify(squatter.host, GRACE)).expect(200).body as Identity;
    // … and what the newcomer says comes under another tenant's name.
    expect(fooled).toMatchObject({ site: pinned.site, accountId: MALLORY.accountId });
    expect(fooled.tenant).not.toBe(pinned.tenant);
  });
});

describe("an install token that was caught on its way", () => {
  const MALLORYS = { sharedSecret: "s".repeat(64) };

  it("used first, with a secret of the thief's, makes nobody an admin and nobody's links count", async () => {
    // Somebody trusts the team, so that its tokens are looked at at all.
    await setUp(await tenants.installed(), ADA);
    const company = await tenants.startSite();
    (await company.install("jira", world.appUrl, { body: MALLORYS })).expect(204);

    const forged = await company.contextJwt("jira", ADA.accountId, { secret: MALLORYS.sharedSecret });
    for (const path of ["/api/v1/settings", "/api/v1/links", "/api/v1/audit"]) {
      expectProblem(await tenants.sendAs(forged, path), "upstream_failed");
    }
    const begin = await tenants.sendAs(forged, "/api/v1/me/link-attempts", "POST", {});
    expectProblem(begin, "paused");
    expectProblem(await identify(company.host, GRACE), "access_jwt_untrusted");
    expect(await tenants.findTenant(senderOf(company).clientKey)).toMatchObject({ proven: 0 });

    // The next event of Atlassian's puts things right, and the thief's secret is worth nothing.
    await world.install("jira", company);
    await tenants.waitUntilProven(company);
    expectProblem(await tenants.sendAs(forged, "/api/v1/settings"), "connect_jwt_invalid");
  });
});

describe("an install event whose secret was exchanged on its way, for a company that has long been linking,", () => {
  const STOLEN = "s".repeat(64);

  /** Whoever has the secret can sign for any account. */
  async function as({ accountId }: Person, site: AtlassianSite): Promise<string> {
    return site.contextJwt("jira", accountId, { secret: STOLEN });
  }

  it("lets the thief neither become anybody, nor see or take away what they have linked", async () => {
    const company = await tenants.installed();
    await setUp(company, ADA);
    await link(GRACE, company);
    const [own] = await world.page(GRACE, "jira", company).listLinks();
    const { attempt, code } = await beginAndClick(ADA, company, MALLORY);
    const exchanged = { body: { sharedSecret: STOLEN } };
    (await company.install("jira", world.appUrl, exchanged)).expect(204);

    const accessJwt = await world.team.signAccessJwt(MALLORY, AUDIENCES.app);
    const asAda = await as(ADA, company);
    const asGrace = await as(GRACE, company);
    const path = "/api/v1/me/links";
    expectProblem(await tenants.sendAs(asAda, "/api/v1/me/link-attempts", "POST", {}), "paused");
    expectProblem(await tenants.sendAs(asAda, path, "POST", { accessJwt }), "paused");
    expectProblem(await tenants.sendAs(asAda, path, "POST", { attempt: attempt.id, code }), "paused");
    const me = (await tenants.sendAs(asGrace, "/api/v1/me")).expect(200);
    expect(me.body).toMatchObject({ links: [], linking: { available: false } });
    expect(me.text).not.toContain(GRACE.email);
    expectProblem(await tenants.sendAs(asGrace, `${path}/${own?.id ?? ""}`, "DELETE"), "paused");

    await world.install("jira", company);
    await tenants.waitUntilProven(company);
    expectProblem(await identify(company.host, MALLORY), "not_linked");
    expect((await identify(company.host, GRACE)).expect(200).body).toMatchObject(GRACE_IN_JIRA);
  });

  it("and a secret that is real goes on at once, also where the site was away when it came", async () => {
    const company = await tenants.installed();
    await setUp(company, ADA);
    await link(GRACE, company);
    company.behaviour.failing = true;
    (await company.install("jira", world.appUrl)).expect(204);
    const page = world.page(GRACE, "jira", company);
    expect((await page.send("GET", "/api/v1/me")).expect(200).body).toMatchObject({ links: [] });

    company.behaviour.failing = false;
    travel(61);
    expect((await page.send("GET", "/api/v1/me")).expect(200).body).toMatchObject({
      links: [{ email: GRACE.email }],
      linking: { available: true },
    });
    await page.beginLink();
  });

  const GRACE_IN_JIRA = { accountId: GRACE.accountId };

  /** An attempt of one person's account that another's identity has claimed. */
  async function beginAndClick(account: Person, site: AtlassianSite, identity: Person) {
    const page = world.page(account, "jira", site);
    const attempt = await page.beginLink();
    const browser = await world.browser(identity);
    await page.openPopup(attempt, browser);
    return { attempt, code: await confirmInPopup(browser) };
  }
});

describe("an admin who names another company's team and AUD tags", () => {
  it("can't take over the ids of its services", async () => {
    const company = await tenants.installed();
    await setUp(company, ADA);
    const { services } = await world.page(ADA, "jira", company).getSettings();
    const mallorys = await tenants.installed();
    await setUp(mallorys, MALLORY);
    const page = world.page(MALLORY, "jira", mallorys);
    const settings = await page.getSettings();

    const reply = await page.send("PUT", "/api/v1/settings", { ...settings, services });

    expectProblem(reply, "validation_failed", ["services[0].id", "services[1].id"]);
  });
});
