import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import { createForgeSender, FORGE_APP_ID, pageClaims } from "../sandbox/forge-fit.js";
import { ForgeKeys } from "../sandbox/forge-keys.js";
import type { Reply } from "../sandbox/http-client.js";
import { epochSeconds } from "../sandbox/jwt.js";
import { ADA, DORA, GRACE, LINUS, NIGHTLY_BUILD, OSCAR } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import { connectAside } from "../src/storage/raw-sql.fixture.js";
import { consentPath, READER, readStanding } from "./consents.fixture.js";
import { DatabaseFile } from "./linking-database.fixture.js";
import { expectProblem } from "./refusals.fixture.js";

let database: DatabaseFile;
let forgeKeys: ForgeKeys;
let world: World;
/** `home` is set up; `odd` is paused in Jira and names a team without keys in Confluence; `bare` is just installed. */
let home: AtlassianSite, odd: AtlassianSite, bare: AtlassianSite;

beforeAll(async () => {
  database = await DatabaseFile.create();
  forgeKeys = await ForgeKeys.start();
  const teamDomains = [
    "acme.cloudflareaccess.com",
    "globex.cloudflareaccess.com",
    "stranger.cloudflareaccess.com",
  ];
  world = await startWorld({
    hasEdge: false,
    teamDomains: teamDomains as [string, ...string[]],
    siteCount: 3,
    databaseFile: database.file,
    env: { METRICS_TOKEN: "the-operator's", FORGE_APP_ID, FORGE_KEYS_URL: forgeKeys.url },
  });
  [home, odd, bare] = world.parts.sites as [AtlassianSite, AtlassianSite, AtlassianSite];
  const [acme, globex] = world.parts.teams;
  globex!.behaviour.off = true;

  await world.prepare();
  await world.page(ADA).saveSettings({ allowedEmailDomains: ["acme.example"] });
  await world.page(ADA, "confluence").saveSettings({ teamDomain: acme.domain, services: SERVICES });
  await world.link(GRACE);
  await world.page(LINUS, "confluence").link(await world.browser(GRACE));
  // From now on the app knows whose account this is.
  await world.page(LINUS).listLinks();

  for (const product of ["jira", "confluence"] as const) await world.install(product, odd);
  await world
    .page(ADA, "jira", odd)
    .saveSettings({ teamDomain: acme.domain, services: SERVICES, paused: true });
  await world.page(ADA, "confluence", odd).saveSettings({ teamDomain: globex!.domain, services: SERVICES });
  await world.install("jira", bare);
  await vi.waitFor(
    async () => expect(await database.select("SELECT id FROM tenants WHERE NOT proven")).toEqual([]),
    5_000,
  );
});

afterAll(async () => {
  await world.close();
  await forgeKeys.close();
  await database.close();
});

interface Refusal {
  readonly status: number;
  readonly code: ProblemCode;
  readonly to: string;
  /** What has to happen first; it may change things, which the refusal itself may not. */
  readonly arrange?: () => Promise<unknown>;
  readonly request: () => Promise<Reply>;
  /** Whether the app has to ask somebody before it can refuse. Nobody else makes it call out. */
  readonly asksAround?: true;
}

