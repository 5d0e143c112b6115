import { afterAll, beforeAll, expect, it } from "vitest";

import type { ForgeSender } from "../sandbox/forge-fit.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES } from "../sandbox/world.js";
import type { Reply } from "../sandbox/http-client.js";
import { ForgeWorld } from "./forge.fixture.js";

let world: ForgeWorld;
let site: ForgeSender;
beforeAll(async () => {
  world = await ForgeWorld.start({ rates: { proof: { calls: 8, perSeconds: 60 } } });
  site = world.site();
  const { domain } = world.tenants.world.team;
  const headers = world.userToken(site, ADA);
  const path = "/api/v1/settings";
  const settings = (await world.page(site, ADA, { path, headers })).expect(200).body as object;
  const body = { ...settings, teamDomain: domain, services: SERVICES };
  (await world.page(site, ADA, { path, method: "PUT", headers, body })).expect(200);
});
afterAll(() => world.close());

const link = async (accessJwt: string) =>
  world.page(site, GRACE, { method: "POST", path: "/api/v1/me/links", body: { accessJwt } });

/** What the page gets to see of it: anything else ends as a rejected promise, and what was said is lost. */
function expectPassedOn(reply: Reply, status: number, code: string, meant = status): void {
  expect(reply.status, reply.text).toBe(status);
  expect(reply.headers["content-type"]).toBe("application/json");
  expect(reply.body).toMatchObject({ code, status: meant, detail: expect.any(String) as unknown });
}

it("links through Forge, by the same API", async () => {
  const accessJwt = await world.tenants.world.team.signAccessJwt(GRACE, AUDIENCES.app);
  const reply = (await link(accessJwt)).expect(201);
  expect(reply.body).toMatchObject({ accountId: GRACE.accountId, method: "proof" });
  const [event] = await world.tenants.database.select(
    "SELECT ip FROM audit_events WHERE action = 'link.created'",
  );
  expect(event).toEqual({ ip: null });
});

it("tells of an Access JWT that isn't accepted, though that is a 401", async () => {
  const { team } = world.tenants.world;
  expectPassedOn(await link("x"), 422, "access_jwt_malformed", 401);
  const foreign = await team.signAccessJwt(GRACE, "f".repeat(64));
  expectPassedOn(await link(foreign), 422, "access_jwt_untrusted", 401);
  const old = await team.signAccessJwt(GRACE, AUDIENCES.app, { claims: { exp: 1 } });
  expectPassedOn(await link(old), 422, "access_jwt_expired", 401);
});

it.each<[string, () => Promise<Reply>, number, string]>([
  ["not an admin", () => world.page(site, GRACE, { path: "/api/v1/settings" }), 403, "not_admin"],
  ["no such route", () => world.page(site, GRACE, { path: "/api/v1/me/nothing" }), 404, "not_found"],
  ["no such method", () => world.page(site, GRACE, { method: "DELETE" }), 405, "method_not_allowed"],
  [
    "a body with too little",
    () => world.page(site, GRACE, { method: "POST", path: "/api/v1/me/links", body: {} }),
    422,
    "validation_failed",
  ],
  [
    "a page is asked for",
    () => world.page(site, GRACE, { path: "/api/v1/settings", headers: { accept: "text/html" } }),
    403,
    "not_admin",
  ],
])("passes refusals on: %s", async (_what, call, status, code) => {
  expectPassedOn(await call(), status, code);
});

it("says how long to wait", async () => {
  let reply = await link("x");
  for (let count = 0; count < 10 && reply.status !== 429; count += 1) reply = await link("x");
  expectPassedOn(reply, 429, "rate_limited");
  expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
});

it("says that Forge's keys can't be fetched", async () => {
  const away = await ForgeWorld.start({ env: { FORGE_KEYS_URL: "http://127.0.0.1:9" } });
  try {
    expectPassedOn(await away.page(away.site(), GRACE), 503, "keys_unavailable");
  } finally {
    await away.close();
  }
});
