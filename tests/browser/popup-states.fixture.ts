import type { Page } from "playwright-core";

import { confirmInPopup, type SettingsChanges } from "../../sandbox/app-page.js";
import { ADA, GRACE, LINUS, NIGHTLY_BUILD, OSCAR, type Person } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import { CODE_LABEL, LINK_BUTTON, openLinkingWindow } from "./linking.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import type { State } from "./states.fixture.js";

const LINKS = "/api/v1/me/links";
const [LINK_SERVICE, IDENTIFY_SERVICE] = SERVICES;
const OTHER_AUDIENCE = "b".repeat(64);

/** Grace's attempt in a popup whose opener says nothing, with somebody signed in to Access. */
async function openPopup(scene: BrowserScene, identity: Person = GRACE): Promise<Page> {
  const popup = await scene.openBarePopup(await scene.client(GRACE).beginLink());
  await scene.signIn(popup, identity);
  return popup;
}

/** The popup of the account page, before the click. */
async function openFromAccountPage(scene: BrowserScene): Promise<Page> {
  await scene.prepare();
  return (await openLinkingWindow(scene)).popup;
}

async function clickLink(popup: Page): Promise<Page> {
  await popup.getByRole("button", LINK_BUTTON).click();
  return popup;
}

/** Between the start of an attempt and the visit, Ada changes the settings. */
async function openAfter(scene: BrowserScene, changes: SettingsChanges, status: number): Promise<Page> {
  await scene.prepare();
  scene.errors.allowStatus(status);
  const attempt = await scene.client(GRACE).beginLink();
  await scene.client(ADA).saveSettings(changes);
  const popup = await scene.openBarePopup(attempt);
  await scene.signIn(popup, GRACE);
  return popup;
}

