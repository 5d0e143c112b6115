import { expect, it } from "vitest";

import { ADA, GRACE, LINUS } from "../sandbox/people.js";
import type { Reply } from "../sandbox/http-client.js";
import { askAsAdmin, AUDIT, LINKS, type AuditItem, type Link } from "./link-administration.fixture.js";
import { createScene, expectProblem, type Scene } from "./linking-scene.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";
import { travel } from "./lifecycle.fixture.js";

const linking = useLinkingWorld();

/** Grace is linked. */
async function setUp(): Promise<{ scene: Scene; link: Link }> {
  const scene = await createScene(linking);
  await scene.page(GRACE).link(await linking.world.browser(GRACE));
  const { items } = await askAsAdmin<Link>(scene, LINKS);
  return { scene, link: items[0]! };
}

async function remove(scene: Scene, { id }: Link): Promise<void> {
  (await scene.page(ADA).send("DELETE", `${LINKS}/${id}`)).expect(204);
}

async function restore(scene: Scene, { id }: Link, person = ADA): Promise<Reply> {
  return scene.page(person).send("POST", `${LINKS}/${id}/restore`);
}

it("brings back what an admin removed, as it was, and it counts again", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  expectProblem(await scene.identify(GRACE), 404, "not_linked");

  expect((await restore(scene, link)).expect(200).body).toEqual(link);
  expect((await askAsAdmin<Link>(scene, LINKS)).items).toEqual([link]);
  (await scene.identify(GRACE)).expect(200);
});

it("is audited, with who did it", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  await restore(scene, link);
  const { items } = await askAsAdmin<AuditItem>(scene, AUDIT, { limit: 1 });
  expect(items).toMatchObject([
    {
      action: "link.restored",
      actor: { type: "user", accountId: ADA.accountId },
      target: { type: "link", id: link.id },
      before: null,
      after: { email: GRACE.email, accountId: GRACE.accountId, method: "proof" },
    },
  ]);
});

it("works once", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  (await restore(scene, link)).expect(200);
  expectProblem(await restore(scene, link), 404, "not_found");
  await remove(scene, link);
  (await restore(scene, link)).expect(200);
});

it("leaves alone what its owner took back", async () => {
  const { scene, link } = await setUp();
  await scene.page(GRACE).unlinkAll();
  expectProblem(await restore(scene, link), 404, "not_found");
});

it("leaves alone what the holder of the Access identity took back in the window", async () => {
  const { scene, link } = await setUp();
  const browser = await linking.world.browser(GRACE);
  await scene.page(LINUS).openPopup(await scene.page(LINUS).beginLink(), browser, GRACE);
  (await browser.submit({ action: "remove" })).expect(303, 200);
  expect((await askAsAdmin<Link>(scene, LINKS)).items).toEqual([]);
  expectProblem(await restore(scene, link), 404, "not_found");
});

it("is refused when the identity has been linked again meanwhile", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  await scene.page(LINUS).link(await linking.world.browser(GRACE), GRACE);
  expectProblem(await restore(scene, link), 404, "not_found");
  const { items } = await askAsAdmin<Link>(scene, LINKS);
  expect(items.map(({ accountId }) => accountId)).toEqual([LINUS.accountId]);
});

it("can't bring back what its owner linked again and then took back", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  await scene.page(GRACE).link(await linking.world.browser(GRACE));
  await scene.page(GRACE).unlinkAll();
  expectProblem(await restore(scene, link), 404, "not_found");
  expectProblem(await scene.identify(GRACE), 404, "not_linked");
});

it("can't bring back what its owner took back a moment after the admin, which is audited", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  (await scene.page(GRACE).send("DELETE", `/api/v1/me/links/${link.id}`)).expect(204);
  expectProblem(await restore(scene, link), 404, "not_found");
  const { items } = await askAsAdmin<AuditItem>(scene, AUDIT, { action: "link.removed" });
  expect(items.map(({ actor }) => actor.accountId)).toEqual([GRACE.accountId, ADA.accountId]);
  expectProblem(await scene.page(GRACE).send("DELETE", `/api/v1/me/links/${link.id}`), 404, "not_found");
});

it("leaves to its owner alone what an admin removed", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  expectProblem(await scene.page(LINUS).send("DELETE", `/api/v1/me/links/${link.id}`), 404, "not_found");
  (await restore(scene, link)).expect(200);
});

it("can't give an identity back to an account that its holder has left for another", async () => {
  const scene = await createScene(linking);
  await scene.page(LINUS).link(await linking.world.browser(GRACE), GRACE);
  const { items } = await askAsAdmin<Link>(scene, LINKS);
  const link = items[0]!;
  await remove(scene, link);
  await scene.page(GRACE).link(await linking.world.browser(GRACE));
  await scene.page(GRACE).unlinkAll();
  expectProblem(await restore(scene, link), 404, "not_found");
});

it("is for admins of that tenant", async () => {
  const { scene, link } = await setUp();
  const other = await setUp();
  await remove(scene, link);
  expectProblem(await restore(scene, link, GRACE), 403, "not_admin");
  expectProblem(await restore(other.scene, link), 404, "not_found");
  (await restore(scene, link)).expect(200);
});

it("ends with an uninstallation", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  (await scene.site.uninstall("jira")).expect(204);
  await linking.world.install("jira", scene.site);
  expectProblem(await restore(scene, link), 404, "not_found");
});

it("ends after ten minutes", async () => {
  const { scene, link } = await setUp();
  await remove(scene, link);
  travel(601);
  expectProblem(await restore(scene, link), 404, "not_found");
});
