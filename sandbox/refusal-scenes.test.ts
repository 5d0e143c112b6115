import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import { PRODUCTS } from "../src/tenants/tenant.js";
import type { AppPage } from "./app-page.js";
import { findOperation, listAnnounced, openapiDocument, type OpenapiDocument } from "./openapi.fixture.js";
import { ADA, GRACE } from "./people.js";
import { NOT_PLAYED, SCENES } from "./refusal-scenes.js";
import { startWorld, type World } from "./world.js";

let world: World;
let document: OpenapiDocument;
beforeAll(async () => {
  world = await startWorld();
  document = openapiDocument.parse(await (await fetch(`${world.appUrl}/openapi.json`)).json());
  await world.prepare();
  await world.link(GRACE);
});
afterAll(async () => world.close());

describe("every refusal that a service can meet", () => {
  it("has a scene, or a reason why not", () => {
    const played = SCENES.flatMap(({ ending }) => ("code" in ending ? [ending.code] : []));
    const codes = Object.keys(PROBLEMS) as ProblemCode[];
    expect(codes.filter((code) => !played.includes(code) && !(code in NOT_PLAYED))).toEqual([]);
    expect(played.filter((code) => code in NOT_PLAYED)).toEqual([]);
    expect(new Set(SCENES.map(({ id }) => id)).size).toBe(SCENES.length);
  });

  it.each(SCENES)(
    "happens as it is told, and leaves all as it was: $id",
    { timeout: 60_000 },
    async (scene) => {
      const before = await lookAround();

      const reply = await world.scenes.play(scene);

      const { ending } = scene;
      if ("code" in ending) {
        expect(reply.status, reply.text).toBe(PROBLEMS[ending.code].status);
        expect(reply.body).toMatchObject({ code: ending.code });
        expect(reply.headers["x-gateway-upstream"]).toBeUndefined();
        const found = findOperation(document, reply.call);
        if (found)
          expect(listAnnounced(found.operation), found.name).toContain(`${reply.status} ${ending.code}`);
      } else {
        expect(reply.status, reply.text).toBe(ending.status);
        const hasUpstream = reply.call.url.includes("/jira/rest/");
        expect(reply.headers["x-gateway-upstream"]).toBe(hasUpstream ? "jira" : undefined);
      }
      expect(await lookAround()).toEqual(before);
    },
  );
});

/** All that a scene could leave behind, except for what it wrote in Jira and in the audit log. */
async function lookAround(): Promise<unknown> {
  const { oauth } = world.parts;
  const scenes = await world.scenes.open();
  const { site } = scenes;
  const list = async (page: AppPage) => {
    const { items } = (await page.send("GET", "/api/v1/links")).expect(200).body as { items: object[] };
    return items.map((link) => ({ ...link, lastUsedAt: null }));
  };
  return {
    here: [await world.page(ADA).getSettings(), await list(world.page(ADA))],
    there: await Promise.all(
      PRODUCTS.map(async (product) => {
        const page = scenes.page(ADA, product);
        return { ...(await page.getSettings()), version: null, links: await list(page) };
      }),
    ),
    accounts: [...site.accounts.values()],
    installations: PRODUCTS.map((product) => ({ ...site.getInstallation(product) })),
    routes: [site, world.team].map(({ server }) => server.routes.length),
    behaviours: [site, world.site, world.team, oauth].map(({ behaviour }) => ({ ...behaviour })),
    troubles: oauth.troubles.size,
  };
}
