import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { AdminPage } from "./admin-page.js";
import {
  AUDIENCES,
  COMPLETE_SETTINGS,
  createGate,
  createParts,
  FakeHost,
  LINK_SERVICE,
} from "./fake-admin.fixture.js";
import { FRESH_SETTINGS } from "../../src/services/settings.js";

const CHECK = "/api/v1/settings/check";
const POPUP_CHECK = "/api/v1/settings/popup-check";

const render = vi.hoisted(() => vi.fn());
vi.mock("lit-html", async (original) => ({ ...(await original<typeof import("lit-html")>()), render }));

beforeEach(() => {
  vi.stubGlobal("document", { activeElement: null, getElementById: () => null });
  vi.stubGlobal("window", { addEventListener: () => undefined });
  render.mockClear();
});

type Gate = Pick<ReturnType<typeof createGate>, "fail">;

function createPage(host: FakeHost) {
  const root = { replaceChildren: () => undefined } as unknown as HTMLElement;
  return new AdminPage({ root, api: createParts(host).api, host, product: "jira" });
}

async function openPage(host: FakeHost) {
  const page = createPage(host);
  await page.start();
  return page;
}

/** Everything that has nothing to wait for has happened. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Team entered, in the second step. */
function openSecondStep(host = new FakeHost({ ...COMPLETE_SETTINGS, services: [] })) {
  return openPage(host);
}

function firstRunOf(page: AdminPage) {
  if (!page.firstRun) throw new Error("The first run is over.");
  return page.firstRun;
}

describe("opening", () => {
  const SETTINGS = "/api/v1/settings";
  const SERVICES = "/api/v1/services";

  it("asks for settings and services at once, and shows neither without the other", async () => {
    const host = new FakeHost(COMPLETE_SETTINGS);
    const gates = { settings: createGate(), services: createGate() };
    host.gates.set(`GET ${SETTINGS}`, gates.settings.passed).set(`GET ${SERVICES}`, gates.services.passed);
    const page = createPage(host);
    const opening = page.start();
    await vi.waitFor(() =>
      expect([host.count("GET", SETTINGS), host.count("GET", SERVICES)]).toEqual([1, 1]),
    );
    gates.settings.open();
    await nextTurn();
    expect(page.isReady).toBe(false);
    gates.services.open();
    await opening;
    expect([page.isReady, page.overviews.loading.result]).toEqual([true, { items: [], nextCursor: null }]);
    expect(host.count("GET", SERVICES)).toBe(1);
  });

  it.each([
    ["are refused", (gate: Gate) => gate.fail(new Error("No."))],
    ["are late", () => void vi.advanceTimersByTime(100)],
  ])("shows the settings also when the services %s", async (_what, happen) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const host = new FakeHost(COMPLETE_SETTINGS);
    const gate = createGate();
    host.gates.set(`GET ${SERVICES}`, gate.passed);
    const page = createPage(host);
    const opening = page.start();
    await vi.advanceTimersByTimeAsync(2_900);
    expect(page.isReady).toBe(false);
    happen(gate);
    await opening;
    expect([page.isReady, page.overviews.loading.error !== null]).toEqual([true, true]);
  });

  it("doesn't keep the first run waiting for services", async () => {
    const host = new FakeHost(FRESH_SETTINGS);
    host.gates.set(`GET ${SERVICES}`, new Promise(() => undefined));
    expect((await openPage(host)).firstRun).not.toBeNull();
  });

  it("fetches the other sections by itself, and what they list once they are shown", async () => {
    const host = new FakeHost(COMPLETE_SETTINGS);
    const page = await openPage(host);
    page.show("audit");
    await vi.waitFor(() => expect(page.later.result).not.toBeNull(), 5_000);
    await vi.waitFor(() => expect(page.audit.pages.isLoaded).toBe(true));
    expect(page.links.pages.isLoaded).toBe(false);
  });
});

describe("saving", () => {
  it("looks again at the team, the linking window and my own links", async () => {
    const host = new FakeHost(COMPLETE_SETTINGS);
    const page = await openPage(host);
    expect([host.count("POST", CHECK), host.count("POST", POPUP_CHECK)]).toEqual([0, 1]);
    page.editor.edit({ emailDomains: "acme.example" });
    expect(await page.save()).toBe(true);
    await vi.waitFor(() =>
      expect([
        host.count("POST", CHECK),
        host.count("POST", POPUP_CHECK),
        host.count("GET", "/api/v1/me"),
      ]).toEqual([1, 2, 2]),
    );
  });

  it("looks at the linking window also when nothing is left to link through", async () => {
    const host = new FakeHost(COMPLETE_SETTINGS);
    const page = await openPage(host);
    const [service] = page.editor.draft.services;
    if (service) page.editor.removeService(service);
    await page.save();
    await vi.waitFor(() => expect(host.count("POST", POPUP_CHECK)).toBe(2));
  });

  it.each([
    ["ends an attempt to link when the team changes", "other.cloudflareaccess.com", 1],
    ["leaves an attempt to link alone otherwise", "acme.cloudflareaccess.com", 0],
  ])("%s", async (_name, teamDomain, cancels) => {
    const page = await openPage(new FakeHost(COMPLETE_SETTINGS));
    const cancel = vi.spyOn(page.linking, "cancel");
    page.editor.edit({ teamDomain, emailDomains: "acme.example" });
    await page.save();
    expect(cancel).toHaveBeenCalledTimes(cancels);
  });

  it("looks at nothing when it was refused", async () => {
    const host = new FakeHost(COMPLETE_SETTINGS);
    const page = await openPage(host);
    host.refusal = [{ field: "teamDomain", detail: "No." }];
    page.editor.edit({ teamDomain: "no" });
    expect(await page.save()).toBe(false);
    expect([host.count("POST", CHECK), host.count("POST", POPUP_CHECK)]).toEqual([0, 1]);
  });
});