// prettier-ignore
const REFUSALS: readonly Refusal[] = [
  { status: 400, code: "malformed_request", to: "a body that isn't JSON",
    request: async () => send("PUT", "/api/v1/settings", { ...(await asAda()), body: "{" }) },
  { status: 400, code: "ambiguous_credentials", to: "two Access JWTs of different people",
    request: async () => identify({ "cf-access-jwt-assertion": await demoJwt(), authorization: `Bearer ${await demoJwt(LINUS)}` }) },

  { status: 401, code: "connect_jwt_missing", to: "a page's call without a token",
    request: () => send("GET", "/api/v1/me") },
  { status: 401, code: "connect_jwt_invalid", to: "a context JWT that somebody else signed",
    request: async () => send("GET", "/api/v1/me", { authorization: await contextJwt({ secret: "a secret that somebody made up" }) }) },
  { status: 401, code: "connect_jwt_expired", to: "a context JWT of yesterday",
    request: async () => send("GET", "/api/v1/me", { authorization: await contextJwt({ claims: issued(86_400) }) }) },
  { status: 401, code: "forge_jwt_invalid", to: "what Forge made for another app",
    request: async () => send("GET", "/api/v1/me", { authorization: await forgeJwt({ aud: "ari:cloud:ecosystem::app/another" }) }) },
  { status: 401, code: "forge_jwt_expired", to: "what Forge made yesterday",
    request: async () => send("GET", "/api/v1/me", { authorization: await forgeJwt({}, -86_400) }) },
  { status: 401, code: "access_jwt_missing", to: "a service that forwards nothing",
    request: () => identify({}) },
  { status: 401, code: "access_jwt_malformed", to: "something else in the place of a JWT",
    request: () => identify({ authorization: "Bearer grace@acme.example" }) },
  { status: 401, code: "access_jwt_expired", to: "an Access JWT of yesterday",
    request: async () => identify({ authorization: `Bearer ${await demoJwt(GRACE, issued(86_400))}` }) },
  { status: 401, code: "access_jwt_untrusted", to: "a token of a team that nobody here trusts",
    request: async () => identify({ authorization: `Bearer ${await world.parts.teams[2]!.signAccessJwt(GRACE, AUDIENCES.demo)}` }) },
  { status: 401, code: "metrics_token_invalid", to: "a stranger who asks for the metrics",
    request: () => send("GET", "/metrics", { authorization: "Bearer mine" }) },

  { status: 403, code: "not_admin", to: "a member who wants to see the settings", asksAround: true,
    request: () => world.page(GRACE).send("GET", "/api/v1/settings") },
  { status: 403, code: "service_token", to: "a machine that wants to know who it is",
    request: async () => identify({ authorization: `Bearer ${await demoJwt(NIGHTLY_BUILD)}` }) },
  { status: 403, code: "email_domain_not_allowed", to: "a visitor from outside the allowed domains",
    request: async () => identify({ authorization: `Bearer ${await demoJwt(OSCAR)}` }) },
  { status: 403, code: "paused", to: "anybody while an admin has paused the app",
    request: async () => identify({ authorization: `Bearer ${await demoJwt()}` }, { site: odd }) },
  { status: 403, code: "purpose_not_allowed", to: "a service that is listed for something else",
    request: async () => identify({ authorization: `Bearer ${await world.team.signAccessJwt(GRACE, AUDIENCES.app)}` }) },
  { status: 403, code: "service_key_required", to: "a service that has a key and doesn't send it", asksAround: true,
    arrange: async () => {
      await world.page(ADA, "jira", odd).saveSettings({ paused: false });
      const { services } = await world.page(ADA, "jira", odd).getSettings();
      (await world.page(ADA, "jira", odd).send("POST", `/api/v1/services/${services[1]?.id ?? ""}/keys`)).expect(201);
    },
    request: async () => identify({ authorization: `Bearer ${await demoJwt()}` }, { site: odd }) },
  { status: 403, code: "token_too_old", to: "linking with an Access JWT of eleven minutes ago",
    request: async () => world.page(GRACE).send("POST", "/api/v1/me/links", {
      accessJwt: await world.team.signAccessJwt(GRACE, AUDIENCES.app, { claims: { iat: epochSeconds() - 660 } }) }) },
  { status: 403, code: "account_inactive", to: "somebody whose account was deactivated", asksAround: true,
    request: () => world.page(DORA).send("GET", "/api/v1/me") },
  { status: 403, code: "browser_not_allowed", to: "a page in a browser that asks as if it were a service",
    request: async () => identify({ authorization: `Bearer ${await demoJwt()}`, origin: "https://evil.example" }) },

  { status: 404, code: "not_found", to: "a path that names nothing",
    request: () => send("GET", "/api/v2/me") },
  { status: 404, code: "not_linked", to: "a visitor who hasn't linked",
    request: async () => identify({ authorization: `Bearer ${await demoJwt(LINUS)}` }) },
  { status: 405, code: "method_not_allowed", to: "deleting the settings",
    request: async () => send("DELETE", "/api/v1/settings", await asAda()) },

  { status: 409, code: "already_linked", to: "linking an Access identity that is another account's",
    request: async () => world.page(LINUS).send("POST", "/api/v1/me/links", {
      accessJwt: await world.team.signAccessJwt(GRACE, AUDIENCES.app) }) },
  { status: 409, code: "ambiguous_site", to: "a visitor who is a different account in Jira and in Confluence",
    request: async () => identify({ authorization: `Bearer ${await demoJwt()}` }, { query: "" }) },
  { status: 409, code: "version_conflict", to: "saving settings over somebody else's change",
    request: async () => world.page(ADA).send("PUT", "/api/v1/settings", {
      ...(await world.page(ADA).getSettings()), paused: true, version: 1 }) },
  { status: 409, code: "consent_changed", to: "agreeing to what a service may not do any more", asksAround: true,
    arrange: () => world.page(ADA, "confluence").saveSettings({ services: [SERVICES[0], READER] }),
    request: async () => {
      const { serviceId } = await readStanding(world.page(GRACE, "confluence"));
      return world.page(GRACE, "confluence").send("PUT", consentPath(serviceId), { digest: "0".repeat(64) });
    } },
  { status: 410, code: "attempt_expired", to: "the code of an attempt that doesn't exist",
    request: () => world.page(GRACE).send("POST", "/api/v1/me/links", { attempt: "gone", code: "ABCDEFGHIJ" }) },

  { status: 413, code: "too_large", to: "64 KiB and one byte",
    request: async () => send("PUT", "/api/v1/settings", { ...(await asAda()), body: " ".repeat(64 * 1024 + 1) }) },
  { status: 415, code: "unsupported_media_type", to: "a form in the place of JSON",
    request: async () => send("PUT", "/api/v1/settings", {
      ...(await asAda()), "content-type": "application/x-www-form-urlencoded", body: "paused=true" }) },
  { status: 422, code: "validation_failed", to: "an audience that isn't an AUD tag",
    request: async () => world.page(ADA).send("PUT", "/api/v1/settings", {
      ...(await world.page(ADA).getSettings()), services: [{ label: "x", audience: "mine", purposes: ["identify"] }] }) },
  { status: 429, code: "rate_limited", to: "the 21st linking attempt of an account in ten minutes",
    arrange: async () => { for (let nth = 1; nth <= 20; nth++) await world.page(GRACE, "confluence").beginLink(); },
    request: () => world.page(GRACE, "confluence").send("POST", "/api/v1/me/link-attempts", {}) },
  { status: 431, code: "headers_too_large", to: "17 KiB of headers",
    request: () => send("GET", "/api/v1/me", { "x-padding": "x".repeat(17 * 1024) }) },

  { status: 500, code: "internal_error", to: "whoever meets settings that something else has written over", asksAround: true,
    arrange: () => database.execute(
      `INSERT INTO settings (tenant_id, document, version, updated_at)
       SELECT id, 'not JSON', 1, '2026-01-01 00:00:00.000 +00:00' FROM tenants WHERE site = '${bare.host}'`),
    request: () => world.page(GRACE, "jira", bare).send("GET", "/api/v1/me") },
  { status: 502, code: "upstream_failed", to: "an admin whom Jira, out of order, can't vouch for", asksAround: true,
    arrange: () => disturb(bare, { failing: true }),
    request: () => world.page(ADA, "jira", bare).send("GET", "/api/v1/settings") },
  { status: 503, code: "keys_unavailable", to: "a token of a trusted team that can't be reached",
    request: async () => identify({ authorization: `Bearer ${await world.parts.teams[1]!.signAccessJwt(GRACE, AUDIENCES.demo)}` }) },
  { status: 503, code: "store_unavailable", to: "a write while another program holds the database",
    arrange: () => connectAside(database.file).query("BEGIN IMMEDIATE"),
    request: () => world.page(LINUS).send("POST", "/api/v1/me/link-attempts", {}) },
  { status: 504, code: "upstream_timeout", to: "an admin whom Jira takes too long to vouch for", asksAround: true,
    arrange: () => disturb(bare, { delaySeconds: 11 }),
    request: () => world.page(ADA, "jira", bare).send("GET", "/api/v1/settings") },
];

