import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { asPage } from "./forge-manifest.js";
import type { ForgeSite } from "./forge-site.js";
import { visibleText } from "./html.js";
import type { Reply } from "./http-client.js";
import { ADA, GRACE, LINUS, type Person } from "./people.js";
import { AUDIENCES } from "./world-parts.js";
import { SERVICES, startWorld, type World } from "./world.js";

let world: World;
let site: ForgeSite;

beforeAll(async () => {
  world = await startWorld({ hasForge: true });
  await world.prepare();
  site = world.forgeSite;
  (await site.install()).expect(204);
  await world.page(ADA, "jira", site).saveSettings({ teamDomain: world.team.domain, services: SERVICES });
});
afterAll(() => world.close());

async function get(url: string): Promise<Reply> {
  return world.parts.client.send({ caller: "test", method: "GET", url: new URL(url, site.url).href });
}

/** An attribute's value. */
function readHtml(text = ""): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

const PAGES = ["jira-account", "jira-admin", "jira-configure", "confluence-account", "confluence-admin"];

describe("a page of the product", () => {
  it.each(PAGES)("has the app's own in a frame that opens no windows: %s", async (key) => {
    const page = site.getPage(key);
    const shown = (await get(`${site.pathOf(page)}?as=ada`)).expect(200).text;
    expect(shown).toContain(`data-module="${key}"`);
    const sandbox = / data-sandbox="([^"]+)"/.exec(shown)?.[1] ?? "";
    expect(sandbox.split(" ")).not.toContain("allow-popups");
    const src = readHtml(/ data-src="([^"]+)"/.exec(shown)?.[1]);
    const file = (await get(src)).expect(200);
    expect(new URL(src).hostname).not.toBe(new URL(site.url).hostname);
    expect(file.headers["content-security-policy"]).toContain("default-src 'self'");
    expect(file.text).toMatch(/<head>\s*<script src="\.\/forge-frame-bridge\.js"><\/script>/);
  });

  it("exists for each that the manifest names, at an address of its own", () => {
    const { pages } = site.deployment;
    expect(pages.map(({ key }) => key)).toEqual(expect.arrayContaining(PAGES));
    expect(new Set(pages.map((page) => site.pathOf(page))).size).toBe(pages.length);
    expect(asPage({ type: "trigger", key: "t", isForConfiguring: false, tokens: [] })).toBeNull();
  });

  it("is where the first screen of the sandbox leads, as the person that it names", async () => {
    const start = (await get(world.site.url)).expect(200).text;
    const links = [...start.matchAll(/href="([^"]+)">Be (\w+) in \w+ through Forge</g)];
    expect(links).toHaveLength(3);
    for (const [, href = "", name = ""] of links) {
      expect((await get(readHtml(href))).expect(200).text).toContain(`aria-current="true">${name}<`);
    }
  });

  it("is where the app sends people to link", async () => {
    const token = await world.team.signAccessJwt(LINUS, AUDIENCES.demo);
    const reply = await world.parts.client.send({
      caller: "A service",
      method: "GET",
      url: `${world.appUrl}/api/v1/sites/${site.host}/identity?product=jira`,
      headers: { authorization: `Bearer ${token}` },
    });
    const { linkUrl } = reply.expect(404).body as { linkUrl: string };
    expect(linkUrl).toBe(`${site.url}${site.pathOf(site.getPage("jira-account"))}`);
    (await get(linkUrl)).expect(200);
  });

  it("calls the app for whoever its script says, and for nobody else", async () => {
    const invoke = (person: Person | null) =>
      world.parts.client.send({
        caller: "test",
        method: "POST",
        url: `${site.url}/sandbox/invoke/jira-account`,
        ...(person && { headers: { "x-sandbox-person": person.accountId } }),
        body: { invokeType: "ui-remote-fetch", method: "GET", path: "/api/v1/me" },
      });
    expect((await invoke(GRACE)).expect(200).body).toMatchObject({
      value: { success: true, payload: { status: 200, body: { accountId: GRACE.accountId } } },
    });
    (await invoke(null)).expect(401);
  });
});

it("leads whoever opens its root to the first screen of the sandbox", async () => {
  expect((await get("/")).expect(303).headers.location).toBe(world.site.url);
});

it("tells the app what its triggers are for, until it is uninstalled, and then shows its pages no more", async () => {
  const page = world.page(GRACE, "jira", site);
  await world.linkByCode(GRACE, "jira", site);
  (await site.tick()).expect(204);
  (await site.upgrade()).expect(204);
  expect(await page.listLinks()).toHaveLength(1);

  (await site.uninstall()).expect(204);
  const gone = await get(site.pathOf(site.getPage("jira-account")));
  expect(visibleText(gone.expect(404).text)).toContain("The app isn't installed in Jira");
  await expect(page.listLinks()).rejects.toThrow("The app isn't installed.");
});
