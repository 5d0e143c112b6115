import type { Frame, Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { ADA, GRACE, LINUS } from "../../sandbox/people.js";
import {
  CODE_LABEL,
  decline,
  LINK_BUTTON,
  LINK_LABEL,
  openAccount,
  openLinkingWindow,
  openWindow,
  readCode,
  typeCode,
} from "./linking.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const scenes = useScenes({ siteCount: 27 });

async function expectLinked(frame: Frame): Promise<void> {
  await frame.getByRole("heading", { name: "Linked", exact: true }).waitFor();
}

async function listEmails(scene: BrowserScene): Promise<string[]> {
  return (await scene.client(GRACE).listLinks()).map(({ email }) => email);
}

/** What the linking window posts to whoever opened it, as a window of somebody else's could. */
function sendCode(
  window: Page | Frame,
  attempt: string,
  code: string,
  target = "window.opener",
): Promise<void> {
  const message = JSON.stringify({ type: "access-link/code", attempt, code });
  return window.evaluate(`${target}.postMessage(${message}, "*")`);
}

function attemptOf(popup: Page): string {
  return new URL(popup.url()).pathname.split("/").pop() ?? "";
}

/** The code for the opener, taken from the window's own hands. */
async function claimInWindow(popup: Page): Promise<string> {
  return popup.evaluate<string>(
    `fetch(location.href, { method: "POST", headers: { accept: "application/json" } })
      .then((answer) => answer.json())
      .then(({ code }) => code)`,
  );
}

/** A listener after the page's own: what it has heard, the page has judged. */
async function hearMessages(frame: Frame): Promise<void> {
  await frame.evaluate(
    `globalThis.heard = 0;
    window.addEventListener("message", ({ data }) => {
      if (data?.type === "access-link/code") heard += 1;
    })`,
  );
}

/** The page has handled that many messages with a code, and didn't act on any. */
async function expectIgnored(scene: BrowserScene, frame: Frame, count: number): Promise<void> {
  await expect.poll(() => frame.evaluate("heard"), { timeout: 5_000 }).toBe(count);
  // It would say "Linking …" before it asks for the token that it sends a code with.
  expect(await frame.getByRole("button", { name: "Show the window" }).isVisible()).toBe(true);
  expectNoCodeSent(scene);
}

function expectNoCodeSent(scene: BrowserScene): void {
  const sent = scene.traffic.requests.filter(
    ({ method, url }) => method === "POST" && new URL(url).pathname === "/api/v1/me/links",
  );
  expect(sent).toEqual([]);
}

describe("linking with the window's message", () => {
  it(
    "takes one click: both windows say so, and the linking window closes",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      const closed = popup.waitForEvent("close");
      await popup.getByRole("button", LINK_BUTTON).click();
      await popup.getByRole("heading", { name: "Linked" }).waitFor();
      await expectLinked(frame);
      await frame.getByText("You, signed in on both sides").waitFor();
      expect(await listEmails(scene)).toEqual([GRACE.email]);
      await closed;
      scene.traffic.expectOnlyAppAndHostScript();
    }),
  );

  it(
    "works in Confluence, too",
    scenes.play(async (scene) => {
      await scene.prepare({ products: ["confluence"] });
      const { frame, popup } = await openLinkingWindow(scene, GRACE, { product: "confluence" });
      await popup.getByRole("button", LINK_BUTTON).click();
      await expectLinked(frame);
    }),
  );

  it(
    "never shows a code to type when the page has taken the message",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      const release = scene.api.hold("POST", "/api/v1/me/links");
      await popup.getByRole("button", LINK_BUTTON).click();
      await frame.getByRole("button", { name: "Linking …" }).waitFor();
      await popup.waitForTimeout(1_500);
      expect(await popup.locator("#link-code").count()).toBe(0);
      expect(await popup.getByRole("button", { name: "Linking …" }).isVisible()).toBe(true);
      release();
      await expectLinked(frame);
    }),
  );

  it(
    "opens one window only: a second click brings the first one back",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame } = await openLinkingWindow(scene);
      const pages = scene.context.pages().length;
      await frame.getByRole("button", { name: "Show the window" }).click();
      await frame.getByRole("button", { name: "Show the window" }).click();
      expect(scene.context.pages()).toHaveLength(pages);
    }),
  );

  it(
    "is over with Cancel, which closes the window",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      const closed = popup.waitForEvent("close");
      await frame.getByRole("button", { name: "Cancel" }).click();
      await closed;
      await frame.getByRole("button", { name: LINK_LABEL }).waitFor();
      expect(await frame.getByLabel("Code from the window").count()).toBe(0);
      expect(await frame.evaluate("document.activeElement.textContent.trim()")).toBe(LINK_LABEL);
    }),
  );

  it(
    "can be started again while the window is open",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup: first } = await openLinkingWindow(scene);
      const closed = first.waitForEvent("close");
      const popup = await openWindow(scene, frame, "Start again");
      await closed;
      await popup.getByRole("button", LINK_BUTTON).click();
      await expectLinked(frame);
    }),
  );

  it(
    "is over, with nothing linked, when somebody declines in the window",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      await decline(popup);
      await frame.getByText("Nothing was linked.").waitFor();
      expect(await frame.getByRole("button", { name: LINK_LABEL }).isVisible()).toBe(true);
      expectNoCodeSent(scene);
    }),
  );

  it(
    "adds a second identity to the same account",
    scenes.play(async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      const { frame, popup } = await openLinkingWindow(scene, GRACE, {
        identity: LINUS,
        label: "Link another Access identity",
      });
      await popup.getByRole("button", LINK_BUTTON).click();
      await expectLinked(frame);
      expect(await listEmails(scene)).toEqual([GRACE.email, LINUS.email]);
    }),
  );

  it(
    "goes on after the other account's link is removed in the window",
    scenes.play(async (scene) => {
      await scene.prepare();
      await scene.link(LINUS, "jira", GRACE);
      const { frame, popup } = await openLinkingWindow(scene);
      await popup.getByText("Remove the other link …").click();
      await popup.getByRole("button", { name: "Yes, remove it" }).click();
      await popup.getByText("The other link was removed. Nothing new is linked yet.").waitFor();
      await popup.getByRole("button", LINK_BUTTON).click();
      await expectLinked(frame);
      expect(await scene.client(LINUS).listLinks()).toEqual([]);
    }),
  );
});