describe("the first run", () => {
  it("begins without a change of its own", async () => {
    const page = await openPage(new FakeHost(FRESH_SETTINGS));
    expect(page.editor.draft.services).toEqual([]);
    expect(firstRunOf(page).openStep).toBe(1);
  });

  it("waits for the team's keys before the second step, and is busy until then", async () => {
    const host = new FakeHost(FRESH_SETTINGS);
    const page = await openPage(host);
    const gate = createGate();
    host.gates.set(`POST ${CHECK}`, gate.passed);
    page.editor.edit({ teamDomain: "acme.cloudflareaccess.com" });
    const saving = firstRunOf(page).saveTeam();
    await vi.waitFor(() => expect(host.count("POST", CHECK)).toBe(1));
    expect(firstRunOf(page)).toMatchObject({ isBusy: true, openStep: 1 });
    gate.open();
    await saving;
    expect(firstRunOf(page)).toMatchObject({ isBusy: false, openStep: 2 });
  });

  it("keeps what is typed into the second step while it is saved", async () => {
    const host = new FakeHost({ ...COMPLETE_SETTINGS, services: [] });
    const page = await openSecondStep(host);
    const firstRun = firstRunOf(page);
    const gate = createGate();
    host.gates.set("PUT /api/v1/settings", gate.passed);
    firstRun.editLink({ audience: AUDIENCES.link });
    const saving = firstRun.saveServices();
    firstRun.editTool({ label: "Wiki" });
    firstRun.editTool({ audience: AUDIENCES.tool });
    gate.open();
    await saving;
    expect(firstRun.link).toMatchObject({ id: "id-1", audience: AUDIENCES.link });
    expect(firstRun.tool).toMatchObject({ label: "Wiki", audience: AUDIENCES.tool });
    expect(firstRun.openStep).toBe(2);
    firstRun.editLink({ label: "Renamed" });
    await firstRun.saveServices();
    expect(host.settings.services).toMatchObject([
      { id: "id-1", label: "Renamed", purposes: ["link"] },
      { label: "Wiki", audience: AUDIENCES.tool, purposes: ["identify"] },
    ]);
    expect(firstRun.openStep).toBe(3);
  });

  it("takes what is typed after it was saved, before anything else is known", async () => {
    const host = new FakeHost({ ...COMPLETE_SETTINGS, services: [] });
    const page = await openSecondStep(host);
    const firstRun = firstRunOf(page);
    host.gates.set(`POST ${CHECK}`, new Promise(() => undefined));
    firstRun.editLink({ audience: AUDIENCES.link });
    await firstRun.saveServices();
    expect(firstRun.link).toMatchObject({ id: "id-1", audience: AUDIENCES.link });
    firstRun.editLink({ audience: AUDIENCES.other });
    expect(page.editor.draft.services).toMatchObject([{ id: "id-1", audience: AUDIENCES.other }]);
  });

  it("takes what is typed after a conflict was left", async () => {
    const host = new FakeHost({ ...COMPLETE_SETTINGS, services: [] });
    const page = await openSecondStep(host);
    firstRunOf(page).editLink({ audience: AUDIENCES.link });
    host.saveAsSomebodyElse({ services: [{ ...LINK_SERVICE, id: "theirs", audience: AUDIENCES.other }] });
    await firstRunOf(page).saveServices();
    expect(page.editor.conflict?.differences).toMatchObject([{ field: "audience" }]);
    expect(await page.saveConflict()).toBe(true);
    expect(host.settings.services).toMatchObject([{ id: "theirs", audience: AUDIENCES.link }]);
    firstRunOf(page).editLink({ audience: AUDIENCES.tool });
    expect(firstRunOf(page).link).toMatchObject({ id: "theirs", audience: AUDIENCES.tool });
  });

  it("draws the settings when it is finished, and ends an attempt to link", async () => {
    const page = await openPage(new FakeHost(FRESH_SETTINGS));
    const cancel = vi.spyOn(page.linking, "cancel").mockImplementation(() => undefined);
    vi.spyOn(page.editor, "dropUnusedOffers").mockImplementation(() => undefined);
    render.mockClear();
    page.finishFirstRun();
    expect(render).toHaveBeenCalled();
    expect(cancel).toHaveBeenCalled();
  });
});
