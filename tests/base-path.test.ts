import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { queryStringHash } from "../sandbox/jwt.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { HostileWorld, ROUTES, type Route } from "./hostile-input.fixture.js";
import { expectProblem } from "./refusals.fixture.js";

const BASE_PATH = "/some/path";

const EVERYTHING: readonly Route[] = [
  ...ROUTES.map(({ path, as, allow }) => ({ path, as, method: allow.split(", ")[0] ?? "" })),
  { path: "/public/0123456789abcdef/style.css", as: "anybody", method: "GET" },
];

describe("below a path of its host", { timeout: 10_000 }, () => {
  let hostile: HostileWorld;
  beforeAll(async () => {
    hostile = await HostileWorld.start(BASE_PATH);
  });
  afterAll(() => hostile.close());

  it.each(EVERYTHING.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s is there, and neither outside of it nor where a path only looks like it",
    async (_name, route) => {
      const message = await hostile.message(route);
      const { status, text } = await hostile.exchange(message);
      expect(status === 404 && text.includes("The path names nothing"), text).toBe(false);

      for (const elsewhere of [
        "",
        "/some",
        `${BASE_PATH}ology`,
        BASE_PATH.repeat(2),
        "/some//path",
        "/some%2Fpath",
        "//some/path",
      ]) {
        const moved = message.toString().replace(` ${BASE_PATH}/`, ` ${elsewhere}/`);
        await hostile.expectRefusal(moved, "not_found");
      }
    },
  );

  it.each(["", "/", "?", "/?x"])("has nothing at the path itself, followed by %j", async (rest) => {
    await hostile.expectRefusal(
      await hostile.message({ method: "GET", path: rest, as: "anybody" }),
      "not_found",
    );
  });

  it("the descriptor and the description of the API name addresses that begin with it", async () => {
    const read = async (path: string) =>
      JSON.parse(
        (await hostile.exchange(await hostile.message({ method: "GET", path, as: "anybody" }))).text,
      ) as unknown;

    expect(await read("/atlassian-connect.json")).toMatchObject({ baseUrl: hostile.appUrl });
    expect(await read("/openapi.json")).toMatchObject({ servers: [{ url: hostile.appUrl }] });
  });

  it("people link and are identified, and every step of it is there", async () => {
    const { world } = hostile;
    const visited: URL[] = [];
    world.parts.client.observer = {
      called: ({ url }) => visited.push(new URL(url)),
      answered: () => undefined,
    };

    await world.link(ADA);

    world.parts.client.observer = null;
    const { origin } = new URL(hostile.appUrl);
    const ofApp = visited.filter((url) => url.origin === origin);
    expect(ofApp.map(({ pathname }) => pathname.replace(/[\w-]{22}$/, "…"))).toEqual([
      `${BASE_PATH}/api/v1/me/link-attempts`,
      `${BASE_PATH}/link/start/…`,
      `${BASE_PATH}/access/link/…`,
      `${BASE_PATH}/access/link/…`,
      `${BASE_PATH}/api/v1/me/links`,
    ]);
    const token = await world.team.signAccessJwt(ADA, AUDIENCES.demo);
    expect((await world.identify(token)).expect(200).body).toMatchObject({ accountId: ADA.accountId });
  });

  it("pages find their styles, and the explanation of a problem", async () => {
    const { world, appUrl } = hostile;
    const browser = await world.browser(GRACE);
    const popup = await world.page(GRACE).openPopup(await world.page(GRACE).beginLink(), browser);
    const [, styleUrl = ""] = /<link rel="stylesheet" href="([^"]+)"/.exec(popup.text) ?? [];
    const style = await browser.open(new URL(styleUrl, popup.call.url).href);
    expect([style.status, style.headers["content-type"]]).toEqual([200, "text/css; charset=utf-8"]);

    const problem = await browser.open(`${appUrl}/nowhere`);
    const [, explanationUrl = ""] = /<a href="([^"]+)"><code>not_found/.exec(problem.text) ?? [];
    const explanation = await browser.open(new URL(explanationUrl, problem.call.url).href);
    expect(explanation.expect(200).text).toContain('id="not_found"');
  });

  it("lifecycle events are bound to their path within it, and to the whole base URL", async () => {
    const { world, appUrl } = hostile;
    const { origin } = new URL(appUrl);
    const qshOf = (path: string) => queryStringHash("POST", `${origin}${path}`, origin);

    (await world.site.install("jira", appUrl, { claims: { qsh: qshOf("/installed") } })).expect(204);
    for (const claims of [
      { qsh: qshOf(`${BASE_PATH}/installed`) },
      { aud: [origin] },
      { aud: [`${appUrl}/`] },
    ]) {
      expectProblem(await world.site.install("jira", appUrl, { claims }), "connect_jwt_invalid", appUrl);
    }
  });
});
