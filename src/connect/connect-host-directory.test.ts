import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AppError } from "../errors.js";
import { silentLogger } from "../logger.js";
import type { Installation } from "../tenants/tenant-store.js";
import type { Product, Tenant } from "../tenants/tenant.js";
import { createAce } from "./ace.js";
import { TestClock } from "./clock.fixture.js";
import { ConnectHostDirectory } from "./connect-host-directory.js";
import { APP_KEY, installedAt, json, startFakeSite, type FakeSite } from "./fake-site.fixture.js";
import { HostClient } from "./host-client.js";
import { buildInstallation } from "./installation.fixture.js";

const ACCOUNT_ID = "557058:7a1c5a3e-0f1b-4a7d-9b8e-2f6d4c3b2a10";
const ENCODED_ID = encodeURIComponent(ACCOUNT_ID);

const YES = {
  jira: { globalPermissions: ["ADMINISTER"], projectPermissions: [] },
  confluence: {
    accountId: ACCOUNT_ID,
    operations: [
      { operation: "use", targetType: "application" },
      { operation: "administer", targetType: "application" },
    ],
  },
};

let product: Product;
let clock: TestClock;
let site: FakeSite;
let installation: Installation;
let directory: ConnectHostDirectory;
let accepted: Tenant[];

beforeEach(() => {
  clock = new TestClock();
  accepted = [];
});
afterEach(() => site.close());

async function install(of: Product, overrides: Partial<Tenant> = {}): Promise<Tenant> {
  product = of;
  const fresh = buildInstallation({ tenant: { product, ...overrides } });
  site = await startFakeSite(product === "jira" ? "" : "/wiki", fresh.sharedSecret!);
  installation = installedAt(fresh, site);
  const findInstallation = () => Promise.resolve(installation);
  const ace = createAce({ appKey: APP_KEY, baseUrl: "https://app.example.com", findInstallation });
  directory = new ConnectHostDirectory({
    hostClient: new HostClient({ ace, timeoutSeconds: 0.5 }),
    appKey: APP_KEY,
    clock,
    logger: silentLogger,
    findInstallationByTenant: findInstallation,
    onAccepted: (tenant) => {
      accepted.push(tenant);
      return Promise.resolve();
    },
  });
  return installation.tenant;
}

describe.each<Product>(["jira", "confluence"])("isAdmin in %s", (of) => {
  let tenant: Tenant;
  beforeEach(async () => {
    tenant = await install(of);
  });

  it("says yes when the product does", async () => {
    site.answer = json(YES[of]);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(true);
    expect(site.calls).toEqual([
      of === "jira"
        ? {
            method: "POST",
            target: "/rest/api/3/permissions/check",
            body: JSON.stringify({ globalPermissions: ["ADMINISTER"], accountId: ACCOUNT_ID }),
          }
        : {
            method: "GET",
            target: `/wiki/rest/api/user?accountId=${ENCODED_ID}&expand=operations`,
            body: "",
          },
    ]);
  });

  it.each([403, 404])("says no to a %d", async (status) => {
    site.answer = json(YES[of], status);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(false);
  });

  it.each([201, 204, 302, 400, 401, 429, 500, 503])("fails on a %d", async (status) => {
    site.answer = (_call, response) =>
      response.writeHead(status, { location: "/" }).end(JSON.stringify(YES[of]));
    expect(await codeOf(directory.isAdmin(tenant, ACCOUNT_ID))).toBe("upstream_failed");
  });

  it.each<[string, unknown]>([
    ["nothing known", {}],
    ["null", null],
    ["a list", [YES[of]]],
    ["a string", "ADMINISTER"],
    ["a permission that isn't in a list", { globalPermissions: "ADMINISTER", operations: "administer" }],
    ["a list of other things", { globalPermissions: [["ADMINISTER"]], operations: ["administer"] }],
  ])("says no to %s", async (_name, value) => {
    site.answer = json(value);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(false);
  });

  it.each(["", "<html>", '{"globalPermissions": ["ADMINISTER"], "operations": ['])(
    "fails on %j, which isn't JSON",
    async (text) => {
      site.answer = (_call, response) => response.end(text);
      expect(await codeOf(directory.isAdmin(tenant, ACCOUNT_ID))).toBe("upstream_failed");
    },
  );

  it("says that the product took too long", async () => {
    site.answer = () => undefined;
    expect(await codeOf(directory.isAdmin(tenant, ACCOUNT_ID))).toBe("upstream_timeout");
  });

  it("never asks for no account, for which the app itself would be looked at", async () => {
    site.answer = json(YES[of]);
    await expect(directory.isAdmin(tenant, "")).rejects.toThrow();
    expect(site.calls).toEqual([]);
  });

  it("keeps a yes for a minute", async () => {
    site.answer = json(YES[of]);
    await directory.isAdmin(tenant, ACCOUNT_ID);
    site.answer = json({}, 404);
    clock.advanceSeconds(59);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(true);
    clock.advanceSeconds(2);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(false);
  });

  it("doesn't keep a no", async () => {
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(false);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(false);
    site.answer = json(YES[of]);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(true);
  });

  it("keeps a yes for one account, one tenant and one secret only", async () => {
    site.answer = json(YES[of]);
    await directory.isAdmin(tenant, ACCOUNT_ID);
    site.answer = json({}, 404);
    expect(await directory.isAdmin(tenant, `${ACCOUNT_ID}0`)).toBe(false);
    for (const other of [
      { ...tenant, generation: 2 },
      { ...tenant, id: "another-tenant" },
    ]) {
      installation = { ...installation, tenant: other };
      expect(await directory.isAdmin(other, ACCOUNT_ID)).toBe(false);
    }
  });

  it("asks once for callers who come together", async () => {
    site.answer = json(YES[of]);
    await Promise.all([directory.isAdmin(tenant, ACCOUNT_ID), directory.isAdmin(tenant, ACCOUNT_ID)]);
    expect(site.calls).toHaveLength(1);
  });

  it("doesn't ask with another secret than the one the tenant had", async () => {
    site.answer = json(YES[of]);
    installation = { ...installation, tenant: { ...tenant, generation: 2 } };
    expect(await codeOf(directory.isAdmin(tenant, ACCOUNT_ID))).toBe("upstream_failed");
    expect(site.calls).toEqual([]);
  });
});

