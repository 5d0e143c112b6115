import type { Frame, Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { GRACE, LINUS } from "../../sandbox/people.js";
import { makeLinkOld, makeLinkUnproved } from "../../sandbox/scene-database.js";
import { SERVICES } from "../../sandbox/world.js";
import { READER, reader } from "../consents.fixture.js";
import {
  ACTIVITY,
  BUILDS,
  deed,
  ME,
  prepareTools,
  readMe,
  RELEASE_NOTES,
} from "./account-services.fixture.js";
import { act } from "./acting.fixture.js";
import { LINK_BUTTON, openAccount, openLinkingWindow } from "./linking.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const scenes = useScenes({ siteCount: 10 });

interface Refusal {
  readonly code: string;
  readonly consentUrl?: string;
  readonly linkUrl?: string;
}

function card(frame: Frame, label: string) {
  return frame.getByRole("listitem").filter({ has: frame.getByRole("heading", { name: label }) });
}

async function focusedText(frame: Frame): Promise<string> {
  return frame.evaluate<string>("document.activeElement.innerText.replace(/\\s+/g, ' ')");
}

/** Whether it can be seen in the product's window without scrolling. */
async function isInView(page: Page, frame: Frame, label: string): Promise<boolean> {
  const box = await card(frame, label).boundingBox();
  const height = page.viewportSize()?.height ?? 0;
  return box !== null && box.y >= 0 && box.y < height / 2;
}

function count(scene: BrowserScene, method: string): number {
  return scene.traffic.requests.filter(
    (request) => request.method === method && request.url.includes("/me/consents/"),
  ).length;
}

describe("a call that is refused for want of consent", () => {
  it(
    "leads to where it takes one click, works, and is refused again when that is taken back",
    scenes.play(async (scene) => {
      const others = [BUILDS, RELEASE_NOTES, { ...BUILDS, label: "Charts", audience: "c".repeat(64) }];
      await scene.prepare({ settings: { services: [SERVICES[0], ...others, READER] } });
      await scene.link(GRACE);
      const refused = (await act(scene)).expect(403).body as Refusal;
      expect(refused.code).toBe("consent_required");

      const page = await scene.context.newPage();
      await page.goto(refused.consentUrl ?? "");
      const frame = await scene.findAppFrame(page);
      await frame.getByText("You were sent here to decide about this tool.").waitFor();
      await expect.poll(() => isInView(page, frame, READER.label)).toBe(true);
      expect(await focusedText(frame)).toContain(READER.label);

      await frame.page().keyboard.press("Tab");
      await frame.page().keyboard.press("Tab");
      expect(await focusedText(frame)).toBe(`Agree for ${READER.label}`);
      await frame.page().keyboard.press("Enter");
      await card(frame, READER.label)
        .getByText(/^You agreed on/)
        .waitFor();
      expect((await act(scene)).status).toBe(200);

      expect(await focusedText(frame)).toBe(`Withdraw consent for ${READER.label}`);
      await frame.page().keyboard.press("Enter");
      await card(frame, READER.label)
        .getByText(/^You withdrew/)
        .waitFor();
      expect((await act(scene)).expect(403).body).toMatchObject({ code: "consent_required" });
      scene.traffic.expectOnlyAppAndHostScript();
    }),
  );

  it(
    "leads there in Confluence too, where the tool is one of Confluence's own",
    scenes.play(async (scene) => {
      const requests = [{ methods: ["GET"], path: "/rest/api/user/current" }];
      const pages = reader({ requests });
      await scene.prepare({ products: ["confluence"], settings: { services: [SERVICES[0], BUILDS, pages] } });
      await scene.link(GRACE, "confluence");
      const call = () => act(scene, { product: "confluence", path: "/rest/api/user/current" });
      const refused = (await call()).expect(403).body as Refusal;
      expect(refused.code).toBe("consent_required");

      const page = await scene.context.newPage();
      await page.goto(refused.consentUrl ?? "");
      const frame = await scene.findAppFrame(page);
      await frame.getByText("You were sent here to decide about this tool.").waitFor();
      expect(await focusedText(frame)).toContain(pages.label);
      expect(await frame.locator("body").innerText()).toContain("Confluence");
      await card(frame, pages.label)
        .getByRole("button", { name: /^Agree/ })
        .click();
      await card(frame, pages.label)
        .getByText(/^You agreed on/)
        .waitFor();
      expect((await call()).status).toBe(200);
    }),
  );

  it(
    "is seen by whom it was done for, once as news, and from then on in the list",
    scenes.play(async (scene) => {
      await scene.prepare({ settings: { services: [SERVICES[0], READER] } });
      await scene.link(GRACE);
      const first = await openAccount(scene);
      await first.getByText(`${GRACE.email} in Cloudflare Access was linked to your account.`).waitFor();
      await first.getByRole("button", { name: /^Agree/ }).click();
      await first.getByText(/^You agreed on/).waitFor();
      (await act(scene)).expect(200);
      await expect.poll(async () => (await readMe(scene)).services[0]?.calls, { timeout: 5_000 }).toBe(1);

      const second = await openAccount(scene);
      await second.getByText("did something in Jira as you for the first time.").waitFor();
      expect(await second.getByText("was linked to your account.").count()).toBe(0);
      await second.getByText(/^Read issues|: Read issues/).waitFor();
      await second.getByText(/once since the app was installed/).waitFor();
      await expect.poll(async () => (await readMe(scene)).news).toEqual([]);

      const third = await openAccount(scene);
      expect(await third.getByText("New since your last visit").count()).toBe(0);
    }),
  );

  it(
    "is told where they just linked another identity, which says of itself that it is linked",
    scenes.play(async (scene) => {
      await scene.prepare({ settings: { services: [SERVICES[0], reader({ consent: "given" })] } });
      await scene.link(GRACE);
      const { frame, popup } = await openLinkingWindow(scene, GRACE, {
        identity: LINUS,
        label: "Link another Access identity",
      });
      (await act(scene)).expect(200);
      await expect.poll(async () => (await readMe(scene)).services[0]?.calls, { timeout: 5_000 }).toBe(1);
      await popup.getByRole("button", LINK_BUTTON).click();

      await frame.getByText("did something in Jira as you for the first time.").waitFor();
      await frame.getByText(`${GRACE.email} in Cloudflare Access was linked to your account.`).waitFor();
      expect(await frame.getByText(`${LINUS.email} in Cloudflare Access was linked`).count()).toBe(0);
      await expect.poll(async () => (await readMe(scene)).news).toEqual([]);
    }),
  );
});

describe("deciding", () => {
  it(
    "isn't undone by the second half of a double click",
    scenes.play(async (scene) => {
      await prepareTools(scene);
      const frame = await openAccount(scene);
      await frame.getByRole("button", { name: "Agree for Builds" }).click();
      await frame.getByText(/^You agreed on/).waitFor();
      const { mouse } = frame.page();
      await mouse.down({ clickCount: 2 });
      await mouse.up({ clickCount: 2 });
      expect(await frame.getByRole("button", { name: "Withdraw consent for Builds" }).isVisible()).toBe(true);
      expect([count(scene, "PUT"), count(scene, "DELETE")]).toEqual([1, 0]);
      expect((await readMe(scene)).services[0]?.standing).toBe("agreed");
    }),
  );

  it(
    "about one tool leaves the others, and what is opened in them, as they are",
    scenes.play(async (scene) => {
      await prepareTools(scene, [BUILDS, RELEASE_NOTES]);
      const frame = await openAccount(scene);
      await card(frame, "Release notes").getByText("The requests in full").click();
      await frame.getByRole("button", { name: "Agree for Builds" }).click();
      await frame.getByText(/^You agreed on/).waitFor();
      expect(await frame.getByText("GET, PUT /rest/api/3/version/**").isVisible()).toBe(true);
      await frame.getByText("An admin gave consent for everybody.").waitFor();
    }),
  );

  it(
    "again, after a change that came between, agrees to what is shown then",
    scenes.play(async (scene) => {
      await prepareTools(scene);
      const me = await readMe(scene);
      const stale = me.services.map((service) => ({ ...service, digest: "0".repeat(64) }));
      const undo = scene.api.reply("GET", ME, { ...me, services: stale });
      const frame = await openAccount(scene);
      undo();
      scene.errors.allowStatus(409);
      await frame.getByRole("button", { name: "Agree for Builds" }).click();
      await frame.getByText("An admin has just changed what it may do").waitFor();
      expect(await focusedText(frame)).toContain("An admin has just changed what it may do");
      expect((await readMe(scene)).services[0]?.standing).toBe("undecided");
      await frame.getByRole("button", { name: "Agree for Builds" }).click();
      await frame.getByText(/^You agreed on/).waitFor();
      expect((await readMe(scene)).services[0]?.standing).toBe("agreed");
    }),
  );
});

describe("a call that is refused because the link wasn't proved", () => {
  it(
    "leads to the link, whose owner confirms it with one click",
    scenes.play(async (scene) => {
      await scene.prepare({ settings: { services: [SERVICES[0], reader({ consent: "given" })] } });
      await scene.link(GRACE);
      await makeLinkUnproved(scene.world, GRACE);
      const refused = (await act(scene)).expect(403).body as Refusal;
      expect(refused.code).toBe("proof_required");

      const page = await scene.context.newPage();
      await page.goto(refused.linkUrl ?? "");
      const frame = await scene.findAppFrame(page);
      await frame.getByText("You were sent here because of this link.").waitFor();
      expect(await focusedText(frame)).toContain(`Is ${GRACE.email} you?`);
      await frame.getByRole("button", { name: /^Yes, this is me/ }).click();
      await frame.getByText("Confirmed by you").waitFor();
      expect(await focusedText(frame)).toBe(GRACE.email);
      expect((await act(scene)).status).toBe(200);
    }),
  );
});

describe("a link that nobody has used for long", () => {
  it(
    "is proved again in the linking window",
    scenes.play(async (scene) => {
      await prepareTools(scene);
      await makeLinkOld(scene.world, GRACE);
      const frame = await openAccount(scene);
      const popup = await scene.openPopup(frame, "Prove it again");
      await scene.signIn(popup, GRACE);
      await popup.getByRole("button", LINK_BUTTON).click();
      await frame.getByRole("heading", { name: "Linked", exact: true }).waitFor();
      expect(await frame.getByText("Prove this link again.").count()).toBe(0);
      expect(await frame.locator("[data-link]").count()).toBe(1);
      expect((await readMe(scene)).links).toMatchObject([{ standing: "proved" }]);
    }),
  );
});

describe("what was done in somebody's name", () => {
  it(
    "comes page by page, and goes on at the first that is new",
    scenes.play(async (scene) => {
      await prepareTools(scene);
      const deeds = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, index) => deed({ milliseconds: 1_000 + from + index }));
      const undo = scene.api.reply("GET", ACTIVITY, { items: deeds(0, 10), nextCursor: "more" });
      const frame = await openAccount(scene);
      undo();
      scene.api.reply("GET", ACTIVITY, { items: deeds(10, 12), nextCursor: null });
      await frame.getByRole("button", { name: "Show more" }).click();
      await frame.getByText("1011 ms").waitFor();
      expect(await focusedText(frame)).toContain("1010 ms");
      expect(await frame.getByRole("button", { name: "Show more" }).count()).toBe(0);
    }),
  );
});
