import { expect, it, vi } from "vitest";

import { createPage } from "./account-state.fixture.js";
import { createActivityActions } from "./activity-actions.js";
import type { Deed, PageOf } from "../types.js";

function deed(label: string): Deed {
  return {
    at: "2026-11-22T12:00:00.000Z",
    serviceId: "builds",
    label,
    method: "GET",
    path: "/rest/api/3/issue/*",
    status: 200,
    milliseconds: 40,
    code: null,
  };
}

function createScene() {
  const { page, focused, focus } = createPage();
  const pages: Record<string, PageOf<Deed>> = {
    null: { items: [deed("3"), deed("2")], nextCursor: "next" },
    next: { items: [deed("1")], nextCursor: null },
  };
  const listMyActivity = vi.fn(({ cursor }: { cursor: string | null }) =>
    Promise.resolve(pages[String(cursor)]!),
  );
  const actions = createActivityActions(() => page, { api: { listMyActivity }, focus });
  const shown = () => page.state.activity.deeds.map(({ label }) => label);
  return { page, focused, listMyActivity, actions, shown };
}

it("shows what is newest, and more below it when asked", async () => {
  const { actions, shown, focused, page } = createScene();
  await actions.load();
  expect(shown()).toEqual(["3", "2"]);
  expect(focused).toEqual([]);
  await actions.loadMore();
  expect(shown()).toEqual(["3", "2", "1"]);
  expect(focused).toEqual([`[data-deed="2"]`]);
  expect(page.state.activity).toMatchObject({ nextCursor: null, isBusy: false });
});

it("keeps what is shown when there is no more to be had, and can try again", async () => {
  const { actions, shown, page, listMyActivity } = createScene();
  await actions.load();
  const error = new Error("No answer.");
  listMyActivity.mockRejectedValueOnce(error);
  await actions.loadMore();
  expect(shown()).toEqual(["3", "2"]);
  expect(page.state.activity).toMatchObject({ error, isBusy: false, isLoaded: true });
  await actions.loadMore();
  expect(shown()).toEqual(["3", "2", "1"]);
  expect(page.state.activity.error).toBeNull();
});

it("says that nothing came, without throwing", async () => {
  const { actions, page, listMyActivity } = createScene();
  const error = new Error("No answer.");
  listMyActivity.mockRejectedValueOnce(error);
  await actions.load();
  expect(page.state.activity).toMatchObject({ error, isLoaded: false, isBusy: false });
});
