import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { startWorld, type World } from "../sandbox/world.js";

/**
 * Product and base URL of an install event are unsigned. If Confluence could vouch for an installation that calls itself
 * Jira, an admin of the one would become anybody in the other (security rules 3 and 4).
 */
describe("an installation that names another product's place", () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ hasEdge: false });
    await world.prepare();
    await world.link(GRACE);
  });

  afterAll(() => world.close());

  it.each([
    ["Jira at Confluence's address", "jira" as const, "/wiki"],
    ["Jira below another path", "jira" as const, "/gateway/api"],
    ["Confluence below another path", "confluence" as const, "/wiki/rest"],
  ])("is refused as %s, and displaces nobody", async (_, productType, path) => {
    const before = (await world.identify(await signAsGrace(), { product: "jira" })).expect(200).body;
    const { site } = world;
    const answer = await site.install("confluence", world.appUrl, {
      claims: { iss: `intruder ${path}` },
      body: { clientKey: `intruder ${path}`, productType, baseUrl: `http://${site.host}${path}` },
    });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: "validation_failed", errors: [{ field: "baseUrl" }] });
    expect((await world.identify(await signAsGrace(), { product: "jira" })).expect(200).body).toEqual(before);
    (await world.page(ADA).send("GET", "/api/v1/settings")).expect(200);
  });

  async function signAsGrace(): Promise<string> {
    return world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  }
});
