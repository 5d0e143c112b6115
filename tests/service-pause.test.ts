import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ADA, GRACE } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { expectProblem, type Answer } from "./refusals.fixture.js";
import { tool, ToolsWorld } from "./service-keys.fixture.js";

let tools: ToolsWorld;
beforeAll(async () => {
  tools = await ToolsWorld.start();
});
afterAll(() => tools.close());
beforeEach(() => tools.list(tool("Builds"), tool("Reports")));

const [APP] = SERVICES;

const refuse = (answer: Answer, code: ProblemCode) => expectProblem(answer, code, tools.gateway.world.appUrl);

describe("a service that an admin has paused", () => {
  it("neither identifies nor acts, from the next call on, and hears why; others go on", async () => {
    const token = await tools.sign("Builds");
    expect((await tools.act(token)).status).toBe(200);
    await tools.change("Builds", { paused: true });
    const before = tools.gateway.productCalls();

    for (const answer of [await tools.act(token), await tools.identify(token)]) {
      expect(refuse(answer, "paused").detail).toBe(
        "An admin has paused this service. Ask an admin to resume it.",
      );
    }
    expect(tools.gateway.productCalls()).toEqual(before);
    const other = await tools.sign("Reports");
    expect((await tools.act(other)).status).toBe(200);
    (await tools.identify(other)).expect(200);

    await tools.change("Builds", { paused: false });
    expect((await tools.act(token)).status).toBe(200);
    (await tools.identify(token)).expect(200);
  });

  it("hears of it before its purposes and its key, and only if its token is good", async () => {
    await tools.createKey("Builds");
    await tools.change("Builds", { paused: true, purposes: ["identify"] });
    refuse(await tools.act(await tools.sign("Builds")), "paused");
    refuse(await tools.identify(await tools.sign("Builds")), "paused");
    refuse(await tools.identify(await tools.sign("Unknown")), "access_jwt_untrusted");
  });

  it("leaves its visitor to another service that the token is for, too", async () => {
    const both = await tools.sign("Builds", GRACE, ["Reports"]);
    await tools.change("Builds", { paused: true });
    expect((await tools.act(both)).status).toBe(200);
    await tools.change("Reports", { purposes: ["identify"] });
    refuse(await tools.act(both), "paused");
    (await tools.identify(both)).expect(200);
    await tools.change("Builds", { purposes: ["identify"] });
    refuse(await tools.act(both), "purpose_not_allowed");
  });

  it("keeps what people agreed to", async () => {
    await tools.change("Builds", { limits: { ...tool("Builds").limits, consent: "required" } });
    await tools.gateway.world.page(GRACE).agree("Builds");
    await tools.change("Builds", { paused: true });
    await tools.change("Builds", { paused: false });
    expect((await tools.act(await tools.sign("Builds"))).status).toBe(200);
  });
});

describe("while the service that people link through is paused", () => {
  beforeEach(() => tools.change(APP.label, { paused: true }));

  it("nobody begins to link, and the account page says why", async () => {
    const page = tools.gateway.world.page(GRACE);
    const reason = "An admin has paused linking on this site.";
    expect(refuse(await page.send("POST", "/api/v1/me/link-attempts", {}), "paused").detail).toBe(reason);
    expect((await page.send("GET", "/api/v1/me")).expect(200).body).toMatchObject({
      linking: { available: false, methods: [], reason },
    });
  });

  it("nobody links with a token, and no window shows anything", async () => {
    const { world } = tools.gateway;
    const accessJwt = await world.team.signAccessJwt(ADA, APP.audience);
    refuse(await world.page(ADA).send("POST", "/api/v1/me/links", { accessJwt }), "paused");

    await tools.change(APP.label, { paused: false });
    const attempt = await world.page(ADA).beginLink();
    await tools.change(APP.label, { paused: true });
    for (const method of ["GET", "POST"]) {
      const reply = await world.parts.client.send({
        caller: "A window",
        method,
        url: `${world.appUrl}/access/link/${attempt.id}`,
        headers: { "cf-access-jwt-assertion": accessJwt, origin: new URL(world.appUrl).origin },
      });
      refuse(reply, "paused");
    }
  });

  it("no code that was given before links any more", async () => {
    const { world } = tools.gateway;
    await tools.change(APP.label, { paused: false });
    const attempt = await world.page(ADA).beginLink();
    const browser = await world.browser(ADA);
    await world.page(ADA).openPopup(attempt, browser);
    const { code } = (await browser.submit({}, "application/json")).body as { code: string };
    await tools.change(APP.label, { paused: true });
    const redeem = () => world.page(ADA).send("POST", "/api/v1/me/links", { attempt: attempt.id, code });
    refuse(await redeem(), "paused");
    await tools.change(APP.label, { paused: false });
    (await redeem()).expect(200, 201);
  });

  it("links are still used, and taken back", async () => {
    const { world } = tools.gateway;
    expect((await tools.act(await tools.sign("Builds"))).status).toBe(200);
    expect(await world.page(ADA).unlinkAll()).toBe(1);
    await tools.change(APP.label, { paused: false });
    await world.link(ADA);
  });
});
