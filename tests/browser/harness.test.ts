import { describe, expect, it } from "vitest";

import { GRACE, LINUS } from "../../sandbox/people.js";
import { expectAccessible, expectNoHorizontalScroll } from "./page-checks.fixture.js";
import { readText, type BrowserScene } from "./scene.fixture.js";
import { showState } from "./states.fixture.js";
import { LIGHT_WIDE } from "./look.fixture.js";
import { useScenes } from "./use-scenes.fixture.js";

const NOTHING_LISTENS = "http://127.0.0.1:9";

const scenes = useScenes({ siteCount: 18 });

async function openAnyPage(scene: BrowserScene) {
  const page = await scene.context.newPage();
  await page.goto(`${scene.world.appUrl}/problems`);
  return page;
}

/** Of the app's origin, but with no policy about what it may load. */
async function openLaxPage(scene: BrowserScene, body = "") {
  const url = `${scene.world.appUrl}/lax`;
  await scene.context.route(url, (route) => route.fulfill({ contentType: "text/html", body }));
  const page = await scene.context.newPage();
  await page.goto(url);
  return page;
}

/** Ends the scene as a test does that is over. */
async function complaintsOf(scene: BrowserScene): Promise<string> {
  return scene.end().then(
    () => "",
    (error: unknown) => String(error),
  );
}

describe("what makes a test fail", () => {
  async function start() {
    const scene = await scenes.start();
    return { scene, page: await openAnyPage(scene) };
  }

  it.each([
    ["an error in the console", `console.error("Something is wrong")`, "Something is wrong"],
    ["an uncaught error", `setTimeout(() => { throw new Error("Nobody caught me") })`, "Nobody caught me"],
    ["an unhandled rejection", `void Promise.reject(new Error("Nobody waited"))`, "Nobody waited"],
    [
      "a violation of the Content Security Policy",
      `document.body.append(Object.assign(document.createElement("img"), { src: "${NOTHING_LISTENS}/x.png" }))`,
      "Content Security Policy",
    ],
  ])("%s", async (_, script, complaint) => {
    const { scene, page } = await start();
    await page.evaluate(script);
    await expect.poll(() => scene.errors.unexpected.join()).toContain(complaint);
    expect(await complaintsOf(scene)).toContain(complaint);
  });

  it("not what it allows", async () => {
    const { scene, page } = await start();
    scene.errors.allow(/^Something/);
    await page.evaluate(`console.error("Something is wrong")`);
    expect(await complaintsOf(scene)).toBe("");
  });

  it("a request to anywhere else", async () => {
    const { scene, page } = await start();
    scene.traffic.expectOnlyAppAndHostScript();
    scene.errors.allow(/ERR_/);
    await page.goto(`${NOTHING_LISTENS}/far-away`).catch(() => null);
    expect(() => scene.traffic.expectOnlyAppAndHostScript()).toThrow(`${NOTHING_LISTENS}/far-away`);
    await scene.end();
  });

  it("a request of the app's page to the product, which only the host script may ask", async () => {
    const scene = await scenes.start();
    const page = await openLaxPage(scene);
    const url = `${scene.site.url}/rest/api/3/user`;
    const load = (from: string) => page.evaluate(`fetch("${from}").then(() => null, () => null)`);
    scene.errors.allow(/./);
    await load(`${scene.world.site.url}/connect/all.js`);
    scene.traffic.expectOnlyAppAndHostScript();
    await load(url);
    expect(() => scene.traffic.expectOnlyAppAndHostScript()).toThrow(url);
    await scene.end();
  });

  it("what axe finds, named with its place", async () => {
    const { scene, page } = await start();
    await expectAccessible(page);
    await page.evaluate(`document.querySelector("main").append(document.createElement("button"))`);
    await expect(expectAccessible(page)).rejects.toThrow(/button-name \(critical\).*\n\s+button/);
    await scene.end();
  });

  it("a page that scrolls sideways, with what is too wide", async () => {
    const { scene, page } = await start();
    await expectNoHorizontalScroll(page);
    await page.evaluate(`document.body.append(Object.assign(document.createElement("hr"), { id: "wide" }))`);
    await page.evaluate(`document.querySelector("#wide").style.width = "3000px"`);
    await expect(expectNoHorizontalScroll(page)).rejects.toThrow(/scrolls sideways.*\n.*id="wide"/);
    await scene.end();
  });

  it("a state that doesn't show what it promises, with what it shows instead", async () => {
    const arrange = (scene: BrowserScene) => {
      scene.patienceMs = 500;
      return openAnyPage(scene);
    };
    const state = { name: "problems", arrange, expects: ["Nothing like this"] };
    const showing = { browser: scenes.browser, look: LIGHT_WIDE, place: scenes.takePlace() };
    await expect(showState(state, showing, () => Promise.resolve())).rejects.toThrow(
      /doesn't show "Nothing like this"[^]*access_jwt_missing/,
    );
  });
});

