import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { buildSiteData, OTHER_APP_ID, SCOPES } from "../src/forge/forge-world.fixture.js";
import { contextIdOf, ForgeApi } from "./forge-api.js";
import { readManifestScopes } from "./forge-scopes.js";
import { HttpClient, type Reply } from "./http-client.js";
import { ADA, BUILD_BOT, DORA, GRACE, type Person } from "./people.js";

const QUERY =
  "mutation x($input: OfflineUserAuthTokenInput!) { offlineUserAuthToken(input: $input) { success } }";
const JQL = "/ex/jira/CLOUD/rest/api/3/search/jql?jql=";
const MYSELF = "/ex/jira/CLOUD/rest/api/3/myself";
const PAGES = "/ex/confluence/CLOUD/wiki/api/v2/pages";

const client = new HttpClient();
const cloudId = randomUUID();
const elsewhere = randomUUID();
let api: ForgeApi;

beforeAll(async () => {
  api = await ForgeApi.start();
});
afterAll(() => api.close());

beforeEach(() => {
  api.isLimiting = false;
  api.install({ cloudId, site: buildSiteData(), scopes: SCOPES });
  api.install({ cloudId: elsewhere, site: buildSiteData(), scopes: SCOPES, products: ["jira"] });
});

function send(token: string, method: string, path: string, body?: unknown): Promise<Reply> {
  const url = `${api.url}${path.replace("CLOUD", cloudId)}`;
  return client.send({
    caller: "The test",
    method,
    url,
    headers: { authorization: `Bearer ${token}` },
    body,
  });
}

const get = (token: string, path: string) => send(token, "GET", path);
const tokenOf = (person: Person) => api.userToken(cloudId, person);

interface Result {
  readonly success: boolean;
  readonly authToken: { readonly token: string; readonly ttl: number } | null;
}

async function impersonate(
  { accountId }: Pick<Person, "accountId">,
  { token = api.systemToken(cloudId), contextIds = [contextIdOf("jira", cloudId)] } = {},
): Promise<Result> {
  const variables = { input: { contextIds, userId: accountId } };
  const reply = await send(token, "POST", "/graphql", { query: QUERY, variables });
  const body = reply.expect(200).body as { data: { offlineUserAuthToken: Result } };
  return body.data.offlineUserAuthToken;
}

describe("the products behind it", () => {
  it("show people what they may see, and take what they write", async () => {
    const found = (await get(tokenOf(GRACE), `${JQL}assignee%20%3D%20currentUser()`)).expect(200).body;
    expect(JSON.stringify(found)).toContain("Water the plants");
    expect(JSON.stringify((await get(tokenOf(GRACE), PAGES)).expect(200).body)).not.toContain("Salaries");
    expect(JSON.stringify((await get(tokenOf(ADA), PAGES)).expect(200).body)).toContain("Salaries");
    const comment = { body: { type: "doc" } };
    const issue = "/ex/jira/CLOUD/rest/api/3/issue/SAND-1/comment";
    (await send(tokenOf(GRACE), "POST", issue, comment)).expect(201);
  });

  it.each([
    [
      "whose token it is, in Jira",
      MYSELF,
      { accountId: ADA.accountId, accountType: "atlassian", active: true },
    ],
    [
      "what its owner may do in Jira",
      "/ex/jira/CLOUD/rest/api/3/mypermissions?permissions=ADMINISTER",
      { permissions: { ADMINISTER: { havePermission: true } } },
    ],
    [
      "whose token it is, in Confluence, and what they may do there",
      "/ex/confluence/CLOUD/wiki/rest/api/user/current?expand=operations",
      { accountId: ADA.accountId, operations: [{ operation: "use" }, { operation: "administer" }] },
    ],
  ])("tell %s", async (_what, path, said) => {
    expect((await get(tokenOf(ADA), path)).expect(200).body).toMatchObject(said);
  });

  it.each<[what: string, token: () => string, path: string]>([
    ["none", () => "", MYSELF],
    ["one that was made up", () => "made.up", MYSELF],
    ["one of another site", () => api.userToken(elsewhere, ADA), MYSELF],
    ["one for another product", () => api.userToken(elsewhere, ADA), PAGES.replace("CLOUD", elsewhere)],
    ["one that has expired", () => api.userToken(cloudId, ADA, { expiresInSeconds: 0 }), MYSELF],
    ["one of somebody who has gone", () => tokenOf(DORA), MYSELF],
  ])("answer 401 to %s", async (_what, token, path) => {
    (await get(token(), path)).expect(401);
  });

  it("answer 401 once the app has gone, and again until a new token is sent after it came back", async () => {
    const token = tokenOf(ADA);
    api.uninstall(cloudId);
    (await get(token, MYSELF)).expect(401);
    api.install({ cloudId, site: buildSiteData(), scopes: SCOPES });
    (await get(token, MYSELF)).expect(401);
    (await get(tokenOf(ADA), MYSELF)).expect(200);
  });

  it("answer 401 without the scope, and say so", async () => {
    api.install({
      cloudId,
      site: buildSiteData(),
      scopes: { "read:jira-user": { allowImpersonation: false } },
    });
    (await get(tokenOf(ADA), MYSELF)).expect(200);
    const refused = (await get(tokenOf(ADA), JQL)).expect(401);
    expect(refused.headers["x-failure-category"]).toBe("FAILURE_CLIENT_SCOPE_CHECK");
  });
});

