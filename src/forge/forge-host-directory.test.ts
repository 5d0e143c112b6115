import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { json as answerJson, type Answer, type Incoming } from "../../sandbox/http-server.js";
import { ADA, BUILD_BOT, CLEO, createPerson, DORA, GRACE, type Person } from "../../sandbox/people.js";
import { TestClock } from "../connect/clock.fixture.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import { PRODUCTS, type Product, type Tenant } from "../tenants/tenant.js";
import { ForgeApiClient } from "./forge-api-client.js";
import { ForgeHostDirectory } from "./forge-host-directory.js";
import { ForgeUserTokens } from "./forge-user-tokens.js";
import {
  buildPlace,
  buildTenantOf,
  OTHER_APP_ID,
  startForgeWorld,
  type ForgeWorld,
} from "./forge-world.fixture.js";
import type { InstalledPlace } from "./installed-place.js";

const REQUEST_LINE = /\/ex\/(?:jira|confluence)\/[^/]+(\S*)/;

let world: ForgeWorld;
let clock: TestClock;
let userTokens: ForgeUserTokens;
let directory: ForgeHostDirectory;
let place: InstalledPlace | null;
let tenant: Tenant;
let logged: string[];
/** Answered instead of what the product would say. */
let answer: ((request: Incoming) => Answer | null) | null;

beforeAll(async () => {
  world = await startForgeWorld();
  const { routes } = world.api.server;
  routes.splice(
    0,
    routes.length,
    ...routes.map(
      ([method, path, handler]) =>
        [
          method,
          path,
          (request: Incoming, match: RegExpExecArray) => answer?.(request) ?? handler(request, match),
        ] as const,
    ),
  );
});
afterAll(() => world.api.close());

beforeEach(() => {
  clock = new TestClock();
  userTokens = new ForgeUserTokens(clock);
  logged = [];
  answer = null;
  Object.assign(world.api.behaviour, { off: false, failing: false, delaySeconds: 0 });
  use("jira");
});

function use(product: Product, systemToken: InstalledPlace["systemToken"] = null): void {
  const note = (...said: unknown[]) => void logged.push(JSON.stringify(said));
  const logger = { info: note, warn: note, error: note } as unknown as Logger;
  place = buildPlace(world, product, systemToken);
  tenant = buildTenantOf(place);
  const places = { findPlace: (id: string) => Promise.resolve(id === tenant.id ? place : null) };
  const api = new ForgeApiClient({ timeoutSeconds: 0.5 });
  directory = new ForgeHostDirectory({ api, places, userTokens, clock, logger });
  world.api.server.requests.length = 0;
}

function useSystemToken(product: Product, expiresInSeconds = 7200): void {
  const token = world.api.systemToken(world.cloudId);
  use(product, { token, expiresAt: new Date(clock.now().getTime() + expiresInSeconds * 1000) });
}

/** The guard has just let a call of this account pass that came with this token. */
function note(whose: Person, userToken: string): void {
  userTokens.note(tenant, whose.accountId, userToken, new Date(clock.now().getTime() + 7_200_000));
}

function tokenOf(person: Person): string {
  return world.api.userToken(world.cloudId, person);
}

const isAdmin = (person: Person) => directory.isAdmin(tenant, person.accountId);

function asked(): (string | undefined)[] {
  return world.api.server.requests.map((line) => REQUEST_LINE.exec(line)?.[1]);
}

async function codeOf(asking: Promise<unknown>): Promise<string> {
  const error = await asking.catch((thrown: unknown) => thrown);
  return error instanceof AppError ? error.code : expect.fail("There was no refusal.");
}

