import { afterAll, beforeAll } from "vitest";

import { TokenWorld, type TokenWorldOptions } from "./token-world.fixture.js";

/** One world for the tables of a file, with what they need more than every world has. */
export function useTokenWorld(
  prepare: (world: TokenWorld) => Promise<void> = () => Promise.resolve(),
  options: TokenWorldOptions = {},
): () => TokenWorld {
  let running: TokenWorld | null = null;

  beforeAll(async () => {
    running = await TokenWorld.start(options);
    await prepare(running);
  });
  afterAll(() => running?.close());

  return () => {
    if (!running) throw new Error("The world runs only while tests do.");
    return running;
  };
}
