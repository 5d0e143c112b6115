import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { AtlassianSite } from "./atlassian-site.js";
import { HttpClient } from "./http-client.js";
import { json, startServer, type Incoming, type Server } from "./http-server.js";
import { InstallKeys } from "./install-keys.js";
import { epochSeconds, queryStringHash, signJwt, type Claims } from "./jwt.js";
import { ADA, CLEO, DORA, GRACE } from "./people.js";

const KEY = "an-app";
const client = new HttpClient();
const events: Incoming[] = [];
let app: Server;
let keys: InstallKeys;
let site: AtlassianSite;

beforeAll(async () => {
  app = await startServer();
  const lifecycle = {
    installed: "/installed",
    uninstalled: "/uninstalled",
    enabled: "/enabled",
    disabled: "/disabled",
  };
  app.routes.push(
    [
      "GET",
      /^\/base\/atlassian-connect.json$/,
      () => json(200, { key: KEY, baseUrl: `${app.url}/base`, lifecycle }),
    ],
    ["POST", /^\/base\/.*$/, (request) => ({ status: events.push(request) > 0 ? 204 : 500 })],
  );
  keys = await InstallKeys.start();
  site = await AtlassianSite.start({ keys });
});

afterAll(async () => {
  await Promise.all([app, keys, site].map((part) => part.close()));
});

beforeEach(async () => {
  app.behaviour.failing = false;
  await site.install("jira", `${app.url}/base`);
  await site.install("confluence", `${app.url}/base`);
  events.length = 0;
});

function lastEvent(): { token: string; body: Claims; url: URL } {
  const { headers, body, url } = events.at(-1)!;
  return { token: headers.authorization!.slice("JWT ".length), body: JSON.parse(body) as Claims, url };
}

describe("lifecycle events", () => {
  it("signs installed and uninstalled with a published key, for the app's base URL and this request", async () => {
    for (const send of [() => site.install("jira", `${app.url}/base`), () => site.uninstall("jira")]) {
      await send();
      const { token, body, url } = lastEvent();
      const { kid = "" } = decodeProtectedHeader(token);
      const pem = (await client.send({ caller: "test", method: "GET", url: `${keys.url}/${kid}` })).expect(
        200,
      ).text;
      const { payload } = await jwtVerify(token, await importSPKI(pem, "RS256"), {
        audience: `${app.url}/base`,
        issuer: body["clientKey"] as string,
        requiredClaims: ["iat", "exp"],
      });
      expect(payload["qsh"]).toBe(queryStringHash("POST", url.href, `${app.url}/base`));
      expect(body).toMatchObject({ key: KEY, baseUrl: site.url, productType: "jira" });
    }
  });

  it("signs enabled and disabled with the shared secret", async () => {
    for (const send of [() => site.enable("confluence"), () => site.disable("confluence")]) {
      await send();
      const { sharedSecret, clientKey } = site.getInstallation("confluence");
      await jwtVerify(lastEvent().token, Buffer.from(sharedSecret), { issuer: clientKey });
      expect(lastEvent().body).toMatchObject({ baseUrl: `${site.url}/wiki`, productType: "confluence" });
    }
  });

  it("makes a new secret with every installation and keeps the client key", async () => {
    const before = site.getInstallation("jira");
    await site.install("jira", `${app.url}/base`);
    const after = site.getInstallation("jira");
    expect(after.clientKey).toBe(before.clientKey);
    expect(after.sharedSecret).not.toBe(before.sharedSecret);
    expect(after.clientKey).not.toBe(site.getInstallation("confluence").clientKey);
  });

  it("takes an installation back that the app refuses", async () => {
    const before = site.getInstallation("jira");
    const refusing = await startServer();
    const descriptor = { key: KEY, baseUrl: refusing.url, lifecycle: { installed: "/installed" } };
    refusing.routes.push(["GET", /^\/atlassian-connect.json$/, () => json(200, descriptor)]);
    expect((await site.install("jira", refusing.url)).status).toBe(404);
    expect(site.getInstallation("jira")).toEqual(before);
    await refusing.close();
  });

  it("sends what a test wants instead", async () => {
    await site.install("jira", `${app.url}/base`, {
      body: { baseUrl: "https://evil.example" },
      claims: { iss: "somebody", exp: undefined },
      header: { kid: "another" },
    });
    const { token, body } = lastEvent();
    expect(body["baseUrl"]).toBe("https://evil.example");
    expect(decodeJwt(token)).toMatchObject({ iss: "somebody" });
    expect(decodeJwt(token)).not.toHaveProperty("exp");
  });
});

