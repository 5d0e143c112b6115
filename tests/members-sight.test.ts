import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { AppPage } from "../sandbox/app-page.js";
import { ADA, CLEO, GRACE, LINUS, type Person } from "../sandbox/people.js";
import type { me } from "../src/web/api-schemas.js";
import type { z } from "zod";
import { listActivity } from "./acting-record.fixture.js";
import { ACTING, GatewayWorld } from "./gateway.fixture.js";
import { travel } from "./lifecycle.fixture.js";
import { expectProblem } from "./refusals.fixture.js";

type Me = z.output<typeof me>;

const DAY_SECONDS = 86_400;
const NEVER = { lastActedAt: null, calls: 0 };

let scene: GatewayWorld;
beforeAll(async () => {
  scene = await GatewayWorld.start();
});
afterAll(() => scene.close());

const pageOf = (person: Person) => scene.world.page(person);

async function readMe(person: Person): Promise<Me> {
  return (await pageOf(person).send("GET", "/api/v1/me")).expect(200).body as Me;
}

async function linkOf(person: Person): Promise<Me["links"][number]> {
  const [link] = (await readMe(person)).links;
  if (!link) throw new Error(`${person.name} has no link.`);
  return link;
}

async function serviceOf(person: Person, label: string): Promise<Me["services"][number]> {
  const service = (await readMe(person)).services.find((each) => each.label === label);
  if (!service) throw new Error(`There is no service called ${label}.`);
  return service;
}

async function confirm(person: Person, id: string, email: unknown) {
  return pageOf(person).send("POST", `/api/v1/me/links/${id}/confirm`, { email });
}

async function seen(page: AppPage, until: unknown) {
  return page.send("POST", "/api/v1/me/news/seen", { until });
}

/** Until it shows: what is used is written once a second. */
async function acted(person: Person, service: "free" | "local", calls: number): Promise<void> {
  expect((await scene.call({ as: person, service })).status).toBe(200);
  await vi.waitFor(async () => expect(await serviceOf(person, service)).toMatchObject({ calls }), 5_000);
}

describe("a person sees of each link", () => {
  it("whether services may act through it, until it was idle for 90 days", async () => {
    expect(await linkOf(GRACE)).toMatchObject({ method: "proof", standing: "proved", confirmedAt: null });
    expect(await linkOf(LINUS)).toMatchObject({
      method: "admin",
      standing: "unconfirmed",
      confirmedAt: null,
    });
    const { items } = (await pageOf(ADA).send("GET", "/api/v1/links")).expect(200).body as {
      items: object[];
    };
    expect(items).toContainEqual(await linkOf(LINUS));
    travel(91 * DAY_SECONDS);
    expect(await linkOf(GRACE)).toMatchObject({ standing: "lapsed" });
    expect(await linkOf(LINUS)).toMatchObject({ standing: "unconfirmed" });
  });
});

