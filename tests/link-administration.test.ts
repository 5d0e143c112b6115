import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";

import { ADA, CLEO, createPerson, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { ProblemCode } from "../src/errors.js";
import type { Product } from "../src/tenants/tenant.js";
import {
  askAsAdmin,
  AUDIT,
  LINKS,
  pathOf,
  storeLinks,
  walk,
  type Link,
  type Page,
} from "./link-administration.fixture.js";
import { createScene, expectProblem, type Scene } from "./linking-scene.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";

const linking = useLinkingWorld();

describe("the list of links", () => {
  it("shows an admin every link of the tenant, newest first, and when it was used", async () => {
    const scene = await createScene(linking);
    await scene.page(GRACE).link(await linking.world.browser(GRACE));
    await scene.page(LINUS).link(await linking.world.browser(LINUS));
    (await scene.identify(GRACE)).expect(200);
    const used = await expect
      .poll(() => askAsAdmin<Link>(scene, LINKS))
      .toMatchObject({
        items: [{ lastUsedAt: null }, { lastUsedAt: expect.stringMatching(/Z$/) as string }],
      })
      .then(() => askAsAdmin<Link>(scene, LINKS));
    const common = {
      id: expect.any(String) as string,
      issuer: linking.world.team.issuer,
      method: "proof",
      linkedAt: expect.stringMatching(/Z$/) as string,
      confirmedAt: null,
      standing: "proved",
    };
    expect(used).toEqual({
      items: [
        { ...common, accountId: LINUS.accountId, email: LINUS.email, lastUsedAt: null },
        {
          ...common,
          accountId: GRACE.accountId,
          email: GRACE.email,
          lastUsedAt: expect.any(String) as string,
        },
      ],
      nextCursor: null,
    });
  });

  it("is empty, not absent, where there are none", async () => {
    const scene = await createScene(linking);
    expect(await askAsAdmin(scene, LINKS)).toEqual({ items: [], nextCursor: null });
  });

  it.each([
    ["grace@", ["grace@acme.example"]],
    ["GRACE@ACME", ["grace@acme.example"]],
    ["acme.example", ["zoe_b@acme.example", "zoeab@acme.example", "grace@acme.example"]],
    ["557058:", ["zoeab@acme.example"]],
    ["ABCDEF", ["zoeab@acme.example"]],
    ["e_b", ["zoe_b@acme.example"]],
    ["%", ["100%@partner.example"]],
    ["\\", ["back\\slash@partner.example"]],
    ["'", ["o'hara@partner.example"]],
    ["nobody", []],
    ["\0", []],
    [" ", []],
  ])("finds %j anywhere in e-mail or account id, letter for letter but for case", async (query, emails) => {
    const scene = await createScene(linking);
    const [first, ...others] = [
      { email: "grace@acme.example" },
      { email: "zoeab@acme.example", accountId: "557058:AbCdEf" },
      { email: "zoe_b@acme.example" },
      { email: "100%@partner.example" },
      { email: "back\\slash@partner.example" },
      { email: "o'hara@partner.example" },
    ].map((link, index) => ({ ...link, linkedAt: new Date(1_700_000_000_000 + index) }));
    await storeLinks(scene, [first!, ...others]);
    const { items } = await askAsAdmin<Link>(scene, LINKS, { query });
    expect(items.map(({ email }) => email)).toEqual(emails);
    expect((await askAsAdmin<Link>(scene, LINKS, { query: "" })).items).toHaveLength(6);
  });

  it.each([1, 7, 200])(
    "comes in pages of %i that join without loss or repeat, of one moment, too",
    async (limit) => {
      const scene = await createScene(linking);
      const moments = Array.from(
        { length: 23 },
        (_, index) => new Date(1_700_000_000_000 + Math.floor(index / 6)),
      );
      await storeLinks(
        scene,
        moments.map((linkedAt) => ({ linkedAt })),
      );
      const pages = await walk<Link>(scene, LINKS, { limit });
      const all = pages.flat();
      expect(pages.map((page) => page.length)).toEqual([
        ...Array<number>(Math.floor(23 / limit)).fill(limit),
        ...(23 % limit > 0 ? [23 % limit] : []),
      ]);
      expect(new Set(all.map(({ id }) => id)).size).toBe(23);
      expect(all.map(({ linkedAt }) => Date.parse(linkedAt))).toEqual(moments.map(Number).reverse());
    },
  );

  it("has 50 on a page unless asked otherwise", async () => {
    const scene = await createScene(linking);
    await storeLinks(
      scene,
      Array.from({ length: 51 }, () => ({})),
    );
    const first = await askAsAdmin<Link>(scene, LINKS);
    expect(first.items).toHaveLength(50);
    expect((await askAsAdmin<Link>(scene, LINKS, { cursor: first.nextCursor ?? "" })).items).toHaveLength(1);
  });

  it("loses and repeats none of those that were there while links come and go", async () => {
    const scene = await createScene(linking);
    const longAgo = new Date(1_700_000_000_000);
    const ids = await storeLinks(
      scene,
      Array.from({ length: 20 }, () => ({ linkedAt: longAgo, email: "old@acme.example" })),
    );
    const goes = [...ids].sort()[0]!;
    const pages = await walk<Link>(scene, LINKS, { limit: 3, query: "OLD@" }, async () => {
      await storeLinks(scene, [{}, { email: "old@acme.example" }, { linkedAt: longAgo }]);
      await scene.page(ADA).send("DELETE", `${LINKS}/${goes}`);
    });
    const seen = pages.flat().map(({ id }) => id);
    expect(seen.sort()).toEqual(ids.filter((id) => id !== goes).sort());
  });

  it("shows no link of another tenant, in whatever way it is asked", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const elsewhere = await createScene(linking);
    await storeLinks(scene, [{ email: "jira@acme.example" }]);
    await storeLinks(scene, [{ email: "wiki@acme.example" }], "confluence");
    await storeLinks(elsewhere, [{ email: "a@acme.example" }, { email: "b@acme.example" }]);
    const { nextCursor } = await askAsAdmin<Link>(elsewhere, LINKS, { limit: 1 });
    for (const query of [{}, { query: "acme" }, { cursor: nextCursor ?? "" }]) {
      const { items } = await askAsAdmin<Link>(scene, LINKS, query);
      expect(items.filter(({ email }) => email !== "jira@acme.example")).toEqual([]);
    }
    const wiki = (await scene.page(ADA, "confluence").send("GET", LINKS)).expect(200).body as Page<Link>;
    expect(wiki.items.map(({ email }) => email)).toEqual(["wiki@acme.example"]);
  });
});