describe("REST API", () => {
  async function call(method: string, path: string, options: { token?: string; body?: object } = {}) {
    const token = options.token ?? (await signForApp(method, path));
    const headers = { authorization: `JWT ${token}` };
    return client.send({ caller: "test", method, url: `${site.url}${path}`, headers, body: options.body });
  }

  async function signForApp(
    method: string,
    path: string,
    claims: Claims = {},
    secret?: string,
  ): Promise<string> {
    const product = path.startsWith("/wiki") ? "confluence" : "jira";
    const now = epochSeconds();
    const qsh = queryStringHash(method, path, site.baseUrl(product));
    const key = secret ?? site.getInstallation(product).sharedSecret;
    return signJwt({}, { iss: KEY, iat: now, exp: now + 60, qsh, ...claims }, key);
  }

  const GRACE_IN_JIRA = `/rest/api/3/user?accountId=${GRACE.accountId}`;
  const ofConfluence = (accountId: string) => `/wiki/rest/api/user?accountId=${accountId}&expand=operations`;

  it("answers the installed app", async () => {
    expect((await call("GET", GRACE_IN_JIRA)).expect(200).body).toMatchObject({
      accountId: GRACE.accountId,
      accountType: "atlassian",
      active: true,
    });
    expect((await call("GET", `/rest/atlassian-connect/1/addons/${KEY}`)).body).toMatchObject({ key: KEY });
    expect((await call("GET", `/wiki/rest/atlassian-connect/1/addons/${KEY}`)).body).toMatchObject({
      key: KEY,
    });
    expect((await call("GET", `/rest/api/3/user?accountId=${DORA.accountId}`)).body).toMatchObject({
      active: false,
    });
    expect((await call("GET", "/rest/api/3/user?accountId=nobody")).status).toBe(404);
  });

  it.each([
    ["without a JWT", () => ""],
    ["with another secret", () => signForApp("GET", GRACE_IN_JIRA, {}, "another")],
    [
      "with Confluence's secret",
      () => signForApp("GET", GRACE_IN_JIRA, {}, site.getInstallation("confluence").sharedSecret),
    ],
    ["from another app", () => signForApp("GET", GRACE_IN_JIRA, { iss: "another" })],
    ["without exp", () => signForApp("GET", GRACE_IN_JIRA, { exp: undefined })],
    ["that has expired", () => signForApp("GET", GRACE_IN_JIRA, { exp: epochSeconds() - 1 })],
    ["made for another URL", () => signForApp("GET", `${GRACE_IN_JIRA}0`)],
    ["made for another method", () => signForApp("POST", GRACE_IN_JIRA)],
  ])("answers 401 to a call %s", async (_name, sign) => {
    expect((await call("GET", GRACE_IN_JIRA, { token: await sign() })).status).toBe(401);
  });

  it("answers 401 to an app that was uninstalled", async () => {
    const token = await signForApp("GET", GRACE_IN_JIRA);
    await site.uninstall("jira");
    expect((await call("GET", GRACE_IN_JIRA, { token })).status).toBe(401);
  });

  it("knows the admins of each product apart", async () => {
    const check = (accountId?: string) =>
      call("POST", "/rest/api/3/permissions/check", {
        body: { accountId, globalPermissions: ["ADMINISTER"] },
      });
    expect((await check(ADA.accountId)).body).toMatchObject({ globalPermissions: ["ADMINISTER"] });
    expect((await check(CLEO.accountId)).body).toMatchObject({ globalPermissions: [] });
    expect((await check("")).body).toMatchObject({ globalPermissions: ["ADMINISTER"] });
    const administer = { operation: "administer", targetType: "application" };
    const operations = async (accountId: string) =>
      ((await call("GET", ofConfluence(accountId))).body as { operations: unknown[] }).operations;
    expect(await operations(CLEO.accountId)).toContainEqual(administer);
    expect(await operations(GRACE.accountId)).not.toContainEqual(administer);
  });

  it("can fail, be off, and counts what it was asked", async () => {
    site.server.requests.length = 0;
    site.behaviour.failing = true;
    expect((await call("GET", GRACE_IN_JIRA)).status).toBe(500);
    site.behaviour.failing = false;
    site.behaviour.off = true;
    await expect(call("GET", GRACE_IN_JIRA)).rejects.toThrow("got no answer");
    site.behaviour.off = false;
    expect(site.server.requests).toEqual([`GET ${GRACE_IN_JIRA} → 500`, `GET ${GRACE_IN_JIRA} → cut off`]);
  });
});

it("signs context and URL-bound tokens with the secret of the product", async () => {
  const { sharedSecret, clientKey } = site.getInstallation("jira");
  const verify = async (token: string) =>
    (await jwtVerify(token, Buffer.from(sharedSecret), { issuer: clientKey, subject: GRACE.accountId }))
      .payload;
  expect(await verify(await site.contextJwt("jira", GRACE.accountId))).toMatchObject({ qsh: "context-qsh" });
  const url = `${app.url}/base/admin?b=2&a=1`;
  const bound = await site.urlBoundJwt("jira", GRACE.accountId, "GET", url);
  expect(await verify(bound)).toMatchObject({ qsh: queryStringHash("GET", "/admin?a=1&b=2", "") });
});
