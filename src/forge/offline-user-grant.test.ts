import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { contextIdOf, ForgeApi } from "../../sandbox/forge-api.js";
import { json, type Answer, type Incoming } from "../../sandbox/http-server.js";
import { BUILD_BOT, createPerson, DORA, GRACE, LINUS, type Person } from "../../sandbox/people.js";
import { systemClock, type Clock } from "../clock.js";
import { TestClock } from "../connect/clock.fixture.js";
import { AppError } from "../errors.js";
import type { GrantOutcome } from "../gateway/user-token-grant.js";
import { UserTokens } from "../gateway/user-tokens.js";
import { PRODUCTS, type Product, type Tenant } from "../tenants/tenant.js";
import {
  buildPlace,
  buildSiteData,
  buildTenantOf,
  OTHER_APP_ID,
  SCOPES,
  startForgeWorld,
  type ForgeWorld,
} from "./forge-world.fixture.js";
import type { InstalledPlace } from "./installed-place.js";
import { GRANT_RATE, OfflineUserGrant, TENANT_GRANT_RATE } from "./offline-user-grant.js";

let world: ForgeWorld;
let asked: Incoming[];
let place: InstalledPlace | null;
let tenant: Tenant;
/** Answered instead of what Atlassian would say. */
let answer: ((request: Incoming) => Answer) | null;

beforeAll(async () => {
  world = await startForgeWorld();
  const { routes } = world.api.server;
  const [[method, path, handler]] = routes.splice(0, 1) as [(typeof routes)[number]];
  routes.unshift([
    method,
    path,
    (request, match) => {
      asked.push(request);
      return answer?.(request) ?? handler(request, match);
    },
  ]);
});
afterAll(() => world.api.close());

beforeEach(() => {
  asked = [];
  answer = null;
  Object.assign(world.api.behaviour, { off: false, failing: false, delaySeconds: 0 });
  world.api.isLimiting = false;
  useProduct("jira");
});

function useProduct(product: Product, token = world.api.systemToken(world.cloudId)): void {
  place = buildPlace(world, product, { token, expiresAt: inTwoHours() });
  tenant = buildTenantOf(place);
}

function inTwoHours(): Date {
  return new Date(Date.now() + 7_200_000);
}

function createGrant(clock: Clock = systemClock, apiUrl = world.api.url): OfflineUserGrant {
  const places = { findPlace: () => Promise.resolve(place) };
  return new OfflineUserGrant({ clock, apiUrl, places, timeoutSeconds: 0.5 });
}

function request(person: Person = GRACE, grant = createGrant()): Promise<GrantOutcome> {
  return grant.request({ tenant, accountId: person.accountId, scope: "READ" });
}

async function failure(asking: Promise<unknown> = request()): Promise<AppError> {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error("It was no AppError.");
  return error;
}

function impersonation(result: unknown): Answer {
  return json(200, { data: { offlineUserAuthToken: result } });
}

const GRANTED = { success: true, errors: [], authToken: { token: "the-token", ttl: 900 } };

it.each(PRODUCTS)("sends what Atlassian documents, for %s", async (product) => {
  useProduct(product, "the-system-token");
  answer = () => impersonation(GRANTED);
  expect(await request()).toEqual({ token: "the-token", expiresInSeconds: 900 });
  const [{ headers, body }] = asked as [Incoming];
  expect(headers).toMatchObject({
    "content-type": "application/json",
    accept: "application/json",
    authorization: "Bearer the-system-token",
  });
  const sent = JSON.parse(body) as { query: string; variables: unknown };
  expect(sent.query).toMatch(/offlineUserAuthToken\(input: \$input\)/);
  expect(sent.variables).toEqual({
    input: { contextIds: [contextIdOf(product, world.cloudId)], userId: GRACE.accountId },
  });
});

it("leaves names out of the query: whatever an account is called, it is a variable", async () => {
  const names = ['"}) { x } #', "$input", "\\u0022", "ari:cloud:jira::site/another"];
  for (const accountId of names) await request({ ...GRACE, accountId });
  const sent = asked.map(({ body }) => JSON.parse(body) as { query: string; variables: { input: object } });
  expect(new Set(sent.map(({ query }) => query)).size).toBe(1);
  expect(sent.map(({ variables: { input } }) => input)).toEqual(
    names.map((userId) => ({ contextIds: [contextIdOf("jira", world.cloudId)], userId })),
  );
});