describe("what counts as the exact permission", () => {
  it.each<[string, Product, unknown]>([
    ["no permission", "jira", { globalPermissions: [] }],
    [
      "another permission",
      "jira",
      { globalPermissions: ["ADMINISTER_PROJECTS", "administer", "SYSTEM_ADMIN"] },
    ],
    ["no operation", "confluence", { accountId: ACCOUNT_ID, operations: [] }],
    [
      "administering a space",
      "confluence",
      { accountId: ACCOUNT_ID, operations: [{ operation: "administer", targetType: "space" }] },
    ],
    [
      "using the application",
      "confluence",
      { accountId: ACCOUNT_ID, operations: [{ operation: "use", targetType: "application" }] },
    ],
    ["another account", "confluence", { ...YES.confluence, accountId: "somebody-else" }],
  ])("%s doesn't, in %s", async (_name, of, value) => {
    const tenant = await install(of);
    site.answer = json(value);
    expect(await directory.isAdmin(tenant, ACCOUNT_ID)).toBe(false);
  });
});

describe("findAccount", () => {
  const user = { accountId: ACCOUNT_ID, accountType: "atlassian" };

  it.each<[Product, string]>([
    ["jira", `/rest/api/3/user?accountId=${ENCODED_ID}`],
    ["confluence", `/wiki/rest/api/user?accountId=${ENCODED_ID}`],
  ])("asks %s once in five minutes", async (of, target) => {
    const tenant = await install(of);
    site.answer = json(user);
    expect(await directory.findAccount(tenant, ACCOUNT_ID)).toMatchObject({ standing: "person" });
    clock.advanceSeconds(299);
    expect(await directory.findAccount(tenant, ACCOUNT_ID)).toMatchObject({ standing: "person" });
    expect(site.calls).toEqual([{ method: "GET", target, body: "" }]);
    clock.advanceSeconds(2);
    site.answer = json({ ...user, active: false });
    expect(await directory.findAccount(tenant, ACCOUNT_ID)).toMatchObject({ standing: "inactive" });
  });

  it.each<[string, unknown, string]>([
    ["an active account", { ...user, active: true }, "person"],
    ["an account of Confluence", { ...user, accountStatus: "active", type: "known" }, "person"],
    ["an app", { ...user, accountType: "app", active: true }, "not_a_person"],
    ["a customer", { ...user, accountType: "customer" }, "not_a_person"],
    ["a new kind of account", { ...user, accountType: "agent" }, "not_a_person"],
    ["a deactivated account", { ...user, active: false }, "inactive"],
    ["a deactivated account of Confluence", { ...user, accountStatus: "inactive" }, "inactive"],
    ["a closed account of Confluence", { ...user, accountStatus: "closed" }, "inactive"],
    ["an account whose type isn't told", { accountId: ACCOUNT_ID }, "unknown"],
    ["an account whose type is empty", { ...user, accountType: "" }, "unknown"],
    ["an account whose type is unknown", { ...user, accountType: "unknown" }, "unknown"],
    ["another account", { ...user, accountId: "somebody-else" }, "unknown"],
    ["no account", {}, "unknown"],
    ["a type that isn't a string", { ...user, accountType: ["atlassian"] }, "unknown"],
  ])("judges %s", async (_name, value, standing) => {
    const tenant = await install("jira");
    site.answer = json(value);
    expect(await directory.findAccount(tenant, ACCOUNT_ID)).toMatchObject({ standing });
  });

  it.each<[string, unknown, number]>([
    ["a 200 that doesn't tell", { accountId: ACCOUNT_ID }, 200],
    ...[302, 401, 403, 404, 429, 500].map((status): [string, unknown, number] => [
      `a ${status}`,
      user,
      status,
    ]),
  ])("doesn't know on %s, and asks again after half a minute", async (_name, value, status) => {
    const tenant = await install("jira");
    site.answer = json(value, status);
    expect(await directory.findAccount(tenant, ACCOUNT_ID)).toMatchObject({ standing: "unknown" });
    site.answer = json(user);
    clock.advanceSeconds(29);
    expect(await directory.findAccount(tenant, ACCOUNT_ID)).toMatchObject({ standing: "unknown" });
    expect(site.calls).toHaveLength(1);
    clock.advanceSeconds(2);
    expect(await directory.findAccount(tenant, ACCOUNT_ID)).toMatchObject({ standing: "person" });
  });

  it("knows portal customers without asking", async () => {
    const tenant = await install("jira");
    expect(await directory.findAccount(tenant, "qm:0e5f6a7b:1")).toMatchObject({ standing: "not_a_person" });
    expect(await directory.findAccount(tenant, "")).toMatchObject({ standing: "unknown" });
    expect(site.calls).toEqual([]);
  });

  it("doesn't know when the product takes too long, and waits for it once", async () => {
    const tenant = await install("jira");
    site.answer = () => undefined;
    const ask = () => directory.findAccount(tenant, ACCOUNT_ID);
    for (const account of [...(await Promise.all([ask(), ask()])), await ask()]) {
      expect(account).toMatchObject({ standing: "unknown" });
    }
    expect(site.calls).toHaveLength(1);
  });
});

