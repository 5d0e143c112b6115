import type { Frame } from "playwright-core";
import { describe, expect, it } from "vitest";

import { ADA, GRACE } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import type { Me } from "../../public/types.js";
import { PRODUCTS, type Product } from "../../src/tenants/tenant.js";
import { READER } from "../consents.fixture.js";
import { ME } from "./account-services.fixture.js";
import { act } from "./acting.fixture.js";
import { passFirstRun } from "./first-run.fixture.js";
import { ForgeScene } from "./forge-scene.fixture.js";
import { CODE_LABEL, LINK_LABEL, readCode } from "./linking.fixture.js";
import { DARK_NARROW, LIGHT_WIDE, type Look } from "./look.fixture.js";
import { expectAccessible, expectNoHorizontalScroll } from "./page-checks.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const scenes = useScenes({ siteCount: 9, hasForge: true });

const playThroughForge = (test: (forge: ForgeScene) => Promise<void>, look?: Look) =>
  scenes.play((scene) => test(new ForgeScene(scene)), look);

const ACCOUNT_ID = { accountId: GRACE.accountId };

describe("the main job through Forge, click by click", () => {
  it(
    "from the installation to a consent that is taken back",
    playThroughForge(async (forge) => {
      (await forge.site.install()).expect(204);
      await setUp(forge);
      await link(forge);
      expect((await identify(forge)).expect(200).body).toMatchObject(ACCOUNT_ID);

      await forge.client(ADA).saveSettings({ services: [SERVICES[0], READER] });
      const agreed = await agree(forge);
      (await act(forge)).expect(200);
      await lookBack(forge);
      await withdraw(agreed);
      expect((await act(forge)).expect(403).body).toMatchObject({ code: "consent_required" });
      expectFilesOnly(forge);
    }),
  );
});

async function setUp(forge: ForgeScene): Promise<void> {
  const { frame } = await forge.openAppPage(ADA, { page: "admin" });
  await passFirstRun(frame, forge.world.team.domain);
  await expect
    .poll(async () => (await forge.client(ADA).getSettings()).services.map(({ audience }) => audience))
    .toEqual([AUDIENCES.app, AUDIENCES.demo]);
}

/** In a tab that knows nothing of the page, with the code that it shows. */
async function link(forge: ForgeScene): Promise<void> {
  const { frame } = await forge.openAppPage(GRACE);
  const tab = await forge.openTab(frame, LINK_LABEL);
  await forge.scene.signIn(tab, GRACE);
  expect(await tab.evaluate("window.opener")).toBeNull();
  await tab.getByRole("button", { name: CODE_LABEL }).click();
  await tab.locator("#link-code").waitFor();
  await typeCode(frame, "AAAAAAAAAA");
  await frame.getByText("This isn’t the code that the tab shows now.").waitFor();
  await typeCode(frame, (await readCode(tab)).trim().toLowerCase());
  await frame.getByText("Linked", { exact: true }).waitFor();
  expect(await frame.locator("main").innerText()).toContain(GRACE.email);
}

async function typeCode(frame: Frame, code: string): Promise<void> {
  await frame.getByLabel("Code from the tab").fill(code);
  await frame.getByRole("button", { name: "Link with this code" }).click();
}

async function identify({ world, site }: ForgeScene) {
  const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  return world.parts.client.send({
    caller: "Demo service",
    method: "GET",
    url: `${world.appUrl}/api/v1/sites/${site.host}/identity?product=jira`,
    headers: { authorization: `Bearer ${token}` },
  });
}

/** Where the service's refusal leads. */
async function agree(forge: ForgeScene): Promise<Frame> {
  const refused = (await act(forge)).expect(403).body as { code: string; consentUrl: string };
  expect(refused.code).toBe("consent_required");
  const { frame } = await forge.open(refused.consentUrl);
  await frame.getByText("You were sent here to decide about this tool.").waitFor();
  await frame.getByRole("button", { name: /^Agree/ }).click();
  await frame.getByText(/^You agreed on/).waitFor();
  return frame;
}

/** She sees what was done in her name, and Ada sees the link. */
async function lookBack(forge: ForgeScene): Promise<void> {
  const isCounted = async () => {
    const me = (await forge.client(GRACE).send("GET", ME)).expect(200).body as Me;
    return me.services[0]?.calls;
  };
  await expect.poll(isCounted).toBe(1);
  const { frame } = await forge.openAppPage(GRACE);
  await frame.getByText("did something in Jira as you for the first time.").waitFor();
  await lookAtLinks(forge, "jira");
}

async function lookAtLinks(forge: ForgeScene, product: Product): Promise<void> {
  const { frame } = await forge.openAppPage(ADA, { page: "admin", product });
  await frame.getByRole("button", { name: "Links" }).click();
  await frame.getByRole("cell", { name: GRACE.email, exact: true }).waitFor();
  await frame.getByRole("cell", { name: GRACE.name }).first().waitFor();
}

