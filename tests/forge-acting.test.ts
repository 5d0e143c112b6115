import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import { FORGE_APP_ID, type ForgeSender } from "../sandbox/forge-fit.js";
import type { Reply } from "../sandbox/http-client.js";
import type { Answer } from "../sandbox/http-server.js";
import { ADA, CLEO, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { ForgeWorld } from "./forge.fixture.js";
import { acting, ALL_METHODS } from "./gateway.fixture.js";
import { expectProblem } from "./refusals.fixture.js";

const BOT = {
  audience: audienceOf("bot"),
  read: "/rest/api/3/search/jql?jql=assignee%20%3D%20currentUser()",
};
const WIKI_PAGES = "/api/v2/pages";

let world: ForgeWorld;
beforeAll(async () => {
  world = await ForgeWorld.start({ hasEdge: false });
});
afterAll(() => world.close());

const hostOf = ({ siteUrl }: ForgeSender) => new URL(siteUrl).host;

/** A site in whose products an admin trusts a bot, and where Grace has linked. */
async function prepareSite(products: readonly Product[] = ["jira"]): Promise<ForgeSender> {
  const site = world.site({ products });
  (await world.trigger(site, "installed")).expect(204);
  const requests = [{ methods: ALL_METHODS, path: "/**" }];
  const services = [
    SERVICES[0],
    { ...acting("bot", { requests, consent: "given" }), audience: BOT.audience },
  ];
  const settings = { teamDomain: world.tenants.world.team.domain, services, version: 0 };
  for (const product of products) {
    const admin = { product, headers: world.userToken(site, ADA) };
    const put = { ...admin, method: "PUT", path: "/api/v1/settings", body: settings };
    (await world.page(site, ADA, put)).expect(200);
    await link(site, GRACE, product);
  }
  return site;
}

async function link(site: ForgeSender, person: Person, product: Product = "jira"): Promise<void> {
  const accessJwt = await world.tenants.world.team.signAccessJwt(person, AUDIENCES.app);
  const post = { product, method: "POST", path: "/api/v1/me/links", body: { accessJwt } };
  (await world.page(site, person, post)).expect(201);
}

interface BotCall {
  readonly person?: Person;
  readonly product?: Product;
  readonly path?: string;
  readonly method?: string;
  readonly body?: unknown;
}

async function act(site: ForgeSender, call: BotCall = {}): Promise<Reply> {
  const { person = GRACE, product = "jira", path = BOT.read, method = "GET", body } = call;
  const token = await world.tenants.world.team.signAccessJwt(person, BOT.audience);
  return world.tenants.send({
    caller: "The bot",
    method,
    url: `${world.tenants.world.appUrl}/api/v1/sites/${hostOf(site)}/${product}${path}`,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body }),
  });
}

const questions = () => world.api.server.requests.filter((line) => line.startsWith("POST /graphql"));

describe.each(PRODUCTS)("who is an admin of %s through Forge", (product) => {
  const admin = product === "jira" ? ADA : CLEO;
  const ask = (site: ForgeSender, person: Person, token?: string) =>
    world.page(site, person, {
      product,
      path: "/api/v1/settings",
      headers: token === undefined ? {} : { "x-forge-oauth-user": token },
    });

  it("is told by the person's own token, that came with their own call", async () => {
    const site = world.site({ products: PRODUCTS });
    (await ask(site, admin, world.api.userToken(site.cloudId, admin))).expect(200);
  });

  it.each<[what: string, caller: Person, token: (site: ForgeSender) => string | undefined]>([
    ["another's call with an admin's token", GRACE, ({ cloudId }) => world.api.userToken(cloudId, admin)],
    ["an admin's call with another's token", admin, ({ cloudId }) => world.api.userToken(cloudId, GRACE)],
    ["an admin's token of another site", admin, () => world.api.userToken(world.site().cloudId, admin)],
    ["the app's own token", admin, ({ cloudId }) => world.api.systemToken(cloudId)],
    [
      "a token that has expired",
      admin,
      ({ cloudId }) => world.api.userToken(cloudId, admin, { expiresInSeconds: -60 }),
    ],
    ["a token that was made up", admin, () => "made.up.token"],
    ["no token", admin, () => undefined],
    ["a token that is none", admin, () => "a b"],
    ["their own token, of those who aren't", GRACE, ({ cloudId }) => world.api.userToken(cloudId, GRACE)],
  ])("isn't told by %s", async (_what, caller, token) => {
    const site = world.site({ products: PRODUCTS });
    const reply = await ask(site, caller, token(site));
    expect(reply.expect(403).body).toMatchObject({ code: "not_admin" });
  });

  it("isn't told by a token that somebody else's call has brought", async () => {
    const site = world.site({ products: PRODUCTS });
    const token = world.api.userToken(site.cloudId, admin);
    (await ask(site, GRACE, token)).expect(403);
    (await ask(site, admin)).expect(403);
    (await ask(site, admin, token)).expect(200);
    (await ask(site, GRACE, token)).expect(403);
  });
});

