import type { Frame } from "playwright-core";

import { REQUEST_PRESETS } from "../../public/request-presets.js";
import type { Limits, ServiceOverview, ServiceUse } from "../../public/types.js";
import { audienceOf } from "../../sandbox/access-team.js";
import type { NewService, SettingsChanges } from "../../sandbox/app-page.js";
import { ADA } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import { openAdminPage } from "./admin-page.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";

export const OVERVIEWS = "/api/v1/services";
export const KEYS = /^\/api\/v1\/services\/[^/]+\/keys$/;
export const ROTATE = "/api/v1/settings/assertion-keys/rotate";
const LONG_AGO = "2026-03-02T08:15:00.000Z";
const YESTERDAY = "2026-11-21T15:40:00.000Z";

const PRESETS = REQUEST_PRESETS.jira.map(({ requests }) => requests);

/** A tool that reads and comments. */
export function builds(limits: Partial<Limits> = {}, changes: Partial<NewService> = {}): NewService {
  return {
    label: "Builds",
    audience: audienceOf("Builds"),
    purposes: ["identify", "act"],
    limits: { requests: PRESETS.slice(0, 2).flat(), ...limits },
    ...changes,
  };
}

export const BUSY: ServiceUse = {
  days: 30,
  identified: 1_204,
  acted: 214,
  asserted: 0,
  people: 12,
  refusals: [
    { code: "consent_required", count: 9, lastAt: YESTERDAY },
    { code: "request_not_allowed", count: 1, lastAt: LONG_AGO },
    { code: "ip_not_allowed", count: 3, lastAt: LONG_AGO },
  ],
  lastUsedAt: YESTERDAY,
};

export const OLD_KEY = { id: "old", hint: "x7_Q", createdAt: LONG_AGO, lastUsedAt: YESTERDAY };
export const NEW_KEY = { id: "new", hint: "Kd4a", createdAt: YESTERDAY, lastUsedAt: null };

export async function prepareBuilds(
  scene: BrowserScene,
  service: NewService = builds(),
  settings: SettingsChanges = {},
): Promise<void> {
  await scene.prepare({ settings: { services: [SERVICES[0], service], ...settings } });
}

export async function openBuilds(scene: BrowserScene, service: NewService = builds()): Promise<Frame> {
  await prepareBuilds(scene, service);
  return openServices(scene);
}

/** With what only time and other people would bring about. */
export async function openPretended(
  scene: BrowserScene,
  overview: Partial<ServiceOverview>,
  service: NewService = builds(),
): Promise<Frame> {
  await prepareBuilds(scene, service);
  await pretendOverview(scene, overview);
  return openServices(scene);
}

export async function pretendOverview(
  scene: BrowserScene,
  overview: Partial<ServiceOverview>,
): Promise<void> {
  const { items } = (await scene.client(ADA).send("GET", OVERVIEWS)).expect(200).body as {
    items: readonly ServiceOverview[];
  };
  const pretended = items.map((item) => (item.label === "Builds" ? { ...item, ...overview } : item));
  scene.api.reply("GET", OVERVIEWS, { items: pretended, nextCursor: null });
}

/** The admin page with its services, once their use is known. */
export async function openServices(scene: BrowserScene): Promise<Frame> {
  const frame = await openAdminPage(scene);
  await unfolds(frame, "Use").first().waitFor();
  return frame;
}

/** What opens and closes a part of the service. */
export function unfolds(frame: Frame, title: "Limits" | "Service key" | "Use") {
  return frame.locator("summary", { hasText: new RegExp(`^\\s*${title}`) });
}

export async function unfold(frame: Frame, title: "Limits" | "Service key" | "Use"): Promise<void> {
  await frame
    .getByRole("group", { name: "Builds", exact: true })
    .locator("summary", { hasText: new RegExp(`^\\s*${title}`) })
    .click();
}
