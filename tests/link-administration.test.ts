import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { ADA, CLEO, createPerson, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { ProblemCode } from "../src/errors.js";
import type { Product } from "../src/tenants/tenant.js";
import { storedTime } from "./linking-database.fixture.js";
import {
  createScene,
  expectProblem,
  startLinkingWorld,
  type LinkingWorld,
  type Scene,
} from "./linking-scene.fixture.js";

let linking: LinkingWorld;
beforeAll(async () => {
  linking = await startLinkingWorld();
});
afterAll(async () => {
  await linking.close();
});

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

interface Link {
  readonly id: string;
  readonly accountId: string;
  readonly email: string;
  readonly linkedAt: string;
}

interface AuditItem {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly accountId: string | null };
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly ip: string | null;
  readonly reference: string | null;
}

const LINKS = "/api/v1/links";
const AUDIT = "/api/v1/audit";

async function askAsAdmin<T>(
  scene: Scene,
  path: string,
  query: Record<string, string | number> = {},
): Promise<Page<T>> {
  return (await scene.page(ADA).send("GET", pathOf(path, query))).expect(200).body as Page<T>;
}

function pathOf(path: string, query: Record<string, string | number>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  return search.size > 0 ? `${path}?${search.toString()}` : path;
}

/** Every page from the first to the last; `between` runs after each. */
async function walk<T>(
  scene: Scene,
  path: string,
  query: Record<string, string | number>,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<readonly (readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await askAsAdmin<T>(scene, path, cursor === null ? query : { ...query, cursor });
    pages.push(page.items);
    cursor = page.nextCursor;
    await between();
  } while (cursor !== null && pages.length < 100);
  return pages;
}

interface StoredLink {
  readonly email?: string;
  readonly accountId?: string;
  readonly linkedAt?: Date;
}