describe.each([LINKS, AUDIT])("paging %s", (path) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await createScene(linking);
    await storeLinks(scene, [{}, {}]);
  });

  it.each<[what: string, query: string, status: number, code: ProblemCode]>([
    ["a limit of 0", "limit=0", 422, "validation_failed"],
    ["a limit of 201", "limit=201", 422, "validation_failed"],
    ["a limit in words", "limit=abc", 422, "validation_failed"],
    ["a negative limit", "limit=-1", 422, "validation_failed"],
    ["half a limit", "limit=1.5", 422, "validation_failed"],
    ["two limits", "limit=1&limit=2", 422, "validation_failed"],
    ["a cursor that isn't one", "cursor=abc", 400, "malformed_request"],
    ["a cursor with other signs", "cursor=%2B%2F%3D", 400, "malformed_request"],
    ["a cursor of another list", `cursor=${encode('{"after":1}')}`, 400, "malformed_request"],
    ["a cursor with too little", `cursor=${encode("[]")}`, 400, "malformed_request"],
    ["a cursor with too much", `cursor=${encode('[1,"a","b"]')}`, 400, "malformed_request"],
    ["a cursor with a condition in it", `cursor=${encode('["\' OR 1=1 --",{}]')}`, 400, "malformed_request"],
    ["a cursor that is no number", `cursor=${encode("[1e999]")}`, 400, "malformed_request"],
    ["a long cursor", `cursor=${"A".repeat(600)}`, 400, "malformed_request"],
    ["a very long cursor", `cursor=${"A".repeat(5000)}`, 400, "malformed_request"],
  ])("refuses %s", async (_what, query, status, code) => {
    expectProblem(await scene.page(ADA).send("GET", `${path}?${query}`), status, code);
  });

  it("takes an empty parameter, as forms send them, for none", async () => {
    const whole = await askAsAdmin(scene, path);
    const empty = { limit: "", cursor: "", query: "", action: "", actor: "", from: "", to: "" };
    expect(await askAsAdmin(scene, path, empty)).toEqual(whole);
  });

  it.each([1, 200])("takes a limit of %i", async (limit) => {
    (await scene.page(ADA).send("GET", `${path}?limit=${limit}`)).expect(200);
  });

  it("refuses the other list's cursor", async () => {
    const { nextCursor } = await askAsAdmin(scene, path === LINKS ? AUDIT : LINKS, { limit: 1 });
    const reply = await scene.page(ADA).send("GET", pathOf(path, { cursor: nextCursor ?? "" }));
    expectProblem(reply, 400, "malformed_request");
  });
});

