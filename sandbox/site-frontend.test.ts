import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { visibleText } from "./html.js";
import type { Reply } from "./http-client.js";
import { ADA, CLEO, createPerson, DORA, GRACE, LINUS, OSCAR } from "./people.js";
import { AUDIENCES } from "./world-parts.js";
import { startWorld, type World } from "./world.js";

const APP = "/plugins/servlet/ac/access-for-atlassian-cloud";
let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.prepare();
});
afterAll(async () => world.close());

async function get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
  const url = new URL(path, world.site.url).href;
  return world.parts.client.send({ caller: "test", method: "GET", url, headers });
}

/** The value of an attribute of the host page's place for the app. */
function dataOf(page: Reply, name: string): string {
  const value = new RegExp(` data-${name}="([^"]*)"`).exec(page.expect(200).text)?.[1] ?? "";
  return value.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

function chosen(page: Reply): string[] {
  return [...page.text.matchAll(/aria-current="true">([^<]+)</g)].map(([, text = ""]) => text);
}

describe("first screen", () => {
  it("says what to enter, and every link leads to a page with the right person chosen", async () => {
    const page = (await get("/")).expect(200);
    for (const text of [world.team.domain, AUDIENCES.app, AUDIENCES.demo]) expect(page.text).toContain(text);
    const links = [...page.text.matchAll(/<a class="button" href="([^"]+)">Be (Ada|Linus)/g)];
    expect(links.length).toBe(4);
    for (const [, href = "", name = ""] of links) {
      const url = href.replace(/&#38;/g, "&");
      expect(chosen((await get(url)).expect(200))).toContain(name);
    }
    expect(page.text).toContain(`href="${world.parts.demoUrl}"`);
  });

  it("says so where nothing is installed", async () => {
    const empty = await startWorld({ hasEdge: false });
    const reply = await empty.parts.client.send({ caller: "test", method: "GET", url: `${empty.site.url}/` });
    expect(visibleText(reply.expect(200).text)).toContain("The app isn't installed here yet.");
    await empty.close();
  });
});

describe("host page", () => {
  it.each([
    ["jira", `${APP}/account`, "/account", ""],
    ["jira", `${APP}/admin`, "/admin", ""],
    ["jira", `${APP}/configure`, "/admin", ""],
    ["confluence", `/wiki${APP}/account`, "/account", "/wiki"],
  ] as const)("frames the page of the module in %s: %s", async (product, path, appPath, contextPath) => {
    const page = await get(`${path}?as=linus`);
    const extension = JSON.parse(dataOf(page, "extension")) as { url: string; options: { sandbox: string } };
    const url = new URL(extension.url);
    expect(url.href.startsWith(`${world.appUrl}${appPath}?`)).toBe(true);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ xdm_e: world.site.url, cp: contextPath });
    const token = url.searchParams.get("jwt")!;
    url.searchParams.delete("jwt");
    const again = await world.site.urlBoundJwt(product, LINUS.accountId, "GET", url.href);
    expect(decodeJwt(token)).toMatchObject({ sub: LINUS.accountId, qsh: decodeJwt(again)["qsh"] });
    expect(extension.options.sandbox).toContain("allow-popups-to-escape-sandbox");
    expect(dataOf(page, "context-path")).toBe(contextPath);
  });

  it.each([
    [ADA, "/wiki", true],
    [CLEO, "/wiki", true],
    [CLEO, "", false],
    [GRACE, "/wiki", false],
  ])("shows $0.name in '$1/' the way to administration: $2", async (person, prefix, isShown) => {
    const name = person.name.split(" ")[0]!.toLowerCase();
    const page = (await get(`${prefix}${APP}/account?as=${name}`)).expect(200);
    expect(page.text.includes(">Administration<")).toBe(isShown);
    (await get(`${prefix}${APP}/admin?as=${name}`)).expect(200);
  });

  it("says what is missing when the app or the page isn't there", async () => {
    expect((await get("/plugins/servlet/ac/another-app/admin")).expect(404).text).toContain(
      "isn&#39;t installed in Jira",
    );
    expect((await get(`${APP}/another`)).expect(404).text).toContain("This page doesn&#39;t exist");
  });

  it("shows names as text", async () => {
    const eve = createPerson("Eve <script>");
    world.site.accounts.set(eve.accountId, eve);
    const page = (await get(`${APP}/account?as=eve`)).expect(200);
    expect(page.text).toContain("Eve &#60;script&#62;, member");
    world.site.accounts.delete(eve.accountId);
  });
});

