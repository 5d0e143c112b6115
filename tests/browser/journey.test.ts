import type { Frame, Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { ADA, GRACE, LINUS } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { builds } from "./admin-services.fixture.js";
import { DARK_NARROW, LIGHT_WIDE } from "./look.fixture.js";
import { expectAccessible, expectNoHorizontalScroll } from "./page-checks.fixture.js";
import { passFirstRun } from "./first-run.fixture.js";
import type { BrowserScene, HostPageOptions } from "./scene.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const ADMIN = { module: "admin" } as const;
const LINK = "Link my Access identity";

describe("the main job, click by click", () => {
  // The demo service asks about the site of the first scene.
  const scenes = useScenes({ siteCount: 1 });

  it(
    "from the installation to the removal of a link",
    scenes.play(async (scene) => {
      await scene.install("jira");
      const admin = (await scene.openAppPage(ADA, ADMIN)).frame;
      await setUp(admin, scene);
      await linkByMessage(scene);
      await linkByTyping(scene);

      const demo = await visitDemo(scene);
      await expect.poll(() => textOf(demo)).toContain(`Hello, ${GRACE.email}`);
      expect(await textOf(demo)).toContain(GRACE.accountId);

      await lookAfterLinks(admin);

      const account = (await scene.openAppPage(GRACE)).frame;
      await account.getByRole("button", { name: /^Unlink/ }).click();
      await account.getByRole("button", { name: /^Unlink/ }).click();
      await account.getByText("Unlinked", { exact: true }).waitFor();

      await demo.reload();
      await expect.poll(() => textOf(demo)).toContain("This Access identity isn't linked");
      const token = await scene.world.team.signAccessJwt(GRACE, AUDIENCES.demo);
      const reply = await scene.world.identify(token, { product: "jira", audience: AUDIENCES.demo });
      expect(reply.expect(404).body).toMatchObject({ code: "not_linked" });
      scene.traffic.expectOnlyAppAndHostScript();
    }),
  );
});

async function setUp(admin: Frame, scene: BrowserScene): Promise<void> {
  await passFirstRun(admin, `https://${scene.world.team.domain.toUpperCase()}/`);
  const { teamDomain, services } = await scene.client(ADA).getSettings();
  expect(teamDomain).toBe(scene.world.team.domain);
  expect(services.map(({ audience, purposes }) => [audience, purposes])).toEqual([
    [AUDIENCES.app, ["link"]],
    [AUDIENCES.demo, ["identify"]],
  ]);
}

async function linkByMessage(scene: BrowserScene): Promise<void> {
  const { frame } = await scene.openAppPage(GRACE);
  const popup = await scene.openPopup(frame, LINK);
  await scene.signIn(popup, GRACE);
  await popup.getByRole("heading", { name: "Link these two accounts?" }).waitFor();
  const closed = popup.waitForEvent("close");
  await popup.getByRole("button", { name: "Link", exact: true }).click();
  await frame.getByText("Linked", { exact: true }).waitFor();
  expect(await textOf(frame)).toContain(GRACE.email);
  await closed;
}

/** In a browser of his own: Access knows one person per browser. */
async function linkByTyping(scene: BrowserScene): Promise<void> {
  await scene.context.clearCookies();
  const { frame } = await scene.openAppPage(LINUS, { opener: "cut" });
  const popup = await scene.openPopup(frame, LINK);
  await scene.signIn(popup, LINUS);
  await popup.getByRole("button", { name: "Show me a code to type" }).click();
  const code = (await popup.locator("#link-code").textContent()) ?? "";
  expect(code.trim()).toMatch(/^[A-Z2-7]{10}$/);
  await frame.getByLabel("Code from the window").fill(code.trim().toLowerCase());
  await frame.getByRole("button", { name: "Link with this code" }).click();
  await frame.getByText("Linked", { exact: true }).waitFor();
  expect((await scene.client(LINUS).listLinks()).map(({ email }) => email)).toEqual([LINUS.email]);
  scene.world.team.cutsOpeners = false;
  await scene.context.clearCookies();
}

async function visitDemo(scene: BrowserScene): Promise<Page> {
  const page = await scene.context.newPage();
  await page.goto(scene.world.parts.demoUrl);
  await scene.signIn(page, GRACE);
  return page;
}

async function lookAfterLinks(admin: Frame): Promise<void> {
  await admin
    .getByRole("button", { name: "Links" })
    .or(admin.getByRole("tab", { name: "Links" }))
    .click();
  for (const { name, email } of [GRACE, LINUS]) {
    await admin.getByRole("cell", { name: email, exact: true }).waitFor();
    await admin.getByRole("cell", { name }).first().waitFor();
  }
  await admin
    .getByRole("button", { name: "Audit log" })
    .or(admin.getByRole("tab", { name: "Audit log" }))
    .click();
  await admin
    .getByText(/Grace Green.* linked/)
    .first()
    .waitFor();
}

describe("a page with an API that takes 200 ms", () => {
  const PAGES: readonly (HostPageOptions & { readonly module: "admin" | "account" })[] = [
    { module: "admin" },
    { module: "account" },
    { module: "admin", product: "confluence" },
    { module: "account", product: "confluence" },
  ];
  const MAX_TRIES = 8;
  const scenes = useScenes({ siteCount: PAGES.length });

  it.each(PAGES)(
    "is usable within a second of its shell, and nothing in it moves by itself: $module",
    async (options) =>
      scenes.play(async (scene) => {
        const { product = "jira" } = options;
        const services = product === "jira" ? [SERVICES[0], builds()] : SERVICES;
        await scene.prepare({ products: [product], settings: { services } });
        // Not by what comes between browser and app in other tests: that switches the browser's cache off.
        await scene.context.unrouteAll();
        await scene.context.addInitScript(SLOW_API);
        // Until one goes well: others may be busy on this machine, and what is asked is what the page itself needs.
        const tries: { readonly usableAfterMs: number; readonly moved: readonly string[] }[] = [];
        const isGood = ({ usableAfterMs, moved }: (typeof tries)[number]) =>
          usableAfterMs < 1000 && moved.length === 0;
        while (tries.length < MAX_TRIES && !tries.some(isGood)) {
          const { page, frame, usableAfterMs } = await scene.openAppPage(ADA, options);
          const shown =
            options.module === "admin" ? frame.getByLabel("Team domain") : frame.getByText(ADA.name);
          expect(await shown.isVisible()).toBe(true);
          tries.push({ usableAfterMs, moved: await frame.evaluate<string[]>(LAYOUT_SHIFTS) });
          await page.close();
        }
        expect(tries.some(isGood), JSON.stringify(tries, null, 2)).toBe(true);
      })(),
  );
});

describe("a page on a wide screen", () => {
  const scenes = useScenes({ siteCount: 2 });

  it.each(["admin", "account"] as const)("fits into 1600 pixels: %s", async (module) =>
    scenes.play(
      async (scene) => {
        await scene.prepare();
        const { frame } = await scene.openAppPage(ADA, { module });
        await expectNoHorizontalScroll(frame);
        await expectAccessible(frame);
      },
      { ...LIGHT_WIDE, width: 1600 },
    )(),
  );
});

describe("a refusal", () => {
  const scenes = useScenes({ siteCount: 2 });

  it.each([
    ["light and wide", undefined],
    ["dark and narrow", DARK_NARROW],
  ])("is readable in the product's frame, %s", async (_, look) =>
    scenes.play(async (scene) => {
      await scene.prepare();
      scene.errors.allowStatus(403);
      const { frame } = await scene.openAppPage(GRACE, ADMIN);
      await frame.getByRole("heading", { name: "Only admins of the product may do this" }).waitFor();
      await expectAccessible(frame);
    }, look)(),
  );
});

const SLOW_API = `{
  const fetchNow = window.fetch;
  window.fetch = async (...request) => {
    if (new URL(request[0], location.href).pathname.startsWith("/api/")) await new Promise((resolve) => setTimeout(resolve, 200));
    return fetchNow(...request);
  };
}`;

/** What of the page has moved by itself since it was opened (https://web.dev/articles/cls). */
const LAYOUT_SHIFTS = `new Promise((resolve) => {
  const moved = [];
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, sources } of list.getEntries()) {
      if (!hadRecentInput) moved.push(...sources.map(({ node }) => (node?.outerHTML ?? "").slice(0, 200)));
    }
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(moved), 300);
})`;

async function textOf(view: Page | Frame): Promise<string> {
  return view.evaluate<string>("document.body.innerText");
}