describe("confirming a link", () => {
  const listConfirmed = async () => {
    const reply = await pageOf(ADA).send("GET", "/api/v1/audit?action=link.confirmed");
    return (reply.expect(200).body as { items: object[] }).items;
  };
  const unconfirm = () =>
    scene.database.execute("UPDATE links SET confirmed_at = NULL WHERE account_id = ?", [LINUS.accountId]);
  beforeEach(unconfirm);

  it("lets services act through it, where the refused one leads", async () => {
    const { id } = await linkOf(LINUS);
    const { linkUrl } = expectProblem(await scene.call({ as: LINUS }), "proof_required", scene.world.appUrl);
    const page = `${scene.site.url}/plugins/servlet/ac/access-for-atlassian-cloud/account`;
    expect(linkUrl).toBe(`${page}?ac.link=${id}`);

    const confirmed = (await confirm(LINUS, id, LINUS.email)).expect(200).body;
    expect(confirmed).toMatchObject({ id, method: "admin", standing: "confirmed" });
    expect(await linkOf(LINUS)).toMatchObject(confirmed as object);
    expect((await scene.call({ as: LINUS })).status).toBe(200);
  });

  it("is to the e-mail that was shown", async () => {
    const { id } = await linkOf(LINUS);
    for (const email of [GRACE.email, LINUS.email.toUpperCase(), ` ${LINUS.email}`]) {
      expectProblem(await confirm(LINUS, id, email), "consent_changed", scene.world.appUrl);
    }
    expect(await linkOf(LINUS)).toMatchObject({ standing: "unconfirmed" });
  });

  it("is its owner's alone: not an admin's, nor of the same account in the other product", async () => {
    const { id } = await linkOf(LINUS);
    for (const page of [pageOf(ADA), pageOf(GRACE), scene.world.page(LINUS, "confluence")]) {
      const reply = await page.send("POST", `/api/v1/me/links/${id}/confirm`, { email: LINUS.email });
      expectProblem(reply, "not_found", scene.world.appUrl);
    }
    expect(await linkOf(LINUS)).toMatchObject({ standing: "unconfirmed" });
  });

  it("is done and audited once, and again when it has lapsed", async () => {
    const { id } = await linkOf(LINUS);
    const before = (await listConfirmed()).length;
    const first = (await confirm(LINUS, id, LINUS.email)).expect(200).body;
    travel(60);
    expect((await confirm(LINUS, id, LINUS.email)).expect(200).body).toEqual(first);
    const [event, ...earlier] = await listConfirmed();
    expect(earlier).toHaveLength(before);
    expect(event).toMatchObject({
      actor: { type: "user", accountId: LINUS.accountId },
      target: { type: "link", id },
      after: { accountId: LINUS.accountId, email: LINUS.email, method: "admin" },
    });

    travel(91 * DAY_SECONDS);
    expect(await linkOf(LINUS)).toMatchObject({ standing: "lapsed" });
    (await confirm(LINUS, id, LINUS.email)).expect(200);
    expect(await linkOf(LINUS)).toMatchObject({ standing: "confirmed" });
    expect(await listConfirmed()).toHaveLength(before + 2);
  });

  it("changes nothing about a proof, lapsed or not: that is proved again", async () => {
    const proved = await linkOf(CLEO);
    const before = await listConfirmed();
    expect((await confirm(CLEO, proved.id, CLEO.email)).expect(200).body).toEqual(proved);
    travel(91 * DAY_SECONDS);
    const lapsed = { ...proved, standing: "lapsed" };
    expect((await confirm(CLEO, proved.id, CLEO.email)).expect(200).body).toEqual(lapsed);
    expect(await linkOf(CLEO)).toEqual(lapsed);
    expect(await listConfirmed()).toEqual(before);
  });
});

describe("a person is told once", () => {
  it("what was linked, and which service acted for them for the first time, newest first", async () => {
    const link = await linkOf(GRACE);
    const linked = { type: "linked", at: link.linkedAt, linkId: link.id, email: GRACE.email };
    expect(await readMe(GRACE)).toMatchObject({ news: [linked] });
    const { serviceId } = await serviceOf(GRACE, "free");
    await acted(GRACE, "free", 1);
    const { news } = await readMe(GRACE);
    const at = expect.stringMatching(/Z$/) as string;
    expect(news).toEqual([{ type: "acted", at, serviceId, label: "free" }, linked]);

    (await seen(pageOf(GRACE), link.linkedAt)).expect(204);
    expect((await readMe(GRACE)).news).toEqual(news.slice(0, 1));
    (await seen(pageOf(GRACE), news[0]?.at)).expect(204);
    expect((await readMe(GRACE)).news).toEqual([]);

    await acted(GRACE, "free", 2);
    expect((await readMe(GRACE)).news).toEqual([]);
    await acted(GRACE, "local", 1);
    expect((await readMe(GRACE)).news).toMatchObject([{ type: "acted", label: "local" }]);
  });

  it("and nobody else with them", async () => {
    (await seen(pageOf(GRACE), new Date().toISOString())).expect(204);
    expect((await readMe(CLEO)).news).toMatchObject([{ type: "linked", email: CLEO.email }]);
    const inConfluence = await scene.world.page(GRACE, "confluence").send("GET", "/api/v1/me");
    expect(inConfluence.expect(200).body).toMatchObject({ news: [{ type: "linked", email: GRACE.email }] });
  });

  it("only what there is: what is yet to come, or was told already, doesn't change with the time that a page sends", async () => {
    (await seen(pageOf(CLEO), "2999-01-01T00:00:00Z")).expect(204);
    (await seen(pageOf(CLEO), "2020-01-01T00:00:00+02:00")).expect(204);
    expect((await readMe(CLEO)).news).toEqual([]);
    await acted(CLEO, "free", 1);
    expect((await readMe(CLEO)).news).toMatchObject([{ type: "acted", label: "free" }]);
  });

  it("also what happened just before they were told, and was stored just after", async () => {
    expect((await scene.call({ as: CLEO, service: "local" })).status).toBe(200);
    (await seen(pageOf(CLEO), new Date().toISOString())).expect(204);
    await vi.waitFor(async () => {
      expect((await readMe(CLEO)).news).toMatchObject([{ type: "acted", label: "local" }]);
    }, 5_000);
  });

  it("so many times an hour, which nobody needs", async () => {
    const start = Date.now();
    for (let time = 1; time <= 120; time += 1) {
      (await seen(pageOf(LINUS), new Date(start - 10_000 + time).toISOString())).expect(204);
    }
    const late = new Date(start).toISOString();
    expectProblem(await seen(pageOf(LINUS), late), "rate_limited", scene.world.appUrl);
    (await seen(pageOf(LINUS), new Date(start - 10_000).toISOString())).expect(204);
  });

  it.each([undefined, null, 1, "", "yesterday", "2026-01-31"])("but not until %j", async (until) => {
    expectProblem(await seen(pageOf(CLEO), until), "validation_failed", scene.world.appUrl);
  });
});