async function withdraw(frame: Frame): Promise<void> {
  await frame.getByRole("button", { name: /^Withdraw/ }).click();
  await frame.getByText(/^You withdrew/).waitFor();
}

/** The app's pages load their own files; all the rest goes through Forge. */
function expectFilesOnly({ scene, site }: ForgeScene): void {
  const { url } = site.deployment;
  const fromFrames = scene.traffic.requests.filter(({ frameUrl }) => frameUrl.startsWith(url));
  expect(fromFrames.length).toBeGreaterThan(0);
  expect(fromFrames.filter((request) => !request.url.startsWith(url))).toEqual([]);
}

describe("a page in Forge's frame", () => {
  it(
    "opens no window, fetches nothing and leads the product nowhere, and needn't",
    playThroughForge(async (forge) => {
      await forge.prepare();
      forge.scene.errors.allow(/Content Security Policy|sandboxed|Failed to fetch/);
      const { page, frame } = await forge.openAppPage(GRACE);
      const attempts = [
        `window.open("about:blank", "_blank", "popup") === null`,
        `fetch("${forge.world.appUrl}/api/v1/me").then(() => false, () => true)`,
        `fetch("${forge.site.url}/").then(() => false, () => true)`,
        `(() => { try { top.location.href = "${forge.world.appUrl}/problems"; return false; } catch { return true; } })()`,
      ];
      for (const attempt of attempts) expect(await frame.evaluate(attempt), attempt).toBe(true);
      expect(page.url()).toContain(forge.site.url);
      expectFilesOnly(forge);
    }),
  );

  it.each(PRODUCTS)("tells admins of %s who the accounts are", async (product) =>
    playThroughForge(async (forge) => {
      await forge.prepare();
      await forge.world.linkByCode(GRACE, product, forge.site);
      await lookAtLinks(forge, product);
      expectFilesOnly(forge);
    })(),
  );

  it(
    "refuses those who don't administer the product, in words",
    playThroughForge(async (forge) => {
      await forge.prepare();
      const { frame } = await forge.openAppPage(GRACE, { page: "admin" });
      await frame.getByRole("heading", { name: "You don’t administer Jira" }).first().waitFor();
      await expectAccessible(frame);
    }),
  );

  it(
    "wears the product's colours, and changes them with the product",
    playThroughForge(async (forge) => {
      await forge.prepare();
      const { page, frame } = await forge.openAppPage(GRACE);
      const look = () =>
        frame.evaluate<unknown>(`(() => {
          const root = document.documentElement;
          const surface = getComputedStyle(root).getPropertyValue("--ds-surface").toLowerCase();
          return [root.dataset.colorMode, surface, getComputedStyle(document.body).backgroundColor];
        })()`);
      expect(await look()).toEqual(["light", "#ffffff", "rgb(255, 255, 255)"]);
      await page.getByRole("link", { name: "Dark" }).click();
      await expect.poll(look).toEqual(["dark", "#1d2125", "rgb(29, 33, 37)"]);
    }),
  );

  it(
    "leads to an address that the manifest doesn't name only if whoever looks agrees",
    playThroughForge(async (forge) => {
      await forge.prepare();
      await forge.world.linkByCode(GRACE, "jira", forge.site);
      const { page, frame } = await forge.openAppPage(GRACE);
      const link = frame.getByRole("link", { name: /^Sign out of Access/ });
      const asked: string[] = [];
      page.once("dialog", (dialog) => {
        asked.push(dialog.message());
        void dialog.dismiss();
      });
      await link.click();
      await expect.poll(() => asked).toEqual([expect.stringContaining(forge.world.team.url)]);
      expect(forge.scene.context.pages()).toEqual([page]);

      page.once("dialog", (dialog) => void dialog.accept());
      const [tab] = await Promise.all([forge.scene.context.waitForEvent("page"), link.click()]);
      expect(new URL(tab.url()).origin).toBe(forge.world.team.url);
    }),
  );

  it.each([LIGHT_WIDE, DARK_NARROW])("fits and is readable, $theme at $width pixels", async (look) =>
    playThroughForge(async (forge) => {
      (await forge.site.install()).expect(204);
      const admin = (await forge.openAppPage(ADA, { page: "admin" })).frame;
      await inspect(admin);
      await forge.enterSettings("jira", { services: [SERVICES[0], READER] });
      await inspect((await forge.openAppPage(ADA, { page: "admin" })).frame);

      const account = (await forge.openAppPage(GRACE)).frame;
      await inspect(account);
      await forge.openTab(account, LINK_LABEL);
      await account.getByLabel("Code from the tab").waitFor();
      await inspect(account);
      await forge.world.linkByCode(GRACE, "jira", forge.site);
      await inspect((await forge.openAppPage(GRACE)).frame);
    }, look)(),
  );
});

async function inspect(frame: Frame): Promise<void> {
  await expectAccessible(frame);
  await expectNoHorizontalScroll(frame);
  await expectNoHorizontalScroll(frame.page());
}