export const POPUP_STATES: readonly State[] = [
  {
    name: "popup-confirm",
    arrange: openFromAccountPage,
    expects: [
      { role: "heading", name: "Link these two accounts?" },
      { role: "button", name: "Link" },
      { role: "button", name: "Don’t link" },
      { role: "link", name: "Sign out of Access" },
      "close this window and start again in Jira.",
      GRACE.email,
      GRACE.accountId,
      "Nothing has been changed so far.",
      "Did somebody send you here? Then close this window: their account would be taken for yours.",
    ],
  },
  {
    name: "popup-not-opened-from-the-product",
    arrange: async (scene) => {
      await scene.prepare();
      const { id } = await scene.client(GRACE).beginLink();
      const page = await scene.context.newPage();
      await page.goto(`${scene.world.appUrl}/access/link/${id}`);
      await scene.signIn(page, LINUS);
      return page;
    },
    expects: [
      "Did you come here from Jira yourself, just now?",
      "they want their account to be taken for yours",
      { role: "button", name: CODE_LABEL },
    ],
  },
  {
    name: "popup-cut-off",
    arrange: async (scene) => {
      await scene.prepare();
      return (await openLinkingWindow(scene, GRACE, { opener: "cut" })).popup;
    },
    expects: [
      { role: "heading", name: "Link these two accounts?" },
      { role: "button", name: CODE_LABEL },
    ],
  },
  {
    name: "popup-linked-to-another-account",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(LINUS, "jira", GRACE);
      return openPopup(scene);
    },
    expects: [
      /already linked to another account in Jira on \S+, since \d+ \w+ \d{4}\. No tool has used that link yet\./,
      "Remove the other link …",
      { role: "button", name: "Don’t link" },
    ],
  },
  {
    name: "popup-removal-question",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(LINUS, "jira", GRACE);
      const popup = await openPopup(scene);
      await popup.getByText("Remove the other link …").click();
      return popup;
    },
    expects: ["Remove it? From then on", { role: "button", name: "Yes, remove it" }],
  },
  {
    name: "popup-removed",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(LINUS, "jira", GRACE);
      const popup = await openPopup(scene);
      await popup.getByText("Remove the other link …").click();
      await popup.getByRole("button", { name: "Yes, remove it" }).click();
      return popup;
    },
    expects: ["The other link was removed. Nothing new is linked yet.", { role: "button", name: "Link" }],
  },
  {
    name: "popup-linked-to-another-account-untied",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(LINUS, "jira", GRACE);
      const { id } = await scene.client(GRACE).beginLink();
      const page = await scene.context.newPage();
      await page.goto(`${scene.world.appUrl}/access/link/${id}`);
      await scene.signIn(page, GRACE);
      return page;
    },
    expects: ["It can’t be removed in this window.", { role: "button", name: "Don’t link" }],
  },
  {
    name: "popup-declined",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      await popup.evaluate("window.close = () => undefined");
      await popup.getByRole("button", { name: "Don’t link" }).click();
      return popup;
    },
    expects: [{ role: "heading", name: "Nothing was linked" }, "You can close this window."],
  },
  {
    name: "popup-typed-code",
    arrange: async (scene) => {
      await scene.prepare();
      const popup = await clickLink(await openPopup(scene));
      await popup.locator("#link-code").waitFor();
      return popup;
    },
    expects: [
      { role: "heading", name: "Your one-time code" },
      /\b[0-9A-Z]{8,}\b/,
      "Give this code to nobody.",
      "If you see no field for it there, close this window and start again there.",
      { role: "button", name: "Copy" },
    ],
  },
  {
    name: "popup-loaded-again",
    arrange: async (scene) => {
      await scene.prepare();
      const popup = await clickLink(await openPopup(scene));
      await popup.locator("#link-code").waitFor();
      await popup.goto(popup.url());
      return popup;
    },
    expects: ["You have confirmed this once already.", { role: "button", name: "Link" }],
  },
  {
    name: "popup-linked",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      await popup.evaluate("window.close = () => undefined");
      return clickLink(popup);
    },
    expects: [
      { role: "heading", name: "Linked" },
      `${GRACE.email} in Cloudflare Access is now ${GRACE.name} in Jira`,
      "This window closes by itself.",
    ],
  },
  {
    name: "popup-refused",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      scene.api.refuse("POST", LINKS, "already_linked");
      return clickLink(popup);
    },
    expects: [
      { role: "heading", name: "This Access identity is linked to another account" },
      "Go on in the page in Jira: it shows whether you are linked.",
      { role: "button", name: "Close this window" },
    ],
  },
  {
    name: "popup-unanswered",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      scene.api.cut("POST", LINKS);
      return clickLink(popup);
    },
    expects: [{ role: "heading", name: "Look at the page in Jira" }],
  },
  {
    name: "popup-session-ended",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      scene.errors.allowStatus(401);
      await scene.context.clearCookies();
      return clickLink(popup);
    },
    expects: [
      { role: "heading", name: "Your Access session has ended" },
      "Nothing was linked.",
      { role: "link", name: "Sign in again" },
    ],
  },
  {
    name: "popup-session-ended-with-a-redirect",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      // As an edge does that takes the click for a visit, and sends it to the login page.
      const location = `${scene.world.team.url}/cdn-cgi/access/login/app`;
      await scene.context.route(/\/access\/link\//, (route) =>
        route.request().method() === "POST"
          ? route.fulfill({ status: 302, headers: { location } })
          : route.fallback(),
      );
      return clickLink(popup);
    },
    expects: [{ role: "heading", name: "Your Access session has ended" }],
  },
  {
    name: "popup-no-answer",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      scene.errors.allow(/net::ERR_CONNECTION_FAILED/);
      await scene.context.route(/\/access\/link\//, (route) => route.abort("connectionfailed"));
      return clickLink(popup);
    },
    expects: ["The app can’t be reached. Nothing was linked.", { role: "button", name: "Link" }],
  },
  {
    name: "popup-attempt-over",
    arrange: async (scene) => {
      await scene.prepare();
      scene.errors.allowStatus(410);
      const client = scene.client(GRACE);
      const attempt = await client.beginLink();
      const popup = await scene.openBarePopup(attempt);
      // Over as well after five minutes, for which nobody wants to wait here.
      const otherBrowser = await scene.world.browser(GRACE);
      await client.openPopup(attempt, otherBrowser);
      await client.finishLink(attempt, await confirmInPopup(otherBrowser));
      await scene.signIn(popup, GRACE);
      return popup;
    },
    expects: [{ role: "heading", name: "This attempt to link is over" }, "you may be linked already"],
  },
  {
    name: "popup-second-identity",
    arrange: async (scene) => {
      await scene.prepare();
      scene.errors.allowStatus(410);
      const client = scene.client(GRACE);
      const attempt = await client.beginLink();
      const popup = await scene.openBarePopup(attempt);
      const otherBrowser = await scene.world.browser(GRACE);
      await client.openPopup(attempt, otherBrowser);
      await confirmInPopup(otherBrowser);
      await scene.signIn(popup, LINUS);
      return popup;
    },
    expects: [
      "or was continued with another Access identity",
      `You are signed in to Access as ${LINUS.email}.`,
      { role: "link", name: "Sign out of Access" },
    ],
  },
  {
    name: "popup-opened-from-elsewhere",
    arrange: async (scene) => {
      await scene.prepare();
      scene.errors.allowStatus(403);
      const { url } = await scene.client(GRACE).beginLink();
      const page = await scene.context.newPage();
      await page.goto(url);
      return page;
    },
    expects: [{ role: "heading", name: "Start in Jira or Confluence" }, "close the window"],
  },
  {
    name: "popup-service-token",
    arrange: async (scene) => {
      await scene.prepare();
      scene.errors.allowStatus(403);
      const { clientId, clientSecret } = NIGHTLY_BUILD;
      const headers = { "cf-access-client-id": clientId, "cf-access-client-secret": clientSecret };
      await scene.context.setExtraHTTPHeaders(headers);
      return openPopup(scene);
    },
    expects: [{ role: "heading", name: "A service token can’t be linked" }],
  },
  {
    name: "popup-email-domain-not-allowed",
    arrange: async (scene) => {
      await scene.prepare({ settings: { allowedEmailDomains: ["acme.example"] } });
      scene.errors.allowStatus(403);
      return openPopup(scene, OSCAR);
    },
    expects: [
      { role: "heading", name: "This e-mail address can’t be linked here" },
      `You are signed in to Access as ${OSCAR.email}.`,
    ],
  },
  {
    name: "popup-not-behind-access",
    world: { hasEdge: false },
    arrange: async (scene) => {
      await scene.prepare();
      scene.errors.allowStatus(401);
      return openPopup(scene);
    },
    expects: [
      { role: "heading", name: "Cloudflare Access isn’t in front of this window" },
      /\/access\/\* isn’t behind Access yet/,
    ],
  },
  {
    name: "popup-wrong-audience",
    arrange: (scene) =>
      openAfter(scene, { services: [{ ...LINK_SERVICE, audience: OTHER_AUDIENCE }, IDENTIFY_SERVICE] }, 401),
    expects: [
      { role: "heading", name: "Your Access sign-in isn’t trusted here" },
      "acme.cloudflareaccess.com",
      LINK_SERVICE.audience,
    ],
  },
  {
    name: "popup-wrong-team",
    arrange: (scene) => openAfter(scene, { teamDomain: "other.cloudflareaccess.com" }, 401),
    expects: [
      { role: "heading", name: "Your Access sign-in isn’t trusted here" },
      "acme.cloudflareaccess.com",
      LINK_SERVICE.audience,
    ],
  },
  {
    name: "popup-wrong-purpose",
    arrange: (scene) => openAfter(scene, { services: [{ ...LINK_SERVICE, purposes: ["identify"] }] }, 403),
    expects: [{ role: "heading", name: "Linking isn’t set up for this window" }, LINK_SERVICE.audience],
  },
  {
    name: "popup-paused",
    arrange: (scene) => openAfter(scene, { paused: true }, 403),
    expects: [{ role: "heading", name: "Linking is paused" }, "Nothing was changed."],
  },
  {
    name: "popup-paused-before-the-click",
    arrange: async (scene) => {
      const popup = await openFromAccountPage(scene);
      scene.errors.allowStatus(403);
      await scene.client(ADA).saveSettings({ paused: true });
      return clickLink(popup);
    },
    expects: [{ role: "heading", name: "Linking is paused" }, "Nothing was changed."],
  },
];