describe("who may administer", () => {
  it.each<[who: string, person: Person, product: Product]>([
    ["a member", GRACE, "jira"],
    ["somebody whom the site doesn't know", createPerson("Nobody Known"), "jira"],
    ["an admin of Confluence, in Jira,", CLEO, "jira"],
    ["a member, in Confluence,", GRACE, "confluence"],
  ])("isn't %s: nothing is shown and nothing removed", async (_who, person, product) => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const [id] = await storeLinks(scene, [{ accountId: person.accountId }], product);
    const before = await linking.database.snapshot();
    for (const [method, path] of [
      ["GET", LINKS],
      ["DELETE", `${LINKS}/${id}`],
      ["GET", AUDIT],
      ["GET", `${LINKS}?limit=0`],
    ] as const) {
      expectProblem(await scene.page(person, product).send(method, path), 403, "not_admin");
    }
    expect(await linking.database.snapshot()).toEqual(before);
  });

  it("is an admin of Confluence, in Confluence", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const [id] = await storeLinks(scene, [{}], "confluence");
    (await scene.page(CLEO, "confluence").send("DELETE", `${LINKS}/${id}`)).expect(204);
  });

  it("is asked of the product, and nobody is while it doesn't answer", async () => {
    const scene = await createScene(linking, { settings: null });
    const [id] = await storeLinks(scene, [{}]);
    scene.site.behaviour.failing = true;
    expectProblem(await scene.page(ADA).send("DELETE", `${LINKS}/${id}`), 502, "upstream_failed");
    expect(await scene.links()).toHaveLength(1);
  });
});

describe("an admin who removes a link", () => {
  it("ends it at once, and once", async () => {
    const scene = await createScene(linking);
    const { id } = await scene.page(GRACE).link(await linking.world.browser(GRACE));
    const token = await linking.world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    const ask = () =>
      linking.world.parts.client.send({
        caller: "A service",
        method: "GET",
        url: `${linking.world.appUrl}/api/v1/sites/${scene.site.host}/identity`,
        headers: { authorization: `Bearer ${token}` },
      });
    // The very token that the app has verified before.
    (await ask()).expect(200);
    (await scene.page(ADA).send("DELETE", `${LINKS}/${id}`)).expect(204);
    expectProblem(await ask(), 404, "not_linked");
    expect(await scene.page(GRACE).listLinks()).toEqual([]);
    expectProblem(await scene.page(ADA).send("DELETE", `${LINKS}/${id}`), 404, "not_found");
    expect(await scene.linkEvents()).toEqual(["link.created", "link.removed"]);
  });

  it("removes it once though he clicks many times at the same time", async () => {
    const scene = await createScene(linking);
    const [id] = await storeLinks(scene, [{}]);
    const clicks = Array.from({ length: 5 }, () => scene.page(ADA).send("DELETE", `${LINKS}/${id}`));
    const statuses = (await Promise.all(clicks)).map(({ status }) => status).sort();
    expect(statuses).toEqual([204, 404, 404, 404, 404]);
    expect(await scene.linkEvents()).toEqual(["link.removed"]);
  });

  it("can't reach links of other tenants, nor of any by odd ids", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const elsewhere = await createScene(linking);
    const [wiki] = await storeLinks(scene, [{}], "confluence");
    const [foreign] = await storeLinks(elsewhere, [{}]);
    const before = await linking.database.snapshot();
    for (const id of [wiki, foreign, "no-such-id", "%00", "%25", "'", "%27%20OR%201=1", randomUUID()]) {
      expectProblem(await scene.page(ADA).send("DELETE", `${LINKS}/${id}`), 404, "not_found");
    }
    expect(await linking.database.snapshot()).toEqual(before);
  });

  it.each([
    ["POST", LINKS, "GET, HEAD"],
    ["GET", `${LINKS}/some-id`, "DELETE"],
    ["DELETE", AUDIT, "GET, HEAD"],
  ])("has no %s %s", async (method, path, allow) => {
    const scene = await createScene(linking);
    const reply = await scene.page(ADA).send(method, path);
    expectProblem(reply, 405, "method_not_allowed");
    expect(reply.headers.allow).toBe(allow);
  });
});

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}
