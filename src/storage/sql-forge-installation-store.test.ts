import { describe, expect, it } from "vitest";

import type { ForgeInstallation } from "../tenants/forge-installation.js";
import { buildForgeInstallation, buildTenant, insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

const insert = (database: Awaited<ReturnType<typeof openTestDatabase>>, installation: ForgeInstallation) =>
  database.write((stores) => stores.forgeInstallations.insert(installation, NOW));

describe("installations through Forge", () => {
  it("are found by the site's cloud id and the product, and by their tenant", async () => {
    const database = await openTestDatabase();
    const tenant = buildTenant({ door: "forge" });
    await database.write((stores) => stores.tenants.insertTenant(tenant, NOW));
    const installation = buildForgeInstallation({ tenantId: tenant.id });
    await insert(database, installation);

    const { forgeInstallations } = database.read;
    expect(await forgeInstallations.find(installation.cloudId, "jira")).toEqual(installation);
    expect(await forgeInstallations.find(installation.cloudId, "confluence")).toBeNull();
    expect(await forgeInstallations.find("another", "jira")).toBeNull();
    expect(await forgeInstallations.findByTenant(tenant.id)).toEqual(installation);
    expect(await forgeInstallations.findByTenant("another")).toBeNull();
  });

  it("are updated in everything but what they are found by", async () => {
    const database = await openTestDatabase();
    const before = buildForgeInstallation();
    await insert(database, before);
    const tenant = buildTenant({ door: "forge" });
    const after: ForgeInstallation = {
      ...before,
      tenantId: tenant.id,
      appId: "another app",
      installationId: "another installation",
      environmentId: "another environment",
      apiBaseUrl: "https://api.example.com",
      systemToken: null,
      lastCallAt: 4_000_000_000,
      lastEventAt: 4_000_000_001,
    };
    await database.write(async (stores) => {
      await stores.tenants.insertTenant(tenant, NOW);
      await stores.forgeInstallations.update(after, minutesAfter(1));
    });
    expect(await database.read.forgeInstallations.find(before.cloudId, before.product)).toEqual(after);
  });

  it("are one for each product of a site", async () => {
    const database = await openTestDatabase();
    const first = buildForgeInstallation();
    await insert(database, first);
    await insert(database, buildForgeInstallation({ cloudId: first.cloudId, product: "confluence" }));
    await expect(insert(database, buildForgeInstallation({ cloudId: first.cloudId }))).rejects.toMatchObject({
      code: "internal_error",
    });
  });

  it("keep the system token encrypted, bound to its row", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const [victim, other] = [buildForgeInstallation(), buildForgeInstallation()];
    await insert(database, victim);
    await insert(database, other);

    const rows = (await execute(file, "SELECT system_token FROM forge_installations")) as object[];
    expect(JSON.stringify(rows)).not.toContain("system-token");
    await execute(
      file,
      `UPDATE forge_installations SET system_token =
         (SELECT system_token FROM forge_installations WHERE id = '${victim.id}') WHERE id = '${other.id}'`,
    );
    await expect(database.read.forgeInstallations.find(other.cloudId, "jira")).rejects.toThrow(
      "belongs to another row",
    );
  });
});

describe("tenants of another door", () => {
  it("aren't found by what only Connect knows, and stay what they are", async () => {
    const database = await openTestDatabase();
    const tenant = buildTenant({ door: "forge" });
    await database.write((stores) => stores.tenants.insertTenant(tenant, NOW));
    expect(await database.read.tenants.findById(tenant.id)).toEqual(tenant);
    expect(await database.read.tenants.findInstallationByTenant(tenant.id)).toBeNull();

    const after = { ...tenant, site: "renamed.atlassian.net", generation: 2 };
    await database.write((stores) => stores.tenants.updateTenant(after, NOW));
    expect(await database.read.tenants.findById(tenant.id)).toEqual(after);
  });

  it.each(["connect", "forge"] as const)("lose no site to one that came through %s", async (door) => {
    const database = await openTestDatabase();
    const { holder, rival } = await database.write(async (stores) => {
      const holder = buildTenant({ door: door === "connect" ? "forge" : "connect", proven: true });
      const rival = buildTenant({ door });
      await stores.tenants.insertTenant(holder, NOW);
      await stores.tenants.insertTenant(rival, NOW);
      return { holder, rival };
    });
    const prove = () => database.write((stores) => stores.tenants.markProven(rival.id, rival.generation));
    expect(await prove()).toBe(false);
    expect(await database.read.tenants.findById(holder.id)).toEqual(holder);

    const left = { ...holder, state: "disabled" as const };
    await database.write((stores) => stores.tenants.updateTenant(left, NOW));
    expect(await prove()).toBe(true);
    expect(await database.read.tenants.findById(rival.id)).toMatchObject({ proven: true });
  });

  it("can be Connect's too, which keeps its secret", async () => {
    const database = await openTestDatabase();
    const tenant = await database.write((stores) => insertTenant(stores));
    const before = await database.read.tenants.findInstallationByTenant(tenant.id);
    await database.write((stores) => stores.tenants.updateTenant({ ...tenant, generation: 2 }, NOW));
    expect(await database.read.tenants.findInstallationByTenant(tenant.id)).toEqual({
      ...before,
      tenant: { ...tenant, generation: 2 },
    });
  });
});
