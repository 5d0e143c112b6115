import { inspect } from "node:util";

import { decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { AtlassianOauth } from "../../sandbox/atlassian-oauth.js";
import { AtlassianSite } from "../../sandbox/atlassian-site.js";
import { json, startServer, type Answer, type Incoming, type Server } from "../../sandbox/http-server.js";
import { InstallKeys } from "../../sandbox/install-keys.js";
import { DORA, GRACE } from "../../sandbox/people.js";
import { systemClock } from "../clock.js";
import { AppError } from "../errors.js";
import type { GrantOutcome, Scope } from "../gateway/user-token-grant.js";
import type { Installation } from "../tenants/tenant-store.js";
import { ImpersonationGrant } from "./impersonation-grant.js";
import { buildInstallation } from "./installation.fixture.js";

let server: Server;
let asked: Incoming[];
let answer: Answer | ((request: Incoming) => Answer);
let installation: Installation;

beforeAll(async () => {
  server = await startServer({ hostname: "127.0.0.1" });
  server.routes.push([
    "POST",
    /^\/oauth2\/token$/,
    (request) => {
      asked.push(request);
      return typeof answer === "function" ? answer(request) : answer;
    },
  ]);
});

afterAll(() => server.close());

beforeEach(() => {
  asked = [];
  answer = json(200, { access_token: "the-token", expires_in: 900, token_type: "Bearer" });
  installation = buildInstallation({ oauthClientId: "the-client" });
  Object.assign(server.behaviour, { off: false, failing: false, delaySeconds: 0 });
});

function request(
  accountId = "712020:grace",
  scope: Scope = "READ",
  oauthUrl = server.url,
): Promise<GrantOutcome> {
  const findInstallationByTenant = () => Promise.resolve(installation);
  const grant = new ImpersonationGrant({
    clock: systemClock,
    oauthUrl,
    findInstallationByTenant,
    timeoutSeconds: 0.5,
  });
  return grant.request({ tenant: buildInstallation().tenant, accountId, scope });
}

async function failure(): Promise<AppError> {
  const error: unknown = await request().catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error("It was no AppError.");
  return error;
}

it("sends what Atlassian documents", async () => {
  expect(await request("712020:grace", "WRITE")).toEqual({ token: "the-token", expiresInSeconds: 900 });

  const [{ headers, body }] = asked as [Incoming];
  expect(headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
  expect(headers.accept).toBe("application/json");
  expect(headers.authorization).toBeUndefined();
  const { assertion = "", ...form } = Object.fromEntries(new URLSearchParams(body));
  expect(form).toEqual({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", scope: "WRITE" });
  expect(decodeProtectedHeader(assertion)).toEqual({ alg: "HS256", typ: "JWT" });
  const { payload } = await jwtVerify(assertion, Buffer.from(installation.sharedSecret ?? ""));
  expect(payload).toEqual({
    iss: "urn:atlassian:connect:clientid:the-client",
    sub: "urn:atlassian:connect:useraccountid:712020:grace",
    tnt: "https://acme.atlassian.net",
    aud: server.url,
    iat: expect.any(Number) as number,
    exp: (payload.iat ?? 0) + 60,
  });
});

describe("what Atlassian says is told apart:", () => {
  it.each([
    [400, "access_denied", "account"],
    [400, "invalid_scope", "scope"],
    [400, "unauthorized_client", "scope"],
    [401, "invalid_client", "installation"],
    [400, "invalid_grant", "account_or_installation"],
    [401, "invalid_grant", "account_or_installation"],
  ])("%i %s is because of %s", async (status, error, refusal) => {
    answer = json(status, { error, error_description: "In somebody else's words." });
    expect(await request()).toEqual({ refusal });
  });

  it.each<[what: string, answer: Answer, seconds: number]>([
    ["in seconds", { status: 429, headers: { "retry-after": "17" } }, 17],
    ["zero", { status: 429, headers: { "retry-after": "0" } }, 1],
    ["as a date", { status: 429, headers: { "retry-after": "Sun, 22 Nov 2026 12:00:00 GMT" } }, 60],
    ["not at all", { status: 429, body: "slow down" }, 60],
  ])("429 is a wait, given %s", async (_what, given, seconds) => {
    answer = given;
    expect(await failure()).toMatchObject({ code: "rate_limited", extras: { retryAfterSeconds: seconds } });
  });

  it.each<[what: string, answer: Answer]>([
    ["an outage", json(500, { error: "invalid_grant" })],
    ["an outage behind a proxy", { status: 503, body: "<html>" }],
    ["a redirect", { status: 307, headers: { location: "https://evil.example/oauth2/token" } }],
    ["a mistake of the app's own", json(400, { error: "invalid_request" })],
    ["an error of no known name", json(400, { error: "__proto__" })],
    ["an error of another type", json(400, { error: ["invalid_scope"] })],
    ["a refusal without words", { status: 403 }],
    ["nonsense", { status: 200, body: "<html>" }],
    ["nothing", { status: 204 }],
    ["a null", { status: 200, body: "null" }],
    ["no token", json(200, { expires_in: 900, token_type: "Bearer" })],
    ["an empty token", json(200, { access_token: "", expires_in: 900, token_type: "Bearer" })],
    [
      "a token with a line break",
      json(200, { access_token: "a\r\nX: b", expires_in: 900, token_type: "Bearer" }),
    ],
    ["a token of another type", json(200, { access_token: "a", expires_in: 900, token_type: "mac" })],
    ["no lifetime", json(200, { access_token: "a", token_type: "Bearer" })],
    ["a lifetime that is over", json(200, { access_token: "a", expires_in: 0, token_type: "Bearer" })],
    ["far too much", { status: 200, body: "x".repeat(100_000) }],
  ])("%s is upstream_failed", async (_what, given) => {
    answer = given;
    expect(await failure()).toMatchObject({
      code: "upstream_failed",
      reason: expect.stringContaining("Atlassian") as string,
    });
    expect(asked).toHaveLength(1);
  });

  it("a server that is off is upstream_failed, one that hangs upstream_timeout", async () => {
    server.behaviour.off = true;
    expect((await failure()).code).toBe("upstream_failed");
    server.behaviour.off = false;
    server.behaviour.delaySeconds = 2;
    expect((await failure()).code).toBe("upstream_timeout");
  });
});

describe("without a question to Atlassian", () => {
  it.each<[what: string, overrides: Parameters<typeof buildInstallation>[0], expected: object]>([
    ["an installation that is gone", { sharedSecret: null, oauthClientId: "c" }, { refusal: "installation" }],
    ["an app that may not act as people", { oauthClientId: null }, { refusal: "scope" }],
  ])("refuses %s", async (_what, overrides, expected) => {
    installation = buildInstallation(overrides);
    expect(await request()).toEqual(expected);
    expect(asked).toEqual([]);
  });

  it("fails when the installation is another by now", async () => {
    installation = buildInstallation({ oauthClientId: "c", tenant: { generation: 2 } });
    expect((await failure()).code).toBe("upstream_failed");
    expect(asked).toEqual([]);
  });
});

it("keeps token, assertion, secret and Atlassian's own words out of what it throws", async () => {
  const echoes: ((form: string) => Answer)[] = [
    (form) => ({ status: 200, body: form }),
    (form) => ({ status: 500, body: form }),
    (form) => json(400, { error: form }),
    (form) => json(200, { access_token: "the-token", expires_in: form, token_type: "Bearer" }),
    (form) => json(200, { access_token: form, expires_in: 900, token_type: "Bearer" }),
  ];
  for (const echo of echoes) {
    answer = ({ body }) => echo(`leaked ${body}`);
    const shown = inspect(await failure(), { depth: 10, showHidden: true });
    expect(shown).not.toMatch(/eyJ|assertion=|leaked|the-token|acme-shared-secret/);
    expect(asked.at(-1)?.body).toContain("assertion=eyJ");
  }
  server.behaviour.off = true;
  const shown = inspect(await failure(), { depth: 10, showHidden: true });
  expect(shown).not.toMatch(/eyJ|assertion=|acme-shared-secret/);
});

describe("with an authorization server that checks everything", () => {
  let keys: InstallKeys;
  let site: AtlassianSite;
  let oauth: AtlassianOauth;
  let app: Server;

  beforeAll(async () => {
    keys = await InstallKeys.start();
    site = await AtlassianSite.start({ keys });
    oauth = await AtlassianOauth.start();
    oauth.serve(site);
    app = await startServer();
    const scopes = ["READ", "WRITE", "ACT_AS_USER"];
    app.routes.push(
      [
        "GET",
        /^\/atlassian-connect.json$/,
        () => json(200, { key: "an-app", baseUrl: app.url, lifecycle: { installed: "/x" }, scopes }),
      ],
      ["POST", /^\/x$/, () => ({ status: 204 })],
    );
    for (const product of ["jira", "confluence"] as const) await site.install(product, app.url);
  });

  afterAll(async () => {
    await Promise.all([keys, site, oauth, app].map((part) => part.close()));
  });

  it.each(["jira", "confluence"] as const)(
    "gets a token that %s takes, for what it was asked for",
    async (product) => {
      const { sharedSecret, oauthClientId } = site.getInstallation(product);
      const tenant = { product, site: site.host, baseUrl: site.baseUrl(product) };
      installation = buildInstallation({ sharedSecret, oauthClientId, tenant });
      const grant = new ImpersonationGrant({
        clock: systemClock,
        oauthUrl: oauth.url,
        findInstallationByTenant: () => Promise.resolve(installation),
      });
      const ask = (accountId: string, scope: Scope) =>
        grant.request({ tenant: installation.tenant, accountId, scope });

      const granted = await ask(GRACE.accountId, "READ");
      const path = product === "jira" ? "/rest/api/3/myself" : "/rest/api/user/current";
      const headers = { authorization: `Bearer ${"token" in granted ? granted.token : ""}` };
      const reply = await fetch(`${tenant.baseUrl}${path}`, { headers });
      expect(await reply.json()).toMatchObject({ accountId: GRACE.accountId });

      expect(await ask(GRACE.accountId, "DELETE")).toEqual({ refusal: "scope" });
      expect(await ask(DORA.accountId, "READ")).toEqual({ refusal: "account_or_installation" });
      installation = { ...installation, sharedSecret: "of-another-installation" };
      expect(await ask(GRACE.accountId, "READ")).toEqual({ refusal: "account_or_installation" });
    },
  );
});
