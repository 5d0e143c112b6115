import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AUDIENCES } from "../sandbox/world-parts.js";
import { ROUTES } from "./hostile-input.fixture.js";
import { ATTACKER, expectUnchanged, startAttackedWorld, VICTIM } from "./linking-attacks.fixture.js";
import { createScene, type LinkingWorld, type Scene } from "./linking-scene.fixture.js";
import { expectNoBrowserFavours } from "./refusals.fixture.js";

let linking: LinkingWorld;
let scene: Scene;
/** The attacker's, who lures his victim there. */
let attempt: string;

beforeAll(async () => {
  linking = await startAttackedWorld();
  scene = await createScene(linking);
  await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
  attempt = (await scene.beginInPopup(ATTACKER)).attempt.id;
});
afterAll(() => linking.close());

/** What browsers say of requests that a page on another site has caused. */
const CAUSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "a script": { origin: "https://evil.example", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
  "an image": { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
  "a form": { origin: "https://evil.example", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  "a frame": { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
};

const PUBLIC = [
  "/atlassian-connect.json",
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/problems",
  "/sites/:site/jira/jwks.json",
  "/sites/:site/confluence/jwks.json",
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

describe("where an operator has put the whole host behind Access, a page on another site", () => {
  it.each(ROUTES.map(({ path }) => path))("moves its visitor to nothing at %s", async (path) => {
    const target = path.replace(":attempt", attempt).replace(":site", scene.site.host);
    await expectUnchanged(scene, async () => {
      for (const audience of [AUDIENCES.app, AUDIENCES.demo]) {
        const accessJwt = await linking.world.team.signAccessJwt(VICTIM, audience);
        for (const [cause, signs] of Object.entries(CAUSES)) {
          for (const method of METHODS) {
            const reply = await linking.world.parts.client.send({
              caller: "The victim's browser",
              method,
              url: `${linking.world.appUrl}${target}`,
              // What Cloudflare and the browser add by themselves.
              headers: {
                ...signs,
                "sec-fetch-site": "cross-site",
                "cf-access-jwt-assertion": accessJwt,
                "cf-access-authenticated-user-email": VICTIM.email,
                cookie: `CF_Authorization=${accessJwt}`,
              },
              ...(["POST", "PUT", "PATCH"].includes(method) && {
                body: new URLSearchParams({ action: "link", typed: "true" }),
              }),
            });
            const what = `${cause}: ${method} ${path} for ${audience}`;
            // Somebody may be led to the window, which shows both sides and waits for a click of their own.
            const isWindow = path.startsWith("/access/link/") && audience === AUDIENCES.app;
            const isForAnybody = PUBLIC.includes(path) || isWindow;
            const isRead = method === "GET" || method === "HEAD";
            if (!isForAnybody || !isRead) expect(reply.status, what).toBeGreaterThanOrEqual(400);
            expect(reply.status, what).not.toBe(429);
            if (!isWindow) expect(reply.text, what).not.toContain(VICTIM.accountId);
            expect(reply.headers["content-security-policy"], what).toContain("frame-ancestors 'none'");
            expectNoBrowserFavours(reply.headers);
          }
        }
      }
    });
  });
});
