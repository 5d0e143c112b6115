import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { AppPage } from "../sandbox/app-page.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { html, json, redirect, startServer, type Answer, type Server } from "../sandbox/http-server.js";
import { ADA, CLEO, createPerson, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { World } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import type { ListedSettings } from "../src/services/settings.js";
import type { TeamCheck } from "../src/services/team-keys.js";
import { PRODUCTS, type Product } from "../src/tenants/tenant.js";
import { MAX_CHANGES_OF_TENANT } from "../src/web/limits.js";
import { settings as settingsSchema, teamCheck as teamCheckSchema } from "../src/web/api-schemas.js";
import { expectProblem, TenantsWorld, travel } from "./lifecycle.fixture.js";
import { APP, DEMO, FRESH, REFUSED_SETTINGS, TEAM } from "./settings-refused.fixture.js";

const OTHER_TEAM = "globex.cloudflareaccess.com";
/** Teams that don't give what a team gives. */
const BROKEN_TEAMS = {
  unknown: "unknown.cloudflareaccess.com",
  off: "off.cloudflareaccess.com",
  failing: "failing.cloudflareaccess.com",
  redirecting: "redirecting.cloudflareaccess.com",
  talking: "talking.cloudflareaccess.com",
  keyless: "keyless.cloudflareaccess.com",
  slow: "slow.cloudflareaccess.com",
};

let tenants: TenantsWorld;
let world: World;
/** Installed for all tests; Ada has entered the team and a service. */
let settled: ListedSettings;
beforeAll(async () => {
  tenants = await TenantsWorld.start({ teamDomains: [TEAM, OTHER_TEAM, ...Object.values(BROKEN_TEAMS)] });
  world = tenants.world;
  breakTeams();
  await world.install("jira");
  await tenants.waitUntilProven(world.site);
  settled = await save(world.page(ADA), { teamDomain: TEAM, services: [DEMO] });
});
afterAll(() => tenants.close());

function breakTeams(): void {
  const server = (domain: string): Server => world.parts.teams.find((team) => team.domain === domain)!.server;
  const answer = (domain: string, certs: () => Answer) =>
    server(domain).routes.unshift(["GET", /^\/cdn-cgi\/access\/certs$/, certs]);
  server(BROKEN_TEAMS.unknown).routes.length = 0;
  server(BROKEN_TEAMS.off).behaviour.off = true;
  server(BROKEN_TEAMS.failing).behaviour.failing = true;
  server(BROKEN_TEAMS.slow).behaviour.delaySeconds = 20;
  answer(BROKEN_TEAMS.redirecting, () => redirect(`${world.team.url}/cdn-cgi/access/certs`));
  answer(BROKEN_TEAMS.talking, () => html(200, "<h1>Welcome</h1>"));
  answer(BROKEN_TEAMS.keyless, () => json(200, { keys: [] }));
}

async function put(page: AppPage, document: unknown): Promise<Reply> {
  return page.send("PUT", "/api/v1/settings", document);
}

/** Saves over the fresh settings, whatever there was. */
async function save(page: AppPage, changes: object): Promise<ListedSettings> {
  const { version } = await page.getSettings();
  return readSettings((await put(page, { ...FRESH, ...changes, version })).expect(200));
}

function readSettings(reply: Reply): ListedSettings {
  return settingsSchema.parse(reply.body);
}

async function freshPage(): Promise<AppPage> {
  return world.page(ADA, "jira", await tenants.installed());
}

describe("settings", () => {
  it("are fresh before anybody has saved", async () => {
    const page = await freshPage();
    const reply = (await page.send("GET", "/api/v1/settings")).expect(200);
    expect(reply.body).toEqual(FRESH);
    expect(reply.headers["cache-control"]).toContain("no-store");
  });

  it("are replaced as a whole, and answered as they are stored", async () => {
    const page = await freshPage();
    const first = await save(page, {
      teamDomain: TEAM,
      services: [APP, { ...DEMO, paused: true }],
      allowedEmailDomains: ["acme.com", "*.acme.com"],
      paused: true,
    });
    expect(first).toEqual({
      teamDomain: TEAM,
      services: [
        { ...APP, id: expect.any(String) as string, limits: null, paused: false },
        { ...DEMO, id: expect.any(String) as string, limits: null, paused: true },
      ],
      allowedEmailDomains: ["acme.com", "*.acme.com"],
      matching: "proof",
      paused: true,
      version: 1,
    });
    expect(await page.getSettings()).toEqual(first);

    const rest = { teamDomain: null, services: [], version: 1 };
    expect(readSettings((await put(page, rest)).expect(200))).toEqual({ ...FRESH, version: 2 });
  });

  it("can be sent back as they were read", async () => {
    const page = await freshPage();
    const limits = {
      requests: [{ methods: ["GET", "HEAD"], path: "/rest/api/3/**" }],
      maxTokenAgeSeconds: 3600,
      ipAddresses: ["203.0.113.0/24", "2001:db8::1"],
      consent: "given",
      liveCheckSeconds: 60,
    };
    const services = [APP, { ...DEMO, limits, paused: true }];
    const saved = await save(page, { teamDomain: TEAM, services, allowedEmailDomains: ["acme.com"] });
    for (const version of [2, 3]) {
      const reply = (await put(page, await page.getSettings())).expect(200);
      expect(readSettings(reply)).toEqual({ ...saved, version });
    }
  });

  it("keep the ids of services, and give one to those that have none", async () => {
    const page = await freshPage();
    const { services } = await save(page, { services: [APP, DEMO] });
    expect(new Set(services.map(({ id }) => id)).size).toBe(2);
    const [app, demo] = services;
    const added = { label: "New", audience: "0".repeat(64), purposes: ["identify"] };
    const withNull = { ...added, audience: "1".repeat(64), id: null };
    const after = await save(page, { services: [added, { ...demo, label: "Renamed" }, app, withNull] });
    expect(after.services.map(({ id }) => id)).toEqual([
      expect.any(String),
      demo!.id,
      app!.id,
      expect.any(String),
    ]);
    expect(new Set(after.services.map(({ id }) => id)).size).toBe(4);
  });

  it("know a service without an id by its audience, so that the same document can be written again", async () => {
    const page = await freshPage();
    const { services } = await save(page, { services: [APP, DEMO] });
    const again = await save(page, { services: [{ ...DEMO, label: "Renamed" }, APP] });
    expect(again.services.map(({ id }) => id)).toEqual([services[1]!.id, services[0]!.id]);
  });

  it("don't take a service for another that has moved away from its audience", async () => {
    const page = await freshPage();
    const { services } = await save(page, { services: [APP, DEMO] });
    const moved = { ...services[1]!, audience: "1".repeat(64) };
    const after = await save(page, { services: [DEMO, APP, moved] });
    expect(after.services.map(({ id }) => id)).toEqual([expect.any(String), services[0]!.id, moved.id]);
    expect(after.services[0]?.id).not.toBe(moved.id);
  });

  it.each<[string, unknown, unknown]>([
    ["left out", undefined, null],
    ["null", null, null],
    [
      "empty",
      {},
      {
        requests: [],
        maxTokenAgeSeconds: null,
        ipAddresses: [],
        consent: "required",
        liveCheckSeconds: null,
      },
    ],
    [
      "full",
      {
        requests: [
          { methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], path: "/" },
          { methods: ["GET"], path: "/**" },
          { methods: ["GET"], path: "/rest/api/3/issue/*/comment/*" },
        ],
        maxTokenAgeSeconds: 60,
        ipAddresses: ["203.0.113.7", "0.0.0.0/0", "2001:DB8::/32", " 192.0.2.1 "],
        consent: "given",
        liveCheckSeconds: 10,
      },
      {
        requests: [
          { methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], path: "/" },
          { methods: ["GET"], path: "/**" },
          { methods: ["GET"], path: "/rest/api/3/issue/*/comment/*" },
        ],
        maxTokenAgeSeconds: 60,
        ipAddresses: ["203.0.113.7", "0.0.0.0/0", "2001:db8::/32", "192.0.2.1"],
        consent: "given",
        liveCheckSeconds: 10,
      },
    ],
  ])("have limits of a service that are %s", async (_name, limits, stored) => {
    const page = world.page(ADA);
    const { services } = await save(page, { teamDomain: TEAM, services: [{ ...DEMO, limits }] });
    expect(services[0]?.limits).toEqual(stored);
    expect((await page.getSettings()).services[0]?.limits).toEqual(stored);
    settled = await save(page, { teamDomain: TEAM, services: [DEMO] });
  });

  it.each([
    TEAM,
    ` ${TEAM}\n`,
    "ACME.CloudflareAccess.com",
    `https://${TEAM}`,
    `HTTPS://${TEAM}/`,
    `https://${TEAM}:443/cdn-cgi/access/certs`,
    `${TEAM}/cdn-cgi/access/login?redirect_url=%2F`,
    `${TEAM}#fragment`,
  ])("take %j as a team domain", async (pasted) => {
    const page = await freshPage();
    expect(await save(page, { teamDomain: pasted })).toMatchObject({ teamDomain: TEAM });
  });

  it.each([AUDIENCES.demo, AUDIENCES.demo.toUpperCase(), `  ${AUDIENCES.demo}\t\n`])(
    "take %j as an AUD tag",
    async (pasted) => {
      const page = await freshPage();
      const { services } = await save(page, { services: [{ ...DEMO, audience: pasted }] });
      expect(services[0]?.audience).toBe(AUDIENCES.demo);
    },
  );

  it("take e-mail domains in any spelling, each once", async () => {
    const page = await freshPage();
    const pasted = [
      "acme.com",
      "ACME.com",
      " acme.com ",
      "@acme.com",
      "*.Acme.com",
      "*.acme.com",
      "bücher.example",
    ];
    expect(await save(page, { allowedEmailDomains: pasted })).toMatchObject({
      allowedEmailDomains: ["acme.com", "*.acme.com", "xn--bcher-kva.example"],
    });
  });

  it("take labels in any script, without the spaces around them", async () => {
    const page = await freshPage();
    const { services } = await save(page, { services: [{ ...DEMO, label: "  Wiki «ご案内» <b>  " }] });
    expect(services[0]?.label).toBe("Wiki «ご案内» <b>");
  });

  it("are told in the audit log, before and after", async () => {
    const page = await freshPage();
    const first = await save(page, { teamDomain: TEAM, services: [DEMO] });
    const second = await save(page, { teamDomain: TEAM, paused: true });
    const { items } = (await page.send("GET", "/api/v1/audit?action=settings.changed")).expect(200).body as {
      items: Record<string, unknown>[];
    };
    expect(items).toEqual([
      expect.objectContaining({
        actor: { type: "user", accountId: ADA.accountId },
        before: first,
        after: second,
      }),
      expect.objectContaining({ before: FRESH, after: first }),
    ]);
    for (const { ip, reference } of items) {
      expect(ip).toBe("127.0.0.1");
      expect(reference).toMatch(/^[A-Z2-7]{12}$/);
    }
  });

  it("of one tenant are never another's", async () => {
    const one = await freshPage();
    const other = await freshPage();
    const mine = await save(one, { teamDomain: TEAM, services: [DEMO] });
    expect(await other.getSettings()).toEqual(FRESH);
    for (const paused of [true, false]) await save(other, { teamDomain: OTHER_TEAM, paused });
    expect(await one.getSettings()).toEqual(mine);
    const stolen = { ...DEMO, audience: "0".repeat(64), id: mine.services[0]!.id };
    const reply = await put(other, { ...FRESH, services: [stolen], version: 2 });
    expectProblem(reply, "validation_failed", ["services[0].id"]);
  });

  it.each(["POST", "DELETE", "PATCH"])("can't be changed by %s", async (method) => {
    const reply = await world.page(ADA).send(method, "/api/v1/settings", {});
    expectProblem(reply, "method_not_allowed");
    expect(reply.headers.allow).toBe("GET, HEAD, PUT");
  });
});

