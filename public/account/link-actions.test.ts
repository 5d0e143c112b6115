import { afterEach, describe, expect, it, vi } from "vitest";

import { createPage, LINK, refusal } from "./account-state.fixture.js";
import { createLinkActions } from "./link-actions.js";
import type { Link } from "../types.js";

const CONFIRMED: Link = { ...LINK, standing: "confirmed", confirmedAt: "2026-11-22T13:00:00.000Z" };

afterEach(() => vi.unstubAllGlobals());

function createScene() {
  const { page, focused, focus } = createPage();
  const api = {
    unlinkMe: vi.fn(() => Promise.resolve()),
    confirmLink: vi.fn(() => Promise.resolve(CONFIRMED)),
  };
  const refresh = vi.fn(() => Promise.resolve());
  const actions = createLinkActions(() => page, { api, focus, refresh });
  return { page, focused, api, refresh, actions, links: () => page.state.me?.links };
}

describe("confirming a link that wasn't proved", () => {
  it("confirms the e-mail that is shown", async () => {
    const { api, actions, links, page } = createScene();
    await actions.confirmLink(LINK);
    expect(api.confirmLink).toHaveBeenCalledExactlyOnceWith(LINK.id, LINK.email);
    expect(links()).toEqual([CONFIRMED]);
    expect(page.state.linkWork).toBeNull();
  });

  it.each(["consent_changed", "not_found"] as const)("looks again after %s, and says so", async (code) => {
    const { api, actions, refresh, links, page } = createScene();
    const error = refusal(code);
    api.confirmLink.mockRejectedValue(error);
    await actions.confirmLink(LINK);
    expect(refresh).toHaveBeenCalledOnce();
    expect(links()).toEqual([LINK]);
    expect(page.state.linkWork).toMatchObject({ linkId: LINK.id, kind: "confirm", isBusy: false, error });
  });
});

describe("removing a link", () => {
  it("asks first, with the focus on what changes nothing", () => {
    const { api, actions, focused } = createScene();
    actions.askToUnlink(LINK.id);
    expect(focused).toEqual([`[data-unlink="link"] [data-keep]`]);
    actions.keepLink();
    expect(focused.at(-1)).toBe(`[data-link="link"] [data-ask-to-unlink]`);
    expect(api.unlinkMe).not.toHaveBeenCalled();
  });

  it.each([
    ["by this page", null],
    ["by another window", "not_found"],
  ] as const)("forgets a link that was removed %s", async (_, code) => {
    const { api, actions, links, page } = createScene();
    if (code) api.unlinkMe.mockRejectedValue(refusal(code));
    await actions.unlink(LINK);
    expect(links()).toEqual([]);
    expect(page.state).toMatchObject({ unlinked: LINK, linkWork: null });
  });

  it("keeps a link that couldn't be removed", async () => {
    const { api, actions, links, page } = createScene();
    api.unlinkMe.mockRejectedValue(refusal("store_unavailable"));
    await actions.unlink(LINK);
    expect(links()).toEqual([LINK]);
    expect(page.state.linkWork).toMatchObject({ kind: "unlink", isBusy: false });
  });
});
