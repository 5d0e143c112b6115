import type { Frame, Page } from "playwright-core";

import { GRACE, type Person } from "../../sandbox/people.js";
import type { BrowserScene, HostPageOptions } from "./scene.fixture.js";

export const LINK_LABEL = "Link my Access identity";
/** What the linking window's button says: to whom it can hand its code, and without anybody. */
export const LINK_BUTTON = { name: "Link", exact: true } as const;
export const CODE_LABEL = "Show me a code to type";

/** The account page, and the linking window that it has opened, where somebody is signed in to Access. */
export interface LinkingWindows {
  readonly frame: Frame;
  readonly popup: Page;
}

interface Options extends HostPageOptions {
  /** Who is signed in to Access; whoever looks at the page unless it is somebody else. */
  readonly identity?: Person;
  readonly label?: string;
}

export async function openAccount(
  scene: BrowserScene,
  person: Person = GRACE,
  options: HostPageOptions = {},
): Promise<Frame> {
  return (await scene.openAppPage(person, { module: "account", ...options })).frame;
}

/** Clicks the page's button; the window stops where Access asks who this is, or at the app's own page. */
export async function openWindow(scene: BrowserScene, frame: Frame, label = LINK_LABEL): Promise<Page> {
  const popup = await scene.openPopup(frame, label);
  await popup.waitForURL(/\/cdn-cgi\/access\/login\/|\/access\/link\//);
  return popup;
}

export async function openLinkingWindow(
  scene: BrowserScene,
  person: Person = GRACE,
  { identity = person, label, ...options }: Options = {},
): Promise<LinkingWindows> {
  const frame = await openAccount(scene, person, options);
  const popup = await openWindow(scene, frame, label);
  await scene.signIn(popup, identity);
  return { frame, popup };
}

/** Types a code on the account page. */
export async function typeCode(frame: Frame, code: string): Promise<void> {
  await frame.getByLabel("Code from the window").fill(code);
  await frame.getByRole("button", { name: "Link with this code" }).click();
}

/** The code that the linking window shows, which it does when nobody can take it by message. */
export async function readCode(popup: Page): Promise<string> {
  return (await popup.locator("#link-code").textContent()) ?? "";
}

/** Says no in the linking window, which closes in the middle of the click. */
export async function decline(popup: Page): Promise<void> {
  const [closed] = await Promise.allSettled([
    popup.waitForEvent("close"),
    popup.getByRole("button", { name: "Don’t link" }).click(),
  ]);
  if (closed.status === "rejected") throw new Error("The window stays open.", { cause: closed.reason });
}