describe("choices", () => {
  it("are Grace, light and kept at first", async () => {
    const page = await get(`${APP}/account`);
    expect(chosen(page)).toEqual(["Grace", "Jira", "Light", "Kept", "Cloudflare Access"]);
    expect(page.text).toContain(`data-theme="dark:dark light:light spacing:spacing" data-color-mode="light"`);
    expect(page.headers).not.toHaveProperty("set-cookie");
  });

  it("come from the query and are kept in a cookie, each until it is chosen anew", async () => {
    const first = await get("/?as=ada&theme=dark");
    const [cookie = ""] = first.headers["set-cookie"]!;
    expect(cookie).toMatch(/; HttpOnly; SameSite=Lax$/);
    const kept = { cookie: `other=1; ${cookie.split(";")[0]!}` };
    const second = await get(`${APP}/account`, kept);
    expect(chosen(second)).toEqual(expect.arrayContaining(["Ada", "Dark"]));
    expect(second.text).toContain(`data-color-mode="dark"`);
    const third = await get(`${APP}/account?as=oscar`, kept);
    expect(chosen(third)).toEqual(expect.arrayContaining(["Oscar", "Dark"]));
    expect(dataOf(third, "person")).toBe(OSCAR.accountId);
  });

  it.each(["dora", "build", "nobody", ""])("ignore somebody who can't sign in: '%s'", async (name) => {
    expect(chosen(await get(`${APP}/account?as=${name}&theme=x&opener=x`))).toEqual(
      expect.arrayContaining(["Grace", "Light", "Kept"]),
    );
  });

  it("make the team cut openers off, or not", async () => {
    expect(chosen(await get("/?opener=cut"))).toContain("Cut");
    expect(world.team.cutsOpeners).toBe(true);
    expect(chosen(await get(`${APP}/account`))).toContain("Cut");
    await get("/?opener=kept");
    expect(world.team.cutsOpeners).toBe(false);
  });
});

describe("what the host page's script asks for", () => {
  const asGrace = { "x-sandbox-person": GRACE.accountId };

  it("is a context JWT of the page's person in the product", async () => {
    const { token } = (await get("/sandbox/context-jwt/confluence", asGrace)).expect(200).body as {
      token: string;
    };
    expect(decodeJwt(token)).toMatchObject({
      sub: GRACE.accountId,
      iss: world.site.getInstallation("confluence").clientKey,
      qsh: "context-qsh",
    });
  });

  it.each(["/sandbox/context-jwt/jira", "/rest/api/3/user/bulk", "/wiki/rest/api/user/bulk"])(
    "is refused to nobody, and to somebody who can't sign in: %s",
    async (path) => {
      expect((await get(path)).status).toBe(401);
      expect((await get(path, { "x-sandbox-person": DORA.accountId })).status).toBe(401);
      expect((await get(path, { cookie: "sandbox-choices=as=grace" })).status).toBe(401);
    },
  );

  it("is the names of accounts, as Jira and Confluence tell them", async () => {
    const ids = [ADA, LINUS, OSCAR].map(({ accountId }) => `accountId=${encodeURIComponent(accountId)}`);
    const query = [...ids, "accountId=unknown"].join("&");
    const inJira = await get(`/rest/api/3/user/bulk?${query}&maxResults=2`, asGrace);
    expect(inJira.expect(200).body).toMatchObject({
      total: 3,
      isLast: false,
      values: [
        { accountId: ADA.accountId, displayName: ADA.name },
        { accountId: LINUS.accountId, displayName: LINUS.name },
      ],
    });
    const inConfluence = await get(`/wiki/rest/api/user/bulk?${query}`, asGrace);
    expect(inConfluence.expect(200).body).toMatchObject({
      size: 3,
      results: [{ displayName: ADA.name }, { publicName: LINUS.name }, { accountId: OSCAR.accountId }],
    });
  });
});

describe("files", () => {
  it("has all that its pages and the bridge load", async () => {
    const page = await get(`${APP}/account`);
    const files = [...page.text.matchAll(/(?:src|href)="(\/(?:connect|sandbox)\/[^"]+)"/g)];
    expect(files.length).toBe(6);
    const themes = ["surfaces", "themes/atlaskit-tokens_dark", "themes/atlaskit-tokens_light"];
    for (const path of [
      ...files.map(([, path = ""]) => path),
      ...themes.map((name) => `/connect/${name}.css`),
    ]) {
      const type = path.endsWith(".css") ? "text/css" : "text/javascript";
      expect((await get(path)).expect(200).headers["content-type"]).toBe(`${type}; charset=utf-8`);
    }
  });

  it("makes the bridge load its themes from here", async () => {
    const script = (await get("/connect/all.js")).expect(200).text;
    expect(script).not.toContain("connect-cdn.atl-paas.net");
    expect(script).toContain(`var CDN_DOMAIN = "${world.site.host}/connect";`);
    expect(script).toContain(`var CDN_URL = "http://" + CDN_DOMAIN;`);
  });

  it.each([
    "/connect/",
    "/connect/package.json",
    "/connect/../package.json",
    "/connect/..%2fpackage.json",
    "/connect/themes/..%2f..%2fpackage.json",
    "/sandbox/..%5chtml.ts",
  ])("has nothing else: %s", async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  it("is where the app's pages get the bridge from", async () => {
    const extension = JSON.parse(dataOf(await get(`${APP}/account`), "extension")) as { url: string };
    const headers = { "sec-fetch-dest": "iframe" };
    const call = { caller: "test", method: "GET", url: extension.url, headers };
    expect((await world.parts.client.send(call)).expect(200).text).toContain(
      `src="${world.site.url}/connect/all.js"`,
    );
  });
});
