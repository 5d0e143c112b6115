import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { expectProblem, type Problem } from "./refusals.fixture.js";
import { ServiceWorld } from "./service-api.fixture.js";

let scene: ServiceWorld;
let grace: string;

beforeAll(async () => {
  scene = await ServiceWorld.start();
  grace = await scene.sign(GRACE);
});
afterAll(() => scene.close());

describe("Jira and Confluence of one site", () => {
  type State = "as Grace" | "as Linus" | "unlinked" | "paused" | "not set up";
  type Outcome = ProblemCode | readonly [product: Product, account: Person];

  // prettier-ignore
  it.each<[jira: State, confluence: State, either: Outcome, asJira: Outcome, asConfluence: Outcome]>([
    ["as Grace",   "as Grace",   ["jira", GRACE],        ["jira", GRACE],         ["confluence", GRACE]],
    ["as Grace",   "as Linus",   "ambiguous_site",       ["jira", GRACE],         ["confluence", LINUS]],
    ["as Grace",   "unlinked",   ["jira", GRACE],        ["jira", GRACE],         "not_linked"],
    ["unlinked",   "as Linus",   ["confluence", LINUS],  "not_linked",            ["confluence", LINUS]],
    ["as Grace",   "paused",     ["jira", GRACE],        ["jira", GRACE],         "paused"],
    ["paused",     "as Linus",   ["confluence", LINUS],  "paused",                ["confluence", LINUS]],
    ["not set up", "as Linus",   ["confluence", LINUS],  "access_jwt_untrusted",  ["confluence", LINUS]],
    ["paused",     "unlinked",   "not_linked",           "paused",                "not_linked"],
    ["unlinked",   "not set up", "not_linked",           "not_linked",            "access_jwt_untrusted"],
    ["not set up", "not set up", "access_jwt_untrusted", "access_jwt_untrusted",  "access_jwt_untrusted"],
  ])("are apart: Grace is %s here and %s there", async (jira, confluence, either, asJira, asConfluence) => {
    const site = await scene.startSite(null);
    await arrange(site, "jira", jira);
    await arrange(site, "confluence", confluence);

    expectOutcome(await scene.identify(grace, { site }), either);
    expectOutcome(await scene.identify(grace, { site, query: "?product=jira" }), asJira);
    expectOutcome(await scene.identify(grace, { site, query: "?product=confluence" }), asConfluence);
  });

  it("are two tenants, and each says where to link in it", async () => {
    const site = await scene.startSite(null);
    const tenants = new Set<unknown>();
    for (const product of PRODUCTS) {
      await scene.setUp(site, product);
      const query = `?product=${product}`;
      const { linkUrl } = refuse(await scene.identify(grace, { site, query }), "not_linked");
      expect(linkUrl).toBe(`${site.baseUrl(product)}/plugins/servlet/ac/access-for-atlassian-cloud/account`);
      await scene.link(GRACE, site, product);
      tenants.add(
        ((await scene.identify(grace, { site, query })).expect(200).body as { tenant: string }).tenant,
      );
    }
    expect(tenants.size).toBe(2);
  });

  async function arrange(site: AtlassianSite, product: Product, state: State): Promise<void> {
    if (state === "not set up") return scene.world.install(product, site);
    await scene.setUp(site, product, { paused: state === "paused" });
    if (state === "as Grace") await scene.link(GRACE, site, product);
    if (state === "as Linus") await scene.link(LINUS, site, product);
  }

  function expectOutcome(reply: Reply, outcome: Outcome): void {
    if (typeof outcome === "string") refuse(reply, outcome);
    else expect(reply.body).toMatchObject({ product: outcome[0], accountId: outcome[1].accountId });
  }
});

