import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { Product } from "../src/tenants/tenant.js";
import { AtlassianOauth } from "./atlassian-oauth.js";
import { AtlassianSite } from "./atlassian-site.js";
import { HttpClient, type Reply } from "./http-client.js";
import { json, startServer, type Server } from "./http-server.js";
import { InstallKeys } from "./install-keys.js";
import { epochSeconds, signJwt, type Claims } from "./jwt.js";
import { ADA, BUILD_BOT, createPerson, DORA, GRACE, LINUS, PEOPLE } from "./people.js";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const client = new HttpClient();
let app: Server;
let keys: InstallKeys;
let oauth: AtlassianOauth;
let site: AtlassianSite;
let other: AtlassianSite;
let scopes: string[];

beforeAll(async () => {
  app = await startServer();
  app.routes.push(
    [
      "GET",
      /^\/atlassian-connect.json$/,
      () =>
        json(200, {
          key: "an-app",
          baseUrl: app.url,
          lifecycle: { installed: "/x", uninstalled: "/x" },
          scopes,
        }),
    ],
    ["POST", /^\/x$/, () => ({ status: 204 })],
  );
  keys = await InstallKeys.start();
  oauth = await AtlassianOauth.start();
  site = await AtlassianSite.start({ keys, people: [...PEOPLE] });
  other = await AtlassianSite.start({ keys });
  for (const each of [site, other]) oauth.serve(each);
});

afterAll(async () => {
  await Promise.all([app, keys, oauth, site, other].map((part) => part.close()));
});

beforeEach(async () => {
  scopes = ["READ", "WRITE", "DELETE", "ACT_AS_USER"];
  oauth.isLimiting = false;
  oauth.lifetimeSeconds = 900;
  oauth.behaviour.off = false;
  await site.install("jira", app.url);
  await site.install("confluence", app.url);
  await other.install("jira", app.url);
});

async function assertionFor(
  accountId: string,
  { product = "jira", claims = {}, secret }: { product?: Product; claims?: Claims; secret?: string } = {},
): Promise<string> {
  const { clientKey, sharedSecret } = site.getInstallation(product);
  const now = epochSeconds();
  return signJwt(
    {},
    {
      iss: `urn:atlassian:connect:clientid:client-${clientKey}`,
      sub: `urn:atlassian:connect:useraccountid:${accountId}`,
      tnt: site.baseUrl(product),
      aud: oauth.url,
      iat: now,
      exp: now + 60,
      ...claims,
    },
    secret ?? sharedSecret,
  );
}

function post(form: Readonly<Record<string, string>>): Promise<Reply> {
  const body = new URLSearchParams(form);
  return client.send({ caller: "test", method: "POST", url: `${oauth.url}/oauth2/token`, body });
}

async function getToken(accountId: string, scope = "READ", product: Product = "jira"): Promise<string> {
  const reply = await post({
    grant_type: GRANT_TYPE,
    assertion: await assertionFor(accountId, { product }),
    scope,
  });
  return (reply.expect(200).body as { access_token: string }).access_token;
}

function call(
  token: string | null,
  method: string,
  path: string,
  body?: object,
  host = site,
): Promise<Reply> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return client.send({ caller: "test", method, url: `${host.url}${path}`, headers, body });
}

