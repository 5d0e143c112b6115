import type { Page } from "playwright-core";
import { expect, it } from "vitest";

import { DARK_NARROW, LIGHT_WIDE } from "./look.fixture.js";
import { expectAccessible, expectNoHorizontalScroll } from "./page-checks.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const scenes = useScenes({ siteCount: 2 });

async function openRefusals(scene: BrowserScene): Promise<Page> {
  const page = await scene.context.newPage();
  await page.goto(`${scene.world.site.url}/refusals?theme=${scene.look.theme}`);
  return page;
}

/** Clicks an entry's button, and answers what it says when it is done. */
async function play(page: Page, id: string): Promise<string> {
  const entry = page.locator(`#${id}`);
  await entry.getByRole("button", { name: /^Do it/ }).click();
  await entry.locator(".outcome .answer").waitFor();
  return entry.locator(".outcome").innerText();
}

it(
  "shows by a click what a service is told, and leads to where Grace agrees",
  scenes.play(async (scene) => {
    const page = await openRefusals(scene);
    expect(await play(page, "no-token")).toContain("401 access_jwt_missing: There is no Access JWT");
    expect(await play(page, "jira-404")).toMatch(/^404$[^]*x-gateway-upstream\s+jira/m);
    expect(await play(page, "comment")).toMatch(/^201$/m);

    expect(await play(page, "consent")).toContain("403 consent_required");
    await expectAccessible(page);
    await expectNoHorizontalScroll(page);
    await page.getByRole("link", { name: "Agree, as Grace Green" }).click();
    const account = await scene.findAppFrame(page);
    await account.getByText("Weekly reports").first().waitFor();
    await page.getByRole("link", { name: "Issues" }).click();
    await page.getByRole("heading", { name: "Grace Green has commented" }).waitFor();
    await expectAccessible(page);
  }, LIGHT_WIDE),
);

it(
  "says so when an entry doesn't work, and can be tried again",
  scenes.play(async (scene) => {
    scene.errors.allow(/500/);
    const page = await openRefusals(scene);
    const broken = JSON.stringify({ message: "Half-way." });
    await page.route("**/refusals/request", (route) => route.fulfill({ status: 500, body: broken }), {
      times: 1,
    });
    await page.locator("#request").getByRole("button").click();
    await page.locator("#request").getByText("That didn't work: Half-way.").waitFor();

    expect(await play(page, "request")).toContain("403 request_not_allowed");
    await expectAccessible(page);
    await expectNoHorizontalScroll(page);
  }, DARK_NARROW),
);
