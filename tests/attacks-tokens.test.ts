import sqlite3 from "sqlite3";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import { ADA, BUILD_BOT, createPerson, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, type World } from "../sandbox/world.js";
import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { expectProblem, TenantsWorld, travel } from "./lifecycle.fixture.js";
import { forge } from "./service-api.fixture.js";

let tenants: TenantsWorld;
let world: World;
beforeAll(async () => {
  tenants = await TenantsWorld.start();
  world = tenants.world;
});
afterAll(() => tenants.close());

/** A site where Ada has entered team and services, and Grace is linked. */
async function linkedSite(): Promise<AtlassianSite> {
  const site = await tenants.installed();
  await world.page(ADA, "jira", site).saveSettings({ teamDomain: world.team.domain, services: SERVICES });
  const accessJwt = await world.team.signAccessJwt(GRACE, AUDIENCES.app);
  (await world.page(GRACE, "jira", site).send("POST", "/api/v1/me/links", { accessJwt })).expect(201);
  return site;
}

/** Opens a page as the product does: in a frame, with a token for this one URL. */
async function openPage(
  site: AtlassianSite,
  product: Product,
  path: string,
  { accountId }: Person,
  claims: Claims = {},
): Promise<Reply> {
  const url = `${world.appUrl}${path}`;
  const token = await site.urlBoundJwt(product, accountId, "GET", url, { claims });
  const headers = { "sec-fetch-dest": "iframe" };
  return tenants.send({ caller: "A browser", method: "GET", url: `${url}?jwt=${token}`, headers });
}

describe("a page opened by nobody, for whom the product would answer as for the app itself,", () => {
  it.each(PRODUCTS)("is refused in %s, and the product isn't asked", async (product) => {
    const site = await tenants.installed(product);
    await tenants.expectNoTrace(async () => {
      for (const path of ["/admin", "/account"]) {
        for (const sub of [undefined, null, "", " ", "\u200b", [], [""], {}, 0, false]) {
          expectProblem(await openPage(site, product, path, ADA, { sub }), "connect_jwt_invalid");
        }
      }
    });
  });
});

describe("an app's account that administers the product", () => {
  it.each(PRODUCTS)("is no person: it opens no page and links nothing in %s", async (product) => {
    const site = await tenants.installed(product);
    const robot: Person = { ...BUILD_BOT, administers: [product] };
    site.accounts.set(robot.accountId, robot);
    for (const path of ["/admin", "/account"]) {
      expectProblem(await openPage(site, product, path, robot), "account_inactive");
    }
    const page = world.page(robot, product, site);
    expectProblem(await page.send("GET", "/api/v1/me"), "account_inactive");
    expectProblem(await page.send("POST", "/api/v1/me/link-attempts", {}), "account_inactive");
  });
});

describe("what one product has said of an account", () => {
  const departed = (person: Person): Person => ({ ...person, active: false });
  const me = (site: AtlassianSite, product: Product = "jira") =>
    world.page(GRACE, product, site).send("GET", "/api/v1/me");

  it("doesn't count in another product, on another site, or for another account", async () => {
    const site = await tenants.installed("jira", "confluence");
    const elsewhere = await tenants.installed();
    (await me(site)).expect(200);
    for (const each of [site, elsewhere]) each.accounts.set(GRACE.accountId, departed(GRACE));
    const lookalike = createPerson("Grace Green", { accountId: `${GRACE.accountId}0`, active: false });
    site.accounts.set(lookalike.accountId, lookalike);

    expectProblem(await me(site, "confluence"), "account_inactive");
    expectProblem(await me(elsewhere), "account_inactive");
    expectProblem(await world.page(lookalike, "jira", site).send("GET", "/api/v1/me"), "account_inactive");
  });

  it("doesn't outlive the secret under which it was said", async () => {
    const site = await tenants.installed();
    (await me(site)).expect(200);
    site.accounts.set(GRACE.accountId, departed(GRACE));
    (await me(site)).expect(200);

    (await site.install("jira", world.appUrl)).expect(204);

    expectProblem(await me(site), "account_inactive");
  });
});

