import { describe, expect, it } from "vitest";

import type { IdentityLink } from "../links/identity-link.js";
import type { Database } from "../stores.js";
import { buildLink, insertTenant } from "./builders.fixture.js";
import { minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

async function openWithLinks(build: readonly Partial<IdentityLink>[]) {
  const database = await openTestDatabase();
  const { tenant, stranger, links } = await database.write(async (stores) => {
    const tenants = { tenant: await insertTenant(stores), stranger: await insertTenant(stores) };
    const links = build.map((overrides) => buildLink(tenants.tenant, overrides));
    for (const link of links) await stores.links.insert(tenants.tenant.id, link);
    return { ...tenants, links };
  });
  return { database, tenant, stranger, links };
}

async function listAll(database: Database, tenantId: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await database.read.links.list(tenantId, "", { limit, cursor });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return ids;
}

describe("links", () => {
  it("are found whole by id and by identity", async () => {
    const { database, tenant, links } = await openWithLinks([{ lastUsedAt: minutesAfter(3) }]);
    const [link] = links;
    expect(await database.read.links.findById(tenant.id, link!.id)).toEqual(link);
    expect(await database.read.links.findByIdentity(tenant.id, link!.issuer, link!.subject)).toEqual(link);
  });

  it("are hidden from other tenants, and safe from them", async () => {
    const { database, tenant, stranger, links } = await openWithLinks([{}]);
    const [link] = links;
    const { read } = database;
    expect(await read.links.findById(stranger.id, link!.id)).toBeNull();
    expect(await read.links.findByIdentity(stranger.id, link!.issuer, link!.subject)).toBeNull();
    expect(await read.links.listOfAccount(stranger.id, link!.accountId)).toEqual([]);
    expect((await read.links.list(stranger.id, "", { limit: 10, cursor: null })).items).toEqual([]);
    await expect(
      database.write((stores) => stores.links.update(stranger.id, { ...link!, email: "x@evil.example" })),
    ).rejects.toMatchObject({ code: "internal_error" });
    await database.write(async (stores) => {
      await stores.links.markUsed(stranger.id, link!.id, NOW);
      expect(await stores.links.delete(stranger.id, link!.id)).toBe(false);
      await stores.links.deleteOfTenant(stranger.id);
    });
    expect(await read.links.findById(tenant.id, link!.id)).toEqual(link);
  });

  it("may name the same identity in two tenants, but once in each", async () => {
    const { database, tenant, stranger, links } = await openWithLinks([{}]);
    const again = { ...links[0]!, id: "again", accountId: "account-2" };
    await database.write((stores) => stores.links.insert(stranger.id, again));
    await expect(
      database.write((stores) => stores.links.insert(tenant.id, { ...again, id: "third" })),
    ).rejects.toMatchObject({ code: "already_linked" });
    expect(await listAll(database, tenant.id, 10)).toEqual([links[0]!.id]);
  });

  it("go on in a write that was told of a taken identity", async () => {
    const { database, tenant, links } = await openWithLinks([{}]);
    await database.write(async (stores) => {
      await expect(stores.links.insert(tenant.id, { ...links[0]!, id: "x" })).rejects.toThrow();
      await stores.links.insert(tenant.id, buildLink(tenant, { id: "y" }));
    });
    expect((await listAll(database, tenant.id, 10)).sort()).toEqual([links[0]!.id, "y"].sort());
  });

  it("need a tenant", async () => {
    const { database, links } = await openWithLinks([{}]);
    await expect(
      database.write((stores) => stores.links.insert("nobody", { ...links[0]!, id: "x" })),
    ).rejects.toMatchObject({ code: "internal_error" });
  });

  it("change account, e-mail, method, age and confirmation, and nothing else, when updated", async () => {
    const { database, tenant, links } = await openWithLinks([{}]);
    const changes = {
      accountId: "account-2",
      email: "b@acme.com",
      method: "admin",
      linkedAt: minutesAfter(9),
      confirmedAt: minutesAfter(10),
    } as const;
    await database.write((stores) =>
      stores.links.update(tenant.id, { ...links[0]!, ...changes, subject: "ignored", lastUsedAt: NOW }),
    );
    expect(await database.read.links.findById(tenant.id, links[0]!.id)).toEqual({ ...links[0]!, ...changes });
  });

  it("note their last use, unless they are gone", async () => {
    const { database, tenant, links } = await openWithLinks([{}]);
    await database.write(async (stores) => {
      await stores.links.markUsed(tenant.id, links[0]!.id, minutesAfter(2));
      await stores.links.markUsed(tenant.id, "gone", minutesAfter(2));
    });
    expect(await database.read.links.findById(tenant.id, links[0]!.id)).toEqual({
      ...links[0]!,
      lastUsedAt: minutesAfter(2),
    });
  });

  it("are counted for each tenant alone", async () => {
    const { database, tenant } = await openWithLinks([{}, {}, {}]);
    expect(await database.read.links.count(tenant.id)).toBe(3);
    const stranger = await database.write((stores) => insertTenant(stores));
    expect(await database.read.links.count(stranger.id)).toBe(0);
  });

  it("are deleted one by one or all together", async () => {
    const { database, tenant, links } = await openWithLinks([{}, {}, {}]);
    await database.write(async (stores) => {
      expect(await stores.links.delete(tenant.id, links[0]!.id)).toBe(true);
      expect(await stores.links.delete(tenant.id, links[0]!.id)).toBe(false);
    });
    expect(await listAll(database, tenant.id, 10)).toHaveLength(2);
    await database.write((stores) => stores.links.deleteOfTenant(tenant.id));
    expect(await listAll(database, tenant.id, 10)).toEqual([]);
  });

  it("of an account come oldest first", async () => {
    const { database, tenant } = await openWithLinks([
      { id: "new", linkedAt: minutesAfter(2) },
      { id: "old", linkedAt: minutesAfter(1) },
      { id: "other", accountId: "account-2" },
    ]);
    const links = await database.read.links.listOfAccount(tenant.id, "account-1");
    expect(links.map(({ id }) => id)).toEqual(["old", "new"]);
  });
});

describe("the list of links", () => {
  it("comes newest first, every link once, whatever the size of the pages", async () => {
    // Three of each age, so that pages also end between links of the same age.
    const ages = Array.from({ length: 12 }, (_, index) => ({
      linkedAt: minutesAfter(Math.floor(index / 3)),
    }));
    const { database, tenant, links } = await openWithLinks(ages);
    const newestFirst = [...links]
      .sort((a, b) => b.linkedAt.getTime() - a.linkedAt.getTime() || (a.id < b.id ? 1 : -1))
      .map(({ id }) => id);
    for (const limit of [1, 2, 5, 11, 12, 200]) {
      expect(await listAll(database, tenant.id, limit)).toEqual(newestFirst);
    }
  });

  it.each([
    ["", ["percent", "plain", "underscore", "backslash", "umlaut"]],
    ["ACME", ["percent", "plain", "underscore", "backslash", "umlaut"]],
    ["da@ac", ["plain"]],
    ["account-of-plain", ["plain"]],
    ["%", ["percent"]],
    ["_", ["underscore"]],
    ["\\", ["backslash"]],
    ["'", []],
    ["' OR 1=1 --", []],
    ["Ü", []],
    ["ü", ["umlaut"]],
    ["\0", []],
    [":tenant $1 ?", []],
  ])("finds %j in e-mails and account ids: %j", async (query, found) => {
    const emails = { percent: "100%@acme.com", plain: "Ada@Acme.com", underscore: "a_b@acme.com" };
    const others = { backslash: "a\\b@acme.com", umlaut: "jürgen@acme.com" };
    const { database, tenant } = await openWithLinks(
      Object.entries({ ...emails, ...others }).map(([id, email]) => ({
        id,
        email,
        accountId: `Account-Of-${id}`,
      })),
    );
    const { items } = await database.read.links.list(tenant.id, query, { limit: 50, cursor: null });
    expect(items.map(({ id }) => id).sort()).toEqual([...found].sort());
  });

  it("goes on within a search", async () => {
    const { database, tenant } = await openWithLinks([
      { id: "a", email: "x1@acme.com" },
      { id: "b", email: "y@acme.com" },
      { id: "c", email: "x2@acme.com" },
    ]);
    const first = await database.read.links.list(tenant.id, "x", { limit: 1, cursor: null });
    const second = await database.read.links.list(tenant.id, "x", { limit: 1, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(["c", "a"]);
    expect(second.nextCursor).toBeNull();
  });

  it("shows a tenant its own links only, with another tenant's cursor too", async () => {
    const { database, tenant, stranger, links } = await openWithLinks([{}, {}]);
    const theirs = buildLink(stranger, { linkedAt: minutesAfter(-1) });
    await database.write((stores) => stores.links.insert(stranger.id, theirs));
    const { nextCursor } = await database.read.links.list(tenant.id, "", { limit: 1, cursor: null });
    expect(nextCursor).not.toBeNull();
    const { items } = await database.read.links.list(stranger.id, "", { limit: 10, cursor: nextCursor });
    expect(items).toEqual([theirs]);
    expect(items).not.toContainEqual(expect.objectContaining({ id: links[0]!.id }));
  });

  it.each([
    ["nothing", ""],
    ["no base64url", "%%%"],
    ["no JSON", "AAAA"],
    ["no list", encode({})],
    ["null", encode(null)],
    ["too few parts", encode([NOW.toISOString()])],
    ["too many parts", encode([NOW.toISOString(), "a", "b"])],
    ["a wrong type", encode([NOW.toISOString(), { $ne: null }])],
    ["no time", encode(["yesterday", "a"])],
    ["an impossible time", encode(["2026-13-45T00:00:00.000Z", "a"])],
    ["a position of the audit log", encode([7])],
    ["far too much", encode([NOW.toISOString(), "a".repeat(10_000)])],
  ])("refuses a cursor that holds %s", async (_, cursor) => {
    const { database, tenant } = await openWithLinks([{}]);
    await expect(database.read.links.list(tenant.id, "", { limit: 1, cursor })).rejects.toMatchObject({
      code: "malformed_request",
    });
  });
});

function encode(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}