describe.each(PRODUCTS)("isAdmin in %s", (product) => {
  const admin = product === "jira" ? ADA : CLEO;
  beforeEach(() => use(product));

  it("says yes to an admin's own token, whose owner is asked for first", async () => {
    note(admin, tokenOf(admin));
    expect(await isAdmin(admin)).toBe(true);
    expect(asked()).toEqual(
      product === "jira"
        ? ["/rest/api/3/myself", "/rest/api/3/mypermissions?permissions=ADMINISTER"]
        : ["/wiki/rest/api/user/current?expand=operations"],
    );
  });

  it("says no to somebody's own token who isn't one", async () => {
    note(GRACE, tokenOf(GRACE));
    expect(await isAdmin(GRACE)).toBe(false);
  });

  // What a call brings beside its signed part, anybody may have put there who was given it in their browser.
  it.each<[what: string, caller: Person, token: () => string]>([
    ["an admin's token, borrowed by somebody else", GRACE, () => tokenOf(admin)],
    [
      "an admin's token that another app was given, in somebody else's call",
      GRACE,
      () => world.api.userToken(world.cloudId, admin, { appId: OTHER_APP_ID }),
    ],
    ["an admin's token of another site", admin, () => world.api.userToken(world.otherCloudId, admin)],
    [
      "an admin's token that has expired",
      admin,
      () => world.api.userToken(world.cloudId, admin, { expiresInSeconds: -1 }),
    ],
    ["another account's in the call of an admin", admin, () => tokenOf(GRACE)],
    ["the app's own token", GRACE, () => world.api.systemToken(world.cloudId)],
    ["the app's own token in the call of an admin", admin, () => world.api.systemToken(world.cloudId)],
    ["a made-up one", admin, () => "made.up.token"],
  ])("says no to %s", async (_what, caller, token) => {
    note(caller, token());
    expect(await isAdmin(caller)).toBe(false);
    expect(asked()).toHaveLength(1);
    expect(logged.join()).toContain("isn't believed");
  });

  it("never says yes for whoever borrows, also when two call at once", async () => {
    const token = tokenOf(admin);
    note(admin, token);
    note(GRACE, token);
    expect(await Promise.all([isAdmin(admin), isAdmin(GRACE), isAdmin(admin)])).toEqual([true, false, true]);
  });

  it("says no without a token, and asks nobody", async () => {
    useSystemToken(product);
    expect(await isAdmin(admin)).toBe(false);
    expect(asked()).toEqual([]);
  });

  it("says no with a token that came with a call of another account, tenant or installation", async () => {
    note(admin, tokenOf(admin));
    for (const other of [
      { ...tenant, id: "another" },
      { ...tenant, generation: 2 },
    ]) {
      expect(await directory.isAdmin(other, admin.accountId)).toBe(false);
    }
    expect(await isAdmin(createPerson("Another Admin", { administers: PRODUCTS }))).toBe(false);
    expect(asked()).toEqual([]);
  });

  it("keeps a yes for a minute, for this account and installation", async () => {
    note(admin, tokenOf(admin));
    await isAdmin(admin);
    clock.advanceSeconds(59);
    note(admin, tokenOf(GRACE));
    expect(await isAdmin(admin)).toBe(true);
    const reinstalled = { ...tenant, generation: 2 };
    userTokens.note(reinstalled, admin.accountId, tokenOf(GRACE), new Date(clock.now().getTime() + 60_000));
    expect(await directory.isAdmin(reinstalled, admin.accountId)).toBe(false);
    clock.advanceSeconds(2);
    expect(await isAdmin(admin)).toBe(false);
  });

  it("asks once for callers who come together", async () => {
    note(admin, tokenOf(admin));
    await Promise.all([isAdmin(admin), isAdmin(admin)]);
    expect(asked()).toHaveLength(product === "jira" ? 2 : 1);
  });

  it.each([201, 204, 302, 400, 429, 500, 503])("fails on a %d", async (status) => {
    note(admin, tokenOf(admin));
    answer = () => ({ status, headers: { location: "/" } });
    expect(await codeOf(isAdmin(admin))).toBe("upstream_failed");
  });

  it.each(["", "<html>", '{"accountId": '])("fails on %j, which isn't JSON", async (body) => {
    note(admin, tokenOf(admin));
    answer = () => ({ status: 200, body });
    expect(await codeOf(isAdmin(admin))).toBe("upstream_failed");
  });

  it("fails on far too much", async () => {
    note(admin, tokenOf(admin));
    answer = () => ({ status: 200, body: "x".repeat(1024 * 1024 + 1) });
    expect(await codeOf(isAdmin(admin))).toBe("upstream_failed");
  });

  it("says that the product took too long, or can't be reached", async () => {
    note(admin, tokenOf(admin));
    world.api.behaviour.delaySeconds = 1;
    expect(await codeOf(isAdmin(admin))).toBe("upstream_timeout");
    world.api.behaviour.delaySeconds = 0;
    world.api.behaviour.off = true;
    expect(await codeOf(isAdmin(admin))).toBe("upstream_failed");
  });

  it("never asks for no account", async () => {
    await expect(directory.isAdmin(tenant, "")).rejects.toThrow();
    expect(asked()).toEqual([]);
  });

  it("sends no token where the tenant isn't any more", async () => {
    note(admin, tokenOf(admin));
    const { cloudId } = world;
    for (const now of [
      null,
      { ...buildPlace(world, product), apiBaseUrl: `${world.api.url}/ex/x/${cloudId}` },
    ]) {
      place = now;
      expect(await codeOf(isAdmin(admin))).toBe("upstream_failed");
    }
    expect(asked()).toEqual([]);
  });
});