it("an admin of Confluence alone isn't one of Jira, though it is one installation", async () => {
  const site = world.site({ products: PRODUCTS });
  const headers = world.userToken(site, CLEO);
  const ask = (product: Product) => world.page(site, CLEO, { product, path: "/api/v1/settings", headers });
  (await ask("confluence")).expect(200);
  (await ask("jira")).expect(403);
});

describe("acting through Forge", () => {
  let site: ForgeSender;
  beforeAll(async () => {
    site = await prepareSite(PRODUCTS);
  });

  it("reads and writes as the visitor, and one token is asked for as long as it is good", async () => {
    const found = await act(site);
    expect(found.status, found.text).toBe(200);
    expect(found.headers["x-gateway-upstream"]).toBe("jira");
    expect(found.text).toContain("Water the plants");
    const before = questions().length;
    (await act(site)).expect(200);
    expect(questions()).toHaveLength(before);

    const body = { body: { type: "doc", version: 1, content: [] } };
    const path = "/rest/api/3/issue/SAND-1/comment";
    const written = (await act(site, { method: "POST", path, body })).expect(201);
    expect(written.body).toMatchObject({ author: { accountId: GRACE.accountId } });
  });

  it("reaches Confluence at its own place", async () => {
    const reply = (await act(site, { product: "confluence", path: WIKI_PAGES })).expect(200);
    expect(reply.text).toContain("How we work");
    expect(reply.text).not.toContain("Salaries");
  });

  it("passes on that the manifest doesn't let the app do something, and doesn't ask for tokens again and again", async () => {
    const before = questions().length;
    for (let time = 0; time < 5; time += 1) {
      const reply = await act(site, { path: "/rest/api/3/myself" });
      expect([reply.status, reply.headers["x-gateway-upstream"]]).toEqual([401, "jira"]);
    }
    expect(questions().length - before).toBeLessThanOrEqual(2);
  });

  it("names the page in the product where a stranger can link", async () => {
    const reply = await act(site, { person: LINUS });
    const { linkUrl } = expectProblem(reply, "not_linked", world.tenants.world.appUrl);
    const app = FORGE_APP_ID.replace(/.*\//, "");
    expect(linkUrl).toBe(`${site.siteUrl}/jira/settings/personal/apps/${app}/production`);
  });

  it.each<[what: string, location: (at: ForgeSender) => string, path: string]>([
    ["of the site", ({ siteUrl }) => `${siteUrl}/rest/api/3/task/1`, "/rest/api/3/task/1"],
    [
      "of the API",
      ({ cloudId }) => `${world.api.url}/ex/jira/${cloudId}/rest/api/3/task/1`,
      "/rest/api/3/task/1",
    ],
    ["without a host", () => "/rest/api/3/task/1?a=1", "/rest/api/3/task/1?a=1"],
  ])("leads redirects to addresses %s back to the gateway", async (_what, location, path) => {
    const target = "/rest/api/3/moved";
    answer(site, target, { status: 303, headers: { location: location(site) } });
    const { appUrl } = world.tenants.world;
    expect((await act(site, { path: target })).expect(303).headers.location).toBe(
      `${appUrl}/api/v1/sites/${hostOf(site)}/jira${path}`,
    );
  });
});

it("gets another token when the product takes one back", async () => {
  const site = await prepareSite();
  (await act(site)).expect(200);
  const before = questions().length;
  world.api.revokeTokensOfPeople();
  (await act(site)).expect(200);
  expect(questions()).toHaveLength(before + 1);
});

it("says that the app may be gone once Atlassian doesn't take its own token any more", async () => {
  const site = await prepareSite();
  world.api.uninstall(site.cloudId);
  expectProblem(await act(site), "installation_expired", world.tenants.world.appUrl);
});

it("says so, too, when the app's own token has expired and no trigger has brought another", async () => {
  const site = await prepareSite();
  const row = await world.findInstallation(site);
  await world.tenants.database.execute(
    "UPDATE forge_installations SET system_token_expires_at = ? WHERE id = ?",
    ["2026-01-01 00:00:00.000 +00:00", row?.["id"]],
  );
  const before = questions().length;
  expectProblem(await act(site), "installation_expired", world.tenants.world.appUrl);
  expect(questions()).toHaveLength(before);
});

it("passes Atlassian's own limit on", async () => {
  const site = await prepareSite();
  world.api.isLimiting = true;
  onTestFinished(() => void (world.api.isLimiting = false));
  const reply = await act(site);
  expectProblem(reply, "rate_limited", world.tenants.world.appUrl);
  expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
});

it("asks nothing with what a page sends as the app's own token", async () => {
  const site = world.site();
  const planted = world.api.systemToken(site.cloudId);
  const headers = { "x-forge-oauth-system": planted };
  (await world.page(site, GRACE, { headers })).expect(200);
  expect(await world.findInstallation(site)).toMatchObject({ system_token: null });
});

/** Answers this path of Jira's on a site until the test is over. */
function answer({ cloudId }: ForgeSender, path: string, said: Answer): void {
  const { routes } = world.api.server;
  routes.unshift(["GET", new RegExp(`^/ex/jira/${cloudId}${path}$`), () => said]);
  onTestFinished(() => void routes.shift());
}