describe("what an admin, a person or Atlassian changes counts from the next question on:", () => {
  let site: AtlassianSite;
  const admin = () => scene.world.page(ADA, "jira", site);

  // prettier-ignore
  it.each<[what: string, code: ProblemCode, change: () => Promise<unknown>, undo: (() => Promise<unknown>) | null]>([
    ["the app is paused", "paused",
      () => admin().saveSettings({ paused: true }), () => admin().saveSettings({ paused: false })],
    ["the e-mail domain is no longer allowed", "email_domain_not_allowed",
      () => admin().saveSettings({ allowedEmailDomains: ["globex.example"] }), () => admin().saveSettings({ allowedEmailDomains: [] })],
    ["the service loses its purpose", "purpose_not_allowed",
      () => admin().saveSettings({ services: [{ ...SERVICES[1], purposes: ["link"] }] }), () => admin().saveSettings({ services: SERVICES })],
    ["the service is removed", "access_jwt_untrusted",
      () => admin().saveSettings({ services: [] }), () => admin().saveSettings({ services: SERVICES })],
    ["the team is another", "access_jwt_untrusted",
      () => admin().saveSettings({ teamDomain: scene.globex.domain }), () => admin().saveSettings({ teamDomain: scene.acme.domain })],
    ["the team is taken away", "access_jwt_untrusted",
      () => admin().saveSettings({ teamDomain: null }), () => admin().saveSettings({ teamDomain: scene.acme.domain })],
    ["the app is disabled", "access_jwt_untrusted", () => site.disable("jira"), () => site.enable("jira")],
    ["the person unlinks", "not_linked", () => scene.world.page(GRACE, "jira", site).unlinkAll(), null],
    ["an admin removes the link", "not_linked", async () => {
      const { links } = await scene.readTenant(site);
      (await admin().send("DELETE", `/api/v1/links/${links[0]!.id}`)).expect(204);
    }, null],
    ["the app is uninstalled", "access_jwt_untrusted", () => site.uninstall("jira"), null],
  ])("%s", async (_what, code, change, undo) => {
    site = await scene.startSite();
    await scene.link(GRACE, site);
    scene.expectOutcome(await scene.identify(grace, { site }), GRACE);

    await change();
    refuse(await scene.identify(grace, { site }), code);

    await undo?.();
    scene.expectOutcome(await scene.identify(grace, { site }), undo ? GRACE : code);
  });
});

describe("an installation", () => {
  it("that was removed and came back has its settings, but no links", async () => {
    const site = await scene.startSite();
    await scene.link(GRACE, site);
    (await site.uninstall("jira")).expect(204);

    await scene.world.install("jira", site);

    refuse(await scene.identify(grace, { site }), "not_linked");
  });

  it("counts for nothing until its host has accepted the secret, and no question makes the app insist", async () => {
    const site = await scene.startSite();
    await scene.link(GRACE, site);
    site.behaviour.failing = true;
    const before = site.server.requests.length;
    await scene.world.install("jira", site);
    await vi.waitFor(() => expect(site.server.requests.length).toBeGreaterThan(before), 5_000);

    for (let nth = 0; nth < 5; nth++) refuse(await scene.identify(grace, { site }), "access_jwt_untrusted");

    // Once about the app itself, once about the last admin who saved.
    expect(site.server.requests.length).toBeLessThanOrEqual(before + 2);
    site.behaviour.failing = false;
    await scene.world.page(ADA, "jira", site).getSettings();
    scene.expectOutcome(await scene.identify(grace, { site }), GRACE);
  });

  it("that claims another's host gains nothing there, and loses its own", async () => {
    const [victim, evil] = [await scene.startSite(), await scene.startSite()];
    await scene.link(GRACE, victim);
    await scene.link(LINUS, evil);
    const before = (await scene.identify(grace, { site: victim })).expect(200).body;

    (await evil.install("jira", scene.world.appUrl, { body: { baseUrl: victim.url } })).expect(204);

    expect((await scene.identify(grace, { site: victim })).expect(200).body).toEqual(before);
    refuse(await scene.identify(grace, { site: evil }), "access_jwt_untrusted");
  });

  it("that claims a host without the app doesn't put it there", async () => {
    const [bystander, evil] = [await scene.startSite(null), await scene.startSite()];
    await scene.link(LINUS, evil);

    (await evil.install("jira", scene.world.appUrl, { body: { baseUrl: bystander.url } })).expect(204);

    refuse(await scene.identify(grace, { site: bystander }), "access_jwt_untrusted");
  });
});

function refuse(reply: Reply, code: ProblemCode): Problem {
  return expectProblem(reply, code, scene.world.appUrl);
}