describe("a person sees of each service", () => {
  it("how often it did something for them, and when last, whatever it did for others", async () => {
    expect(await serviceOf(ADA, "free")).toMatchObject(NEVER);
    await acted(ADA, "free", 1);
    travel(60);
    await acted(ADA, "free", 2);
    const { lastActedAt } = await serviceOf(ADA, "free");
    expect(lastActedAt).toBe(new Date().toISOString());
    expect(await serviceOf(LINUS, "local")).toMatchObject(NEVER);
    expect(await serviceOf(ADA, "local")).toMatchObject(NEVER);
  });

  it("that an admin has paused it", async () => {
    expect(await serviceOf(ADA, "free")).toMatchObject({ paused: false });
    const { services } = await pageOf(ADA).getSettings();
    const pause = (paused: boolean) =>
      pageOf(ADA).saveSettings({
        services: services.map((each) =>
          each.audience === ACTING.free.audience ? { ...each, paused } : each,
        ),
      });
    await pause(true);
    expect(await serviceOf(ADA, "free")).toMatchObject({ paused: true });
    await pause(false);
  });
});

describe("a person's activity", () => {
  it("is each call that a service made as them, newest first, page by page, and nobody else's", async () => {
    const before = (await listActivity(scene, CLEO, "?limit=200")).items.length;
    const { serviceId } = await serviceOf(CLEO, "local");
    for (const path of ["/rest/api/3/myself", "/rest/nothing"]) {
      await scene.call({ as: CLEO, service: "local", path });
      await scene.call({ as: ADA, service: "local", path });
    }
    await vi.waitFor(async () => {
      expect((await listActivity(scene, CLEO, "?limit=200")).items).toHaveLength(before + 2);
    }, 5_000);

    const { items, nextCursor } = await listActivity(scene, CLEO, "?limit=1");
    const common = { at: expect.any(String) as string, milliseconds: expect.any(Number) as number };
    const call = { ...common, serviceId, label: "local", method: "GET", path: "/**", code: null };
    expect(items).toEqual([{ ...call, status: 404 }]);
    const next = await listActivity(scene, CLEO, `?limit=1&cursor=${nextCursor ?? ""}`);
    expect(next.items).toEqual([{ ...call, status: 200 }]);
    expect(await listActivity(scene, LINUS, "?cursor=")).toMatchObject({ nextCursor: null });
  });

  it.each([
    ["?cursor=nonsense", "malformed_request"],
    ["?limit=0", "validation_failed"],
    ["?limit=201", "validation_failed"],
  ] as const)("is refused for %s with %s", async (query, code) => {
    const reply = await pageOf(CLEO).send("GET", `/api/v1/me/activity${query}`);
    expectProblem(reply, code, scene.world.appUrl);
  });
});

describe("while nobody vouches for the tenant", () => {
  it("nothing is shown and nothing is taken: whoever sent its new secret could be anybody", async () => {
    const { id } = await linkOf(LINUS);
    await scene.call({ as: CLEO });
    await vi.waitFor(async () => expect((await listActivity(scene, CLEO)).items).not.toEqual([]), 5_000);
    const { behaviour } = scene.site;
    behaviour.failing = true;
    (await scene.site.install("jira", scene.world.appUrl)).expect(204);

    expect(await readMe(CLEO)).toMatchObject({ links: [], services: [], news: [] });
    expect(await listActivity(scene, CLEO)).toEqual({ items: [], nextCursor: null });
    for (const refused of [
      await confirm(LINUS, id, LINUS.email),
      await seen(pageOf(LINUS), new Date().toISOString()),
    ]) {
      expectProblem(refused, "paused", scene.world.appUrl);
    }
    behaviour.failing = false;
  });
});
