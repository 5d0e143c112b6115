import type { Frame, Page } from "playwright-core";
import { describe, expect, it } from "vitest";

import { GRACE } from "../../sandbox/people.js";
import { DARK_NARROW, LIGHT_WIDE, type Look } from "./look.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const scenes = useScenes({ siteCount: 6 });

const OTHER_THEME = { light: "dark", dark: "light" } as const;

async function readTheme(view: Page | Frame): Promise<Look["theme"]> {
  const [red = 0] = await view.evaluate<number[]>(
    "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)",
  );
  return red < 128 ? "dark" : "light";
}

describe.each([LIGHT_WIDE, DARK_NARROW])("Where it is $theme", (look) => {
  it(
    "a page in a product takes on the product's colours, whatever the browser prefers",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { page, frame } = await scene.openAppPage(GRACE);
      await page.emulateMedia({ colorScheme: OTHER_THEME[look.theme] });
      expect(await readTheme(frame)).toBe(look.theme);
    }, look),
  );

  it(
    "a page without the product's script follows the browser",
    scenes.play(async (scene) => {
      await scene.prepare();
      await scene.blockHostScript();
      const { frame } = await scene.openAppPage(GRACE);
      expect(await readTheme(frame)).toBe(look.theme);
    }, look),
  );

  it(
    "the linking window follows the browser",
    scenes.play(async (scene) => {
      await scene.prepare();
      const popup = await scene.openBarePopup(await scene.client(GRACE).beginLink());
      await scene.signIn(popup, GRACE);
      expect(await readTheme(popup)).toBe(look.theme);
      await popup.emulateMedia({ colorScheme: OTHER_THEME[look.theme] });
      expect(await readTheme(popup)).toBe(OTHER_THEME[look.theme]);
    }, look),
  );
});