describe("linking with a typed code", () => {
  it(
    "is the way when the login page cuts the window off from its opener",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene, GRACE, { opener: "cut" });
      expect(await popup.evaluate("window.opener")).toBe(null);
      await frame.getByText("The window is closed, or can’t reach this page any more").waitFor();
      await popup.getByRole("button", { name: CODE_LABEL }).click();
      await popup.locator("#link-code").waitFor();
      await typeCode(frame, (await readCode(popup)).toLowerCase());
      await expectLinked(frame);
      expect(await listEmails(scene)).toEqual([GRACE.email]);
    }),
  );

  it(
    "is the way when the opener stays silent",
    scenes.play(async (scene) => {
      await scene.prepare();
      const frame = await openAccount(scene);
      await frame.evaluate(
        `window.addEventListener("message", (event) => {
          if (event.data?.type === "access-link/code") event.stopImmediatePropagation();
        })`,
      );
      const popup = await openWindow(scene, frame);
      await scene.signIn(popup, GRACE);
      await popup.getByRole("button", LINK_BUTTON).click();
      await popup.locator("#link-code").waitFor();
      expect(await frame.getByText("Only if the window shows you one.").isVisible()).toBe(true);
      const closed = popup.waitForEvent("close");
      await typeCode(frame, await readCode(popup));
      await expectLinked(frame);
      await closed;
      expect(await frame.evaluate("document.activeElement.textContent.trim()")).toBe(
        "Link another Access identity",
      );
    }),
  );

  it(
    "says when the code is wrong, and takes the right one afterwards",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(422);
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene, GRACE, { opener: "cut" });
      await popup.getByRole("button", { name: CODE_LABEL }).click();
      await popup.locator("#link-code").waitFor();
      await typeCode(frame, "");
      await frame.getByText("Type the code that the window shows.").waitFor();
      await typeCode(frame, "ABCDEFGHIJ");
      await frame.getByText("This isn’t the code that the window shows now.").waitFor();
      expect(await frame.evaluate("document.activeElement.id")).toBe("typed-code");
      await typeCode(frame, await readCode(popup));
      await expectLinked(frame);
    }),
  );

  it(
    "ends with the fifth wrong code, and can be started again",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(422, 410);
      await scene.prepare();
      const { frame } = await openLinkingWindow(scene);
      for (const wrong of ["AAAAAAAAAA", "BBBBBBBBBB", "CCCCCCCCCC", "DDDDDDDDDD", "EEEEEEEEEE"]) {
        await typeCode(frame, wrong);
        await frame.locator("#typed-code-error:not(:empty)").waitFor();
        await frame
          .getByRole("button", { name: "Link with this code" })
          .and(frame.locator("[aria-disabled=false]"))
          .waitFor();
      }
      await typeCode(frame, "FFFFFFFFFF");
      await frame.getByText("This attempt to link is over").waitFor();
      const popup = await openWindow(scene, frame, "Start again");
      await popup.getByRole("button", LINK_BUTTON).click();
      await expectLinked(frame);
    }),
  );
});