describe("settings that can't be saved", () => {
  it.each(REFUSED_SETTINGS)("name what is wrong: $name", async ({ changes, field, pointer }) => {
    const document = { ...FRESH, version: settled.version, ...changes };
    await tenants.expectNothingStored(async () => {
      const { errors = [], detail } = expectProblem(
        await put(world.page(ADA), document),
        "validation_failed",
      );
      const named = errors.map((error) => `${error.field} ${error.pointer}`);
      expect([...new Set(named)]).toEqual([`${field} ${pointer}`]);
      for (const text of [detail, ...errors.map((error) => error.detail)])
        expect(text).toMatch(/^[A-Z0-9].*\.$/s);
    });
  });

  it("name an id that stands twice", async () => {
    const [service] = settled.services;
    const services = [service, { ...service, audience: AUDIENCES.app }];
    await tenants.expectNothingStored(async () => {
      const reply = await put(world.page(ADA), { ...settled, services });
      expectProblem(reply, "validation_failed", ["services[1].id"]);
    });
  });

  it("name an id of a service that was removed", async () => {
    const page = await freshPage();
    const { services } = await save(page, { services: [DEMO] });
    await save(page, {});
    expectProblem(await put(page, { ...FRESH, services, version: 2 }), "validation_failed", [
      "services[0].id",
    ]);
  });

  it("name everything that is wrong at once", async () => {
    const services = [
      { ...DEMO, label: "", audience: "x", extra: 1 },
      { ...APP, purposes: ["x"] },
    ];
    const document = { ...FRESH, teamDomain: "x", services, paused: 1, version: settled.version };
    expectProblem(await put(world.page(ADA), document), "validation_failed", [
      "teamDomain",
      "services[0].label",
      "services[0].audience",
      "services[0].extra",
      "services[1].purposes[0]",
      "paused",
    ]);
  });

  it.each<[string, ProblemCode, unknown]>([
    ["a list", "validation_failed", [FRESH]],
    ["no JSON", "malformed_request", "{"],
    ["a JSON text", "malformed_request", '"x"'],
    ["more than 64 KiB", "too_large", { ...FRESH, padding: "x".repeat(64 * 1024) }],
    ["a form", "unsupported_media_type", new URLSearchParams({ paused: "true" })],
  ])("are %s", async (_name, code, body) => {
    const token = await world.site.contextJwt("jira", ADA.accountId);
    const headers = {
      authorization: `JWT ${token}`,
      ...(typeof body === "string" && { "content-type": "application/json" }),
    };
    const call = { caller: "A page", method: "PUT", url: `${world.appUrl}/api/v1/settings`, headers, body };
    await tenants.expectNothingStored(async () => {
      expectProblem(await tenants.send(call), code);
    });
  });
});

