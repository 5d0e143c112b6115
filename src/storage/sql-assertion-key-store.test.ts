import { describe, expect, it } from "vitest";

import type { AssertionKey, PublishedKey } from "../assertions/assertion-key.js";
import { insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, KEY, minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

function buildKey(kid: string, overrides: Partial<AssertionKey> = {}): AssertionKey {
  return {
    kid,
    publicKey: { kty: "EC", crv: "P-256", x: `x-of-${kid}`, y: "y" },
    privateKey: `private-half-of-${kid}`,
    createdAt: NOW,
    signsFrom: NOW,
    expiresAt: null,
    ...overrides,
  };
}

function published({ kid, publicKey, createdAt, signsFrom, expiresAt }: AssertionKey): PublishedKey {
  return { kid, publicKey, createdAt, signsFrom, expiresAt };
}

async function openWithTenants(file = createTestFile()) {
  const database = await openTestDatabase({ file });
  const [tenant, stranger] = await database.write(async (stores) => [
    await insertTenant(stores),
    await insertTenant(stores),
  ]);
  return { file, database, tenant, stranger };
}

describe("assertion keys", () => {
  it("come back whole when they are to sign, else without their private half, in the order they sign in", async () => {
    const { database, tenant } = await openWithTenants();
    const next = buildKey("a", { signsFrom: minutesAfter(60) });
    const last = buildKey("b", { signsFrom: minutesAfter(-60), expiresAt: minutesAfter(70) });
    await database.write(async ({ assertionKeys }) => {
      for (const key of [next, last]) await assertionKeys.insert(tenant.id, key);
    });
    const { assertionKeys } = database.read;
    expect(await assertionKeys.list(tenant.id)).toEqual([published(last), published(next)]);
    expect(await assertionKeys.find(tenant.id, "a")).toEqual(next);
    expect(await assertionKeys.find(tenant.id, "unknown")).toBeNull();
  });

  it("are hidden from other tenants, and safe from them", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    const mine = buildKey("mine");
    await database.write(async ({ assertionKeys }) => {
      await assertionKeys.insert(tenant.id, mine);
      await assertionKeys.expire(stranger.id, NOW);
      await assertionKeys.deleteOfTenant(stranger.id);
    });
    const { assertionKeys } = database.read;
    expect(await assertionKeys.list(stranger.id)).toEqual([]);
    expect(await assertionKeys.find(stranger.id, "mine")).toBeNull();
    expect(await assertionKeys.find(tenant.id, "mine")).toEqual(mine);
  });

  it("end once, and are deleted then, or with their tenant", async () => {
    const { database, tenant } = await openWithTenants();
    const list = async () => (await database.read.assertionKeys.list(tenant.id)).map(({ kid }) => kid);
    await database.write(async ({ assertionKeys }) => {
      await assertionKeys.insert(tenant.id, buildKey("a", { expiresAt: minutesAfter(1) }));
      await assertionKeys.insert(tenant.id, buildKey("b"));
      await assertionKeys.expire(tenant.id, minutesAfter(5));
      await assertionKeys.insert(tenant.id, buildKey("c"));
      await assertionKeys.deleteExpired(minutesAfter(1));
    });
    expect(await list()).toEqual(["b", "c"]);
    await database.write(({ assertionKeys }) => assertionKeys.deleteExpired(minutesAfter(5)));
    expect(await list()).toEqual(["c"]);
    await database.write(({ assertionKeys }) => assertionKeys.deleteOfTenant(tenant.id));
    expect(await list()).toEqual([]);
  });

  it("are to be renewed where the last of a tenant signs for long", async () => {
    const { database, tenant, stranger } = await openWithTenants();
    await database.write(async ({ assertionKeys }) => {
      await assertionKeys.insert(tenant.id, buildKey("a", { expiresAt: minutesAfter(1) }));
      await assertionKeys.insert(tenant.id, buildKey("b", { signsFrom: minutesAfter(9) }));
      await assertionKeys.insert(stranger.id, buildKey("c", { signsFrom: minutesAfter(8) }));
    });
    const { assertionKeys } = database.read;
    expect(await assertionKeys.listTenantsToRenew(minutesAfter(7))).toEqual([]);
    expect(await assertionKeys.listTenantsToRenew(minutesAfter(8))).toEqual([stranger.id]);
    expect(new Set(await assertionKeys.listTenantsToRenew(minutesAfter(9)))).toEqual(
      new Set([tenant.id, stranger.id]),
    );
  });

  it("are encrypted for their tenant, and again when the key of the database changes", async () => {
    const { file, database, tenant, stranger } = await openWithTenants();
    await database.write(({ assertionKeys }) => assertionKeys.insert(tenant.id, buildKey("a")));
    const readStored = async () => JSON.stringify(await execute(file, "SELECT * FROM assertion_keys"));
    const before = await readStored();
    expect(before).not.toContain("private-half");
    await database.close();

    const rotating = await openTestDatabase({ file, encryptionKeys: [Buffer.alloc(32, 2), KEY] });
    // The secrets of two tenants, and the key of one.
    expect(await rotating.reencrypt()).toEqual({ reencrypted: 3 });
    await rotating.close();
    const newest = await openTestDatabase({ file, encryptionKeys: [Buffer.alloc(32, 2)] });
    expect(await newest.read.assertionKeys.find(tenant.id, "a")).toEqual(buildKey("a"));
    expect(await readStored()).not.toBe(before);

    await execute(file, `UPDATE assertion_keys SET tenant_id = '${stranger.id}'`);
    await expect(newest.read.assertionKeys.find(stranger.id, "a")).rejects.toThrow();
  });

  it("fail loudly when something else has written over them", async () => {
    const { file, database, tenant } = await openWithTenants();
    await database.write(({ assertionKeys }) => assertionKeys.insert(tenant.id, buildKey("a")));
    await execute(
      file,
      `UPDATE assertion_keys SET public_key = '{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"d"}'`,
    );
    await expect(database.read.assertionKeys.list(tenant.id)).rejects.toMatchObject({
      code: "internal_error",
    });
  });
});