describe("the authorization server", () => {
  it("makes out a token for a person of the site", async () => {
    const reply = await post({
      grant_type: GRANT_TYPE,
      assertion: await assertionFor(GRACE.accountId),
      scope: "READ",
    });
    expect(reply.expect(200).body).toEqual({
      access_token: expect.stringMatching(/^[\w-]{43}$/) as string,
      expires_in: 900,
      token_type: "Bearer",
    });
  });

  const now = epochSeconds();
  it.each<[what: string, claims: Claims]>([
    ["for another audience", { aud: "https://example.com" }],
    ["for another tenant", { tnt: "https://example.atlassian.net" }],
    ["for no tenant", { tnt: undefined }],
    ["that names its user in another way", { sub: `urn:atlassian:connect:userkey:${GRACE.accountId}` }],
    ["for nobody", { sub: "urn:atlassian:connect:useraccountid:" }],
    ["for an account that doesn't exist", { sub: "urn:atlassian:connect:useraccountid:nobody" }],
    ["for somebody who left", { sub: `urn:atlassian:connect:useraccountid:${DORA.accountId}` }],
    ["for an app", { sub: `urn:atlassian:connect:useraccountid:${BUILD_BOT.accountId}` }],
    ["that lives too long", { exp: now + 3600 }],
    ["that has expired", { iat: now - 120, exp: now - 60 }],
    ["from the future", { iat: now + 600, exp: now + 660 }],
    ["without exp", { exp: undefined }],
    ["without iat", { iat: undefined }],
  ])("refuses an assertion %s", async (_what, claims) => {
    const assertion = await assertionFor(GRACE.accountId, { claims });
    const reply = await post({ grant_type: GRANT_TYPE, assertion });
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ error: "invalid_grant" });
  });

  it.each<[what: string, status: number, error: string, send: () => Promise<Reply>]>([
    [
      "another secret",
      400,
      "invalid_grant",
      async () =>
        post({
          grant_type: GRANT_TYPE,
          assertion: await assertionFor(GRACE.accountId, { secret: "another" }),
        }),
    ],
    [
      "a client that it doesn't know",
      401,
      "invalid_client",
      async () =>
        post({
          grant_type: GRANT_TYPE,
          assertion: await assertionFor(GRACE.accountId, { claims: { iss: "x" } }),
        }),
    ],
    [
      "an installation that is gone",
      401,
      "invalid_client",
      async () => {
        await site.uninstall("jira");
        return post({ grant_type: GRANT_TYPE, assertion: await assertionFor(GRACE.accountId) });
      },
    ],
    [
      "an app that may not act as people",
      400,
      "unauthorized_client",
      async () => {
        scopes = ["READ"];
        await site.install("jira", app.url);
        return post({ grant_type: GRANT_TYPE, assertion: await assertionFor(GRACE.accountId) });
      },
    ],
    [
      "a scope that the app hasn't",
      400,
      "invalid_scope",
      async () => {
        scopes = ["READ", "ACT_AS_USER"];
        await site.install("jira", app.url);
        return post({
          grant_type: GRANT_TYPE,
          assertion: await assertionFor(GRACE.accountId),
          scope: "WRITE",
        });
      },
    ],
    [
      "scopes in lower case",
      400,
      "invalid_scope",
      async () =>
        post({ grant_type: GRANT_TYPE, assertion: await assertionFor(GRACE.accountId), scope: "read" }),
    ],
    ["another grant", 400, "unsupported_grant_type", () => post({ grant_type: "password" })],
    ["no assertion", 401, "invalid_client", () => post({ grant_type: GRANT_TYPE })],
  ])("refuses %s: %i %s", async (_what, status, error, send) => {
    const reply = await send();
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ error });
  });

  it("can be off, and can want to be left alone", async () => {
    oauth.behaviour.off = true;
    await expect(post({ grant_type: GRANT_TYPE })).rejects.toThrow("got no answer");
    oauth.behaviour.off = false;
    oauth.isLimiting = true;
    const reply = await post({ grant_type: GRANT_TYPE });
    expect([reply.status, reply.headers["retry-after"]]).toEqual([429, "30"]);
  });
});