describe("the version of settings", () => {
  it("grows by one with every change", async () => {
    const page = await freshPage();
    for (let version = 1; version <= 5; version += 1) {
      expect(await save(page, { paused: version % 2 === 0 })).toMatchObject({ version });
    }
  });

  it.each([0, 1, 3, -1, 2 ** 31])("is a conflict when it is %d instead of 2", async (version) => {
    const page = await freshPage();
    await save(page, {});
    await save(page, {});
    await tenants.expectNothingStored(async () => {
      expectProblem(await put(page, { ...FRESH, paused: true, version }), "version_conflict");
      // It comes before what only the newest version could tell.
      const services = [{ ...DEMO, id: "unknown" }];
      expectProblem(await put(page, { ...FRESH, services, version }), "version_conflict");
    });
  });

  it.each([0, 1])("lets exactly one of many win who read %d", async (version) => {
    const page = await freshPage();
    if (version === 1) await save(page, {});
    const domains = Array.from({ length: 10 }, (_, index) => `admin${index}.example.com`);
    const replies = await Promise.all(
      domains.map((domain) => put(page, { ...FRESH, allowedEmailDomains: [domain], version })),
    );
    const winners = replies.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    for (const reply of replies) if (reply !== winners[0]) expectProblem(reply, "version_conflict");
    expect(await page.getSettings()).toEqual(winners[0]!.body);
    const { items } = (await page.send("GET", "/api/v1/audit?action=settings.changed")).expect(200).body as {
      items: unknown[];
    };
    expect(items).toHaveLength(version + 1);
  });
});

