import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Frame, Page } from "playwright-core";

import type { WorldPorts } from "../../sandbox/world-parts.js";
import { ACCOUNT_SERVICES_STATES } from "./account-services-states.fixture.js";
import { ACCOUNT_STATES } from "./account-states.fixture.js";
import { ADMIN_STATES } from "./admin-states.fixture.js";
import { startChromium } from "./chromium.fixture.js";
import { findPart } from "./find-part.fixture.js";
import { DARK_NARROW, LIGHT_WIDE, type Look } from "./look.fixture.js";
import { POPUP_STATES } from "./popup-states.fixture.js";
import { showState, type State } from "./states.fixture.js";

// Writes docs/screenshots/: every state in light and wide, and in dark and narrow. Names given as arguments limit it to those.

const FOLDER = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const LOOKS = [
  { look: LIGHT_WIDE, suffix: "" },
  { look: DARK_NARROW, suffix: "-dark-400" },
];
const STATES: readonly State[] = [
  ...ADMIN_STATES,
  ...ACCOUNT_STATES,
  ...ACCOUNT_SERVICES_STATES,
  ...POPUP_STATES,
];
// The same in every run, as they can be seen in the pictures.
const PORTS: WorldPorts = { app: 4200, appOrigin: 4201, site: 4202, team: 4203, demo: 4204 };

const wanted = process.argv.slice(2);
const states = STATES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (wanted.length > states.length) {
  throw new Error(`No such state. There are:\n${STATES.map(({ name }) => `  ${name}`).join("\n")}`);
}

await mkdir(FOLDER, { recursive: true });
const pictures = new Set<string>();
const browser = await startChromium();
try {
  for (const state of states) {
    for (const { look, suffix } of LOOKS) await photographState(state, look, `${state.name}${suffix}.webp`);
  }
} finally {
  await browser.close();
}
if (wanted.length === 0) await removeOthers();

/** A state that fails doesn't keep the others from being shown, but the command fails. */
async function photographState(state: State, look: Look, file: string): Promise<void> {
  const alone = { ...state, world: { ...state.world, ports: PORTS } };
  pictures.add(file);
  try {
    await showState(alone, { browser, look }, (view) => photograph(view, state, path.join(FOLDER, file)));
    console.log(file);
  } catch (error) {
    console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

/** The part of the app's page that the state is about, without the product around it. */
async function photograph(view: Page | Frame, { expects }: State, file: string): Promise<void> {
  const page = "setViewportSize" in view ? view : view.page();
  if (view !== page) await waitUntilResized(view);
  await page.evaluate("scrollTo(0, 0)");
  const corner = "frameElement" in view ? await findCorner(view) : { x: 0, y: 0 };
  const { left, top, width, height } = await findPart(view, expects, corner.y);
  const clip = { x: corner.x + left, y: corner.y + top, width, height };
  const picture = await page.screenshot({ fullPage: true, clip, animations: "disabled", caret: "hide" });
  await writeFile(file, await toWebp(browser, picture));
}

/** Much smaller than PNG, with text as sharp. */
async function toWebp(chromium: Browser, png: Buffer): Promise<Buffer> {
  const page = await chromium.newPage();
  const url = await page.evaluate<string>(`(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,${png.toString("base64")}";
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.75);
  })()`);
  await page.close();
  return Buffer.from(url.replace(/^data:image\/webp;base64,/, ""), "base64");
}

/** The product makes the frame as high as its content, a moment later. */
async function waitUntilResized(view: Page | Frame): Promise<void> {
  for (let waits = 0; waits < 30; waits += 1) {
    if (await view.evaluate<boolean>("innerHeight >= document.documentElement.scrollHeight")) return;
    await sleep(100);
  }
}

async function findCorner(frame: Frame): Promise<{ x: number; y: number }> {
  const box = await (await frame.frameElement()).boundingBox();
  if (!box) throw new Error("The app's frame can't be seen.");
  return box;
}

/** Pictures of states that are no more. */
async function removeOthers(): Promise<void> {
  const files = await readdir(FOLDER);
  const old = files.filter((file) => !pictures.has(file));
  for (const file of old) await rm(path.join(FOLDER, file));
}
