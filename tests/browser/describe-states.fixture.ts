import { describe, it } from "vitest";

import { DARK_NARROW, LIGHT_WIDE } from "./look.fixture.js";
import { expectAccessible, expectNoHorizontalScroll } from "./page-checks.fixture.js";
import { showState, type State } from "./states.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const LOOKS = [LIGHT_WIDE, DARK_NARROW];

/** Every state says what it should, to everybody, in light and wide as in dark and narrow. */
export function describeStates(title: string, states: readonly State[]): void {
  describe(title, () => {
    const scenes = useScenes({ siteCount: states.length * LOOKS.length });
    for (const state of states) {
      for (const look of LOOKS) {
        it(`${state.name}, ${look.theme} at ${look.width} pixels`, async () => {
          const showing = { browser: scenes.browser, look, place: scenes.takePlace() };
          await showState(state, showing, async (view, scene) => {
            await expectAccessible(view);
            await expectNoHorizontalScroll(view);
            scene.traffic.expectOnlyAppAndHostScript();
          });
        });
      }
    }
  });
}