describe("the API between page and app", () => {
  const ask = (path: string) => `fetch("${path}").then((answer) => answer.json()).then(({ code }) => code)`;

  it(
    "is slow when it is told to",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(401, 503);
      const page = await openLaxPage(scene);
      scene.api.delayMs = 300;
      const begun = performance.now();
      expect(await page.evaluate(ask("/api/v1/me"))).toBe("connect_jwt_missing");
      expect(performance.now() - begun).toBeGreaterThan(300);
    }),
  );

  it(
    "refuses until that is undone",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(401, 503);
      const page = await openLaxPage(scene);
      const undo = scene.api.refuse("GET", "/api/v1/me", "store_unavailable");
      expect(await page.evaluate(ask("/api/v1/me?x=1"))).toBe("store_unavailable");
      undo();
      expect(await page.evaluate(ask("/api/v1/me"))).toBe("connect_jwt_missing");
    }),
  );

  it(
    "answers what it is told to, or not before it is released",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(401, 503);
      const page = await openLaxPage(scene);
      scene.api.reply("GET", /^\/api\/v1\/links/, { code: "made up" });
      expect(await page.evaluate(ask("/api/v1/links"))).toBe("made up");
      const release = scene.api.hold("GET", "/api/v1/me");
      const answer = page.evaluate(ask("/api/v1/me"));
      expect(await Promise.race([answer, page.evaluate(`"still waiting"`)])).toBe("still waiting");
      release();
      expect(await answer).toBe("connect_jwt_missing");
    }),
  );
});

describe("the ways of people", () => {
  it(
    "lead to the app's page in the product",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(403);
      await scene.prepare({ products: ["confluence"] });
      const { frame, usableAfterMs } = await scene.openAppPage(GRACE, {
        module: "admin",
        product: "confluence",
      });
      expect(frame.url()).toContain(`${scene.world.appUrl}/admin?`);
      expect(await readText(frame)).toContain("Only admins of the product may do this");
      expect(usableAfterMs).toBeGreaterThan(0);
      scene.traffic.expectOnlyAppAndHostScript();
    }),
  );

  it(
    "end at once where the app isn't installed",
    scenes.play(async (scene) => {
      scene.errors.allowStatus(404);
      await expect(scene.openAppPage(GRACE)).rejects.toThrow(/no account page in jira[^]*isn't installed/);
    }),
  );

  it(
    "lead through the login screen to the popup",
    scenes.play(async (scene) => {
      await scene.prepare();
      const { url } = await scene.client(LINUS).beginLink();
      const page = await openLaxPage(scene, `<button onclick="window.open('${url}')">Link</button>`);
      const popup = await scene.openPopup(page, "Link");
      await scene.signIn(popup, LINUS);
      expect(popup.url()).toContain(`${scene.world.appUrl}/access/link/`);
      // Signed in already: there is nothing left to do.
      await scene.signIn(popup, LINUS);
      expect(await popup.evaluate("window.opener !== null")).toBe(true);
    }),
  );

  it(
    "lead to a popup that is cut off from its opener",
    scenes.play(async (scene) => {
      await scene.prepare();
      scene.world.team.cutsOpeners = true;
      const popup = await scene.openBarePopup(await scene.client(LINUS).beginLink());
      await scene.signIn(popup, LINUS);
      expect(await popup.evaluate("window.opener === null")).toBe(true);
    }),
  );
});
