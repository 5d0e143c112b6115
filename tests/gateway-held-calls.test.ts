import { once } from "node:events";
import http, { type ClientRequest, type IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import { json, type Handler } from "../sandbox/http-server.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { findActed, listActed } from "./acting-record.fixture.js";
import { consentPath, readMine } from "./consents.fixture.js";
import { ACTING, GatewayWorld, type GatewayAnswer, type GatewayCall } from "./gateway.fixture.js";
import { travel } from "./lifecycle.fixture.js";
import { expectProblem } from "./refusals.fixture.js";

/** What is under way is judged again every second. */
const SOON_MILLISECONDS = 2_500;
const COMMENT_PATH = "/rest/api/3/issue/SAND-1/comment";
const COMMENT = JSON.stringify({ body: { type: "doc", version: 1, content: [] } });

let scene: GatewayWorld;
beforeAll(async () => {
  scene = await GatewayWorld.start();
});
afterAll(() => scene.close());

const admin = () => scene.world.page(ADA);
const page = () => scene.world.page(GRACE);

async function agree(): Promise<string> {
  const asking = (await readMine(page())).services.find(({ label }) => label === "asking");
  if (!asking) throw new Error("There is no service that asks.");
  (await page().send("PUT", consentPath(asking.serviceId), { digest: asking.digest })).expect(204);
  return asking.serviceId;
}

async function withdraw(serviceId: string): Promise<void> {
  (await page().send("DELETE", consentPath(serviceId))).expect(204);
}

async function pause(label: string, paused: boolean): Promise<void> {
  const { services } = await admin().getSettings();
  await admin().saveSettings({
    services: services.map((service) => (service.label === label ? { ...service, paused } : service)),
  });
}

/** Answers this path of Jira's until the test is over. */
function answer(method: string, path: string, handler: Handler): void {
  const { routes } = scene.site.server;
  const before = routes.length;
  routes.push([method, new RegExp(`^${path}$`), handler]);
  onTestFinished(() => void routes.splice(before, 1));
}

interface HeldCall {
  readonly request: ClientRequest;
  readonly answer: Promise<GatewayAnswer>;
}

/** A comment of which the last byte isn't sent. */
async function hold(call: GatewayCall): Promise<HeldCall> {
  const token = call.token ?? (await scene.sign(call));
  const request = http.request({
    host: "127.0.0.1",
    port: scene.world.parts.app.port,
    method: "POST",
    path: scene.url({ path: COMMENT_PATH }),
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-length": COMMENT.length,
      ...call.headers,
    },
  });
  request.on("error", () => undefined);
  const answer = once(request, "response").then(async ([response]: IncomingMessage[]) => ({
    status: response!.statusCode ?? 0,
    headers: response!.headers,
    text: await text(response!),
  }));
  request.write(COMMENT.slice(0, -1));
  await sleep(300);
  return { request, answer };
}

function release({ request }: HeldCall): void {
  if (!request.destroyed) request.end(COMMENT.slice(-1));
}