describe("acceptsInstallation", () => {
  it("says yes when the product knows the app by its key", async () => {
    const tenant = await install("confluence");
    site.answer = json({ key: APP_KEY, version: "1.0" });
    expect(await directory.acceptsInstallation(tenant)).toBe(true);
    expect(site.calls).toEqual([
      { method: "GET", target: `/wiki/rest/atlassian-connect/1/addons/${APP_KEY}`, body: "" },
    ]);
  });

  it.each<[string, unknown, number]>([
    ["another app", { key: "another-app" }, 200],
    ["no key", {}, 200],
    ["a list of keys", { key: [APP_KEY] }, 200],
    ["a 401", { key: APP_KEY }, 401],
    ["a 404", { key: APP_KEY }, 404],
    ["a redirect", { key: APP_KEY }, 302],
    ["a 500", { key: APP_KEY }, 500],
  ])("says no to %s", async (_name, value, status) => {
    const tenant = await install("jira", { proven: false });
    site.answer = json(value, status);
    expect(await directory.acceptsInstallation(tenant)).toBe(false);
    expect(accepted).toEqual([]);
  });

  it("says no when the secret is another, or nobody answers", async () => {
    const tenant = await install("jira", { proven: false });
    site.answer = json({ key: APP_KEY });
    installation = { ...installation, sharedSecret: "made up by somebody who doesn't own the site" };
    expect(await directory.acceptsInstallation(tenant)).toBe(false);
    await site.close();
    expect(await directory.acceptsInstallation(tenant)).toBe(false);
    expect(accepted).toEqual([]);
  });
});

describe("proof of an installation", () => {
  const asking: [string, unknown, (tenant: Tenant) => Promise<unknown>][] = [
    ["about an admin", YES.jira, (tenant) => directory.isAdmin(tenant, ACCOUNT_ID)],
    ["about the app", { key: APP_KEY }, (tenant) => directory.acceptsInstallation(tenant)],
  ];

  it.each<[string, unknown, (tenant: Tenant) => Promise<unknown>]>([
    [
      "that somebody isn't an admin",
      { globalPermissions: [] },
      (tenant) => directory.isAdmin(tenant, ACCOUNT_ID),
    ],
    [
      "about an account",
      { accountId: ACCOUNT_ID, accountType: "app" },
      (tenant) => directory.findAccount(tenant, ACCOUNT_ID),
    ],
  ])("isn't an answer %s, which a host might give to anybody", async (_name, value, ask) => {
    const tenant = await install("jira", { proven: false });
    site.answer = json(value);
    await ask(tenant);
    expect(accepted).toEqual([]);
  });

  it.each(asking)("is a well-formed 200 to a question %s", async (_name, value, ask) => {
    const tenant = await install("jira", { proven: false });
    site.answer = json(value);
    await ask(tenant);
    expect(accepted).toEqual([tenant]);
  });

  it.each(asking)("isn't given by any other answer to a question %s", async (_name, value, ask) => {
    const tenant = await install("jira", { proven: false });
    for (const status of [201, 302, 401, 403, 404, 500]) {
      site.answer = json(value, status);
      await ask(tenant).catch(() => undefined);
    }
    site.answer = json({});
    await ask(tenant).catch(() => undefined);
    expect(accepted).toEqual([]);
  });

  it.each(asking)("isn't reported again by a question %s", async (_name, value, ask) => {
    const tenant = await install("jira", { proven: true });
    site.answer = json(value);
    await ask(tenant);
    expect(accepted).toEqual([]);
  });
});

async function codeOf(asking: Promise<unknown>): Promise<string> {
  const error = await asking.catch((thrown: unknown) => thrown);
  return error instanceof AppError ? error.code : expect.fail("There was no refusal.");
}
