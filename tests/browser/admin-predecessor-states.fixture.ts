import type { Frame } from "playwright-core";

import { openAdminPage, press } from "./admin-page.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import type { State } from "./states.fixture.js";

const PREDECESSOR = "/api/v1/settings/predecessor";
const TAKE_OVER = `${PREDECESSOR}/take-over`;
const FOUND = { available: true, installedAt: "2026-03-03T10:00:00.000Z", services: 2, links: 1041 };
const NOBODY = { available: false, installedAt: null, services: null, links: null };

/** The page as one that came second has it. */
async function openSecond(scene: BrowserScene): Promise<Frame> {
  await scene.install("jira");
  await scene.context.route("**/connect-host.js", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace("mayTakeOver: false", "mayTakeOver: true");
    await route.fulfill({ response, body });
  });
  return openAdminPage(scene);
}

async function openFound(scene: BrowserScene): Promise<Frame> {
  scene.api.reply("GET", PREDECESSOR, FOUND);
  return openSecond(scene);
}

async function takeOver(scene: BrowserScene): Promise<Frame> {
  const frame = await openFound(scene);
  await press(frame, "Take over");
  scene.api.reply("GET", PREDECESSOR, NOBODY);
  await press(frame, "Take over now");
  return frame;
}

export const ADMIN_PREDECESSOR_STATES: readonly State[] = [
  {
    name: "admin-predecessor-found",
    arrange: openFound,
    expects: [
      { role: "heading", name: "Take over from the Connect app" },
      /2 services with limits and keys, 1,041 links/,
      { role: "button", name: "Take over" },
      { role: "heading", name: "Step 1 of 3: Your Access team" },
    ],
  },
  {
    name: "admin-predecessor-asking",
    arrange: async (scene) => {
      const frame = await openFound(scene);
      await press(frame, "Take over");
      return frame;
    },
    expects: [/This can’t be undone/, { role: "button", name: "Not now" }],
  },
  {
    name: "admin-predecessor-busy",
    arrange: async (scene) => {
      scene.api.hold("POST", TAKE_OVER);
      // In the end the app itself answers, which knows of nothing that was before.
      scene.errors.allowStatus(404);
      return takeOver(scene);
    },
    expects: ["Taking over …"],
  },
  {
    name: "admin-predecessor-refused",
    arrange: async (scene) => {
      scene.api.refuse("POST", TAKE_OVER, "not_admin");
      return takeOver(scene);
    },
    expects: ["You don’t administer Jira", { role: "button", name: "Try again" }],
  },
  {
    name: "admin-predecessor-done",
    arrange: async (scene) => {
      scene.api.reply("POST", TAKE_OVER, {});
      return takeOver(scene);
    },
    expects: [/All of it is here now/],
  },
  {
    name: "admin-predecessor-silent",
    arrange: async (scene) => {
      scene.api.refuse("GET", PREDECESSOR, "upstream_failed");
      return openSecond(scene);
    },
    expects: [
      { role: "button", name: "Try again" },
      { role: "heading", name: "Step 1 of 3: Your Access team" },
    ],
  },
];