describe("what counts as the exact permission", () => {
  const ada = { accountId: ADA.accountId };
  const administer = { operation: "administer", targetType: "application" };

  it.each<[what: string, product: Product, said: unknown, isYes?: boolean]>([
    ["havePermission", "jira", { permissions: { ADMINISTER: { havePermission: true } } }, true],
    ["a permission that they don't have", "jira", { permissions: { ADMINISTER: { havePermission: false } } }],
    ["a word for it", "jira", { permissions: { ADMINISTER: { havePermission: "true" } } }],
    ["another permission", "jira", { permissions: { SYSTEM_ADMIN: { havePermission: true } } }],
    ["no permission", "jira", { permissions: {} }],
    ["what Connect's apps are told", "jira", { globalPermissions: ["ADMINISTER"] }],
    ["nothing", "jira", null],
    ["the operation", "confluence", { ...ada, operations: [administer] }, true],
    ["the operation, of nobody", "confluence", { operations: [administer] }],
    ["the operation, of no name", "confluence", { accountId: "", operations: [administer] }],
    ["another's", "confluence", { accountId: GRACE.accountId, operations: [administer] }],
    ["a space's", "confluence", { ...ada, operations: [{ ...administer, targetType: "space" }] }],
    ["using it", "confluence", { ...ada, operations: [{ ...administer, operation: "use" }] }],
    ["no operation", "confluence", { ...ada, operations: [] }],
    ["operations that aren't told", "confluence", ada],
  ])("%s in %s", async (_what, product, said, isYes = false) => {
    use(product);
    note(ADA, tokenOf(ADA));
    answer = ({ url }) => (url.pathname.endsWith("/myself") ? null : answerJson(200, said));
    expect(await isAdmin(ADA)).toBe(isYes);
  });

  it.each<[what: string, said: unknown]>([
    ["nobody", {}],
    ["no name", { accountId: "" }],
    ["a list", { accountId: [ADA.accountId] }],
    ["nothing", null],
  ])("isn't even asked for when Jira says that the token is of %s", async (_what, said) => {
    note(ADA, tokenOf(ADA));
    answer = () => answerJson(200, said);
    expect(await isAdmin(ADA)).toBe(false);
    expect(asked()).toHaveLength(1);
  });
});