/** Codes that aren't provoked here, and why. */
const EXCEPTIONS: Partial<Record<ProblemCode, string>> = {
  request_timeout: "takes 30 seconds; src/web/connections.test.ts provokes it with shorter limits",
  scope_not_granted: "src/connect/impersonation-grant.test.ts provokes it",
  installation_expired: "src/connect/impersonation-grant.test.ts provokes it",
  request_not_allowed: "tests/gateway.test.ts provokes it",
  ip_not_allowed: "tests/gateway.test.ts provokes it",
  proof_required: "tests/gateway.test.ts provokes it",
  consent_required: "tests/gateway.test.ts provokes it",
};

describe("the app refuses", () => {
  it.each(REFUSALS.map((each) => [each.to, each.status, each.code, each] as const))(
    "%s: %i %s",
    async (...row) => {
      const [, status, code, { arrange, request, asksAround = false }] = row;
      await arrange?.();
      const before = { stored: await database.snapshot(), asked: countQuestions() };

      const reply = await request();

      const { detail, errors } = expectProblem(reply, code, world.appUrl);
      expect(reply.status).toBe(status);
      // Tokens, e-mail addresses and AUD tags stay with whoever sent them.
      expect(JSON.stringify({ detail, errors })).not.toMatch(/eyJ|@|[0-9a-f]{64}/);
      expect(await database.snapshot()).toEqual(before.stored);
      if (!asksAround) expect(countQuestions()).toBe(before.asked);
    },
  );

  it("for every reason that there is, but for a few that have a reason of their own", () => {
    const provoked = REFUSALS.map(({ code }) => code);
    const excepted = Object.keys(EXCEPTIONS);

    expect([...provoked, ...excepted].sort()).toEqual(Object.keys(PROBLEMS).sort());
  });
});