describe("the products", () => {
  it("answer whoever the token is for, and show what that person may see", async () => {
    const [ada, grace] = [await getToken(ADA.accountId), await getToken(GRACE.accountId)];
    expect((await call(grace, "GET", "/rest/api/3/myself")).body).toMatchObject({
      accountId: GRACE.accountId,
    });
    expect((await call(grace, "GET", "/rest/api/3/issue/SAND-4")).status).toBe(404);
    expect((await call(ada, "GET", "/rest/api/3/issue/SAND-4")).body).toMatchObject({ key: "SAND-4" });

    const jql = "assignee = currentUser() AND statusCategory != Done ORDER BY updated";
    const found = await call(grace, "GET", `/rest/api/3/search/jql?jql=${encodeURIComponent(jql)}`);
    expect(found.body).toMatchObject({ issues: [{ key: "SAND-1" }], isLast: true });
    expect((await call(grace, "GET", "/rest/api/3/search/jql?jql=x%3D1")).status).toBe(400);
  });

  it("let people create issues and comment on them", async () => {
    const token = await getToken(LINUS.accountId, "WRITE");
    const fields = { project: { key: "SAND" }, summary: "Buy pencils" };
    const { key } = (await call(token, "POST", "/rest/api/3/issue", { fields })).expect(201).body as {
      key: string;
    };
    const doc = { type: "doc", version: 1, content: [] };
    (await call(token, "POST", `/rest/api/3/issue/${key}/comment`, { body: doc })).expect(201);
    expect((await call(token, "GET", `/rest/api/3/issue/${key}`)).body).toMatchObject({
      fields: {
        summary: "Buy pencils",
        reporter: { accountId: LINUS.accountId },
        comment: { comments: [{ author: { accountId: LINUS.accountId }, body: doc }] },
      },
    });
    for (const body of [{}, { fields: { project: { key: "SAND" } } }]) {
      expect((await call(token, "POST", "/rest/api/3/issue", body)).status).toBe(400);
    }
    expect((await call(token, "POST", "/rest/api/3/issue/SAND-4/comment", { body: doc })).status).toBe(404);
  });

  it("keep Confluence's tokens and pages apart", async () => {
    const [jira, confluence] = [
      await getToken(GRACE.accountId),
      await getToken(GRACE.accountId, "READ", "confluence"),
    ];
    const current = "/wiki/rest/api/user/current";
    expect((await call(confluence, "GET", current)).body).toMatchObject({ accountId: GRACE.accountId });
    expect((await call(confluence, "GET", "/wiki/api/v2/pages/101")).body).toMatchObject({
      title: "How we work",
    });
    expect((await call(confluence, "GET", "/wiki/api/v2/pages/102")).status).toBe(404);
    expect((await call(jira, "GET", current)).status).toBe(401);
    expect((await call(confluence, "GET", "/rest/api/3/myself")).status).toBe(401);
  });

  it("refuse to write with a token for reading, and say so", async () => {
    const token = await getToken(GRACE.accountId, "READ");
    const reply = await call(token, "POST", "/rest/api/3/issue", {});
    expect([reply.status, reply.headers["x-failure-category"]]).toEqual([403, "FAILURE_CLIENT_SCOPE_CHECK"]);
  });

  it("answer 401 to no token, another site's, an expired one, and one of somebody who has left", async () => {
    const token = await getToken(GRACE.accountId);
    expect((await call(null, "GET", "/rest/api/3/myself")).status).toBe(401);
    expect((await call("made-up", "GET", "/rest/api/3/myself")).status).toBe(401);
    expect((await call(token, "GET", "/rest/api/3/myself", undefined, other)).status).toBe(401);

    oauth.lifetimeSeconds = 0;
    expect((await call(await getToken(GRACE.accountId), "GET", "/rest/api/3/myself")).status).toBe(401);

    oauth.lifetimeSeconds = 900;
    const ivy = createPerson("Ivy Interim");
    site.accounts.set(ivy.accountId, ivy);
    const hers = await getToken(ivy.accountId);
    (await call(hers, "GET", "/rest/api/3/myself")).expect(200);
    site.accounts.set(ivy.accountId, { ...ivy, active: false });
    expect((await call(hers, "GET", "/rest/api/3/myself")).status).toBe(401);

    oauth.revokeAll();
    expect((await call(token, "GET", "/rest/api/3/myself")).status).toBe(401);
  });
});
