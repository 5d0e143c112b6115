import { ADA, GRACE, OSCAR } from "../../sandbox/people.js";
import {
  decline,
  LINK_BUTTON,
  LINK_LABEL,
  openAccount,
  openLinkingWindow,
  openWindow,
  typeCode,
} from "./linking.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import type { State } from "./states.fixture.js";

const BEGIN_BUTTON = { role: "button", name: LINK_LABEL } as const;
const ME = "/api/v1/me";
const LINKS = "/api/v1/me/links";
const ATTEMPTS = "/api/v1/me/link-attempts";

async function openBegunLink(scene: BrowserScene) {
  await scene.prepare();
  const frame = await openAccount(scene);
  const popup = await openWindow(scene, frame);
  return { frame, popup };
}

async function askToUnlink(scene: BrowserScene) {
  await scene.prepare();
  await scene.link(GRACE);
  const frame = await openAccount(scene);
  await frame.getByRole("button", { name: "Unlink" }).click();
  return frame;
}

export const ACCOUNT_STATES: readonly State[] = [
  {
    name: "account-loading",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.hold("GET", ME);
      return scene.findAppFrame(await scene.openHostPage(GRACE));
    },
    expects: [{ role: "heading", name: "Cloudflare Access" }, "Loading …"],
  },
  {
    name: "account-not-set-up",
    arrange: async (scene) => {
      await scene.install("jira");
      return openAccount(scene);
    },
    expects: [
      "You can’t link right now",
      "An admin hasn't set up linking yet. Ask whoever administers Jira.",
    ],
  },
  {
    name: "account-paused",
    arrange: async (scene) => {
      await scene.prepare({ settings: { paused: true } });
      return openAccount(scene);
    },
    expects: ["You can’t link right now", "An admin has paused the app"],
  },
  {
    name: "account-not-linked",
    arrange: async (scene) => {
      await scene.prepare({ products: ["confluence"] });
      return openAccount(scene, GRACE, { product: "confluence" });
    },
    expects: [
      { role: "heading", name: "You in Confluence" },
      "They can act there as you if you agree, or if an admin agrees for everybody; you can always say no.",
      GRACE.name,
      "Not linked",
      BEGIN_BUTTON,
      "Sign out of Access",
    ],
  },
  {
    name: "account-opening",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.hold("POST", ATTEMPTS);
      const frame = await openAccount(scene);
      await frame.getByRole("button", { name: LINK_LABEL }).click();
      return frame;
    },
    expects: [{ role: "button", name: "Opening …" }],
  },
  {
    name: "account-window-blocked",
    arrange: async (scene) => {
      await scene.prepare();
      const frame = await openAccount(scene);
      await frame.evaluate("window.open = () => null");
      await frame.getByRole("button", { name: LINK_LABEL }).click();
      return frame;
    },
    expects: ["Your browser kept the window from opening", { role: "button", name: "Open the window" }],
  },
  {
    name: "account-waiting",
    arrange: async (scene) => (await openBegunLink(scene)).frame,
    expects: [
      "Go on in the window that opened",
      { role: "button", name: "Show the window" },
      { role: "button", name: "Start again" },
      { role: "button", name: "Cancel" },
      { role: "textbox", name: "Code from the window" },
    ],
  },
  {
    name: "account-window-closed",
    arrange: async (scene) => {
      const { frame, popup } = await openBegunLink(scene);
      await popup.close();
      return frame;
    },
    expects: [
      "The window is closed, or can’t reach this page any more",
      { role: "button", name: "Start again" },
      { role: "button", name: "Link with this code" },
    ],
  },
  {
    name: "account-window-silent",
    arrange: async (scene) => {
      await scene.prepare();
      const frame = await openAccount(scene);
      await frame.page().clock.install();
      await openWindow(scene, frame);
      await frame.page().clock.fastForward("01:30");
      return frame;
    },
    expects: [
      "Nothing has come from it yet.",
      "Ten letters and digits",
      { role: "button", name: "Show the window" },
    ],
  },
  {
    name: "account-wrong-code",
    arrange: async (scene) => {
      scene.errors.allowStatus(422);
      const { frame } = await openBegunLink(scene);
      await typeCode(frame, "ABCDEFGHIJ");
      return frame;
    },
    expects: ["This isn’t the code that the window shows now. If it comes from an earlier window"],
  },
  {
    name: "account-linking",
    arrange: async (scene) => {
      const { frame } = await openBegunLink(scene);
      scene.api.hold("POST", LINKS);
      await typeCode(frame, "ABCDEFGHIJ");
      return frame;
    },
    expects: [{ role: "button", name: "Linking …" }],
  },
  {
    name: "account-code-no-answer",
    arrange: async (scene) => {
      const { frame } = await openBegunLink(scene);
      scene.api.cut("POST", LINKS);
      await typeCode(frame, "ABCDEFGHIJ");
      return frame;
    },
    expects: ["The app can’t be reached", { role: "button", name: "Link with this code" }],
  },
  {
    name: "account-code-not-now",
    arrange: async (scene) => {
      const { frame } = await openBegunLink(scene);
      scene.api.refuse("POST", LINKS, "store_unavailable");
      await typeCode(frame, "ABCDEFGHIJ");
      return frame;
    },
    expects: ["The database can't be used right now", { role: "button", name: "Link with this code" }],
  },
  {
    name: "account-attempt-over",
    arrange: async (scene) => {
      const { frame } = await openBegunLink(scene);
      scene.api.refuse("POST", LINKS, "attempt_expired");
      await typeCode(frame, "ABCDEFGHIJ");
      return frame;
    },
    expects: ["This attempt to link is over", { role: "button", name: "Start again" }],
  },
  {
    name: "account-paused-meanwhile",
    arrange: async (scene) => {
      const { frame } = await openBegunLink(scene);
      scene.api.refuse("POST", LINKS, "paused");
      await typeCode(frame, "ABCDEFGHIJ");
      return frame;
    },
    expects: ["Linking is paused", "Links that there are stay.", { role: "button", name: "Start again" }],
  },
  {
    name: "account-already-linked",
    arrange: async (scene) => {
      const { frame } = await openBegunLink(scene);
      scene.api.refuse("POST", LINKS, "already_linked");
      await typeCode(frame, "ABCDEFGHIJ");
      return frame;
    },
    expects: ["This Access identity is linked to another account", { role: "button", name: "Start again" }],
  },
  {
    name: "account-too-many-attempts",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.refuse("POST", ATTEMPTS, "rate_limited");
      const frame = await openAccount(scene);
      await frame.getByRole("button", { name: LINK_LABEL }).click();
      return frame;
    },
    expects: ["Too many tries", { role: "button", name: "Start again" }],
  },
  {
    name: "account-declined",
    arrange: async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      await decline(popup);
      return frame;
    },
    expects: ["Nothing was linked.", BEGIN_BUTTON],
  },
  {
    name: "account-linked-just-now",
    arrange: async (scene) => {
      await scene.prepare();
      const { frame, popup } = await openLinkingWindow(scene);
      await popup.getByRole("button", LINK_BUTTON).click();
      return frame;
    },
    expects: [
      { role: "heading", name: "Linked" },
      GRACE.email,
      "Linked since",
      { role: "button", name: "Unlink" },
      { role: "button", name: "Link another Access identity" },
    ],
  },
  {
    name: "account-linked",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      return openAccount(scene);
    },
    expects: [
      GRACE.name,
      GRACE.email,
      "You, signed in on both sides",
      "Not yet",
      { role: "button", name: "Link another Access identity" },
    ],
  },
  {
    name: "account-linked-twice",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      await scene.link(GRACE, "jira", OSCAR);
      return openAccount(scene);
    },
    expects: [GRACE.email, OSCAR.email],
  },
  {
    name: "account-linked-and-paused",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      await scene.client(ADA).saveSettings({ paused: true });
      return openAccount(scene);
    },
    expects: [
      "No more identities can be linked right now",
      "What is linked stays linked.",
      { role: "button", name: "Unlink" },
    ],
  },
  {
    name: "account-unlink-question",
    arrange: askToUnlink,
    expects: [
      `Unlink ${GRACE.email}?`,
      { role: "button", name: "Unlink" },
      { role: "button", name: "Keep it linked" },
    ],
  },
  {
    name: "account-unlink-failed",
    arrange: async (scene) => {
      const frame = await askToUnlink(scene);
      scene.api.refuse("DELETE", /\/me\/links\//, "store_unavailable");
      await frame.getByRole("button", { name: "Unlink" }).click();
      return frame;
    },
    expects: ["The database can't be used right now", { role: "button", name: "Unlink" }],
  },
  {
    name: "account-unlinked",
    arrange: async (scene) => {
      const frame = await askToUnlink(scene);
      await frame.getByRole("button", { name: "Unlink" }).click();
      return frame;
    },
    expects: [`${GRACE.email} is no longer linked to your account.`, "Not linked", BEGIN_BUTTON],
  },
  {
    name: "account-refused",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.refuse("GET", ME, "store_unavailable");
      return openAccount(scene);
    },
    expects: ["The database can't be used right now", { role: "button", name: "Try again" }],
  },
  {
    name: "account-no-answer",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.cut("GET", ME);
      return openAccount(scene);
    },
    expects: ["The app can’t be reached", { role: "button", name: "Try again" }],
  },
  {
    name: "account-host-script-blocked",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.blockHostScript();
      return scene.findAppFrame(await scene.openHostPage(GRACE));
    },
    expects: ["A script of the product didn’t load", "Allow connect-cdn.atl-paas.net"],
  },
];
