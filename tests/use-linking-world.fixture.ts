import { afterAll, beforeAll } from "vitest";

import type { WorldOptions } from "../sandbox/world-parts.js";
import { startLinkingWorld, type LinkingWorld } from "./linking-scene.fixture.js";

/** One world for the tests of a file: from before the first of them until after the last. */
export function useLinkingWorld(options: WorldOptions = {}): Omit<LinkingWorld, "close"> {
  let running: LinkingWorld | null = null;
  const getRunning = () => {
    if (!running) throw new Error("The world runs only while tests do.");
    return running;
  };

  beforeAll(async () => {
    running = await startLinkingWorld(options);
  });
  afterAll(() => running?.close());

  return {
    get world() {
      return getRunning().world;
    },
    get database() {
      return getRunning().database;
    },
    get sites() {
      return getRunning().sites;
    },
  };
}
