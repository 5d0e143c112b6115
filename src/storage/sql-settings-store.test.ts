import { describe, expect, it } from "vitest";

import { FRESH_SETTINGS } from "../services/settings.js";
import { buildInstallation, buildService, buildSettings, insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, NOW, openTestDatabase } from "./test-database.fixture.js";

const FULL = buildSettings({
  services: [
    {
      id: "service-1",
      label: "This app \0 \u{1F511}",
      audience: "a".repeat(64),
      purposes: ["link", "identify"],
      limits: {
        requests: [{ methods: ["GET"], path: "/rest/api/3/**" }],
        maxTokenAgeSeconds: 3600,
        ipAddresses: ["203.0.113.0/24"],
        consent: "required",
        liveCheckSeconds: 60,
      },
      paused: true,
      keys: [{ id: "key-1", hash: "c".repeat(64), hint: "1234", createdAt: NOW.toISOString() }],
    },
    buildService({ id: "service-2", audience: "b".repeat(64) }),
  ],
  allowedEmailDomains: ["acme.com", "*.acme.com"],
  matching: "email",
  paused: true,
});

describe("settings", () => {
  it("are fresh for a tenant that has none", async () => {
    const { settings } = (await openTestDatabase()).read;
    expect(await settings.get("nobody")).toEqual(FRESH_SETTINGS);
  });

  it("come back as they were stored, for their tenant only", async () => {
    const database = await openTestDatabase();
    const { mine, other } = await database.write(async (stores) => {
      const tenants = { mine: await insertTenant(stores), other: await insertTenant(stores) };
      expect(await stores.settings.replace(tenants.mine.id, FULL, 0)).toBe(true);
      return tenants;
    });
    expect(await database.read.settings.get(mine.id)).toEqual(FULL);
    expect(await database.read.settings.get(other.id)).toEqual(FRESH_SETTINGS);
  });

  it("are listed for those of some tenants that name a team", async () => {
    const database = await openTestDatabase();
    const { mine, other, foreign } = await database.write(async (stores) => {
      const tenants = {
        mine: await insertTenant(stores),
        other: await insertTenant(stores),
        foreign: await insertTenant(stores),
      };
      await stores.settings.replace(tenants.mine.id, FULL, 0);
      await stores.settings.replace(
        tenants.other.id,
        { ...FULL, teamDomain: "other.cloudflareaccess.com" },
        0,
      );
      await stores.settings.replace(tenants.foreign.id, FULL, 0);
      return tenants;
    });
    const team = FULL.teamDomain ?? "";
    expect(await database.read.settings.listTrusting([mine.id, other.id], team)).toEqual(
      new Map([[mine.id, FULL]]),
    );
    expect(await database.read.settings.listTrusting([], team)).toEqual(new Map());
    expect(
      [...(await database.read.settings.listTrusting([foreign.id, mine.id], team)).keys()].sort(),
    ).toEqual([foreign.id, mine.id].sort());
  });

  it.each([0, 1, 3])("are not replaced by somebody who read version %i", async (expectedVersion) => {
    const database = await openTestDatabase();
    const stored = buildSettings({ version: 2 });
    const { id } = await database.write(async (stores) => {
      const tenant = await insertTenant(stores);
      await stores.settings.replace(tenant.id, stored, 0);
      return tenant;
    });
    const replace = (version: number) =>
      database.write((stores) => stores.settings.replace(id, { ...FULL, version: 3 }, version));
    expect(await replace(expectedVersion)).toBe(false);
    expect(await database.read.settings.get(id)).toEqual(stored);
    expect(await replace(2)).toBe(true);
  });

  it("can't skip the first version", async () => {
    const database = await openTestDatabase();
    const { id } = await database.write((stores) => insertTenant(stores));
    expect(await database.write((stores) => stores.settings.replace(id, FULL, 5))).toBe(false);
    expect(await database.read.settings.get(id)).toEqual(FRESH_SETTINGS);
  });

  it.each([
    ["a document that isn't JSON", "UPDATE settings SET document = '{'"],
    ["a document that lacks a field", `UPDATE settings SET document = '{"services":[]}'`],
    [
      "a document with more than it may have",
      `UPDATE settings SET document = replace(document, '{', '{"x":1,')`,
    ],
    ["an unknown purpose", `UPDATE settings SET document = replace(document, 'identify', 'everything')`],
    ["a version that isn't a number", "UPDATE settings SET version = 'two'"],
  ])("fail loudly for %s", async (_, damage) => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const { id } = await database.write(async (stores) => {
      const tenant = await insertTenant(stores);
      await stores.settings.replace(tenant.id, FULL, 0);
      return tenant;
    });
    await execute(file, damage);
    await expect(database.read.settings.get(id)).rejects.toMatchObject({ code: "internal_error" });
  });
});

describe("isTrustedTeam", () => {
  it.each([
    ["enabled", true],
    ["disabled", false],
    ["uninstalled", false],
  ] as const)("of a tenant that is %s: %s", async (state, isTrusted) => {
    const database = await openTestDatabase();
    await database.write(async (stores) => {
      const { id } = await insertTenant(stores, { state });
      await stores.settings.replace(id, buildSettings(), 0);
      // Enabled, but names no team.
      await stores.settings.replace((await insertTenant(stores)).id, buildSettings({ teamDomain: null }), 0);
    });
    const { settings } = database.read;
    expect(await settings.isTrustedTeam("acme.cloudflareaccess.com")).toBe(isTrusted);
    expect(await settings.isTrustedTeam("other.cloudflareaccess.com")).toBe(false);
  });

  it("follows the tenant's state", async () => {
    const database = await openTestDatabase();
    const installation = buildInstallation();
    const { tenant } = installation;
    await database.write(async (stores) => {
      await stores.tenants.insertInstallation(installation, NOW);
      await stores.settings.replace(tenant.id, buildSettings(), 0);
      await stores.tenants.updateInstallation(
        { ...installation, tenant: { ...tenant, state: "disabled" } },
        NOW,
      );
    });
    expect(await database.read.settings.isTrustedTeam("acme.cloudflareaccess.com")).toBe(false);
  });
});
