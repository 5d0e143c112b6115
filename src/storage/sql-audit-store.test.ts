import { describe, expect, it } from "vitest";

import type { AuditEvent, AuditFilter } from "../audit/audit-event.js";
import { buildAuditEvent, insertTenant } from "./builders.fixture.js";
import { execute } from "./raw-sql.fixture.js";
import { createTestFile, minutesAfter, NOW, openTestDatabase } from "./test-database.fixture.js";

const ALL: AuditFilter = { kind: null, action: null, actor: null, from: null, to: null };
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

  it("tells what was changed apart from what services did, and finds it without reading all of that", async () => {
    const file = createTestFile();
    const database = await openTestDatabase({ file });
    const actions = ["link.created", "service.acted", "assertion.issued", "settings.changed"] as const;
    const tenant = await database.write(async (stores) => {
      const tenant = await insertTenant(stores);
      await stores.audit.appendAll(
        tenant.id,
        actions.map((action) => buildAuditEvent(tenant, { action })),
      );
      return tenant;
    });
    const list = async (kind: AuditFilter["kind"]) => {
      const { items } = await database.read.audit.list(tenant.id, { ...ALL, kind }, FIRST);
      return items.map(({ action }) => action);
    };
    expect(await list("changes")).toEqual(["settings.changed", "link.created"]);
    expect(await list("use")).toEqual(["assertion.issued", "service.acted"]);
    expect(await list(null)).toEqual(actions.toReversed());
    const plan = await execute(
      file,
      `EXPLAIN QUERY PLAN SELECT * FROM audit_events AS a WHERE a.tenant_id = 'x'
       AND (a.action NOT IN ('service.acted', 'assertion.issued')) ORDER BY a.sequence DESC LIMIT 51`,
    );
    expect(JSON.stringify(plan)).toContain("audit_changes_by_tenant");
  });

  it("finds one person's part of what services did without reading everybody's", async () => {
    const file = createTestFile();
    await openTestDatabase({ file });
    const explain = async (condition: string) => {
      const plan = await execute(
        file,
        `EXPLAIN QUERY PLAN SELECT * FROM audit_events AS a WHERE a.tenant_id = 'x' AND (${condition})
         ORDER BY a.sequence DESC LIMIT 51`,
      );
      return JSON.stringify(plan);
    };
    const ofOne = await explain("a.action = 'service.acted' AND a.actor_account_id = 'ada'");
    expect(ofOne).toContain("audit_events_by_actor_and_action");
    expect(ofOne).not.toContain("TEMP B-TREE");
    expect(await explain("a.actor_account_id = 'ada'")).toMatch(/audit_events_by_actor /);
    expect(await explain("a.action = 'link.removed'")).toMatch(/audit_events_by_action /);
  });

  it("keeps the order of what is written at once, however much it is", async () => {
    const { database, tenant } = await openWithEvents([]);
    const events = Array.from({ length: 450 }, (_, index) =>
      buildAuditEvent(tenant, { reference: String(index) }),
    );
    await database.write((stores) => stores.audit.appendAll(tenant.id, events));
    const { items } = await database.read.audit.list(tenant.id, ALL, { limit: 450, cursor: null });
    expect(items).toEqual(events.toReversed());
    await database.write((stores) => stores.audit.appendAll(tenant.id, []));
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

  it("moves what is told of one tenant among what is told of another, in the order of writing", async () => {
    const { database, tenant, events } = await openWithEvents([{}, {}]);
    const heir = await database.write(async (stores) => {
      const heir = await insertTenant(stores);
      await stores.audit.append(heir.id, buildAuditEvent(heir));
      await stores.audit.moveAll(tenant.id, heir.id);
      return heir;
    });
    const { audit } = database.read;
    const told = (await audit.list(heir.id, ALL, FIRST)).items.map(({ id }) => id);
    expect(told.slice(1)).toEqual(events.map(({ id }) => id).reverse());
    expect(told).toHaveLength(3);
    expect((await audit.list(tenant.id, ALL, FIRST)).items).toEqual([]);
  });

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