describe("a call that was begun before, and whose end is held back, is cut soon after", () => {
  interface Case {
    readonly call: GatewayCall;
    readonly takeBack: () => unknown;
    readonly restore?: () => Promise<unknown>;
  }

  async function withKey(): Promise<Case> {
    const { services } = await admin().getSettings();
    const path = `/api/v1/services/${services.find(({ label }) => label === "local")?.id ?? ""}/keys`;
    const create = async () =>
      (await admin().send("POST", path)).expect(201).body as { id: string; key: string };
    const [kept, used] = [await create(), await create()];
    const remove = async (id: string) => (await admin().send("DELETE", `${path}/${id}`)).expect(204);
    return {
      call: { service: "local", headers: { "x-service-key": used.key } },
      takeBack: () => remove(used.id),
      restore: () => remove(kept.id),
    };
  }

  async function withLiveCheck(): Promise<Case> {
    const setLiveCheck = async (liveCheckSeconds: number | null) => {
      const { services } = await admin().getSettings();
      await admin().saveSettings({
        services: services.map((service) =>
          service.label === "free" && service.limits
            ? { ...service, limits: { ...service.limits, liveCheckSeconds } }
            : service,
        ),
      });
    };
    await setLiveCheck(10);
    const token = await scene.sign({});
    return {
      call: { token },
      takeBack: () => {
        scene.world.team.endSession(token);
        travel(10);
      },
      restore: () => setLiveCheck(null),
    };
  }

  it.each<[what: string, code: ProblemCode, prepare: () => Case | Promise<Case>]>([
    [
      "its person withdraws consent",
      "consent_required",
      async () => {
        const serviceId = await agree();
        return { call: { service: "asking" }, takeBack: () => withdraw(serviceId) };
      },
    ],
    [
      "an admin pauses the app",
      "paused",
      () => ({
        call: {},
        takeBack: () => admin().saveSettings({ paused: true }),
        restore: () => admin().saveSettings({ paused: false }),
      }),
    ],
    [
      "an admin pauses the service",
      "paused",
      () => ({ call: {}, takeBack: () => pause("free", true), restore: () => pause("free", false) }),
    ],
    ["the key that it came with is removed", "service_key_required", withKey],
    [
      "its person's token expires",
      "access_jwt_expired",
      () => ({
        call: { claims: { exp: Math.floor(Date.now() / 1000) + 600 } },
        takeBack: () => travel(900),
      }),
    ],
    [
      "its person's token gets too old for the service",
      "token_too_old",
      () => ({
        call: { claims: { exp: Math.floor(Date.now() / 1000) + 48 * 3600 } },
        takeBack: () => travel(25 * 3600),
      }),
    ],
    [
      "its person unlinks",
      "not_linked",
      () => ({
        call: {},
        takeBack: () => page().unlinkAll(),
        restore: () => scene.world.link(GRACE),
      }),
    ],
    [
      "its service is taken from the list",
      "access_jwt_untrusted",
      () => ({
        call: {},
        takeBack: () => scene.save("jira", [SERVICES[0], ACTING.local]),
        restore: () => scene.save("jira", [...SERVICES, ACTING.free, ACTING.local, ACTING.asking]),
      }),
    ],
    [
      "its service is replaced by another of the same audience",
      "request_not_allowed",
      () => ({
        call: {},
        takeBack: async () => {
          const { services } = await admin().getSettings();
          const others = services.map((service) =>
            service.label === "free" ? { ...service, audience: audienceOf("moved") } : service,
          );
          await admin().saveSettings({ services: [...others, ACTING.free] });
        },
        restore: () => scene.save("jira", [...SERVICES, ACTING.free, ACTING.local, ACTING.asking]),
      }),
    ],
    ["Access ends the session that its person's token was made in", "access_jwt_expired", withLiveCheck],
    [
      "the team withdraws the key that signed its person's token",
      "access_jwt_untrusted",
      async () => {
        const { team } = scene.world;
        await team.rotateKeys();
        return {
          call: {},
          takeBack: async () => {
            await team.rotateKeys();
            team.dropOldKeys();
            (await admin().send("POST", "/api/v1/settings/check", {})).expect(200);
          },
        };
      },
    ],
    [
      "the app is uninstalled",
      "access_jwt_untrusted",
      () => ({
        call: {},
        takeBack: () => scene.site.uninstall("jira"),
        restore: async () => {
          await scene.world.install("jira");
          await scene.world.link(GRACE);
        },
      }),
    ],
  ])("%s", async (_what, code, prepare) => {
    const { call, ...change } = await prepare();
    const held = await hold(call);
    const before = scene.productCalls().length;
    await change.takeBack();
    onTestFinished(async () => {
      await change.restore?.();
    });

    const startedAt = performance.now();
    expectProblem(await held.answer, code, scene.world.appUrl);
    expect(performance.now() - startedAt).toBeLessThan(SOON_MILLISECONDS);
    release(held);
    await sleep(200);
    expect(scene.productCalls()).toHaveLength(before);
  });

  it("and is on the record with what it was cut for", async () => {
    const serviceId = await agree();
    const held = await hold({ service: "asking" });
    await withdraw(serviceId);
    const { headers } = await held.answer;
    expect((await findActed(scene, headers["x-request-reference"])).after).toMatchObject({
      path: "/**",
      status: 403,
      code: "consent_required",
    });
  });

  it("but not for nothing: what nobody takes back goes on for longer", async () => {
    const held = await hold({});
    await sleep(SOON_MILLISECONDS);
    release(held);
    expect((await held.answer).status).toBe(201);
  });
});

describe("an answer that still comes when consent is withdrawn", () => {
  it("is broken off, and doesn't look like a short one", async () => {
    const serviceId = await agree();
    const body = new PassThrough();
    answer("GET", "/rest/stream", () => ({ status: 200, body }));
    body.write("first,");
    const response = await scene.open({ service: "asking", path: "/rest/stream" });
    await once(response, "data");

    await withdraw(serviceId);
    const [error] = (await once(response.resume(), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
    await vi.waitFor(() => expect(body.destroyed).toBe(true));
    const { after } = await findActed(scene, response.headers["x-request-reference"]);
    expect(after).toMatchObject({ status: 200, code: "consent_required" });
  });
});

describe("consent that is withdrawn", () => {
  it("while the person's token is on its way counts: nothing is sent, and nothing recorded", async () => {
    const serviceId = await agree();
    // Nothing is left of the tokens of before.
    await withdraw(serviceId);
    await agree();
    const { behaviour } = scene.world.parts.oauth;
    behaviour.delaySeconds = 0.7;
    onTestFinished(() => void (behaviour.delaySeconds = 0));
    const before = scene.productCalls().length;
    const call = scene.call({ service: "asking" });
    await sleep(200);
    await withdraw(serviceId);

    const { headers, ...refused } = await call;
    expectProblem({ headers, ...refused }, "consent_required", scene.world.appUrl);
    expect(scene.productCalls()).toHaveLength(before);
    await sleep(500);
    const references = (await listActed(scene)).map(({ reference }) => reference);
    expect(references).not.toContain(headers["x-request-reference"]);
  });

  it("before the product rejects a token counts: the call isn't made again with another", async () => {
    const serviceId = await agree();
    let sent = 0;
    const rejected = new PassThrough();
    answer("GET", "/rest/slow", async () => {
      sent += 1;
      if (sent > 1) return json(200, {});
      await once(rejected, "data");
      return json(401, {});
    });
    const call = scene.call({ service: "asking", path: "/rest/slow" });
    await vi.waitFor(() => expect(sent).toBe(1));
    await withdraw(serviceId);
    // Another service of hers gets a new token meanwhile, which would do.
    expect((await scene.call({})).status).toBe(200);
    rejected.write("now");

    expectProblem(await call, "consent_required", scene.world.appUrl);
    expect(sent).toBe(1);
  });
});