describe.each(PRODUCTS)("with an Atlassian that checks everything, in %s,", (product) => {
  beforeEach(() => useProduct(product));
  const read = product === "jira" ? "/rest/api/3/search/jql?jql=" : "/api/v2/pages";

  async function statusOf(token: string, target: string): Promise<number> {
    const { status } = await fetch(`${tenant.baseUrl}${target}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return status;
  }

  it("gets a token that the product takes, for this site and what the manifest lets it do", async () => {
    const outcome = await request();
    const token = "token" in outcome ? outcome.token : "";
    expect(await statusOf(token, read)).not.toBe(401);
    const self = product === "jira" ? "/rest/api/3/myself" : "/rest/api/user/current";
    expect(await statusOf(token, self)).toBe(401);
    tenant = buildTenantOf(buildPlace({ ...world, cloudId: world.otherCloudId }, product));
    expect(await statusOf(token, read)).toBe(401);
  });

  it.each<[what: string, person: Person]>([
    ["who is deactivated", DORA],
    ["who isn't on the site", createPerson("Nobody Known")],
    ["that is an app's", BUILD_BOT],
  ])("gets none for an account %s", async (_what, person) => {
    expect(await request(person)).toEqual({ refusal: "account_or_installation" });
  });

  it.each<[what: string, token: () => string, refusal: string]>([
    ["another site's", () => world.api.systemToken(world.otherCloudId), "account_or_installation"],
    ["a person's", () => world.api.userToken(world.cloudId, GRACE), "installation"],
    ["expired", () => world.api.systemToken(world.cloudId, { expiresInSeconds: -1 }), "installation"],
    ["made up", () => "made-up", "installation"],
  ])("gets none when the app's own token is %s", async (_what, token, refusal) => {
    useProduct(product, token());
    expect(await request()).toEqual({ refusal });
  });
});

describe("what Atlassian says is told apart:", () => {
  it.each<[what: string, said: Answer, refusal: string]>([
    ["no success", impersonation({ success: false, errors: [], authToken: null }), "account_or_installation"],
    [
      "no success, with a reason",
      impersonation({ success: false, errors: [{ message: "No." }] }),
      "account_or_installation",
    ],
    ["no success, and yet a token", impersonation({ ...GRANTED, success: false }), "account_or_installation"],
    [
      "an error of GraphQL",
      json(200, { errors: [{ message: "No." }], data: null }),
      "account_or_installation",
    ],
    [
      "an error of GraphQL, and yet a token",
      json(200, { errors: [{ message: "No." }], data: { offlineUserAuthToken: GRANTED } }),
      "account_or_installation",
    ],
    ["a 401", json(401, { code: 401 }), "installation"],
    ["a 403", { status: 403, body: "<html>" }, "installation"],
  ])("%s is because of %s", async (_what, said, refusal) => {
    answer = () => said;
    expect(await request()).toEqual({ refusal });
  });

  it.each<[what: string, said: Answer, seconds: number]>([
    ["in seconds", { status: 429, headers: { "retry-after": "17" } }, 17],
    ["zero", { status: 429, headers: { "retry-after": "0" } }, 1],
    ["as a date", { status: 429, headers: { "retry-after": "Sun, 22 Nov 2026 12:00:00 GMT" } }, 60],
    ["not at all", { status: 429, body: "slow down" }, 60],
  ])("429 is a wait, given %s", async (_what, said, seconds) => {
    answer = () => said;
    expect(await failure()).toMatchObject({ code: "rate_limited", extras: { retryAfterSeconds: seconds } });
  });

  it.each<[what: string, said: Answer]>([
    ["an outage", json(500, { data: { offlineUserAuthToken: GRANTED } })],
    ["an outage behind a proxy", { status: 503, body: "<html>" }],
    ["a redirect", { status: 307, headers: { location: "https://evil.example/graphql" } }],
    ["a mistake of the app's own", json(400, { errors: [{ message: "No." }] })],
    ["nonsense", { status: 200, body: "<html>" }],
    ["nothing", { status: 204 }],
    ["a null", { status: 200, body: "null" }],
    ["a list", json(200, [])],
    ["no data", json(200, { data: null })],
    ["no answer", json(200, { data: {} })],
    ["nothing as the answer", impersonation(null)],
    ["a success in words", impersonation({ ...GRANTED, success: "true" })],
    ["no token", impersonation({ success: true })],
    ["nothing as the token", impersonation({ success: true, authToken: null })],
    ["an empty token", impersonation({ success: true, authToken: { token: "", ttl: 900 } })],
    [
      "a token with a line break",
      impersonation({ success: true, authToken: { token: "a\r\nX: b", ttl: 900 } }),
    ],
    ["no lifetime", impersonation({ success: true, authToken: { token: "a" } })],
    ["a lifetime that is over", impersonation({ success: true, authToken: { token: "a", ttl: 0 } })],
    ["a lifetime before", impersonation({ success: true, authToken: { token: "a", ttl: -60 } })],
    ["a lifetime in words", impersonation({ success: true, authToken: { token: "a", ttl: "900" } })],
    ["far too much", { status: 200, body: "x".repeat(100_000) }],
  ])("%s is upstream_failed", async (_what, said) => {
    answer = () => said;
    expect(await failure()).toMatchObject({
      code: "upstream_failed",
      reason: expect.stringContaining("Atlassian") as string,
    });
    expect(asked).toHaveLength(1);
  });

  it("a server that is off is upstream_failed, one that hangs upstream_timeout", async () => {
    world.api.behaviour.off = true;
    expect((await failure()).code).toBe("upstream_failed");
    world.api.behaviour.off = false;
    world.api.behaviour.delaySeconds = 1;
    expect((await failure()).code).toBe("upstream_timeout");
  });
});

describe("without a question to Atlassian", () => {
  it.each<[what: string, systemToken: () => InstalledPlace["systemToken"]]>([
    ["there is no token of the app's own", () => null],
    ["it has expired", () => ({ token: "a", expiresAt: new Date(Date.now() - 1) })],
  ])("refuses when %s", async (_what, systemToken) => {
    place = buildPlace(world, "jira", systemToken());
    expect(await request()).toEqual({ refusal: "installation" });
    expect(asked).toEqual([]);
  });

  it.each<[what: string, now: () => InstalledPlace | null]>([
    ["isn't there any more", () => null],
    ["is another site's", () => buildPlace({ ...world, cloudId: world.otherCloudId }, "jira")],
    ["is the other product's", () => buildPlace(world, "confluence")],
  ])("fails when the place %s", async (_what, now) => {
    place = now();
    expect((await failure()).code).toBe("upstream_failed");
    expect(asked).toEqual([]);
  });
});

describe("the rate that Atlassian publishes", () => {
  const used = () => asked.length;
  const inTenant = (id: string) => buildTenantOf(buildPlace(world, "jira"), { id });

  /** How many go out when tenants ask again and again, until each is told to wait. */
  async function exhaust(grant: OfflineUserGrant, tenantIds: readonly string[]): Promise<number> {
    const before = used();
    const ask = async (id: string): Promise<void> => {
      const whose = { tenant: inTenant(id), accountId: GRACE.accountId, scope: "READ" } as const;
      const refuse = (error: unknown) => (error instanceof AppError ? error.code : "unknown");
      let outcome: GrantOutcome | string;
      do outcome = await grant.request(whose).catch(refuse);
      while (typeof outcome !== "string");
      expect(outcome).toBe("rate_limited");
    };
    await Promise.all(tenantIds.map(ask));
    return used() - before;
  }

  beforeEach(() => {
    place = buildPlace(world, "jira", { token: "any", expiresAt: new Date("2027-01-01") });
    answer = () => impersonation(GRANTED);
  });

  it("isn't exceeded in any minute by all tenants together, as unevenly as they may come", async () => {
    const clock = new TestClock();
    const grant = createGrant(clock);
    await grant.request({ tenant: inTenant("early"), accountId: GRACE.accountId, scope: "READ" });
    clock.advanceSeconds(9);
    let inMinute = 0;
    for (const [round, waitSeconds] of [1, 10, 10, 10, 10, 10, 8, 0].entries()) {
      const newcomers = ["a", "b", "c", "d"].map((name) => `${name}${round}`);
      inMinute += await exhaust(grant, newcomers);
      clock.advanceSeconds(waitSeconds);
    }
    expect(inMinute).toBeLessThanOrEqual(1000);
    expect(inMinute).toBeGreaterThan(900);
  });

  it("is left to others by a tenant that asks for more than its share", async () => {
    const grant = createGrant(new TestClock());
    expect(await exhaust(grant, ["greedy"])).toBe(TENANT_GRANT_RATE.calls);
    expect(await exhaust(grant, ["modest"])).toBe(TENANT_GRANT_RATE.calls);
    expect(TENANT_GRANT_RATE.calls).toBeLessThanOrEqual(GRANT_RATE.calls / 3);
  });

  it("says how long to wait", async () => {
    const grant = createGrant(new TestClock());
    await exhaust(grant, ["greedy"]);
    const whose = { tenant: inTenant("greedy"), accountId: GRACE.accountId, scope: "READ" } as const;
    expect((await failure(grant.request(whose))).extras.retryAfterSeconds).toBe(GRANT_RATE.perSeconds);
  });

  it("is Atlassian's to enforce, too", async () => {
    answer = null;
    useProduct("jira");
    world.api.isLimiting = true;
    expect(await failure()).toMatchObject({ code: "rate_limited", extras: { retryAfterSeconds: 30 } });
  });
});

describe("as the source of tokens that are kept", () => {
  function createTokens(acceptsInstallation = true): UserTokens {
    const host = { acceptsInstallation: () => Promise.resolve(acceptsInstallation) };
    return new UserTokens({ clock: systemClock, grant: createGrant(), host });
  }
  const whose = (person: Person) => ({ tenant, accountId: person.accountId, scope: "READ" }) as const;

  it("is asked once by those who come together, and not again while the token is good", async () => {
    const tokens = createTokens();
    const [one, ...others] = await Promise.all([1, 2, 3].map(() => tokens.getToken(whose(GRACE))));
    expect(others).toEqual([one, one]);
    expect(await tokens.getToken(whose(GRACE))).toBe(one);
    expect(asked).toHaveLength(1);
    expect(await tokens.getToken(whose(LINUS))).not.toBe(one);
  });

  it.each<[acceptsInstallation: boolean, code: string]>([
    [true, "account_inactive"],
    [false, "installation_expired"],
  ])("is explained by whether the product accepts the installation: %s → %s", async (accepts, code) => {
    expect((await failure(createTokens(accepts).getToken(whose(DORA)))).code).toBe(code);
  });

  it("says that the installation has expired when the triggers have stopped", async () => {
    place = buildPlace(world, "jira", { token: "a", expiresAt: new Date(0) });
    expect((await failure(createTokens().getToken(whose(GRACE)))).code).toBe("installation_expired");
  });
});

it("keeps tokens and Atlassian's own words out of what it throws", async () => {
  const systemToken = place?.systemToken?.token ?? "";
  const echoes: ((said: string) => Answer)[] = [
    (said) => ({ status: 200, body: said }),
    (said) => ({ status: 500, body: said }),
    (said) => json(200, { data: said }),
    (said) => impersonation({ success: true, authToken: { token: `the-token ${said}`, ttl: 900 } }),
    (said) => impersonation({ success: true, authToken: { token: "the-token", ttl: said } }),
  ];
  for (const echo of echoes) {
    answer = ({ headers, body }) => echo(`leaked ${headers.authorization ?? ""} ${body}`);
    const shown = inspect(await failure(), { depth: 10, showHidden: true });
    expect(shown).not.toMatch(/leaked|the-token|offlineUserAuthToken/);
    expect(shown).not.toContain(systemToken);
  }
  world.api.behaviour.off = true;
  expect(inspect(await failure(), { depth: 10, showHidden: true })).not.toContain(systemToken);
});

it("gets no token for an app whose manifest lets nobody be acted for", async () => {
  const api = await ForgeApi.start();
  try {
    const scopes = Object.fromEntries(
      Object.keys(SCOPES).map((each) => [each, { allowImpersonation: false }]),
    );
    api.install({ cloudId: world.cloudId, site: buildSiteData(), scopes, appId: OTHER_APP_ID });
    const token = api.systemToken(world.cloudId, { appId: OTHER_APP_ID });
    place = buildPlace({ ...world, api }, "jira", { token, expiresAt: inTwoHours() });
    tenant = buildTenantOf(place);
    expect(await request(GRACE, createGrant(systemClock, api.url))).toEqual({
      refusal: "account_or_installation",
    });
  } finally {
    await api.close();
  }
});
