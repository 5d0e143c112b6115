import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findMissingTitle } from "../test-titles.fixture.js";
import { WeaknessWorld } from "./weakness-world.fixture.js";

/**
 * What is known to have gone wrong in software that does what this app does, one line each: what it was, what happens
 * here instead, and the attempt.
 */
export type Weakness<Here = WeaknessWorld> = readonly [was: string, here: string, attempt: Attempt<Here>];

type Attempt<Here> = (here: Here) => Promise<void>;

/** For what another test tries already: fails when that is gone. */
export function triedIn(file: string, title: string): Attempt<unknown> {
  return () => {
    expect(findMissingTitle(file, title)).toBeNull();
    return Promise.resolve();
  };
}

export function describeWeaknesses(whose: string, weaknesses: readonly Weakness[]): void {
  describe(whose, () => {
    let here: WeaknessWorld;
    beforeAll(async () => {
      here = await WeaknessWorld.start();
    });
    afterAll(() => here.close());

    it.each(weaknesses)("%s. Here: %s", async (_was, _here, attempt) => {
      here.travelOn(0);
      await attempt(here);
    });
  });
}
