import type { Frame } from "playwright-core";

import { ADA, GRACE, LINUS } from "../../sandbox/people.js";
import type { BrowserScene } from "./scene.fixture.js";

/** An AUD tag of the right form that no application has. */
export const OTHER_AUDIENCE = "0123456789abcdef".repeat(4);

/** The admin page as Ada sees it in Jira. */
export async function openAdminPage(scene: BrowserScene): Promise<Frame> {
  return (await scene.openAppPage(ADA, { module: "admin" })).frame;
}

/** As it is on the first day: installed, and nothing entered. */
export async function openFirstRun(scene: BrowserScene): Promise<Frame> {
  await scene.install("jira");
  return openAdminPage(scene);
}

export async function openSettings(scene: BrowserScene): Promise<Frame> {
  await scene.prepare();
  return openAdminPage(scene);
}

/** Grace and Linus have linked. */
export async function openLinks(scene: BrowserScene): Promise<Frame> {
  await scene.prepare();
  await scene.link(GRACE);
  await scene.link(LINUS);
  return openSection(scene, "Links");
}

export async function openSection(scene: BrowserScene, name: "Links" | "Audit log"): Promise<Frame> {
  const frame = await openAdminPage(scene);
  await frame.getByRole("button", { name, exact: true }).click();
  await scene.waitUntilUsable(frame);
  return frame;
}

export async function press(frame: Frame, name: string | RegExp): Promise<void> {
  await frame.getByRole("button", { name }).first().click();
}

export async function enterEmailDomains(frame: Frame, text: string): Promise<void> {
  await frame.getByLabel("Allowed e-mail domains").fill(text);
}