describe("a check of a team", () => {
  async function check(page: AppPage, body?: object): Promise<TeamCheck> {
    return teamCheckSchema.parse((await page.send("POST", "/api/v1/settings/check", body)).expect(200).body);
  }

  it("says which keys it saw, of the team in question or of the one in the settings", async () => {
    for (const body of [
      undefined,
      {},
      { teamDomain: null },
      { teamDomain: TEAM },
      { teamDomain: ` HTTPS://${TEAM}/x` },
    ]) {
      const answer = await check(world.page(ADA), body);
      expect(answer).toMatchObject({ ok: true, teamDomain: TEAM, keyCount: 2, problem: null });
      expect(answer.kids).toHaveLength(2);
      for (const kid of answer.kids) expect(kid).toMatch(/^[0-9a-f]{64}$/);
      expect(answer.milliseconds).toBeGreaterThanOrEqual(0);
    }
  });

  it("fetches every time, and sees a new key at once", async () => {
    const [, globex] = world.parts.teams;
    const before = await check(world.page(ADA), { teamDomain: OTHER_TEAM });
    await globex!.rotateKeys();
    const after = await check(world.page(ADA), { teamDomain: OTHER_TEAM });
    expect([before.keyCount, after.keyCount]).toEqual([2, 3]);
  });

  it.each<[string, string, RegExp]>([
    ["doesn't exist", BROKEN_TEAMS.unknown, /no Access team with this name/],
    ["is switched off", BROKEN_TEAMS.off, /can't be reached/],
    ["is out of order", BROKEN_TEAMS.failing, /500/],
    ["redirects", BROKEN_TEAMS.redirecting, /redirect/],
    ["talks HTML", BROKEN_TEAMS.talking, /isn't JSON/],
    ["has no keys", BROKEN_TEAMS.keyless, /no usable key/],
  ])("says so when the team %s", async (_name, teamDomain, detail) => {
    const before = world.team.server.requests.length;
    const answer = await check(world.page(ADA), { teamDomain });
    expect(answer).toMatchObject({ ok: false, teamDomain, keyCount: 0, kids: [] });
    expect(answer.problem).toMatchObject({ code: "keys_unavailable" });
    expect(answer.problem?.detail).toMatch(detail);
    expect(world.team.server.requests).toHaveLength(before);
  });

  it.each([
    "",
    "acme",
    "evil.example",
    "localhost",
    `${TEAM}@evil.example`,
    "http://127.0.0.1:1",
    "x".repeat(4096),
  ])("asks nobody when %j is no team domain", async (teamDomain) => {
    await world.page(ADA).getSettings();
    await tenants.expectNoTrace(async () => {
      expect(await check(world.page(ADA), { teamDomain })).toMatchObject({
        ok: false,
        teamDomain,
        keyCount: 0,
        problem: { code: "validation_failed" },
      });
    });
  });

  it("says so when none is stored", async () => {
    expect(await check(await freshPage(), {})).toMatchObject({
      ok: false,
      teamDomain: null,
      problem: { code: "validation_failed" },
    });
  });

  it.each([{ teamDomain: 1 }, { teamDomain: [TEAM] }, { team: TEAM }])(
    "can't be asked for by %j",
    async (body) => {
      const [field = ""] = Object.keys(body);
      const reply = await world.page(ADA).send("POST", "/api/v1/settings/check", body);
      expectProblem(reply, "validation_failed", [field]);
    },
  );

  it("stores nothing", async () => {
    await tenants.expectNothingStored(() => check(world.page(ADA), { teamDomain: OTHER_TEAM }));
  });
});

describe("what is limited", () => {
  it("checks, to 120 a minute, for each tenant apart", async () => {
    const page = await freshPage();
    travel(0);
    for (let times = 0; times < 120; times += 1) {
      (await page.send("POST", "/api/v1/settings/check", { teamDomain: "x" })).expect(200);
    }
    const refusal = await page.send("POST", "/api/v1/settings/check", {});
    expectProblem(refusal, "rate_limited");
    expectRetryAfter(refusal, 60);
    (await world.page(ADA).send("POST", "/api/v1/settings/check", {})).expect(200);
    travel(61);
    (await page.send("POST", "/api/v1/settings/check", {})).expect(200);
  });

  it("changes that are under way at once, to 250, for each tenant apart: they all wait for one writer", async () => {
    const site = await tenants.installed();
    const [mine, others] = [world.page(ADA, "jira", site), await freshPage()];
    // Whether Ada is an admin takes a moment.
    site.behaviour.delaySeconds = 1;
    const saves = Array.from({ length: MAX_CHANGES_OF_TENANT + 5 }, () =>
      put(mine, { ...FRESH, version: 9 }),
    );
    const theirs = await put(others, { ...FRESH, version: 9 });
    theirs.expect(409);
    const statuses = (await Promise.all(saves)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
    expect(statuses.filter((status) => status === 409)).toHaveLength(MAX_CHANGES_OF_TENANT);
    site.behaviour.delaySeconds = 0;
    (await put(mine, { ...FRESH, version: 9 })).expect(409);
  });

  it("changes of the team, to 300 an hour, for each tenant apart", async () => {
    const page = await freshPage();
    travel(0);
    for (let version = 0; version < 300; version += 1) {
      const teamDomain = version % 2 === 0 ? TEAM : OTHER_TEAM;
      (await put(page, { ...FRESH, teamDomain, version })).expect(200);
    }
    const refusal = await tenants.expectNothingStored(() =>
      put(page, { ...FRESH, teamDomain: TEAM, version: 300 }),
    );
    expectProblem(refusal, "rate_limited");
    expectRetryAfter(refusal, 3600);
    // Other changes go on, and so does leaving the team.
    (await put(page, { ...FRESH, teamDomain: OTHER_TEAM, paused: true, version: 300 })).expect(200);
    (await put(page, { ...FRESH, version: 301 })).expect(200);
    await save(await freshPage(), { teamDomain: TEAM });
    travel(3601);
    (await put(page, { ...FRESH, teamDomain: TEAM, version: 302 })).expect(200);
  });

  function expectRetryAfter(reply: Reply, mostSeconds: number): void {
    const seconds = Number(reply.headers["retry-after"]);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(mostSeconds);
  }
});

/** How often the app has asked Jira whether somebody is an admin. */
function questions(site: AtlassianSite): number {
  return site.server.requests.filter((line) => line.includes("/permissions/check")).length;
}

describe("who may see and save settings", () => {
  const CALLS: [string, string, object | undefined][] = [
    ["GET", "/api/v1/settings", undefined],
    ["PUT", "/api/v1/settings", { ...FRESH, paused: true }],
    ["POST", "/api/v1/settings/check", {}],
  ];

  it.each(CALLS)("no member: %s %s", async (method, path, body) => {
    await tenants.expectNothingStored(async () => {
      expectProblem(await world.page(GRACE).send(method, path, body), "not_admin");
      expectProblem(await world.page(CLEO).send(method, path, body), "not_admin");
    });
  });

  it.each(CALLS)("nobody who isn't signed in, and nobody is asked: %s %s", async (method, path, body) => {
    await tenants.expectNoTrace(async () => {
      for (const sub of ["", " ", undefined, null]) {
        const token = await world.site.contextJwt("jira", ADA.accountId, { claims: { sub } });
        expectProblem(await tenants.sendAs(token, path, method, body), "connect_jwt_invalid");
      }
    });
  });

  it("an admin, who is asked for once in a minute", async () => {
    const site = await tenants.installed();
    const page = world.page(ADA, "jira", site);
    travel(0);
    for (let times = 0; times < 3; times += 1) await page.getSettings();
    expect(questions(site)).toBe(1);
    site.accounts.set(ADA.accountId, { ...ADA, administers: [] });
    travel(59);
    await page.getSettings();
    expect(questions(site)).toBe(1);
    travel(2);
    expectProblem(await page.send("GET", "/api/v1/settings"), "not_admin");
    expect(questions(site)).toBe(2);
  });

  it("somebody who became an admin, at once", async () => {
    const site = await tenants.installed();
    const page = world.page(GRACE, "jira", site);
    for (let times = 0; times < 2; times += 1)
      expectProblem(await page.send("GET", "/api/v1/settings"), "not_admin");
    expect(questions(site)).toBe(2);
    site.accounts.set(GRACE.accountId, { ...GRACE, administers: ["jira"] });
    await page.getSettings();
  });

  it("an admin of this tenant: a yes doesn't count for another account, tenant, product or secret", async () => {
    const site = await tenants.installed("jira", "confluence");
    const other = await tenants.installed();
    await world.page(ADA, "jira", site).getSettings();
    for (const each of [site, other]) each.accounts.set(ADA.accountId, { ...ADA, administers: [] });
    await world.page(ADA, "jira", site).getSettings();
    const elsewhere = [
      world.page(ADA, "confluence", site),
      world.page(ADA, "jira", other),
      world.page(createPerson("Ada Another"), "jira", site),
    ];
    for (const page of elsewhere) expectProblem(await page.send("GET", "/api/v1/settings"), "not_admin");
    (await site.install("jira", world.appUrl)).expect(204);
    expectProblem(await world.page(ADA, "jira", site).send("GET", "/api/v1/settings"), "not_admin");
  });

  it("an admin who asks many things at once is asked for once", async () => {
    const site = await tenants.installed();
    const page = world.page(ADA, "jira", site);
    await Promise.all(Array.from({ length: 10 }, () => page.getSettings()));
    expect(questions(site)).toBe(1);
  });
});

describe("when the product is asked whether somebody is an admin, only its word counts", () => {
  const PATHS: Record<Product, [string, RegExp]> = {
    jira: ["POST", /^\/rest\/api\/3\/permissions\/check$/],
    confluence: ["GET", /^\/wiki\/rest\/api\/user$/],
  };
  const ADMINISTER = { operation: "administer", targetType: "application" };
  /** In either product, whoever was asked for. */
  const YES = { globalPermissions: ["ADMINISTER"], operations: [ADMINISTER] };

  async function askThrough(product: Product, answer: () => Answer): Promise<Reply> {
    const site = await tenants.installed(product);
    const [method, path] = PATHS[product];
    site.server.routes.unshift([method, path, answer]);
    return world.page(ADA, product, site).send("GET", "/api/v1/settings");
  }

  it.each<[string, ProblemCode, Answer]>([
    ["401", "upstream_failed", json(401, {})],
    ["403", "not_admin", json(403, {})],
    ["404", "not_admin", json(404, {})],
    ["429", "upstream_failed", json(429, {})],
    ["500", "upstream_failed", json(500, {})],
    ["503", "upstream_failed", json(503, {})],
    ["201", "upstream_failed", json(201, YES)],
    ["204", "upstream_failed", { status: 204 }],
    ["an empty 200", "upstream_failed", { status: 200 }],
    ["a page", "upstream_failed", html(200, "ADMINISTER")],
    ["half a JSON text", "upstream_failed", html(200, JSON.stringify(YES).slice(0, -1))],
    ["{}", "not_admin", json(200, {})],
    ["null", "not_admin", json(200, null)],
    ["true", "not_admin", json(200, true)],
    ["more than a MiB", "upstream_failed", json(200, { ...YES, padding: "x".repeat(2 ** 20) })],
  ])("both products answer %s: %s", async (_name, code, answer) => {
    for (const product of PRODUCTS) expectProblem(await askThrough(product, () => answer), code);
  });

  it.each<[string, ProblemCode, unknown]>([
    ["no permission", "not_admin", []],
    ["another permission", "not_admin", ["SYSTEM_ADMIN_LOOKALIKE"]],
    ["the permission in lower case", "not_admin", ["administer"]],
    ["a longer name", "not_admin", ["ADMINISTER_PROJECTS"]],
    ["text that holds the permission", "not_admin", "ADMINISTER"],
    ["an object with the permission", "not_admin", { ADMINISTER: true }],
    ["a nested list", "not_admin", [["ADMINISTER"]]],
  ])("jira names %s: %s", async (_name, code, globalPermissions) => {
    expectProblem(await askThrough("jira", () => json(200, { globalPermissions })), code);
  });

  it.each<[string, ProblemCode, object]>([
    ["no operation", "not_admin", { operations: [] }],
    ["the use of it", "not_admin", { operations: [{ operation: "use", targetType: "application" }] }],
    [
      "a space that they administer",
      "not_admin",
      { operations: [{ operation: "administer", targetType: "space" }] },
    ],
    ["another account", "not_admin", { accountId: GRACE.accountId, operations: [ADMINISTER] }],
    ["operations that aren't a list", "not_admin", { operations: { 0: ADMINISTER } }],
  ])("confluence names %s: %s", async (_name, code, answer) => {
    expectProblem(
      await askThrough("confluence", () => json(200, { accountId: ADA.accountId, ...answer })),
      code,
    );
  });

  it.each(PRODUCTS)("%s redirects: nobody follows", async (product) => {
    const elsewhere = await startServer();
    try {
      elsewhere.routes.push(["GET", /./, () => json(200, YES)], ["POST", /./, () => json(200, YES)]);
      for (const status of [301, 302, 307, 308]) {
        const answer = { status, headers: { location: `${elsewhere.url}/rest/api/3/permissions/check` } };
        expectProblem(await askThrough(product, () => answer), "upstream_failed");
      }
      expect(elsewhere.requests).toEqual([]);
    } finally {
      await elsewhere.close();
    }
  });

  it.each(PRODUCTS)("%s cuts the connection", async (product) => {
    const site = await tenants.installed(product);
    site.behaviour.off = true;
    const reply = await world.page(ADA, product, site).send("GET", "/api/v1/settings");
    expectProblem(reply, "upstream_failed");
  });
});

describe("whoever takes too long", () => {
  it("is given up: a team after five seconds, a product after ten", async () => {
    const site = await tenants.installed();
    site.behaviour.delaySeconds = 20;
    const [check, refusal] = await Promise.all([
      world.page(ADA).send("POST", "/api/v1/settings/check", { teamDomain: BROKEN_TEAMS.slow }),
      world.page(ADA, "jira", site).send("GET", "/api/v1/settings"),
    ]);
    expect(check.expect(200).body).toMatchObject({
      ok: false,
      teamDomain: BROKEN_TEAMS.slow,
      problem: { code: "keys_unavailable", detail: "No answer within 5 seconds." },
    });
    expect((check.body as TeamCheck).milliseconds).toBeGreaterThan(4900);
    expectProblem(refusal, "upstream_timeout");
  });
});