describe("a refusal", () => {
  it.each<[name: string, scheme: string, request: () => Promise<Reply>]>([
    ["a Connect JWT", "JWT", () => send("GET", "/api/v1/settings")],
    [
      "a Forge Invocation Token that counts",
      "Bearer",
      async () => send("GET", "/api/v1/me", { authorization: await forgeJwt({ aud: "another" }) }),
    ],
    ["an Access JWT", "Bearer", () => identify({})],
    ["the metrics token", "Bearer", () => send("GET", "/metrics")],
  ])("for want of %s says how to come back: %s", async (_name, scheme, request) => {
    expect((await request()).headers["www-authenticate"]).toBe(scheme);
  });

  it("names each field that is wrong, as a person and as a program would", async () => {
    const reply = await world.page(ADA).send("PUT", "/api/v1/settings", {
      ...(await world.page(ADA).getSettings()),
      services: [
        SERVICES[0],
        { ...SERVICES[1], audience: "mine", limits: { requests: [{ methods: ["GET"], path: "/x?y" }] } },
      ],
    });

    const { errors = [] } = expectProblem(reply, "validation_failed", world.appUrl);
    expect(errors.map(({ field, pointer }) => [field, pointer])).toEqual([
      ["services[1].audience", "#/services/1/audience"],
      ["services[1].limits.requests[0].path", "#/services/1/limits/requests/0/path"],
    ]);
  });

  it("sends somebody who isn't linked to the page where they link", async () => {
    const reply = await identify({ authorization: `Bearer ${await demoJwt(LINUS)}` });

    const { linkUrl } = expectProblem(reply, "not_linked", world.appUrl);
    expect(linkUrl).toBe(`${home.url}/plugins/servlet/ac/access-for-atlassian-cloud/account`);
  });

  it("has a reference of its own each time", async () => {
    const replies = await Promise.all([1, 2, 3].map(() => send("GET", "/nowhere")));

    expect(new Set(replies.map(({ headers }) => headers["x-request-reference"])).size).toBe(3);
  });

  it.each<[what: string, path: string, code: ProblemCode]>([
    ["a path that names nothing", "/nowhere", "not_found"],
    ["a popup outside Access", "/access/link/x", "access_jwt_missing"],
    ["an attempt that was opened from somewhere else", "/link/start/x", "browser_not_allowed"],
  ])("is a page for a browser that asks for one: %s", async (_what, path, code) => {
    const reply = await send("GET", path, { accept: "text/html,application/xhtml+xml,*/*;q=0.8" });

    expect(reply.status).toBe(PROBLEMS[code].status);
    expect(reply.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(reply.headers["cache-control"]).toBe("no-cache, no-store");
    expect(reply.text).toContain(code);
    expect(reply.text).toContain(String(reply.headers["x-request-reference"]));
  });
});

/** Headers, and the body among them. */
type Message = Readonly<Record<string, string>>;

async function send(method: string, path: string, { body, ...headers }: Message = {}): Promise<Reply> {
  const isJson = body !== undefined && headers["content-type"] === undefined;
  return world.parts.client.send({
    caller: "Somebody",
    method,
    url: `${world.appUrl}${path}`,
    headers: { ...headers, ...(isJson && { "content-type": "application/json" }) },
    body,
  });
}

async function identify(headers: Message, { site = home, query = "?product=jira" } = {}): Promise<Reply> {
  return send("GET", `/api/v1/sites/${site.host}/identity${query}`, headers);
}

async function demoJwt(
  holder: Parameters<typeof world.team.signAccessJwt>[0] = GRACE,
  claims = {},
): Promise<string> {
  return world.team.signAccessJwt(holder, AUDIENCES.demo, { claims });
}

async function contextJwt(overrides: Parameters<AtlassianSite["contextJwt"]>[2]): Promise<string> {
  return `JWT ${await home.contextJwt("jira", ADA.accountId, overrides)}`;
}

async function forgeJwt(changes: object, madeIn = 0): Promise<string> {
  const claims = pageClaims(createForgeSender(), ADA.accountId, { now: epochSeconds() + madeIn });
  return `Bearer ${await forgeKeys.sign({ ...claims, ...changes })}`;
}

async function asAda(): Promise<Message> {
  return { authorization: await contextJwt({}) };
}

function issued(secondsAgo: number) {
  const then = epochSeconds() - secondsAgo;
  return { iat: then, nbf: then, exp: then + 900 };
}

/** Until the test ends. */
function disturb(
  { behaviour }: AtlassianSite,
  disturbance: Partial<AtlassianSite["behaviour"]>,
): Promise<void> {
  const before = { ...behaviour };
  onTestFinished(() => void Object.assign(behaviour, before));
  Object.assign(behaviour, disturbance);
  return Promise.resolve();
}

/** How often the app has asked anybody anything. */
function countQuestions(): number {
  const { sites, teams, installKeys } = world.parts;
  return [...sites, ...teams, installKeys].reduce((count, { server }) => count + server.requests.length, 0);
}