describe.each<[Product, own: string, about: string]>([
  ["jira", "/rest/api/3/myself", "/rest/api/3/user"],
  ["confluence", "/wiki/rest/api/user/current", "/wiki/rest/api/user"],
])("findAccount in %s", (product, own, about) => {
  const find = (person: Person) => directory.findAccount(tenant, person.accountId);
  const aboutOf = ({ accountId }: Person) => `${about}?accountId=${encodeURIComponent(accountId)}`;
  beforeEach(() => useSystemToken(product));

  it("asks people about themselves by their own token", async () => {
    use(product);
    note(GRACE, tokenOf(GRACE));
    expect(await find(GRACE)).toEqual({ standing: "person", displayName: GRACE.name });
    expect(asked()).toEqual([own]);
  });

  it.each<[Person, standing: string]>([
    [GRACE, "person"],
    [DORA, "inactive"],
    [BUILD_BOT, "not_a_person"],
    [createPerson("Nobody Known"), "unknown"],
  ])("asks about $name by the app's own token", async (person, standing) => {
    expect(await find(person)).toMatchObject({ standing });
    expect(asked()).toEqual([aboutOf(person)]);
  });

  it.each<[what: string, token: () => string]>([
    ["is somebody else's", () => tokenOf(ADA)],
    ["isn't taken", () => "made-up"],
    ["is the app's own", () => world.api.systemToken(world.cloudId)],
  ])("doesn't mind a token that %s", async (_what, token) => {
    note(GRACE, token());
    expect(await find(GRACE)).toEqual({ standing: "person", displayName: GRACE.name });
    expect(asked()).toEqual([own, aboutOf(GRACE)]);
  });

  it.each<[what: string, setUp: () => void]>([
    ["it has none", () => use(product)],
    ["its own has expired", () => useSystemToken(product, 0)],
    ["its own isn't taken", () => use(product, { token: "made-up", expiresAt: new Date("2027-01-01") })],
    ["the installation has changed", () => (place = null)],
    ["nobody answers", () => (world.api.behaviour.off = true)],
    ["the product takes too long", () => (world.api.behaviour.delaySeconds = 1)],
  ])("doesn't know, and never throws, when %s; it asks again after half a minute", async (_what, setUp) => {
    setUp();
    expect(await find(GRACE)).toEqual({ standing: "unknown", displayName: null });
    world.api.behaviour.off = false;
    world.api.behaviour.delaySeconds = 0;
    place = buildPlace(world, product, {
      token: world.api.systemToken(world.cloudId),
      expiresAt: new Date("2027-01-01"),
    });
    clock.advanceSeconds(29);
    expect(await find(GRACE)).toMatchObject({ standing: "unknown" });
    clock.advanceSeconds(2);
    expect(await find(GRACE)).toMatchObject({ standing: "person" });
  });

  it("asks by the app's own token when the product fails on what came along as the person's", async () => {
    note(BUILD_BOT, "x".repeat(16 * 1024));
    expect(await find(BUILD_BOT)).toMatchObject({ standing: "not_a_person" });
    expect(asked()).toEqual([aboutOf(BUILD_BOT)]);
  });

  it("knows portal customers and nobody without asking", async () => {
    expect(await directory.findAccount(tenant, "qm:0e5f6a7b:1")).toMatchObject({ standing: "not_a_person" });
    expect(await directory.findAccount(tenant, "")).toMatchObject({ standing: "unknown" });
    expect(asked()).toEqual([]);
  });
});

describe.each(PRODUCTS)("acceptsInstallation in %s", (product) => {
  it("says yes while the product takes the app's own token", async () => {
    useSystemToken(product);
    expect(await directory.acceptsInstallation(tenant)).toBe(true);
    expect(asked()).toHaveLength(1);
  });

  it.each<[what: string, setUp: () => void]>([
    ["the app has none", () => use(product)],
    ["it has expired", () => useSystemToken(product, 0)],
    [
      "the product doesn't take it",
      () => use(product, { token: "made-up", expiresAt: new Date("2027-01-01") }),
    ],
    [
      "it is another site's",
      () =>
        use(product, {
          token: world.api.systemToken(world.otherCloudId),
          expiresAt: new Date("2027-01-01"),
        }),
    ],
    ["the installation has changed", () => (useSystemToken(product), (place = null))],
    ["nobody answers", () => (useSystemToken(product), (world.api.behaviour.off = true))],
    ["the answer is something else", () => (useSystemToken(product), (answer = () => answerJson(200, {})))],
  ])("says no when %s", async (_what, setUp) => {
    setUp();
    expect(await directory.acceptsInstallation(tenant)).toBe(false);
  });
});

it("no token is in what is logged or thrown", async () => {
  useSystemToken("jira");
  const [borrowed, system] = [tokenOf(ADA), place?.systemToken?.token ?? ""];
  note(GRACE, borrowed);
  const thrown: unknown[] = [];
  const askAll = async () => {
    for (const asking of [isAdmin(GRACE), directory.acceptsInstallation(tenant)]) {
      await asking.catch((error: unknown) => thrown.push(error));
    }
    clock.advanceSeconds(31);
    await directory.findAccount(tenant, GRACE.accountId);
    note(GRACE, borrowed);
  };
  await askAll();
  answer = ({ headers }) => ({ status: 500, body: JSON.stringify(headers) });
  await askAll();
  answer = ({ headers }) => ({ status: 200, body: String(headers.authorization) });
  await askAll();
  world.api.behaviour.off = true;
  await askAll();
  expect(thrown).toHaveLength(3);
  const said = [
    ...logged,
    ...thrown.map((error) => JSON.stringify(error, Object.getOwnPropertyNames(error))),
  ];
  for (const token of [borrowed, system]) expect(said.join()).not.toContain(token);
});