it(
  "is over after five minutes, and says so",
  scenes.play(async (scene) => {
    await scene.prepare();
    const frame = await openAccount(scene);
    await frame.page().clock.install();
    await openWindow(scene, frame);
    await frame.page().clock.fastForward("05:01");
    await frame.getByText("The five minutes are over").waitFor();
    expect(await frame.getByRole("button", { name: "Start again" }).isVisible()).toBe(true);
  }),
);

it(
  "tries again with the same code after the app gave no answer",
  scenes.play(async (scene) => {
    await scene.prepare();
    const { frame, popup } = await openLinkingWindow(scene, GRACE, { opener: "cut" });
    await popup.getByRole("button", { name: CODE_LABEL }).click();
    await popup.locator("#link-code").waitFor();
    const restore = scene.api.cut("POST", "/api/v1/me/links");
    await typeCode(frame, await readCode(popup));
    await frame.getByText("The app can’t be reached").waitFor();
    restore();
    await frame.getByRole("button", { name: "Link with this code" }).click();
    await expectLinked(frame);
  }),
);

it(
  "opens the window with a second click where the browser blocked the first",
  scenes.play(async (scene) => {
    await scene.prepare();
    const frame = await openAccount(scene);
    await frame.evaluate("globalThis.reallyOpen = window.open; window.open = () => null");
    await frame.getByRole("button", { name: LINK_LABEL }).click();
    await frame.getByText("Your browser kept the window from opening").waitFor();
    await frame.evaluate("window.open = globalThis.reallyOpen");
    const popup = await openWindow(scene, frame, "Open the window");
    await scene.signIn(popup, GRACE);
    await popup.getByRole("button", LINK_BUTTON).click();
    await expectLinked(frame);
  }),
);

it(
  "comes back to the window after signing in again in mid-flight, and links",
  scenes.play(async (scene) => {
    scene.errors.allowStatus(401);
    await scene.prepare();
    const { frame, popup } = await openLinkingWindow(scene);
    const isOurs = ({ name }: { name: string }) => name.startsWith("__Host-link-");
    const kept = (await scene.context.cookies()).filter(isOurs);
    await scene.context.clearCookies();
    await scene.context.addCookies(kept);
    await popup.getByRole("button", LINK_BUTTON).click();
    await popup.getByRole("link", { name: "Sign in again" }).click();
    await popup.waitForURL(/\/cdn-cgi\/access\/login\//);
    await scene.signIn(popup, GRACE);
    await popup.getByRole("button", LINK_BUTTON).click();
    await expectLinked(frame);
  }),
);

describe("the page ignores a code", () => {
  it(
    "from a window that it didn't open, though of its own origin, and from itself",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      const attempt = attemptOf(popup);
      const code = await claimInWindow(popup);
      const [stranger] = await Promise.all([
        scene.context.waitForEvent("page"),
        frame.evaluate(`void window.open("${scene.world.appUrl}/problems")`),
      ]);
      await stranger.waitForLoadState();
      await hearMessages(frame);
      await sendCode(stranger, attempt, code);
      await sendCode(frame, attempt, code, "window");
      await expectIgnored(scene, frame, 2);
      await sendCode(popup, attempt, code);
      await expectLinked(frame);
    }),
  );

  it(
    "from the linking window while another origin's page is in it",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      const attempt = attemptOf(popup);
      const code = await claimInWindow(popup);
      await hearMessages(frame);
      scene.errors.allowStatus(404);
      await popup.evaluate(`location.href = "${scene.world.team.url}/nothing"`);
      await popup.waitForURL(/\/nothing$/);
      await sendCode(popup, attempt, code);
      await expectIgnored(scene, frame, 1);
    }),
  );

  it(
    "for another attempt",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      const code = await claimInWindow(popup);
      await hearMessages(frame);
      await sendCode(popup, "another-attempt", code);
      await expectIgnored(scene, frame, 1);
    }),
  );
});