describe("a token that was accepted a moment ago", () => {
  it("opens nothing under another site, product or audience, or with a letter changed", async () => {
    const site = await linkedSite();
    const elsewhere = await tenants.installed("jira", "confluence");
    const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    const stolen = await world.team.signAccessJwt(LINUS, AUDIENCES.demo);
    (await tenants.identify(site.host, token)).expect(200);

    const [header = "", claims = "", signature = ""] = token.split(".");
    const attacks: [site: string, token: string, query?: Readonly<Record<string, string>>][] = [
      [elsewhere.host, token],
      ["nowhere.atlassian.net", token],
      [site.host, token, { product: "confluence" }],
      [site.host, token, { audience: audienceOf("Payroll") }],
      [site.host, forge(token)],
      [site.host, `${header}.${stolen.split(".")[1] ?? ""}.${signature}`],
      [site.host, `${stolen.split(".")[0] ?? ""}.${claims}.${stolen.split(".")[2] ?? ""}`],
    ];
    for (const [host, attack, query] of attacks) {
      expectProblem(await tenants.identify(host, attack, query), "access_jwt_untrusted");
    }
    (await tenants.identify(site.host, token)).expect(200);
  });

  it("ends with its exp, however often it is sent", async () => {
    const site = await linkedSite();
    travel(0);
    const exp = epochSeconds() + 60;
    const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo, { claims: { exp } });
    // With half a minute for clocks that differ.
    for (const seconds of [0, 60, 29]) {
      travel(seconds);
      (await tenants.identify(site.host, token)).expect(200);
    }
    travel(1);
    expectProblem(await tenants.identify(site.host, token), "access_jwt_expired");
  });
});

describe("a stranger who measures how long a refusal takes", () => {
  /** The tables that the app asks, one after the other, to answer a question. */
  async function tablesAskedFor(question: () => Promise<unknown>): Promise<string[]> {
    const reads = vi.spyOn(sqlite3.Statement.prototype, "all");
    onTestFinished(() => reads.mockRestore());
    await question();
    const statements = reads.mock.contexts.map((statement) =>
      String(Reflect.get(statement as object, "sql")),
    );
    reads.mockRestore();
    return statements.map((sql) => / FROM `?(\w+)/.exec(sql)?.[1] ?? sql);
  }

  it("costs the database the same queries for a site that has the app as for one that hasn't", async () => {
    const known = await linkedSite();
    const unproven = await linkedSite();
    await tenants.database.execute("UPDATE tenants SET proven = 0 WHERE site = ?", [unproven.host]);
    const unlisted = audienceOf("Payroll");
    const token = () => world.team.signAccessJwt(LINUS, unlisted);
    const askAt = async (site: string, accessJwt: string, query?: Readonly<Record<string, string>>) =>
      tablesAskedFor(async () => {
        expectProblem(await tenants.identify(site, accessJwt, query), "access_jwt_untrusted");
      });
    const sites = [known.host, unproven.host, "nowhere.atlassian.net", "unheard-of.example"];

    const [first, ...others] = await inTurn(sites, async (site) => askAt(site, await token()));
    expect(first).toEqual(["settings", "tenants", "settings"]);
    for (const asked of others) expect(asked).toEqual(first);

    const product = { product: "confluence" };
    const ofProduct = await inTurn(sites, async (site) => askAt(site, await token(), product));
    for (const asked of ofProduct) expect(asked).toEqual(first);

    const forged = await inTurn(sites, async (site) => askAt(site, forge(await token())));
    for (const asked of forged) expect(asked).toEqual(forged[0]);
  });

  async function inTurn<T, R>(all: readonly T[], work: (each: T) => Promise<R>): Promise<R[]> {
    const results: R[] = [];
    for (const each of all) results.push(await work(each));
    return results;
  }
});
