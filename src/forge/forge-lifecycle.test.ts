import { describe, expect, it, vi } from "vitest";

import { AuditLog } from "../audit/audit-log.js";
import { buildForgeInstallation, buildLink, buildTenant } from "../storage/builders.fixture.js";
import { NOW, openTestDatabase } from "../storage/test-database.fixture.js";
import { ForgeLifecycle } from "./forge-lifecycle.js";

const DAY = 24 * 3600;
const now = Math.floor(NOW.getTime() / 1000);

/** A site that was heard of so many days ago. */
async function openSilentSite(days: { readonly call: number; readonly event: number }) {
  const database = await openTestDatabase();
  const tenant = buildTenant({ door: "forge", proven: true });
  const installation = buildForgeInstallation({
    tenantId: tenant.id,
    lastCallAt: now - days.call * DAY,
    lastEventAt: now - days.event * DAY,
  });
  await database.write(async (stores) => {
    await stores.tenants.insertTenant(tenant, NOW);
    await stores.forgeInstallations.insert(installation, NOW);
    await stores.links.insert(tenant.id, buildLink(tenant));
  });
  const clock = { now: () => NOW };
  const memory = { forgetTenant: vi.fn() };
  const lifecycle = new ForgeLifecycle({
    verifier: { verifyTrigger: () => Promise.reject(new Error("Nobody calls.")) },
    audit: new AuditLog({ clock, reader: database.read.audit }),
    ...{ database, memory, clock },
  });
  const find = async () => ({
    state: (await database.read.tenants.findById(tenant.id))?.state,
    systemToken: (await database.read.forgeInstallations.findByTenant(tenant.id))?.systemToken ?? null,
    links: await database.read.links.listOfAccount(tenant.id, "account-1"),
  });
  const listAudit = async () => {
    const all = { kind: null, action: null, actor: null, from: null, to: null };
    return (await database.read.audit.list(tenant.id, all, { limit: 9, cursor: null })).items;
  };
  return { lifecycle, memory, tenant, find, listAudit };
}

describe("a site that is gone without a word", () => {
  it("is erased after thirty days, once", async () => {
    const site = await openSilentSite({ call: 31, event: 90 });
    await site.lifecycle.eraseSilent();
    expect(await site.find()).toEqual({ state: "uninstalled", systemToken: null, links: [] });
    expect(site.memory.forgetTenant).toHaveBeenCalledExactlyOnceWith(site.tenant.id);

    await site.lifecycle.eraseSilent();
    expect(await site.listAudit()).toMatchObject([
      { action: "tenant.uninstalled", actor: { type: "system", accountId: null } },
    ]);
  });

  it.each([
    ["its trigger came 29 days ago", { call: 29, event: 90 }],
    ["it was installed 29 days ago", { call: 90, event: 29 }],
  ])("is kept while %s", async (_what, days) => {
    const site = await openSilentSite(days);
    await site.lifecycle.eraseSilent();
    expect(await site.find()).toMatchObject({ state: "enabled", links: [{}], systemToken: {} });
    expect(site.memory.forgetTenant).not.toHaveBeenCalled();
  });
});