it(
  "the linking window gives its code to no other origin's page, and believes none that says it has it",
  scenes.play(async (scene) => {
    scene.errors.allow(/postMessage/);
    await scene.prepare();
    const attempt = await scene.client(GRACE).beginLink();
    // This browser has the tie to the attempt; but the window is then opened by somebody else.
    await scene.signIn(await scene.openBarePopup(attempt), GRACE);
    const stranger = await scene.context.newPage();
    await stranger.goto(scene.site.url);
    const url = `${scene.world.appUrl}/access/link/${attempt.id}`;
    const lie = JSON.stringify({ type: "access-link/received", attempt: attempt.id });
    const [popup] = await Promise.all([
      scene.context.waitForEvent("page"),
      stranger.evaluate(`{
        globalThis.heard = [];
        window.addEventListener("message", ({ data }) => heard.push(data));
        const popup = window.open("${url}");
        setInterval(() => popup.postMessage(${lie}, "*"), 50);
      }`),
    ]);
    await popup.waitForLoadState();
    expect(await popup.evaluate("window.opener !== null")).toBe(true);
    expect(await popup.locator("form[data-tied=true]").count()).toBe(1);
    await popup.getByRole("button", LINK_BUTTON).click();
    await popup.locator("#link-code").waitFor();
    expect(await stranger.evaluate("heard")).toEqual([]);
  }),
);

it(
  "the linking window can't be closed or led elsewhere by a stranger's page that opened it untied",
  scenes.play(async (scene) => {
    await scene.prepare();
    const { id } = await scene.client(LINUS).beginLink();
    const stranger = await scene.context.newPage();
    await stranger.goto(scene.site.url);
    const [popup] = await Promise.all([
      scene.context.waitForEvent("page"),
      stranger.evaluate(`globalThis.popup = window.open("${scene.world.appUrl}/access/link/${id}")`),
    ]);
    await popup.waitForURL(/\/cdn-cgi\/access\/login\//);
    await scene.signIn(popup, GRACE);
    await popup.getByText("Did you come here from Jira yourself, just now?").waitFor();
    expect(await popup.evaluate("window.opener")).toBe(null);
    expect(await stranger.evaluate("popup.closed")).toBe(true);
    await popup.getByRole("button", { name: CODE_LABEL }).click();
    await popup.locator("#link-code").waitFor();
  }),
);

it(
  "the linking window selects the code where the browser doesn't let it copy",
  scenes.play(async (scene) => {
    await scene.prepare();
    const { popup } = await openLinkingWindow(scene, GRACE, { opener: "cut" });
    await popup.getByRole("button", { name: CODE_LABEL }).click();
    await popup.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error())");
    await popup.getByRole("button", { name: "Copy" }).click();
    await popup.getByText("The code is selected: copy it with the keyboard.").waitFor();
    const code = await readCode(popup);
    expect(code).toMatch(/^[A-Z2-7]{10}$/);
    expect(await popup.evaluate("getSelection().toString()")).toBe(code);
  }),
);

it(
  "the linking window can't be framed, not even by the app's own page",
  scenes.play(async (scene) => {
    scene.errors.allow(/frame-ancestors|net::ERR_BLOCKED_BY_RESPONSE/);
    await scene.prepare();
    const { popup } = await openLinkingWindow(scene);
    const url = `${scene.world.appUrl}/lax`;
    await scene.context.route(url, (route) =>
      route.fulfill({ contentType: "text/html", body: `<iframe src="${popup.url()}"></iframe>` }),
    );
    const page = await scene.context.newPage();
    await page.goto(url);
    expect(page.frames()[1]?.url()).toBe("chrome-error://chromewebdata/");
  }),
);

it(
  "unlinks after asking once, and the keyboard stays where the work is",
  scenes.play(async (scene) => {
    await scene.prepare();
    await scene.link(GRACE);
    const frame = await openAccount(scene);
    await frame.getByRole("button", { name: "Unlink" }).press("Enter");
    expect(await frame.evaluate("document.activeElement.textContent.trim()")).toBe("Keep it linked");
    await frame.getByRole("button", { name: "Keep it linked" }).press("Enter");
    expect(await frame.evaluate("document.activeElement.textContent.trim()")).toBe(`Unlink ${GRACE.email}`);
    await frame.getByRole("button", { name: "Unlink" }).press("Enter");
    await frame.getByRole("button", { name: "Unlink" }).press("Enter");
    await frame.getByText("is no longer linked to your account").waitFor();
    expect(await listEmails(scene)).toEqual([]);
    const { items } = (await scene.client(ADA).send("GET", "/api/v1/audit?action=link.removed")).body as {
      items: unknown[];
    };
    expect(items).toHaveLength(1);
  }),
);
