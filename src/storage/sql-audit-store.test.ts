import { describe, expect, it } from "vitest";

import type { AuditEvent, AuditFilter } from "../audit/audit-event.js";
import { buildAuditEvent, insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

const ALL: AuditFilter = { action: null, actor: null, from: null, to: null };
const FIRST = { limit: 50, cursor: null };

async function openWithEvents(build: readonly Partial<AuditEvent>[]) {
  const database = await openTestDatabase();
  const { tenant, events } = await database.write(async (stores) => {
    const tenant = await insertTenant(stores);
    const stranger = await insertTenant(stores);
    const events = build.map((overrides) => buildAuditEvent(tenant, overrides));
    for (const event of events) {
      await stores.audit.append(tenant.id, event);
      await stores.audit.append(stranger.id, buildAuditEvent(stranger));
    }
    return { tenant, events };
  });
  return { database, tenant, events };
}

describe("the audit log", () => {
  it("gives events back whole", async () => {
    const { database, tenant, events } = await openWithEvents([
      {},
      {
        actor: { type: "system", accountId: null },
        target: null,
        before: { deep: [1, "two", null, { three: true }] },
        after: null,
        ip: null,
        reference: null,
      },
    ]);
    const { items, nextCursor } = await database.read.audit.list(tenant.id, ALL, FIRST);
    expect(items).toEqual(events.toReversed());
    expect(nextCursor).toBeNull();
  });

  it("comes newest first in the order of writing, though the clock stands still or jumps back", async () => {
    const times = [3, 3, 1, 1, 2, 0, 0].map((minutes) => ({ at: minutesAfter(minutes) }));
    const { database, tenant, events } = await openWithEvents(times);
    for (const limit of [1, 3, 7]) {
      const listed: AuditEvent[] = [];
      let cursor: string | null = null;
      do {
        const page = await database.read.audit.list(tenant.id, ALL, { limit, cursor });
        listed.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(listed).toEqual(events.toReversed());
    }
  });

  it.each<[string, Partial<AuditFilter>, string[]]>([
    ["an action", { action: "link.removed" }, ["removed"]],
    ["an unknown action", { action: "no.such" }, []],
    ["an account", { actor: "account-2" }, ["removed"]],
    ["a kind of actor", { actor: "host" }, ["installed"]],
    ["a start, included", { from: minutesAfter(1) }, ["installed", "removed"]],
    ["an end, excluded", { to: minutesAfter(1) }, ["created"]],
    ["both", { from: minutesAfter(1), to: minutesAfter(2) }, ["removed"]],
    ["all at once", { action: "link.removed", actor: "user", from: NOW, to: minutesAfter(9) }, ["removed"]],
    ["text that can't be stored", { actor: "\0" }, []],
  ])("is filtered by %s", async (_, filter, found) => {
    const { database, tenant } = await openWithEvents([
      { id: "created" },
      {
        id: "removed",
        action: "link.removed",
        at: minutesAfter(1),
        actor: { type: "user", accountId: "account-2" },
      },
      {
        id: "installed",
        action: "tenant.installed",
        at: minutesAfter(2),
        actor: { type: "host", accountId: null },
      },
    ]);
    const { items } = await database.read.audit.list(tenant.id, { ...ALL, ...filter }, FIRST);
    expect(items.map(({ id }) => id)).toEqual(found);
  });

  it.each(["", "W10", encode(["1"]), encode([1.5]), encode([-1]), encode([1, 2]), encode([2 ** 60])])(
    "refuses the cursor %j",
    async (cursor) => {
      const { database, tenant } = await openWithEvents([{}]);
      await expect(database.read.audit.list(tenant.id, ALL, { limit: 1, cursor })).rejects.toMatchObject({
        code: "malformed_request",
      });
    },
  );

  it("keeps a tenant that it tells of", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    await database.write(async (stores) => {
      const tenant = await insertTenant(stores);
      await stores.audit.append(tenant.id, buildAuditEvent(tenant));
    });
    await expect(execute(file, "DELETE FROM tenants")).rejects.toThrow("FOREIGN KEY");
  });
});

function encode(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}
