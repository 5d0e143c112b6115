import { beforeEach, describe, expect, it, vi } from "vitest";

import { AdminPage } from "./admin-page.js";
import { COMPLETE_SETTINGS, createGate, createParts, FakeHost } from "./fake-admin.fixture.js";
import { FRESH_SETTINGS } from "../../src/services/settings.js";
import type { Settings } from "../types.js";

const PREDECESSOR = "/api/v1/settings/predecessor";
const FOUND = { available: true, installedAt: "2026-03-03T10:00:00.000Z", services: 2, links: 41 };

vi.mock("lit-html", async (original) => ({
  ...(await original<typeof import("lit-html")>()),
  render: () => undefined,
}));

beforeEach(() => {
  vi.stubGlobal("document", { activeElement: null, getElementById: () => null });
  vi.stubGlobal("window", { addEventListener: () => undefined });
});

async function openPage(host: FakeHost) {
  const root = { replaceChildren: () => undefined } as unknown as HTMLElement;
  const page = new AdminPage({ root, api: createParts(host).api, host, product: "jira" });
  await page.start();
  return page;
}

function createHost(settings: Settings = FRESH_SETTINGS) {
  const host = new FakeHost(settings);
  host.mayTakeOver = true;
  host.predecessor = FOUND;
  return host;
}

describe("looking for what was here before", () => {
  it("isn't done where nothing can have been", async () => {
    const host = createHost();
    host.mayTakeOver = false;
    const page = await openPage(host);
    expect(page.predecessor.found).toBeNull();
    expect(host.count("GET", PREDECESSOR)).toBe(0);
  });

  it("is done with the settings, and tells what is there", async () => {
    const page = await openPage(createHost());
    expect(page.predecessor.found).toEqual(FOUND);
  });

  it("may find nothing", async () => {
    const host = createHost();
    host.predecessor = { available: false, installedAt: null, services: null, links: null };
    expect((await openPage(host)).predecessor.found).toBeNull();
  });

  it("doesn't keep the page waiting for long", async () => {
    vi.useFakeTimers();
    try {
      const host = createHost();
      const gate = createGate();
      host.gates.set(`GET ${PREDECESSOR}`, gate.passed);
      const opening = openPage(host);
      await vi.advanceTimersByTimeAsync(3_000);
      const page = await opening;
      expect([page.isReady, page.predecessor.found]).toEqual([true, null]);
      gate.open();
      await vi.advanceTimersByTimeAsync(0);
      expect(page.predecessor.found).toEqual(FOUND);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("taking over", () => {
  it("asks first, and does nothing when the answer is no", async () => {
    const host = createHost();
    const { predecessor } = await openPage(host);
    predecessor.ask();
    expect(predecessor.isAsking).toBe(true);
    predecessor.leave();
    expect(predecessor.isAsking).toBe(false);
    expect(host.count("POST", `${PREDECESSOR}/take-over`)).toBe(0);
  });

  it("shows the settings that came over, though these are no later version", async () => {
    const page = await openPage(createHost());
    expect(page.firstRun).not.toBeNull();
    page.predecessor.ask();
    await page.predecessor.takeOver(page.editor.base.version);
    expect(page.editor.base.services).toHaveLength(2);
    expect([page.firstRun, page.predecessor.found, page.predecessor.isAsking]).toEqual([null, null, false]);
    expect(page.predecessor.taking.result).not.toBeNull();
  });

  it("is done once", async () => {
    const host = createHost();
    const page = await openPage(host);
    await Promise.all([page.predecessor.takeOver(0), page.predecessor.takeOver(0)]);
    expect(host.count("POST", `${PREDECESSOR}/take-over`)).toBe(1);
  });

  it("is refused when somebody has saved something since it was shown", async () => {
    const host = createHost(COMPLETE_SETTINGS);
    const page = await openPage(host);
    host.saveAsSomebodyElse({ paused: true });
    await page.predecessor.takeOver(page.editor.base.version);
    expect(page.predecessor.taking.error).toMatchObject({ problem: { code: "version_conflict" } });
    expect(page.predecessor.found).toEqual(FOUND);
    page.predecessor.leave();
    await page.load();
    await page.predecessor.takeOver(page.editor.base.version);
    expect(page.predecessor.found).toBeNull();
  });
});
