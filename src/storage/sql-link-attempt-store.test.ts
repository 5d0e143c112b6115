import { describe, expect, it } from "vitest";

import { buildAttempt, insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

const CLAIM = {
  cookieHash: "c".repeat(64),
  identity: { issuer: "https://acme.cloudflareaccess.com", subject: "s", email: "ada@acme.com" },
  audience: "a".repeat(64),
  codeHash: "d".repeat(64),
  typedCodeHash: "e".repeat(64),
  wrongCodes: 4,
  usedAt: minutesAfter(2),
};

describe("link attempts", () => {
  it("come back as they were begun, and as they were claimed", async () => {
    const database = await openTestDatabase();
    const begun = await database.write(async (stores) => {
      const attempt = buildAttempt(await insertTenant(stores));
      await stores.attempts.insert(attempt);
      return attempt;
    });
    expect(await database.read.attempts.find(begun.idHash)).toEqual(begun);
    await database.write((stores) => stores.attempts.update({ ...begun, ...CLAIM }));
    expect(await database.read.attempts.find(begun.idHash)).toEqual({ ...begun, ...CLAIM });
    expect(await database.read.attempts.find("nothing")).toBeNull();
  });

  it("can't be updated before they are begun, nor into another tenant", async () => {
    const database = await openTestDatabase();
    const { attempt, stranger } = await database.write(async (stores) => {
      const attempt = buildAttempt(await insertTenant(stores));
      await stores.attempts.insert(attempt);
      return { attempt, stranger: await insertTenant(stores) };
    });
    for (const other of [buildAttempt(stranger), { ...attempt, tenantId: stranger.id }]) {
      await expect(database.write((stores) => stores.attempts.update(other))).rejects.toMatchObject({
        code: "internal_error",
      });
    }
  });

  it("are counted by account since a moment, that moment included", async () => {
    const database = await openTestDatabase();
    const tenant = await database.write(async (stores) => {
      const tenant = await insertTenant(stores);
      for (const minutes of [0, 1, 2]) {
        await stores.attempts.insert(buildAttempt(tenant, { createdAt: minutesAfter(minutes) }));
      }
      await stores.attempts.insert(buildAttempt(tenant, { accountId: "account-2" }));
      await stores.attempts.insert(buildAttempt(await insertTenant(stores)));
      return tenant;
    });
    const { attempts } = database.read;
    expect(await attempts.countSince(tenant.id, "account-1", NOW)).toBe(3);
    expect(await attempts.countSince(tenant.id, "account-1", minutesAfter(1))).toBe(2);
    expect(await attempts.countSince(tenant.id, "account-1", minutesAfter(3))).toBe(0);
  });

  it("are deleted when they have expired, or with all of their tenant", async () => {
    const database = await openTestDatabase();
    const attempts = await database.write(async (stores) => {
      const [mine, other] = [await insertTenant(stores), await insertTenant(stores)];
      const attempts = {
        expired: buildAttempt(other, { expiresAt: minutesAfter(5) }),
        live: buildAttempt(other, { expiresAt: minutesAfter(6) }),
        mine: buildAttempt(mine, { expiresAt: minutesAfter(6) }),
      };
      for (const attempt of Object.values(attempts)) await stores.attempts.insert(attempt);
      await stores.attempts.deleteExpired(minutesAfter(5));
      await stores.attempts.deleteOfTenant(mine.id);
      return attempts;
    });
    const { read } = database;
    expect(await read.attempts.find(attempts.expired.idHash)).toBeNull();
    expect(await read.attempts.find(attempts.mine.idHash)).toBeNull();
    expect(await read.attempts.find(attempts.live.idHash)).toEqual(attempts.live);
  });

  it("fail loudly when half of an identity is lost", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const { idHash } = await database.write(async (stores) => {
      const attempt = buildAttempt(await insertTenant(stores), CLAIM);
      await stores.attempts.insert(attempt);
      return attempt;
    });
    await execute(file, "UPDATE link_attempts SET subject = NULL");
    await expect(database.read.attempts.find(idHash)).rejects.toMatchObject({ code: "internal_error" });
  });
});
