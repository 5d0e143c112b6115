import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Api } from "../api.js";
import type { Link } from "../types.js";
import { LinkList } from "./link-list.js";
import { buildLink, createNames, createQuestions } from "./lists.fixture.js";

interface Query {
  readonly query: string;
  readonly cursor: string | null;
}

const ONE = buildLink("one");
const TWO = buildLink("two");
const THREE = buildLink("three");

let focused: string[];

beforeEach(() => {
  focused = [];
  vi.stubGlobal("document", { getElementById: (id: string) => ({ focus: () => focused.push(id) }) });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function createList({ removeLink = vi.fn(), restoreLink = vi.fn() } = {}) {
  const { asked, ask } = createQuestions<Query, Link>();
  const api = { listLinks: ask, removeLink, restoreLink } as unknown as Api;
  const list = new LinkList({ api, names: createNames(), onChange: () => undefined });
  const shown = () => list.rows.map(({ link, phase }) => `${link.id} ${phase}`);
  return { list, asked, shown };
}

async function createLoadedList(links: readonly Link[], options: Parameters<typeof createList>[0] = {}) {
  const created = createList(options);
  created.list.show();
  await created.asked[0]!.answer({ items: links, nextCursor: "next" });
  return created;
}

describe("LinkList", () => {
  it("appends the next page without what is there already, and goes on at its first link", async () => {
    const { list, asked, shown } = await createLoadedList([ONE, TWO]);
    expect(list.pages.hasMore).toBe(true);
    void list.loadMore();
    expect(asked[1]!.query).toEqual({ query: "", cursor: "next" });
    await asked[1]!.answer({ items: [TWO, THREE] });
    expect(shown()).toEqual(["one linked", "two linked", "three linked"]);
    expect(list.pages.hasMore).toBe(false);
    expect(focused).toEqual(["unlink-three"]);
  });

  it("asks once nobody types any more", () => {
    const { list, asked } = createList();
    list.search("g");
    list.search(" grace ");
    expect(asked).toEqual([]);
    vi.advanceTimersByTime(300);
    expect(asked.map(({ query }) => query)).toEqual([{ query: "grace", cursor: null }]);
  });

  it.each(["answers", "is refused"])("keeps the newer answer when the older %s later", async (end) => {
    const { list, asked, shown } = await createLoadedList([ONE]);
    list.search("two");
    vi.advanceTimersByTime(300);
    list.search("three");
    vi.advanceTimersByTime(300);
    await asked[2]!.answer({ items: [THREE] });
    await (end === "answers"
      ? asked[1]!.answer({ items: [TWO], nextCursor: "more" })
      : asked[1]!.refuse(new Error()));
    expect(shown()).toEqual(["three linked"]);
    expect(list.answered).toBe("three");
    expect(list.pages).toMatchObject({ hasMore: false, loading: { isBusy: false, error: null } });
  });

  it("drops a next page that comes after a new search was answered", async () => {
    const { list, asked, shown } = await createLoadedList([ONE]);
    void list.loadMore();
    list.search("three");
    vi.advanceTimersByTime(300);
    await asked[2]!.answer({ items: [THREE] });
    await asked[1]!.answer({ items: [TWO] });
    expect(shown()).toEqual(["three linked"]);
    expect(focused).toEqual([]);
  });

  it("shows more of what is shown while something else is typed", async () => {
    const { list, asked } = await createLoadedList([ONE]);
    list.search("three");
    void list.loadMore();
    expect(asked[1]!.query).toEqual({ query: "", cursor: "next" });
    await asked[1]!.answer({ items: [TWO] });
  });

  it("keeps the rows when a search is refused", async () => {
    const { list, asked, shown } = await createLoadedList([ONE]);
    void list.load();
    await asked[1]!.refuse(new Error("refused"));
    expect(shown()).toEqual(["one linked"]);
    expect(list.pages.loading.error).toEqual(new Error("refused"));
  });

  it("keeps in sight what can be undone, and takes it back", async () => {
    const restoreLink = vi.fn();
    const { list, asked, shown } = await createLoadedList([ONE, TWO], { restoreLink });
    list.ask("one");
    expect(focused).toEqual(["keep-one"]);
    await list.unlink(list.rows[0]!);
    void list.load();
    await asked[1]!.answer({ items: [TWO] });
    expect(shown()).toEqual(["one unlinked", "two linked"]);

    await list.undo(list.rows[0]!);
    expect(restoreLink).toHaveBeenCalledWith("one");
    expect(shown()).toEqual(["one linked", "two linked"]);
    expect(focused).toEqual(["keep-one", "undo-one", "unlink-one"]);
  });

  it("shows once what was linked again by others", async () => {
    const { list, asked, shown } = await createLoadedList([ONE, TWO]);
    await list.unlink(list.rows[0]!);
    void list.load();
    await asked[1]!.answer({ items: [ONE, TWO] });
    expect(shown()).toEqual(["one linked", "two linked"]);
  });

  it("says at its row why unlinking was refused", async () => {
    const removeLink = vi.fn().mockRejectedValue(new Error("refused"));
    const { list } = await createLoadedList([ONE, TWO], { removeLink });
    list.ask("one");
    await list.unlink(list.rows[0]!);
    expect(list.rows[0]).toMatchObject({ phase: "asking", isBusy: false, error: new Error("refused") });
    expect(list.rows[1]).toMatchObject({ phase: "linked", error: null });
  });
});
