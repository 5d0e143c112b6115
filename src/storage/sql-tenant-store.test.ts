import { describe, expect, it } from "vitest";

import {
  buildAuditEvent,
  buildInstallation,
  buildSettings,
  buildTenant,
  insertTenant,
} from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

describe("installations", () => {
  it("are found whole by client key and by tenant", async () => {
    const database = await openTestDatabase();
    const installation = buildInstallation({ tenant: buildTenant({ proven: true, suspended: true }) });
    await database.write((stores) => stores.tenants.insertInstallation(installation, NOW));

    const { tenants } = database.read;
    expect(await tenants.findInstallation(installation.clientKey)).toEqual(installation);
    expect(await tenants.findInstallationByTenant(installation.tenant.id)).toEqual(installation);
    expect(await tenants.findById(installation.tenant.id)).toEqual(installation.tenant);
  });

  it("are null where there are none", async () => {
    const { tenants } = (await openTestDatabase()).read;
    expect(await tenants.findById("nobody")).toBeNull();
    expect(await tenants.findInstallation("nobody")).toBeNull();
    expect(await tenants.findInstallationByTenant("nobody")).toBeNull();
  });

  it("are updated in everything but id and client key", async () => {
    const database = await openTestDatabase();
    const before = buildInstallation();
    const after = {
      clientKey: before.clientKey,
      sharedSecret: null,
      oauthClientId: null,
      lastInstallEventAt: 1_900_000_000,
      lastToggleEventAt: 4_000_000_000,
      tenant: {
        id: before.tenant.id,
        product: "confluence",
        door: "forge",
        site: "other.atlassian.net:8443",
        baseUrl: "https://other.atlassian.net:8443/wiki",
        state: "uninstalled",
        generation: 7,
        proven: true,
        suspended: true,
      },
    } as const;
    await database.write(async (stores) => {
      await stores.tenants.insertInstallation(before, NOW);
      await stores.tenants.updateInstallation({ ...after, clientKey: "ignored" }, minutesAfter(1));
    });
    expect(await database.read.tenants.findInstallation(before.clientKey)).toEqual(after);
  });

  it("refuse to be updated before they are inserted, or inserted twice", async () => {
    const database = await openTestDatabase();
    const installation = buildInstallation();
    await expect(
      database.write((stores) => stores.tenants.updateInstallation(installation, NOW)),
    ).rejects.toMatchObject({ code: "internal_error" });
    await database.write((stores) => stores.tenants.insertInstallation(installation, NOW));
    const { clientKey } = installation;
    await expect(
      database.write((stores) => stores.tenants.insertInstallation(buildInstallation({ clientKey }), NOW)),
    ).rejects.toMatchObject({ code: "internal_error" });
  });

  it.each(["'; DROP TABLE tenants; --", "$1 :name ?", "%", "_", "\\", "", "ключ\u{1F511}"])(
    "keep the client key %j apart from all others",
    async (clientKey) => {
      const database = await openTestDatabase();
      await database.write((stores) =>
        stores.tenants.insertInstallation(buildInstallation({ clientKey }), NOW),
      );
      expect(await database.read.tenants.findInstallation(clientKey)).toMatchObject({ clientKey });
      expect(await database.read.tenants.findInstallation("x")).toBeNull();
    },
  );

  it.each(["acme\0", "\ud800"])("find nothing by %j, and refuse to store it", async (clientKey) => {
    const database = await openTestDatabase();
    expect(await database.read.tenants.findInstallation(clientKey)).toBeNull();
    await expect(
      database.write((stores) => stores.tenants.insertInstallation(buildInstallation({ clientKey }), NOW)),
    ).rejects.toMatchObject({ code: "malformed_request" });
  });
});

describe("a tenant that is reached in another way", () => {
  it("is the same, and nothing is left of what only Connect knew", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const installation = buildInstallation({ tenant: buildTenant({ proven: true }) });
    const { id } = installation.tenant;
    const after = {
      ...installation.tenant,
      door: "forge",
      baseUrl: "https://api.example",
      generation: 2,
    } as const;
    await database.write(async ({ tenants }) => {
      await tenants.insertInstallation(installation, NOW);
      await tenants.changeDoor(after, minutesAfter(1));
    });
    const { tenants } = database.read;
    expect(await tenants.findById(id)).toEqual(after);
    expect(await tenants.findInstallationByTenant(id)).toBeNull();
    expect(await tenants.findInstallation(installation.clientKey)).toBeNull();
    expect(await tenants.findCreationTime(id)).toEqual(NOW);
    expect(await execute(file, "SELECT * FROM tenants")).toMatchObject([
      { client_key: null, shared_secret: null, oauth_client_id: null, last_install_event_at: 0 },
    ]);
  });
});

