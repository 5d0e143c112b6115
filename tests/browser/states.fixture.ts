import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Frame, Page } from "playwright-core";

import type { AtlassianSite } from "../../sandbox/atlassian-site.js";
import type { WorldOptions } from "../../sandbox/world-parts.js";
import { startWorld, type World } from "../../sandbox/world.js";
import type { Look } from "./look.fixture.js";
import { BrowserScene, endAfter, readText } from "./scene.fixture.js";
import { shortenUrl } from "./shorten-url.fixture.js";

type Role = Parameters<Page["getByRole"]>[0];

/** A text anywhere on the page, with single spaces for all white space, or something by its role and accessible name. */
export type Expectation = string | RegExp | { readonly role: Role; readonly name: string | RegExp };

/** One thing that people may get to see. */
export interface State {
  /** In kebab-case, unique among all: screenshots are named for it. */
  readonly name: string;
  /** A world of its own, with these options, for a state that others would notice. */
  readonly world?: WorldOptions;
  /** Leads there from a site where nothing is installed; answers the app's frame, or the popup's page. */
  readonly arrange: (scene: BrowserScene) => Promise<Page | Frame>;
  /** All of it must be visible. */
  readonly expects: readonly Expectation[];
}

/** Where a state is played: in a site that no other state has used. */
export interface Place {
  readonly world: World;
  readonly site: AtlassianSite;
}

interface Showing {
  readonly browser: Browser;
  readonly look: Look;
  /** Needed unless the state has a world of its own. */
  readonly place?: Place;
}

/** Arranges the state, waits for what it promises, and hands the view to `inspect`. */
export async function showState(
  state: State,
  { browser, look, place }: Showing,
  inspect: (view: Page | Frame, scene: BrowserScene) => Promise<void>,
): Promise<void> {
  if (!state.world) {
    if (!place) throw new Error("A state without a world of its own needs a place.");
    await play(state, await BrowserScene.start({ ...place, browser, look }), inspect);
    return;
  }
  const world = await startWorld(state.world);
  try {
    await play(state, await BrowserScene.start({ world, site: world.site, browser, look }), inspect);
  } finally {
    await world.close();
  }
}

async function play(
  { arrange, expects }: State,
  scene: BrowserScene,
  inspect: (view: Page | Frame, scene: BrowserScene) => Promise<void>,
): Promise<void> {
  await endAfter(scene, async () => {
    const view = await arrange(scene);
    // A popup has the size that its opener gave it.
    if ("setViewportSize" in view) await view.setViewportSize({ width: scene.look.width, height: 800 });
    for (const expectation of expects) await expectVisible(view, expectation, scene.patienceMs);
    await inspect(view, scene);
  });
}

async function expectVisible(
  view: Page | Frame,
  expectation: Expectation,
  patienceMs: number,
): Promise<void> {
  try {
    if (typeof expectation === "string" || expectation instanceof RegExp) {
      await waitForText(view, expectation, patienceMs);
    } else {
      const { role, name } = expectation;
      await view.getByRole(role, { name }).first().waitFor({ timeout: patienceMs });
    }
  } catch (cause) {
    const missing = JSON.stringify(expectation, (_, value: unknown) =>
      value instanceof RegExp ? String(value) : value,
    );
    throw new Error(`${shortenUrl(view.url())} doesn't show ${missing}. It says:\n${await readText(view)}`, {
      cause,
    });
  }
}

/** Across elements and line breaks, as a person reads it. */
async function waitForText(view: Page | Frame, text: string | RegExp, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  // Not by waitForFunction, which evaluates in the page what its Content Security Policy forbids.
  for (;;) {
    const shown = (await readText(view)).replace(/\s+/g, " ");
    if (typeof text === "string" ? shown.includes(text) : text.test(shown)) return;
    if (Date.now() > deadline) throw new Error(`Not shown within ${patienceMs} ms.`);
    await sleep(50);
  }
}
