import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";

import type { WorldOptions } from "../../sandbox/world-parts.js";
import { startWorld, type World } from "../../sandbox/world.js";
import { startChromium } from "./chromium.fixture.js";
import type { Look } from "./look.fixture.js";
import { BrowserScene, endAfter } from "./scene.fixture.js";
import type { Place } from "./states.fixture.js";

/** One world and one Chromium for the tests of a file. */
export interface Scenes {
  readonly browser: Browser;
  /** The next site that nobody has used; the first is the one that the demo service asks about. */
  takePlace(): Place;
  /** For whoever ends it themselves. */
  start(look?: Look): Promise<BrowserScene>;
  /** A test that plays in a scene of its own, and fails if a page complains. */
  play(test: (scene: BrowserScene) => Promise<void>, look?: Look): () => Promise<void>;
}

/** `siteCount` is how many scenes there will be. */
export function useScenes(options: WorldOptions & { readonly siteCount: number }): Scenes {
  let running: { world: World; browser: Browser } | null = null;
  let taken = 0;
  const getRunning = () => {
    if (!running) throw new Error("The world runs only while tests do.");
    return running;
  };

  beforeAll(async () => {
    const [world, browser] = await Promise.all([startWorld(options), startChromium()]);
    running = { world, browser };
  });
  afterAll(async () => {
    await running?.browser.close();
    await running?.world.close();
  });

  const scenes: Scenes = {
    get browser() {
      return getRunning().browser;
    },
    takePlace() {
      const { world } = getRunning();
      const site = world.parts.sites[taken];
      if (!site)
        throw new Error(`This file has more scenes than the ${options.siteCount} sites it asked for.`);
      taken += 1;
      return { world, site };
    },
    start: async (look) =>
      BrowserScene.start({ ...scenes.takePlace(), browser: scenes.browser, ...(look && { look }) }),
    play: (test, look) => async () => {
      const scene = await scenes.start(look);
      await endAfter(scene, () => test(scene));
    },
  };
  return scenes;
}