describe("a tenant that goes", () => {
  it("takes what is its own along, and must have left its audit to another", async () => {
    const database = await openTestDatabase();
    const { gone, heir } = await database.write(async (stores) => {
      const gone = await insertTenant(stores);
      await stores.settings.replace(gone.id, buildSettings({ version: 1 }), 0);
      await stores.audit.append(gone.id, buildAuditEvent(gone));
      return { gone, heir: await insertTenant(stores) };
    });
    await expect(database.write(({ tenants }) => tenants.delete(gone.id))).rejects.toThrow();
    await database.write(async ({ audit, tenants }) => {
      await audit.moveAll(gone.id, heir.id);
      await tenants.delete(gone.id);
    });
    const { read } = database;
    expect(await read.tenants.findById(gone.id)).toBeNull();
    expect(await read.tenants.findCreationTime(gone.id)).toBeNull();
    expect(await read.settings.get(gone.id)).toMatchObject({ version: 0 });
  });
});

describe("listEnabledOfSite", () => {
  it("lists the enabled tenants of the site, of one product if asked", async () => {
    const database = await openTestDatabase();
    const { jira, confluence } = await database.write(async (stores) => {
      await insertTenant(stores, { site: "other.atlassian.net" });
      await insertTenant(stores, { state: "disabled" });
      await insertTenant(stores, { state: "uninstalled" });
      return {
        jira: await insertTenant(stores, { proven: true }),
        confluence: await insertTenant(stores, { product: "confluence" }),
      };
    });
    const { tenants } = database.read;
    const byId = (one: { id: string }, other: { id: string }) => one.id.localeCompare(other.id);
    expect((await tenants.listEnabledOfSite("acme.atlassian.net", null)).sort(byId)).toEqual(
      [jira, confluence].sort(byId),
    );
    expect(await tenants.listEnabledOfSite("acme.atlassian.net", "confluence")).toEqual([confluence]);
    expect(await tenants.listEnabledOfSite("nowhere.atlassian.net", null)).toEqual([]);
  });
});

describe("markProven", () => {
  it("takes the proof from the other tenant of the site and product only, and lifts the suspension", async () => {
    const database = await openTestDatabase();
    const tenants = await database.write(async (stores) => ({
      before: await insertTenant(stores, { proven: true }),
      confluence: await insertTenant(stores, { proven: true, product: "confluence" }),
      elsewhere: await insertTenant(stores, { proven: true, site: "other.atlassian.net" }),
      after: await insertTenant(stores, { suspended: true, generation: 3 }),
    }));
    expect(await database.write((stores) => stores.tenants.markProven(tenants.after.id, 3))).toBe(true);

    const { read } = database;
    expect(await read.tenants.findById(tenants.before.id)).toMatchObject({ proven: false });
    expect(await read.tenants.findById(tenants.confluence.id)).toMatchObject({ proven: true });
    expect(await read.tenants.findById(tenants.elsewhere.id)).toMatchObject({ proven: true });
    expect(await read.tenants.findById(tenants.after.id)).toMatchObject({ proven: true, suspended: false });
  });

  it("changes nothing for a generation that is over", async () => {
    const database = await openTestDatabase();
    const { proven, moved } = await database.write(async (stores) => ({
      proven: await insertTenant(stores, { proven: true }),
      moved: await insertTenant(stores, { suspended: true, generation: 4 }),
    }));
    expect(await database.write((stores) => stores.tenants.markProven(moved.id, 3))).toBe(false);
    expect(await database.read.tenants.findById(moved.id)).toEqual(moved);
    expect(await database.read.tenants.findById(proven.id)).toEqual(proven);
  });

  it.each([
    ["refuses a site that is another door's", {}, false],
    ["takes a site over from one that is disabled there", { state: "disabled" }, true],
    ["takes a site over from one that is uninstalled there", { state: "uninstalled" }, true],
    ["takes a site over from one that isn't proven there", { proven: false }, true],
    ["isn't kept from a site by the other product's", { product: "confluence" }, true],
  ] as const)("%s", async (_name, overrides, isWon) => {
    const database = await openTestDatabase();
    const [rival, late] = await database.write(async (stores) => [
      await insertTenant(stores, { door: "forge", proven: true, ...overrides }),
      await insertTenant(stores),
    ]);
    expect(await database.write(({ tenants }) => tenants.markProven(late.id, 1))).toBe(isWon);
    const { tenants } = database.read;
    expect(await tenants.findById(late.id)).toMatchObject({ proven: isWon });
    const isRivalProven = rival.product === "confluence" || !isWon;
    expect(await tenants.findById(rival.id)).toMatchObject({ proven: isRivalProven });
  });

  it("can't be gone around: a second proven tenant is refused", async () => {
    const database = await openTestDatabase();
    await database.write((stores) => insertTenant(stores, { proven: true }));
    await expect(database.write((stores) => insertTenant(stores, { proven: true }))).rejects.toMatchObject({
      code: "internal_error",
    });
  });
});
