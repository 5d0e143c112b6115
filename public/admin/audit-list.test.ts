import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Api } from "../api.js";
import type { AuditEvent } from "../types.js";
import { AuditList } from "./audit-list.js";
import { createNames, createQuestions } from "./lists.fixture.js";

interface Query {
  readonly kind?: string;
  readonly action?: string;
  readonly actor: string;
  readonly from: string;
  readonly to: string;
  readonly cursor: string | null;
}

const ANYTIME = { actor: "", from: "", to: "" };
const CHANGES = { ...ANYTIME, kind: "changes" };

let focused: string[];

beforeEach(() => {
  focused = [];
  vi.stubGlobal("document", { getElementById: (id: string) => ({ focus: () => focused.push(id) }) });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

function buildEvent(id: string): AuditEvent {
  return {
    id,
    at: "2026-11-22T12:00:00.000Z",
    action: "tenant.enabled",
    actor: { type: "host", accountId: null },
    target: null,
    before: null,
    after: null,
    ip: null,
    reference: null,
  };
}

function createList() {
  const { asked, ask } = createQuestions<Query, AuditEvent>();
  const api = { listAudit: ask } as unknown as Api;
  const list = new AuditList({ api, names: createNames(), onChange: () => undefined });
  return { list, asked, shown: () => list.events.map(({ id }) => id) };
}

async function createLoadedList() {
  const created = createList();
  created.list.show();
  await created.asked[0]!.answer({ items: [buildEvent("3"), buildEvent("2")], nextCursor: "next" });
  return created;
}

function findQuery(changes: Parameters<AuditList["narrow"]>[0]): Query {
  const { list, asked } = createList();
  list.narrow(changes);
  vi.advanceTimersByTime(300);
  return asked[0]!.query;
}

describe("AuditList", () => {
  it("appends the next page, and goes on at its first event", async () => {
    const { list, asked, shown } = await createLoadedList();
    void list.loadMore();
    expect(asked[1]!.query).toEqual({ ...CHANGES, cursor: "next" });
    await asked[1]!.answer({ items: [buildEvent("1")] });
    expect(shown()).toEqual(["3", "2", "1"]);
    expect(list.pages.hasMore).toBe(false);
    expect(focused).toEqual(["event-1"]);
  });

  it("shows more of what is shown, whatever the filter says since", async () => {
    const { list, asked } = await createLoadedList();
    list.narrow({ what: "link.created" });
    void list.loadMore();
    expect(asked[1]!.query).toEqual({ ...CHANGES, cursor: "next" });
    await asked[1]!.answer({});
  });

  it("keeps the newer answer when the older comes later", async () => {
    const { list, asked, shown } = await createLoadedList();
    list.narrow({ what: "link.created" });
    vi.advanceTimersByTime(300);
    list.narrow({ what: "link.removed" });
    vi.advanceTimersByTime(300);
    await asked[2]!.answer({ items: [buildEvent("removed")] });
    await asked[1]!.answer({ items: [buildEvent("created")], nextCursor: "more" });
    expect(shown()).toEqual(["removed"]);
    expect(list.pages.hasMore).toBe(false);
  });

  it.each(["UTC", "America/Los_Angeles", "Asia/Tokyo"])("takes whole days, both inclusive, in %s", (zone) => {
    vi.stubEnv("TZ", zone);
    const { from, to } = findQuery({ firstDay: "2026-03-07", lastDay: "2026-03-08" });
    expect(from).toBe(new Date(2026, 2, 7).toISOString());
    expect(to).toBe(new Date(2026, 2, 9).toISOString());
  });

  it.each(["", "20266-01-01"])("doesn't filter by the day %j", (day) => {
    expect(findQuery({ firstDay: day, lastDay: day })).toMatchObject({ from: "", to: "" });
  });

  it.each([
    [{}, { kind: "changes" }],
    [{ what: "use" }, { kind: "use" }],
    [{ what: "" }, { action: "" }],
    [{ what: "settings.changed" }, { action: "settings.changed" }],
    [
      { actorType: "host", accountId: "712020:ada" },
      { kind: "changes", actor: "host" },
    ],
    [
      { actorType: "account", accountId: " 712020:ada " },
      { kind: "changes", actor: "712020:ada" },
    ],
  ] as const)("asks for %j as %j", (changes, query) => {
    expect(findQuery(changes)).toEqual({ ...ANYTIME, ...query, cursor: null });
  });

  it("finds what one account did, and everything again", () => {
    const { list, asked } = createList();
    list.showOnly("712020:ada");
    expect(list.isFiltered).toBe(true);
    vi.advanceTimersByTime(300);
    list.clearFilter();
    expect(list.isFiltered).toBe(false);
    vi.advanceTimersByTime(300);
    expect(asked.map(({ query }) => [query.actor, query.kind])).toEqual([
      ["712020:ada", "changes"],
      ["", undefined],
    ]);
    expect(focused).toEqual(["audit-heading", "audit-what"]);
  });

  it("doesn't count an account id that no longer filters", () => {
    const { list } = createList();
    list.narrow({ what: "", actorType: "account", accountId: "712020:ada" });
    list.narrow({ actorType: "" });
    expect(list.isFiltered).toBe(false);
  });
});
