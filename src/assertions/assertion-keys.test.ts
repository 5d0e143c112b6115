import { describe, expect, it, vi } from "vitest";

import { AuditLog } from "../audit/audit-log.js";
import { silentLogger } from "../logger.js";
import { JoseAssertionSigner } from "../signing/jose-assertion-signer.js";
import { insertTenant } from "../storage/builders.fixture.js";
import { createTestFile, minutesAfter, openTestDatabase } from "../storage/test-database.fixture.js";
import { AssertionKeys } from "./assertion-keys.js";

const DAY_MINUTES = 24 * 60;

/** Two processes on one database, whose clocks show the same time. */
async function start() {
  const file = createTestFile();
  let minutes = 0;
  const clock = { now: () => minutesAfter(minutes) };
  const databases = [await openTestDatabase({ file }), await openTestDatabase({ file })] as const;
  const signer = new JoseAssertionSigner();
  const warn = vi.fn();
  const logger = { ...silentLogger, warn };
  const [keys, other] = databases.map((database) => {
    const audit = new AuditLog({ clock, reader: database.read.audit });
    return new AssertionKeys({ database, signer, audit, clock, logger });
  }) as [AssertionKeys, AssertionKeys];
  const [database] = databases;
  const tenant = await database.write((stores) => insertTenant(stores));
  const list = async ({ id } = tenant) => (await database.read.assertionKeys.list(id)).map(({ kid }) => kid);
  const travelTo = (days: number) => {
    minutes = days * DAY_MINUTES;
  };
  return { keys, other, database, signer, warn, tenant, list, travelTo };
}

describe("AssertionKeys", () => {
  it("makes one first key, and one next key, for all processes that ask at once", async () => {
    const { keys, other, tenant, list, travelTo } = await start();
    const askAtOnce = () =>
      Promise.all([keys, other, keys, other].map(async (each) => (await each.getSigningKey(tenant)).kid));

    const [first, ...same] = await askAtOnce();
    expect(same).toEqual([first, first, first]);
    expect(await list()).toEqual([first]);
    travelTo(30);
    expect(await askAtOnce()).toEqual([first, ...same]);
    expect(await list()).toEqual([first, expect.any(String)]);
  });

  it("renews what is due, where nobody has asked for long, and nothing else", async () => {
    const { keys, tenant, list, travelTo } = await start();
    await keys.renewDue();
    expect(await list()).toEqual([]);
    await keys.getSigningKey(tenant);
    await keys.renewDue();
    expect(await list()).toHaveLength(1);
    travelTo(30);
    await keys.renewDue();
    await keys.renewDue();
    const [first, next] = await list();
    expect(await list()).toEqual([first, next]);
    expect((await keys.getSigningKey(tenant)).kid).toBe(first);
    travelTo(30.1);
    expect((await keys.getSigningKey(tenant)).kid).toBe(next);
  });

  it("renews the keys of all others when one tenant has been uninstalled meanwhile, and another one's can't be made", async () => {
    const { keys, database, signer, warn, tenant, list, travelTo } = await start();
    const [unlucky, gone] = await database.write(async (stores) => [
      await insertTenant(stores),
      await insertTenant(stores),
    ]);
    const tenants = [gone, unlucky, tenant];
    for (const each of tenants) await keys.getSigningKey(each);
    await database.write((stores) => stores.assertionKeys.deleteOfTenant(gone.id));
    travelTo(30);
    // As it was when they were looked for.
    vi.spyOn(database.read.assertionKeys, "listTenantsToRenew").mockResolvedValueOnce(
      tenants.map(({ id }) => id),
    );
    vi.spyOn(signer, "createKeyPair").mockRejectedValueOnce(new Error("no randomness"));
    const countKeys = () => Promise.all(tenants.map(async (each) => (await list(each)).length));

    await keys.renewDue();
    expect(await countKeys()).toEqual([0, 1, 2]);
    expect(warn.mock.calls).toEqual([
      [expect.objectContaining({ tenant: unlucky.id }), "the next assertion key could not be made"],
    ]);
    await keys.renewDue();
    expect(await countKeys()).toEqual([0, 2, 2]);
  });

  it("asks the database as much about a site that nobody has heard of as about any other", async () => {
    const { keys, database, tenant } = await start();
    await database.write((stores) => stores.tenants.markProven(tenant.id, tenant.generation));
    await keys.getSigningKey(tenant);
    const listTenants = vi.spyOn(database.read.tenants, "listEnabledOfSite");
    const listKeys = vi.spyOn(database.read.assertionKeys, "list");
    const find = vi.spyOn(database.read.assertionKeys, "find");
    for (const [nth, site] of [tenant.site, "nobody.atlassian.net", null].entries()) {
      expect(await keys.listPublished(site, "jira")).toHaveLength(nth === 0 ? 1 : 0);
      expect([listTenants, listKeys].map((spy) => spy.mock.calls.length)).toEqual([nth + 1, nth + 1]);
    }
    // Whoever asks for what is public has no private half decrypted.
    expect(find).not.toHaveBeenCalled();
  });

  it("makes none for a tenant that has gone, or was installed anew, meanwhile", async () => {
    const { keys, database, tenant, list } = await start();
    await expect(keys.getSigningKey({ ...tenant, generation: 2 })).rejects.toMatchObject({
      code: "connect_jwt_invalid",
    });
    const by = { actor: { type: "user", accountId: "account-1" }, ip: null, reference: null } as const;
    await expect(keys.rotate({ ...tenant, generation: 2 }, by)).rejects.toMatchObject({
      code: "connect_jwt_invalid",
    });
    expect(await list()).toEqual([]);
    const { items } = await database.read.audit.list(
      tenant.id,
      { kind: null, action: null, actor: null, from: null, to: null },
      { limit: 10, cursor: null },
    );
    expect(items).toEqual([]);
  });
});
