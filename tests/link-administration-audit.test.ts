import { beforeAll, describe, expect, it } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import {
  askAsAdmin,
  AUDIT,
  LINKS,
  pathOf,
  walk,
  type AuditItem,
  type Link,
} from "./link-administration.fixture.js";
import { storedTime } from "./linking-database.fixture.js";
import { createScene, expectProblem, type Scene } from "./linking-scene.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";

const linking = useLinkingWorld();

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

    const accessJwt = await scene.accessJwtOf(GRACE);
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

  describe("filtered", () => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await createEventfulScene();
    });

    it.each<[what: string, query: Record<string, string>, expected: string[]]>([
      ["an action", { action: "link.removed" }, ["link.removed by Grace", "link.removed by Ada"]],
      ["an unknown action", { action: "link" }, []],
      ["an account", { actor: GRACE.accountId }, ["link.removed by Grace", "link.created by Grace"]],
      ["a kind of actor", { actor: "host" }, ["tenant.installed by host"]],
      ["an action and an account", { actor: ADA.accountId, action: "link.removed" }, ["link.removed by Ada"]],
      ["a part of an account, which is none", { actor: GRACE.accountId.slice(0, -1) }, []],
    ])("by %s shows just that", async (_what, query, expected) => {
      const { items } = await askAsAdmin<AuditItem>(scene, AUDIT, query);
      expect(items.map(describeEvent)).toEqual(expected);
    });

    it.each([
      ["from", "yesterday"],
      ["from", "2026-01-01"],
      ["to", "2026-13-01T00:00:00Z"],
      ["to", "1700000000"],
      ["action", "x".repeat(65)],
      ["actor", "x".repeat(129)],
    ])("refuses %s %j, and says so at the field", async (field, value) => {
      const reply = await scene.page(ADA).send("GET", pathOf(AUDIT, { [field]: value }));
      expect(expectProblem(reply, 422, "validation_failed").errors).toMatchObject([{ field }]);
    });
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