/** Links as they stand after months, without walking every person through the popup. */
async function storeLinks(
  scene: Scene,
  links: readonly StoredLink[],
  product: Product = "jira",
): Promise<string[]> {
  const ids: string[] = [];
  for (const { email = "somebody@acme.example", accountId = "account", linkedAt = new Date() } of links) {
    const id = randomUUID();
    await linking.database.execute(
      `INSERT INTO links (id, tenant_id, issuer, subject, email, account_id, method, linked_at)
       SELECT ?, id, ?, ?, ?, ?, 'proof', ? FROM tenants WHERE site = ? AND product = ?`,
      [id, linking.world.team.issuer, id, email, accountId, storedTime(linkedAt), scene.site.host, product],
    );
    ids.push(id);
  }
  return ids;
}

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
  it.each<[what: string, query: string, status: number, code: ProblemCode]>([
    ["a limit of 0", "limit=0", 422, "validation_failed"],
    ["a limit of 201", "limit=201", 422, "validation_failed"],
    ["a limit in words", "limit=abc", 422, "validation_failed"],
    ["a negative limit", "limit=-1", 422, "validation_failed"],
    ["half a limit", "limit=1.5", 422, "validation_failed"],
    ["an empty limit", "limit=", 422, "validation_failed"],
    ["two limits", "limit=1&limit=2", 422, "validation_failed"],
    ["an empty cursor", "cursor=", 400, "malformed_request"],
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
    const scene = await createScene(linking);
    expectProblem(await scene.page(ADA).send("GET", `${path}?${query}`), status, code);
  });

  it.each([1, 200])("takes a limit of %i", async (limit) => {
    const scene = await createScene(linking);
    (await scene.page(ADA).send("GET", `${path}?limit=${limit}`)).expect(200);
  });

  it("refuses the other list's cursor", async () => {
    const scene = await createScene(linking);
    await storeLinks(scene, [{}, {}]);
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

describe("the audit log", () => {
  const ip = "127.0.0.1";
  const by = ({ accountId }: Person) => ({ type: "user", accountId });
  const host = { type: "host", accountId: null };
  const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;

  /** Does one thing, and answers it with the events that it left. */
  async function watch(
    scene: Scene,
    work: () => Promise<Reply>,
  ): Promise<{ reply: Reply; events: readonly unknown[] }> {
    const before = await linking.database.ofSite("audit_events", scene.site.host);
    const reply = await work();
    const after = await linking.database.ofSite("audit_events", scene.site.host);
    const isNew = ({ id }: { id?: unknown }) => !before.some((event) => event["id"] === id);
    expect(after.slice(0, before.length)).toEqual(before);
    const events = after.filter(isNew).map((row) => ({
      action: row["action"],
      actor: { type: row["actor_type"], accountId: row["actor_account_id"] },
      target: { type: row["target_type"], id: row["target_id"] },
      before: JSON.parse(String(row["before"])) as unknown,
      after: JSON.parse(String(row["after"])) as unknown,
      ip: row["ip"],
      reference: row["reference"],
    }));
    return { reply, events };
  }

  it("has exactly one event for every change of a link: whose, what was, what is, from where, and which request", async () => {
    const scene = await createScene(linking);
    const link = {
      accountId: GRACE.accountId,
      email: GRACE.email,
      issuer: linking.world.team.issuer,
      method: "proof",
    };
    const page = scene.page(GRACE);

    const { attempt, cookie } = await scene.beginInPopup(GRACE);
    const { code } = await scene.getBothCodes(attempt, { as: GRACE, cookie });
    const made = await watch(scene, () => scene.redeem(GRACE, attempt, code));
    const { id } = made.reply.expect(201).body as Link;
    const reference = (reply: Reply) => reply.headers["x-request-reference"];
    expect(made.events).toEqual([
      {
        action: "link.created",
        actor: by(GRACE),
        target: { type: "link", id },
        before: null,
        after: link,
        ip,
        reference: reference(made.reply),
      },
    ]);

    const removed = await watch(scene, () => page.send("DELETE", `/api/v1/me/links/${id}`));
    expect(removed.events).toEqual([
      {
        action: "link.removed",
        actor: by(GRACE),
        target: { type: "link", id },
        before: link,
        after: null,
        ip,
        reference: reference(removed.reply),
      },
    ]);

    const accessJwt = await linking.world.team.signAccessJwt(GRACE, AUDIENCES.app);
    const direct = await watch(scene, () => scene.linkWithToken(GRACE, accessJwt));
    const second = (direct.reply.expect(201).body as Link).id;
    expect(direct.events).toEqual([
      {
        action: "link.created",
        actor: by(GRACE),
        target: { type: "link", id: second },
        before: null,
        after: link,
        ip,
        reference: reference(direct.reply),
      },
    ]);

    await linking.database.execute("UPDATE links SET method = 'admin' WHERE id = ?", [second]);
    const replaced = await watch(scene, () => scene.linkWithToken(GRACE, accessJwt));
    replaced.reply.expect(200);
    expect(replaced.events).toEqual([
      {
        action: "link.replaced",
        actor: by(GRACE),
        target: { type: "link", id: second },
        before: { ...link, method: "admin" },
        after: link,
        ip,
        reference: reference(replaced.reply),
      },
    ]);

    const byAdmin = await watch(scene, () => scene.page(ADA).send("DELETE", `${LINKS}/${second}`));
    expect(byAdmin.events).toEqual([
      {
        action: "link.removed",
        actor: by(ADA),
        target: { type: "link", id: second },
        before: link,
        after: null,
        ip,
        reference: reference(byAdmin.reply),
      },
    ]);
  });

  it("has exactly one event for every change of the settings, with the whole document before and after", async () => {
    const scene = await createScene(linking, { settings: null });
    const fresh = {
      teamDomain: null,
      services: [],
      allowedEmailDomains: [],
      matching: "proof",
      paused: false,
      version: 0,
    };
    const save = (version: number) =>
      scene.page(ADA).send("PUT", "/api/v1/settings", {
        teamDomain: `https://ACME.cloudflareaccess.com/`,
        services: [{ label: "App", audience: AUDIENCES.app, purposes: ["link"] }],
        paused: version > 0,
        version,
      });
    const first = await watch(scene, () => save(0));
    const saved = first.reply.expect(200).body;
    expect(first.events).toEqual([
      {
        action: "settings.changed",
        actor: by(ADA),
        target: { type: "settings", id: uuid },
        before: fresh,
        after: saved,
        ip,
        reference: first.reply.headers["x-request-reference"],
      },
    ]);
    const second = await watch(scene, () => save(1));
    expect(second.events).toMatchObject([{ before: saved, after: second.reply.expect(200).body }]);

    const refused = await watch(scene, () => save(1));
    expectProblem(refused.reply, 409, "version_conflict");
    expect(refused.events).toEqual([]);
  });

  it("has exactly one event for every change of the installation, and none for what changes nothing", async () => {
    const scene = await createScene(linking, { products: [] });
    const { site } = scene;
    const steps: [action: string | null, work: () => Promise<Reply>, before: unknown, after: unknown][] = [
      ["tenant.installed", () => site.install("jira", linking.world.appUrl), null, { state: "enabled" }],
      [null, () => site.enable("jira"), null, null],
      ["tenant.disabled", () => site.disable("jira"), null, null],
      [null, () => site.disable("jira"), null, null],
      ["tenant.enabled", () => site.enable("jira"), null, null],
      ["tenant.uninstalled", () => site.uninstall("jira"), { state: "enabled" }, null],
      [
        "tenant.installed",
        () => site.install("jira", linking.world.appUrl),
        { state: "uninstalled" },
        { state: "enabled" },
      ],
    ];
    const where = { product: "jira", site: site.host, baseUrl: site.url };
    for (const [action, work, before, after] of steps) {
      const { reply, events } = await watch(scene, work);
      reply.expect(204);
      const event = {
        action,
        actor: host,
        target: { type: "tenant", id: uuid },
        before: before && { ...where, ...before },
        after: after && { ...where, ...after },
        ip,
        reference: reply.headers["x-request-reference"],
      };
      expect(events).toEqual(action === null ? [] : [event]);
    }
  });

  it("has the address that the connection comes from, whatever a header that nobody is trusted to send claims", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(GRACE);
    await scene.page(LINUS).link(await linking.world.browser(GRACE), GRACE);
    const headers = {
      "x-forwarded-for": "203.0.113.9",
      "cf-connecting-ip": "203.0.113.9",
      forwarded: "for=203.0.113.9",
    };
    const { events } = await watch(scene, () =>
      scene.clickInPopup(attempt, { as: GRACE, cookie, headers, body: { action: "remove" } }),
    );
    expect(events).toMatchObject([{ action: "link.removed", actor: { type: "user", accountId: null }, ip }]);
  });

  it("is newest first, of one tenant only, and leaves out nothing that the API shows of an event", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const elsewhere = await createScene(linking);
    const { id } = await scene.page(GRACE).link(await linking.world.browser(GRACE));
    await elsewhere.page(LINUS).link(await linking.world.browser(LINUS));
    const { items } = await askAsAdmin<AuditItem>(scene, AUDIT);
    expect(items.map(({ action }) => action)).toEqual([
      "link.created",
      "settings.changed",
      "tenant.installed",
    ]);
    expect(items[0]).toEqual({
      id: uuid,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      action: "link.created",
      actor: by(GRACE),
      target: { type: "link", id },
      before: null,
      after: {
        accountId: GRACE.accountId,
        email: GRACE.email,
        issuer: linking.world.team.issuer,
        method: "proof",
      },
      ip,
      reference: expect.stringMatching(/^[A-Z2-7]{12}$/) as string,
    });
  });

  it("survives uninstalling, and is there again after a reinstall", async () => {
    const scene = await createScene(linking);
    await scene.page(GRACE).link(await linking.world.browser(GRACE));
    (await scene.site.uninstall("jira")).expect(204);
    await scene.install("jira");
    const { items } = await askAsAdmin<AuditItem>(scene, AUDIT);
    expect(items.map(({ action }) => action)).toEqual([
      "tenant.installed",
      "tenant.uninstalled",
      "link.created",
      "settings.changed",
      "tenant.installed",
    ]);
  });

  it.each<[what: string, query: Record<string, string>, expected: string[]]>([
    ["an action", { action: "link.removed" }, ["link.removed by Grace", "link.removed by Ada"]],
    ["an unknown action", { action: "link" }, []],
    ["an account", { actor: GRACE.accountId }, ["link.removed by Grace", "link.created by Grace"]],
    ["a kind of actor", { actor: "host" }, ["tenant.installed by host"]],
    ["an action and an account", { actor: ADA.accountId, action: "link.removed" }, ["link.removed by Ada"]],
    ["a part of an account, which is none", { actor: GRACE.accountId.slice(0, -1) }, []],
  ])("can be asked for %s", async (_what, query, expected) => {
    const scene = await createEventfulScene();
    const { items } = await askAsAdmin<AuditItem>(scene, AUDIT, query);
    expect(items.map(describeEvent)).toEqual(expected);
  });

  it("can be asked for a time: from a moment on, and before another", async () => {
    const scene = await createEventfulScene();
    const day = (number: number) => `2026-01-0${number}T00:00:00.000Z`;
    const rows = await linking.database.ofSite("audit_events", scene.site.host);
    for (const [index, { id }] of rows.entries()) {
      const at = storedTime(new Date(day(index + 1)));
      await linking.database.execute("UPDATE audit_events SET at = ? WHERE id = ?", [at, id]);
    }
    const daysOf = async (query: Record<string, string>) =>
      (await askAsAdmin<AuditItem>(scene, AUDIT, query)).items.map(({ at }) => Number(at.slice(8, 10)));
    expect(await daysOf({})).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await daysOf({ from: day(3) })).toEqual([6, 5, 4, 3]);
    expect(await daysOf({ to: day(3) })).toEqual([2, 1]);
    expect(await daysOf({ from: day(2), to: day(4) })).toEqual([3, 2]);
    expect(await daysOf({ from: day(3), to: day(3) })).toEqual([]);
    // The same moment, written elsewhere in the world.
    expect(await daysOf({ from: "2026-01-03T02:00:00+02:00", to: day(4) })).toEqual([3]);
    expect(await daysOf({ from: "2026-01-03T00:00:00.001Z", to: day(5), action: "link.created" })).toEqual([
      4,
    ]);
  });

  it.each([
    ["from", "yesterday"],
    ["from", "2026-01-01"],
    ["to", "2026-13-01T00:00:00Z"],
    ["to", "1700000000"],
    ["from", ""],
    ["action", "x".repeat(65)],
    ["actor", "x".repeat(129)],
  ])("refuses %s %j, and says so at the field", async (field, value) => {
    const scene = await createScene(linking);
    const reply = await scene.page(ADA).send("GET", pathOf(AUDIT, { [field]: value }));
    expect(expectProblem(reply, 422, "validation_failed").errors).toMatchObject([{ field }]);
  });

  it("comes in pages that join without loss or repeat while events are added, and with a filter", async () => {
    const scene = await createEventfulScene();
    const before = (await askAsAdmin<AuditItem>(scene, AUDIT)).items.map(({ id }) => id);
    const addEvent = async () => {
      await scene.page(ADA).saveSettings({ paused: false });
    };
    for (const limit of [1, 2, 5]) {
      const known = (await askAsAdmin<AuditItem>(scene, AUDIT)).items.map(({ id }) => id);
      const pages = await walk<AuditItem>(scene, AUDIT, { limit }, addEvent);
      expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
      expect(pages.flat().map(({ id }) => id)).toEqual(known);
    }
    const links = await walk<AuditItem>(scene, AUDIT, { limit: 1, actor: GRACE.accountId }, addEvent);
    expect(links.flat().map(describeEvent)).toEqual(["link.removed by Grace", "link.created by Grace"]);
    expect(
      (await askAsAdmin<AuditItem>(scene, AUDIT, { limit: 200 })).items.slice(-6).map(({ id }) => id),
    ).toEqual(before);
  });

  /** tenant.installed, settings.changed, link.created twice, link.removed by the admin and by Grace: six events. */
  async function createEventfulScene(): Promise<Scene> {
    const scene = await createScene(linking);
    const { id } = await scene.page(LINUS).link(await linking.world.browser(LINUS));
    await scene.page(GRACE).link(await linking.world.browser(GRACE));
    (await scene.page(ADA).send("DELETE", `${LINKS}/${id}`)).expect(204);
    await scene.page(GRACE).unlinkAll();
    return scene;
  }

  function describeEvent({ action, actor }: AuditItem): string {
    const person = [ADA, GRACE, LINUS].find(({ accountId }) => accountId === actor.accountId);
    return `${action} by ${person?.name.split(" ")[0] ?? actor.type}`;
  }
});

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}
