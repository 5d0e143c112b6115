import { describe, expect, it, vi } from "vitest";

import type { Api } from "../api.js";
import { ApiError } from "../errors.js";
import type { Host, Link, LinkAttempt, ProblemCode } from "../types.js";
import { createLinking, type Windows } from "./linking.js";

const LINK = { id: "link", email: "grace@acme.example" } as Link;
const APP_URL = new URL("https://app.example.com/below/");

/** A page that may open nothing itself, and a product that opens tabs, or doesn't. */
function createBench({ opens = [true], refusals = [] as ProblemCode[] } = {}) {
  const openTab = vi.fn<NonNullable<Host["openTab"]>>(async () => Promise.resolve(opens.shift() ?? true));
  const begun: LinkAttempt[] = [];
  const refuse = (): never => {
    throw new Error("This page opens no windows.");
  };
  const windows: Windows = {
    openBlankWindow: refuse,
    openWindow: refuse,
    tell: refuse,
    watchWindow: (_attempt, getWindow) => {
      expect(getWindow()).toBeNull();
      return () => undefined;
    },
  };
  const beginLink = () => {
    const id = `attempt-${begun.length + 1}`;
    const attempt = { id, url: `${APP_URL.href}link/start/${id}`, expiresAt: "2030-01-01T00:05:00.000Z" };
    begun.push(attempt);
    return Promise.resolve(attempt);
  };
  const finishLink = vi.fn<Api["finishLink"]>(async () => {
    const code = refusals.shift();
    if (!code) return Promise.resolve(LINK);
    const problem = { type: "about:blank", title: code, status: 400, detail: code, code, reference: "r" };
    return Promise.reject(new ApiError(problem, null));
  });
  const phases: string[] = [];
  const linking = createLinking(
    { beginLink, finishLink },
    { openTab, appUrl: APP_URL },
    ({ phase }) => phases.push(phase),
    windows,
  );
  const opened = () => openTab.mock.calls.map(([url]) => url.href);
  return { linking, opened, begun, finishLink, phases, openTab };
}

describe("linking in a tab", () => {
  it("opens the page that shows a code to type, and waits for the code at once", async () => {
    const { linking, opened, openTab } = createBench();
    openTab.mockReturnValue(new Promise(() => undefined));
    void linking.start();
    await vi.waitFor(() => expect(linking.state.phase).toBe("waiting"));
    expect(linking.place).toBe("tab");
    expect(opened()).toEqual(["https://app.example.com/below/access/link/attempt-1"]);
  });

  it("links with the typed code", async () => {
    const { linking, finishLink } = createBench();
    await linking.start();
    await linking.useCode("K7M4P2X9QF");
    expect(finishLink.mock.calls).toEqual([["attempt-1", "K7M4P2X9QF"]]);
    expect(linking.state).toMatchObject({ phase: "done", link: LINK });
  });

  it("takes a second code after a wrong one, and speaks of the tab", async () => {
    const { linking } = createBench({ refusals: ["validation_failed"] });
    await linking.start();
    await linking.useCode("WRONG");
    expect(linking.state.phase).toBe("waiting");
    expect(linking.state.codeError).toContain("the tab shows");
    await linking.useCode("K7M4P2X9QF");
    expect(linking.state.phase).toBe("done");
  });

  it("offers the same attempt again to whoever didn't let the tab open", async () => {
    const { linking, opened, begun } = createBench({ opens: [false, true] });
    await linking.start();
    expect(linking.state.phase).toBe("blocked");
    linking.openAgain();
    await vi.waitFor(() => expect(linking.state.phase).toBe("waiting"));
    expect(new Set(opened())).toEqual(new Set([`${APP_URL.href}access/link/attempt-1`]));
    expect(begun).toHaveLength(1);
  });

  it("goes on waiting when a tab that was open isn't opened again", async () => {
    const { linking, openTab } = createBench({ opens: [true, false] });
    await linking.start();
    linking.openAgain();
    await openTab.mock.results[1]!.value;
    expect(linking.state.phase).toBe("waiting");
  });

  it.each(["cancel", "startAgain"] as const)("doesn't mind a late no after %s", async (act) => {
    const { linking, openTab, phases } = createBench();
    let answer: (isOpen: boolean) => void = () => undefined;
    openTab.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    void linking.start();
    await vi.waitFor(() => expect(linking.state.phase).toBe("waiting"));
    await linking[act]();
    answer(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(phases).not.toContain("blocked");
  });

  it("starts again with an attempt of its own", async () => {
    const { linking, opened } = createBench();
    await linking.start();
    await linking.startAgain();
    expect(opened().map((url) => url.split("/").at(-1))).toEqual(["attempt-1", "attempt-2"]);
  });
});