describe("a token to act as somebody who isn't there", () => {
  it("is good for what the manifest lets it be good for", async () => {
    const { authToken } = await impersonate(GRACE);
    const { token, ttl } = authToken ?? expect.fail("There was none.");
    expect(ttl).toBe(api.lifetimeSeconds);
    (await get(token, JQL)).expect(200, 400);
    (await get(token, MYSELF)).expect(401);
  });

  it.each<
    [what: string, person: Pick<Person, "accountId">, options: () => Parameters<typeof impersonate>[1]]
  >([
    ["deactivated people", DORA, () => ({})],
    ["apps", BUILD_BOT, () => ({})],
    ["strangers", { accountId: "nobody" }, () => ({})],
    ["another site", GRACE, () => ({ contextIds: [contextIdOf("jira", elsewhere)] })],
    [
      "two sites at once",
      GRACE,
      () => ({ contextIds: [cloudId, elsewhere].map((each) => contextIdOf("jira", each)) }),
    ],
    ["no site", GRACE, () => ({ contextIds: [] })],
    [
      "a product that the app isn't in",
      GRACE,
      () => ({
        token: api.systemToken(elsewhere),
        contextIds: [contextIdOf("confluence", elsewhere)],
      }),
    ],
  ])("isn't made out for %s", async (_what, person, options) => {
    expect(await impersonate(person, options())).toMatchObject({ success: false, authToken: null });
  });

  it.each<[what: string, token: () => string]>([
    ["a person's token", () => tokenOf(ADA)],
    ["an impersonated one", () => "impersonated"],
    ["none", () => ""],
  ])("isn't made out for whoever asks with %s", async (_what, token) => {
    const sent = token() === "impersonated" ? ((await impersonate(ADA)).authToken?.token ?? "") : token();
    (await send(sent, "POST", "/graphql", { query: QUERY, variables: {} })).expect(401);
  });

  it.each([
    ["names in the query", { query: 'mutation { offlineUserAuthToken(input: {userId: "x"}) { success } }' }],
    ["no variables", { query: QUERY }],
    ["another question", { query: "{ me { name } }", variables: { input: { contextIds: [], userId: "x" } } }],
  ])("isn't made out for a request with %s", async (_what, body) => {
    (await send(api.systemToken(cloudId), "POST", "/graphql", body)).expect(400);
  });

  it("is made out a thousand times in a minute for one app, on all its sites", async () => {
    api.install({ cloudId, site: buildSiteData(), scopes: SCOPES, appId: OTHER_APP_ID });
    const token = api.systemToken(cloudId, { appId: OTHER_APP_ID });
    const ask = () => send(token, "POST", "/graphql", {});
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (let nth = 0; nth < 1000; nth += 1) await ask();
      expect((await ask()).expect(429).headers["retry-after"]).toBe("30");
      await impersonate(GRACE);
      vi.setSystemTime(Date.now() + 61_000);
      (await ask()).expect(400);
    } finally {
      vi.useRealTimers();
    }
  });
});

it("reads the scopes of the app's own manifest", () => {
  const manifest = readFileSync(new URL("../forge/manifest.yml", import.meta.url), "utf8");
  expect(readManifestScopes(manifest)).toMatchObject({
    "read:app-user-token": { allowImpersonation: false },
    "read:jira-user": { allowImpersonation: false },
    "read:jira-work": { allowImpersonation: true },
    "read:page:confluence": { allowImpersonation: true },
  });
});
