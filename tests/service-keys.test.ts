import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import { ADA, createPerson, GRACE } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import type { ListedSettings } from "../src/services/settings.js";
import { travel } from "./lifecycle.fixture.js";
import { expectProblem, type Answer } from "./refusals.fixture.js";
import { tool, ToolsWorld, type ServiceKeyTold } from "./service-keys.fixture.js";

let tools: ToolsWorld;
beforeAll(async () => {
  tools = await ToolsWorld.start();
});
afterAll(() => tools.close());

const refuse = (answer: Answer, code: ProblemCode) => expectProblem(answer, code, tools.gateway.world.appUrl);

describe("a service without a key", () => {
  it("is whoever holds a token of its visitor, whatever is sent along as its key", async () => {
    await tools.list(tool("Builds"));
    const token = await tools.sign("Builds");
    for (const key of [undefined, "sk_made-up"]) {
      expect((await tools.act(token, key)).status).toBe(200);
      (await tools.identify(token, key)).expect(200);
    }
  });
});

describe("a service with a key", () => {
  let told: ServiceKeyTold;
  let token: string;
  beforeEach(async () => {
    await tools.list(tool("Builds"), tool("Reports"));
    told = await tools.createKey("Builds");
    token = await tools.sign("Builds");
  });

  it("is told it once: 256 random bits that look like a key", async () => {
    expect(told).toEqual({
      id: expect.any(String) as string,
      key: expect.stringMatching(/^sk_[\w-]{43}$/) as string,
      hint: told.key.slice(-4),
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    const { id, hint, createdAt } = told;
    expect((await tools.look("Builds")).keys).toEqual([{ id, hint, createdAt, lastUsedAt: null }]);
    expect((await tools.look("Reports")).keys).toEqual([]);
  });

  it("identifies and acts with it", async () => {
    expect((await tools.act(token, told.key)).status).toBe(200);
    (await tools.identify(token, told.key)).expect(200);
  });

  it.each<[what: string, key: (key: string) => string | undefined]>([
    ["no key", () => undefined],
    ["an empty key", () => ""],
    ["a made-up key", () => `sk_${"A".repeat(43)}`],
    ["its own key but for the last character", (key) => key.slice(0, -1)],
    ["its own key and one character more", (key) => `${key}A`],
    ["its own key in other letters", (key) => key.toLowerCase()],
  ])("gets one and the same answer for %s", async (_what, keyOf) => {
    const before = tools.gateway.productCalls();
    const answers = [await tools.act(token, keyOf(told.key)), await tools.identify(token, keyOf(told.key))];
    const details = answers.map((answer) => refuse(answer, "service_key_required").detail);
    expect(details[0]).toBe(details[1]);
    expect(details[0]).toContain("X-Service-Key");
    expect(tools.gateway.productCalls()).toEqual(before);
  });

  it("is refused when two keys are sent, of which one is its own", async () => {
    refuse(await tools.act(token, [told.key, "sk_other"]), "service_key_required");
  });

  it("isn't another service with its key, nor does another service's key help it", async () => {
    const other = await tools.createKey("Reports");
    refuse(await tools.act(token, other.key), "service_key_required");
    refuse(await tools.act(await tools.sign("Reports"), told.key), "service_key_required");
    expect((await tools.act(await tools.sign("Reports"), other.key)).status).toBe(200);
  });

  it("is the one that is meant by a token of several services", async () => {
    const both = await tools.sign("Reports", GRACE, ["Builds"]);
    await tools.change("Builds", { limits: { ...tool("Builds").limits, requests: [] } });
    // Reports, which needs no key, may read; Builds may do nothing.
    expect((await tools.act(both)).status).toBe(200);
    refuse(await tools.act(both, told.key), "request_not_allowed");
  });

  it("says so only to a caller whose token has what it takes up to there", async () => {
    refuse(await tools.act("x.y.z"), "access_jwt_malformed");
    refuse(await tools.act(await tools.sign("Unknown")), "access_jwt_untrusted");
    await tools.change("Builds", { purposes: ["identify"] });
    refuse(await tools.act(token), "purpose_not_allowed");
    await tools.change("Builds", { purposes: ["identify", "act"], paused: true });
    refuse(await tools.act(token), "paused");
    await tools.change("Builds", { paused: false });
    const stranger = await tools.sign("Builds", createPerson("Nora Newcomer"));
    refuse(await tools.identify(stranger), "service_key_required");
    refuse(await tools.identify(stranger, told.key), "not_linked");
  });

  it("changes over to a second one without a gap, and has no third", async () => {
    const second = await tools.createKey("Builds");
    for (const { key } of [told, second]) expect((await tools.act(token, key)).status).toBe(200);
    const path = `/api/v1/services/${await tools.idOf("Builds")}/keys`;
    const { errors } = refuse(await tools.admin.send("POST", path), "validation_failed");
    expect(errors?.map(({ field }) => field)).toEqual(["keys"]);

    (await tools.removeKey("Builds", told.id)).expect(204);
    refuse(await tools.act(token, told.key), "service_key_required");
    expect((await tools.act(token, second.key)).status).toBe(200);
    expect((await tools.look("Builds")).keys.map(({ id }) => id)).toEqual([second.id]);
    await tools.createKey("Builds");
  });

  it("is known by which of the two it last showed, also where the call was refused in the end", async () => {
    const second = await tools.createKey("Builds");
    const listUses = async () => (await tools.look("Builds")).keys.map(({ lastUsedAt }) => lastUsedAt);
    expect(await listUses()).toEqual([null, null]);
    const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;

    (await tools.identify(token, told.key)).expect(200);
    await expect.poll(listUses, { timeout: 5_000 }).toEqual([time, null]);
    const [before] = await listUses();

    const stranger = await tools.sign("Builds", createPerson("Nora Newcomer"));
    refuse(await tools.act(stranger, second.key), "not_linked");
    await expect.poll(listUses, { timeout: 5_000 }).toEqual([before, time]);

    expect((await tools.act(token, told.key)).status).toBe(200);
    await expect.poll(async () => (await listUses())[0], { timeout: 5_000 }).not.toBe(before);
    (await tools.removeKey("Builds", told.id)).expect(204);
    expect(await listUses()).toEqual([time]);
  });

  it("is on record with the last characters of the key that it showed", async () => {
    expect((await tools.act(token, told.key)).status).toBe(200);
    await tools.list(tool("Builds"));
    expect((await tools.act(await tools.sign("Builds"))).status).toBe(200);
    const listShown = async () =>
      (await tools.listEvents("service.acted")).slice(0, 2).map(({ after }) => after);
    await expect.poll(listShown, { timeout: 5_000 }).toMatchObject([
      { by: "token", keyHint: null },
      { by: "key", keyHint: told.hint },
    ]);
  });

  it("needs none any more once the last one is removed", async () => {
    (await tools.removeKey("Builds", told.id)).expect(204);
    expect((await tools.act(token)).status).toBe(200);
    refuse(await tools.removeKey("Builds", told.id), "not_found");
  });

  it("keeps it when settings are saved, also by somebody who read them before", async () => {
    const settings = await tools.admin.getSettings();
    const second = await tools.createKey("Builds");
    (await tools.admin.send("PUT", "/api/v1/settings", settings)).expect(200);
    await tools.change("Builds", { label: "Nightly builds" });
    for (const { key } of [told, second]) expect((await tools.act(token, key)).status).toBe(200);
    refuse(await tools.act(token), "service_key_required");
  });

  it("keeps it when settings are written again without ids, and when its application gets another AUD tag", async () => {
    const { services } = await tools.admin.getSettings();
    await tools.admin.saveSettings({ services: services.map((service) => ({ ...service, id: null })) });
    refuse(await tools.act(token), "service_key_required");
    expect((await tools.act(token, told.key)).status).toBe(200);

    await tools.change("Builds", { audience: audienceOf("Builds again") });
    const after = await tools.gateway.sign({ audience: audienceOf("Builds again") });
    refuse(await tools.act(after), "service_key_required");
    expect((await tools.act(after, told.key)).status).toBe(200);
  });

  it("loses it with its place in the list", async () => {
    await tools.list(tool("Builds"));
    expect((await tools.look("Builds")).keys).toEqual([]);
    expect((await tools.act(token)).status).toBe(200);
  });

  it("that people link through asks no browser for it", async () => {
    const { world } = tools.gateway;
    await tools.createKey(SERVICES[0].label);
    (await world.page(GRACE).send("POST", "/api/v1/me/link-attempts", {})).expect(201);
    const accessJwt = await world.team.signAccessJwt(GRACE, SERVICES[0].audience);
    (await world.page(GRACE).send("POST", "/api/v1/me/links", { accessJwt })).expect(200);
  });

  it("doesn't send it on to the product", async () => {
    const { routes } = tools.gateway.site.server;
    const heard: string[] = [];
    routes.unshift([
      "GET",
      /^\/rest\/heard$/,
      ({ headers }) => {
        heard.push(JSON.stringify(headers));
        return { status: 200, headers: {}, body: "" };
      },
    ]);
    const reply = await tools.gateway.call({
      token,
      path: "/rest/heard",
      headers: { "x-service-key": told.key },
    });
    routes.shift();
    expect(reply.status).toBe(200);
    expect(heard.join()).not.toContain(told.key);
    expect(heard).toHaveLength(1);
  });
});

describe("keys", () => {
  it("are shown and stored nowhere: the database knows a hash, settings and audit not even that", async () => {
    await tools.list(tool("Builds"));
    const { key, id, hint } = await tools.createKey("Builds");
    const stored = (await tools.gateway.database.bytes()).toString("latin1");
    expect(stored).not.toContain(key);
    const [row] = await tools.gateway.database.select(
      "SELECT document FROM settings WHERE document LIKE '%' || ? || '%'",
      [id],
    );
    const [, hash = "none"] = /"hash":"([0-9a-f]{64})"/.exec(String(row?.["document"])) ?? [];
    expect(hash).not.toBe("none");

    await tools.change("Builds", { label: "Nightly" });
    await tools.list();
    const shown = JSON.stringify([
      await tools.admin.getSettings(),
      (await tools.admin.send("GET", "/api/v1/services")).body,
      (await tools.admin.send("GET", "/api/v1/audit?limit=200")).body,
      (await tools.gateway.world.page(GRACE).send("GET", "/api/v1/me")).body,
    ]);
    expect(shown).toContain(hint);
    for (const secret of [key, hash]) expect(shown).not.toContain(secret);
    const changes = await tools.listEvents("settings.changed");
    expect(changes.length).toBeGreaterThan(1);
    expect(JSON.stringify(changes)).not.toMatch(/"keys"|"hash"/);
  });

  it("are audited when made and removed: whose, and which by its last characters", async () => {
    await tools.list(tool("Builds"));
    const { id, hint } = await tools.createKey("Builds");
    (await tools.removeKey("Builds", id)).expect(204);
    const [removed, created] = await tools.listEvents("service_key.created", "service_key.removed");
    const target = { type: "service", id: await tools.idOf("Builds") };
    const key = { label: "Builds", id, hint };
    const actor = { type: "user", accountId: ADA.accountId };
    expect(created).toMatchObject({ action: "service_key.created", actor, target, before: null, after: key });
    expect(removed).toMatchObject({ action: "service_key.removed", actor, target, before: key, after: null });
  });

  it("leave the version of the settings alone", async () => {
    await tools.list(tool("Builds"));
    const { version } = await tools.admin.getSettings();
    const { id } = await tools.createKey("Builds");
    (await tools.removeKey("Builds", id)).expect(204);
    expect((await tools.admin.getSettings()).version).toBe(version);
  });

  it("never become three, however many are asked for at once", async () => {
    await tools.list(tool("Builds"));
    const path = `/api/v1/services/${await tools.idOf("Builds")}/keys`;
    const replies = await Promise.all([1, 2, 3, 4, 5].map(() => tools.admin.send("POST", path)));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 201, 422, 422, 422]);
    expect((await tools.look("Builds")).keys).toHaveLength(2);
  });

  it("are no member's business, and one tenant's admin reaches no other tenant's", async () => {
    await tools.list(tool("Builds"));
    const { id } = await tools.createKey("Builds");
    const keys = `/api/v1/services/${await tools.idOf("Builds")}/keys`;
    const { world } = tools.gateway;
    const before = await tools.look("Builds");
    for (const [method, path] of [
      ["GET", "/api/v1/services"],
      ["POST", keys],
      ["DELETE", `${keys}/${id}`],
    ] as const) {
      refuse(await world.page(GRACE).send(method, path), "not_admin");
      if (method !== "GET") refuse(await world.page(ADA, "confluence").send(method, path), "not_found");
    }
    refuse(await tools.admin.send("POST", "/api/v1/services/nobody/keys"), "not_found");
    expect(await tools.look("Builds")).toEqual(before);
  });

  it("can't be made and removed for ever", async () => {
    await tools.list(tool("Builds"));
    travel(3601);
    for (let nth = 0; nth < 60; nth += 1) {
      const { id } = await tools.createKey("Builds");
      (await tools.removeKey("Builds", id)).expect(204);
    }
    const path = `/api/v1/services/${await tools.idOf("Builds")}/keys`;
    refuse(await tools.admin.send("POST", path), "rate_limited");
    travel(3601);
    await tools.createKey("Builds");
  });
});

describe("the list of services", () => {
  it("has those of the settings in their order, with how many agree to what each may do now", async () => {
    await tools.list(tool("Builds", { limits: { consent: "required" } }), tool("Reports"));
    const page = tools.gateway.world.page(GRACE);
    const { services } = (await tools.admin.getSettings()) satisfies ListedSettings;
    const { body } = (await tools.admin.send("GET", "/api/v1/services")).expect(200);
    expect(body).toMatchObject({ items: services.map(({ id, label }) => ({ serviceId: id, label })) });

    expect((await tools.look("Builds")).consents).toBe(0);
    await page.agree("Builds");
    expect((await tools.look("Builds")).consents).toBe(1);
    expect((await tools.look("Reports")).consents).toBe(0);
    await tools.change("Builds", { purposes: ["act"] });
    expect((await tools.look("Builds")).consents).toBe(0);
    await page.agree("Builds");
    expect((await tools.look("Builds")).consents).toBe(1);
    await page.withdraw("Builds");
    expect((await tools.look("Builds")).consents).toBe(0);
  });
});
