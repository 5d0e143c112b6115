import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import { json, type Handler } from "../sandbox/http-server.js";
import { epochSeconds } from "../sandbox/jwt.js";
import { ADA, CLEO, createPerson, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import { connect } from "../src/storage/sqlite-connection.js";
import { countOutcome, findActed, listActed, readUse } from "./acting-record.fixture.js";
import { consentPath } from "./consents.fixture.js";
import { ACTING, GatewayWorld, type ActingName, type GatewayCall } from "./gateway.fixture.js";
import { travel } from "./lifecycle.fixture.js";
import { DatabaseFile } from "./linking-database.fixture.js";
import { expectProblem } from "./refusals.fixture.js";

/** Known to Access, and linked to nobody. */
const IRIS = createPerson("Iris");

let scene: GatewayWorld;
beforeAll(async () => {
  scene = await GatewayWorld.start();
});
afterAll(() => scene.close());

/** Answers this path of Jira's until the test is over. */
function answer(path: string, handler: Handler): void {
  const { routes } = scene.site.server;
  const before = routes.length;
  routes.push(["GET", new RegExp(`^${path}$`), handler]);
  onTestFinished(() => void routes.splice(before, 1));
}

async function actAndFind(call: GatewayCall = {}) {
  return findActed(scene, (await scene.call(call)).headers["x-request-reference"]);
}

/** How many more calls of a service came to something while work was done. */
async function expectCounted(service: string, outcome: string, work: () => Promise<unknown>, calls = 1) {
  const before = await countOutcome(scene, service, outcome);
  await work();
  await vi.waitFor(
    async () => expect((await countOutcome(scene, service, outcome)) - before).toBe(calls),
    5_000,
  );
}

describe("each acting call leaves an event that tells", () => {
  it("who acted for whom, by which rule, what came of it, and how long it took", async () => {
    const path = "/rest/api/3/issue/SAND-1?fields=summary";
    const { headers } = await scene.call({ path });
    const { services } = await scene.world.page(ADA).getSettings();

    const event = await findActed(scene, headers["x-request-reference"]);
    expect(event).toEqual({
      id: expect.any(String) as string,
      at: expect.stringMatching(/Z$/) as string,
      action: "service.acted",
      actor: { type: "service", accountId: GRACE.accountId },
      target: { type: "service", id: services.find(({ label }) => label === "free")?.id },
      before: null,
      after: {
        label: "free",
        method: "GET",
        path: "/**",
        status: 200,
        milliseconds: expect.any(Number) as number,
        code: null,
        by: "token",
        keyHint: null,
      },
      ip: "127.0.0.1",
      reference: headers["x-request-reference"],
    });
    expect(JSON.stringify(event)).not.toContain("SAND-1");
  });

  it.each<[status: number, call: GatewayCall]>([
    [404, { path: "/rest/nothing" }],
    [
      201,
      {
        method: "POST",
        path: "/rest/api/3/issue/SAND-1/comment",
        body: '{"body":{}}',
        headers: { "content-type": "application/json" },
      },
    ],
    [200, { method: "HEAD" }],
  ])("the product's own %i as it is", async (status, call) => {
    const { after } = await actAndFind(call);
    expect(after).toMatchObject({ method: call.method ?? "GET", status, code: null });
  });

  it("the code of what the product failed with", async () => {
    scene.site.behaviour.off = true;
    const failed = await scene.call({});
    scene.site.behaviour.off = false;
    expect((await findActed(scene, failed.headers["x-request-reference"])).after).toMatchObject({
      status: 502,
      code: "upstream_failed",
    });
  });

  it("an answer that the product broke off, with the status that was sent", async () => {
    const body = new PassThrough();
    answer("/rest/stream", () => ({ status: 200, body }));
    body.write("first,");
    const response = await scene.open({ path: "/rest/stream" });
    await once(response, "data");
    body.destroy(new Error("The product has gone."));
    await once(response.resume(), "error");
    const { after } = await findActed(scene, response.headers["x-request-reference"]);
    expect(after).toMatchObject({ status: 200, code: "upstream_failed" });
  });

  it("an answer that its caller didn't wait for, begun or not", async () => {
    const body = new PassThrough();
    answer("/rest/stream", () => ({ status: 206, body }));
    body.write("first,");
    const response = await scene.open({ path: "/rest/stream" });
    await once(response, "data");
    response.on("error", () => undefined).destroy();
    const { after } = await findActed(scene, response.headers["x-request-reference"]);
    expect(after).toMatchObject({ status: 206, code: "caller_left" });

    const left = await leaveBeforeTheAnswer();
    expect((await findActed(scene, left)).after).toMatchObject({ status: null, code: "caller_left" });
  });

  it("answers that their caller didn't wait for, one behind the other on one connection", async () => {
    const before = (await listActed(scene)).length;
    const asked = vi.fn(() => json(200, {}));
    answer("/rest/stream", () => ({ status: 200, body: new PassThrough() }));
    answer("/rest/quick", asked);
    const token = await scene.sign({});
    const socket = net.connect(scene.world.parts.app.port, "127.0.0.1");
    for (const path of ["/rest/stream", "/rest/quick"])
      socket.write(
        `GET ${scene.url({ path })} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    await sleep(100);
    socket.destroy();
    await vi.waitFor(async () => {
      const events = await listActed(scene);
      const codes = events.slice(0, events.length - before).map(({ after }) => after["code"]);
      expect(codes).toEqual(["caller_left", "caller_left"]);
    }, 5_000);
  });

  it("the time that it really took, whatever becomes of the clock meanwhile", async () => {
    answer("/rest/slow", async () => {
      travel(-7200);
      await sleep(60);
      return json(200, {});
    });
    const { milliseconds } = (await actAndFind({ path: "/rest/slow" })).after;
    expect(milliseconds).toBeGreaterThanOrEqual(59);
    expect(milliseconds).toBeLessThan(5_000);
  });

  it("one for each, also of a hundred at once", async () => {
    const replies = await Promise.all(Array.from({ length: 100 }, () => scene.call({})));
    const references = replies.map(({ headers }) => headers["x-request-reference"]);
    await vi.waitFor(async () => {
      const events = (await listActed(scene)).map(({ reference }) => reference);
      expect(references.filter((reference) => !events.includes(reference as string))).toEqual([]);
    }, 5_000);
  });

  it("what was done, apart from what was changed, for those who look for either", async () => {
    await actAndFind();
    const listActions = async (query: string) => {
      const { body } = (await scene.world.page(ADA).send("GET", `/api/v1/audit?${query}`)).expect(200);
      return new Set((body as { items: { action: string }[] }).items.map(({ action }) => action));
    };
    expect([...(await listActions("kind=use"))]).toEqual(["service.acted"]);
    const changes = await listActions("kind=changes");
    expect(changes).toContain("settings.changed");
    expect(changes).not.toContain("service.acted");
    const reply = await scene.world.page(ADA).send("GET", "/api/v1/audit?kind=other");
    expectProblem(reply, "validation_failed", scene.world.appUrl);
  });

  it("nothing of what was refused before anything was done: that is only counted", async () => {
    const before = await listActed(scene);
    await expectCounted("asking", "consent_required", () => scene.call({ service: "asking" }));
    scene.site.accounts.set(CLEO.accountId, { ...CLEO, active: false });
    onTestFinished(() => void scene.site.accounts.set(CLEO.accountId, CLEO));
    scene.world.parts.oauth.revokeAll();
    await expectCounted("free", "account_inactive", () => scene.call({ as: CLEO, method: "DELETE" }));
    expect(await listActed(scene)).toEqual(before);
  });
});

describe("an admin sees for each service", () => {
  it("how often it acted, for how many people, and when last", async () => {
    await expectCounted(
      "local",
      "acted",
      async () => {
        for (const as of [GRACE, GRACE, ADA]) await scene.call({ as, service: "local" });
      },
      3,
    );
    const { people, lastUsedAt } = await readUse(scene, "local");
    expect(people).toBe(2);
    expect(Math.abs(Date.parse(lastUsedAt ?? "") - Date.now())).toBeLessThan(10_000);
  });

  it("how often it asked who somebody is, and how often nobody was linked", async () => {
    const { world } = scene;
    const identify = async (person: Person) =>
      world.identify(await world.team.signAccessJwt(person, AUDIENCES.demo), { product: "jira" });
    await expectCounted("Demo service", "identified", () => identify(GRACE));
    await expectCounted("Demo service", "not_linked", () => identify(IRIS));
  });

  it.each<[code: string, service: ActingName, call: GatewayCall]>([
    ["request_not_allowed", "empty", {}],
    ["ip_not_allowed", "strict", {}],
    ["token_too_old", "strict", { claims: { iat: epochSeconds() - 3600 } }],
    ["proof_required", "asking", { as: LINUS }],
    ["not_linked", "free", { as: IRIS }],
    ["access_jwt_expired", "free", { claims: { iat: 1_700_000_000, exp: 1_700_000_600 } }],
    ["purpose_not_allowed", "Demo service" as ActingName, { audience: AUDIENCES.demo }],
  ])("how often it was refused with %s", async (code, service, call) => {
    await expectCounted(service, code, () => scene.call({ service, ...call }));
  });

  it("nothing of tokens that are for nobody here, or made up", async () => {
    const before = await readUse(scene, "asking");
    await scene.call({ audience: "f".repeat(64) });
    await scene.call({ token: "nonsense" });
    await expectCounted("free", "acted", () => scene.call({}));
    expect(await readUse(scene, "asking")).toEqual(before);
  });

  it("what Atlassian refused as refused, and not as done for anybody", async () => {
    const before = await readUse(scene, "free");
    const calls = await countCalls(CLEO);
    scene.site.accounts.set(CLEO.accountId, { ...CLEO, active: false });
    await expectCounted("free", "account_inactive", () => scene.call({ as: CLEO }));
    scene.site.accounts.set(CLEO.accountId, CLEO);
    expect(await readUse(scene, "free")).toMatchObject({ people: before.people, acted: before.acted });
    expect(await countCalls(CLEO)).toBe(calls);
  });
});

describe("while nothing can be recorded", () => {
  it("nothing is done, and everything goes on by itself afterwards, with what was done before", async () => {
    const release = await holdDatabase(scene.database);
    const last = await scene.call({});
    expect(last.status).toBe(200);
    const asked = scene.productCalls().length;
    const refused = await vi.waitFor(
      async () => {
        const reply = await scene.call({});
        expect(reply.status).toBe(503);
        return reply;
      },
      { timeout: 15_000, interval: 500 },
    );
    expectProblem(refused, "store_unavailable", scene.world.appUrl);
    const askedMeanwhile = scene.productCalls().length;
    for (let time = 0; time < 3; time += 1) {
      expectProblem(await scene.call({}), "store_unavailable", scene.world.appUrl);
    }
    expect(scene.productCalls().length).toBe(askedMeanwhile);
    expect(askedMeanwhile).toBeGreaterThanOrEqual(asked);

    await release();
    await vi.waitFor(async () => expect((await scene.call({})).status).toBe(200), 15_000);
    await findActed(scene, last.headers["x-request-reference"]);
  }, 60_000);
});

describe("what was recorded", () => {
  it("is complete when the app stops right after an answer", async () => {
    const { world, database } = await startOwn();
    const token = await world.team.signAccessJwt(GRACE, ACTING.free.audience);
    for (let time = 0; time < 5; time += 1) await act(world, token);
    await world.parts.app.close();

    const events = await database.select("SELECT id FROM audit_events WHERE action = 'service.acted'");
    expect(events).toHaveLength(5);
    expect(await database.select("SELECT calls FROM service_people")).toEqual([{ calls: 5 }]);
  });

  it("stays in the audit log, and everything else of it goes with the service, and with the installation", async () => {
    const { world, database } = await startOwn();
    const token = await world.team.signAccessJwt(GRACE, ACTING.free.audience);
    const stored = async () => [
      (await database.select("SELECT id FROM service_days WHERE outcome = 'acted'")).length,
      (await database.select("SELECT id FROM service_people")).length,
      (await database.select("SELECT id FROM news_marks")).length,
      (await database.select("SELECT id FROM audit_events WHERE action = 'service.acted'")).length,
    ];
    const actAndSee = async (events: number) => {
      await act(world, token);
      const until = new Date().toISOString();
      (await world.page(GRACE).send("POST", "/api/v1/me/news/seen", { until })).expect(204);
      await vi.waitFor(async () => expect(await stored()).toEqual([1, 1, 1, events]), 5_000);
    };
    await actAndSee(1);
    await world.page(ADA).saveSettings({ services: SERVICES });
    expect(await stored()).toEqual([0, 0, 1, 1]);

    await world.page(ADA).saveSettings({ services: [...SERVICES, ACTING.free] });
    await actAndSee(2);
    (await world.site.uninstall("jira")).expect(204);
    expect(await stored()).toEqual([0, 0, 0, 2]);
  });
});

describe("a token with which the app acts as a person is forgotten", () => {
  const tokensOf = async (work: () => Promise<unknown>): Promise<number> => {
    const { oauth } = scene.world.parts;
    expect((await scene.call({ as: ADA, service: "local" })).status).toBe(200);
    const before = oauth.requestCount;
    await work();
    expect((await scene.call({ as: ADA, service: "local" })).status).toBe(200);
    return oauth.requestCount - before;
  };

  it("when the person withdraws consent, and when the link goes; not without a reason", async () => {
    const page = scene.world.page(ADA);
    expect(await tokensOf(() => Promise.resolve())).toBe(0);
    const { body } = (await page.send("GET", "/api/v1/me")).expect(200);
    const { services } = body as { services: { label: string; serviceId: string }[] };
    const { serviceId = "" } = services.find(({ label }) => label === "free") ?? {};
    expect(await tokensOf(async () => (await page.send("DELETE", consentPath(serviceId))).expect(204))).toBe(
      1,
    );
    const relink = () => scene.world.link(ADA);
    expect(await tokensOf(() => page.unlinkAll().then(relink))).toBe(1);
    const removeAsAdmin = async () => {
      for (const { id } of await page.listLinks())
        (await page.send("DELETE", `/api/v1/links/${id}`)).expect(204);
    };
    expect(await tokensOf(() => removeAsAdmin().then(relink))).toBe(1);
  });
});

/** Somebody asks, and leaves while the product is thinking. Answers the reference of the call. */
async function leaveBeforeTheAnswer(): Promise<string> {
  const before = (await listActed(scene)).map(({ reference }) => reference);
  let ask: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (ask = resolve));
  answer("/rest/slow", async () => {
    ask();
    await sleep(1_000);
    return json(200, {});
  });
  const headers = { authorization: `Bearer ${await scene.sign({})}` };
  const { port } = scene.world.parts.app;
  const path = scene.url({ path: "/rest/slow" });
  const request = http.get({ host: "127.0.0.1", port, path, agent: false, headers });
  request.on("error", () => undefined);
  await asked;
  request.destroy();
  return vi.waitFor(async () => {
    const event = (await listActed(scene)).find(({ reference }) => !before.includes(reference));
    if (!event) throw new Error("There is no event yet.");
    return event.reference;
  }, 5_000);
}

/** Another program writes, and takes its time. */
async function holdDatabase({ file }: DatabaseFile): Promise<() => Promise<void>> {
  const holder = connect({ file, busyTimeoutMilliseconds: 1_000, foreignKeys: true, tries: 1 });
  await holder.query("BEGIN IMMEDIATE");
  return async () => {
    await holder.query("ROLLBACK");
    await holder.close();
  };
}

/** An app and a database of their own, where Grace may be acted for; gone when the test ends. */
async function startOwn() {
  const database = await DatabaseFile.create();
  const world = await startWorld({ hasEdge: false, databaseFile: database.file });
  onTestFinished(async () => {
    await world.close();
    await database.close();
  });
  await world.install("jira");
  await world.page(ADA).saveSettings({ teamDomain: world.team.domain, services: [...SERVICES, ACTING.free] });
  await world.link(GRACE);
  return { world, database };
}

async function act(world: World, token: string): Promise<void> {
  const url = `${world.appUrl}/api/v1/sites/${world.site.host}/jira/rest/api/3/myself`;
  const headers = { authorization: `Bearer ${token}` };
  (await world.parts.client.send({ caller: "A service", method: "GET", url, headers })).expect(200);
}

/** How often the service called `free` has done something for a person, as the person sees it. */
async function countCalls(person: Person): Promise<number | undefined> {
  const { body } = (await scene.world.page(person).send("GET", "/api/v1/me")).expect(200);
  const { services } = body as { services: { label: string; calls: number }[] };
  return services.find(({ label }) => label === "free")?.calls;
}
