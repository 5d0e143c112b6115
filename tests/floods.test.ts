import { randomBytes, randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { epochSeconds, queryStringHash } from "../sandbox/jwt.js";
import { GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { startWorld, type World } from "../sandbox/world.js";
import { WAITS_OF_A_TEAM } from "../src/access/decoy-fetches.js";
import { UNKNOWN_KIDS_PER_MINUTE } from "../src/connect/install-keys.js";
import { addressOf, flood, tally, type FloodAnswer, type FloodRequest } from "./floods.fixture.js";
import { APP_KEY, senderOf, TenantsWorld, travel } from "./lifecycle.fixture.js";

const SIZE = 10_000;
/** Enough where each request is answered from memory, so that ten times as many would show nothing new. */
const SMALL_SIZE = 1_000;
const MADE_UP_KIDS_PER_MINUTE = UNKNOWN_KIDS_PER_MINUTE.ofCaller;

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

/** Well-formed, and signed by nobody. */
function forge(header: object, claims: object): string {
  return `${encode({ alg: "RS256", typ: "JWT", ...header })}.${encode(claims)}.${SIGNATURE}`;
}

const SIGNATURE = randomBytes(256).toString("base64url");

describe("A flood of forged Access JWTs", { timeout: 120_000 }, () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ hasEdge: false, env: { TRUST_PROXY: "1" } });
    await world.prepare();
    await world.link(GRACE);
  });
  afterAll(() => world.close());

  function countAsked(): number {
    return world.team.server.requests.filter((line) => line.includes("/certs")).length;
  }

  async function floodWith(
    size: number,
    build: (nth: number) => string,
    path = "identity",
  ): Promise<FloodAnswer[]> {
    return flood(world.parts.app.port, size, (nth, connection) => ({
      path: `/api/v1/sites/${world.site.host}/${path}`,
      headers: { "cf-access-jwt-assertion": build(nth), "x-forwarded-for": addressOf(connection) },
    }));
  }

  /** Ten good ones are among them. */
  async function floodWithGoodAmong(size: number, build: (nth: number) => string) {
    const good = await Promise.all(
      Array.from({ length: 10 }, () => world.team.signAccessJwt(GRACE, AUDIENCES.demo)),
    );
    const every = size / good.length;
    const answers = await floodWith(size, (nth) =>
      nth % every === every / 2 ? good[Math.floor(nth / every)]! : build(nth),
    );
    return tally(answers);
  }

  const claims = (issuer: string) => ({
    iss: issuer,
    aud: [AUDIENCES.demo],
    type: "app",
    sub: randomUUID(),
    email: GRACE.email,
    iat: epochSeconds(),
    exp: epochSeconds() + 3600,
  });

  it("with 10,000 made-up kids make the app ask the team twice at most, and good tokens among them are good", async () => {
    travel(0);
    const before = countAsked();
    const forged = claims(world.team.issuer);
    const told = await floodWithGoodAmong(SIZE, (nth) => forge({ kid: `made-up-${nth}` }, forged));
    expect(told).toEqual({ access_jwt_untrusted: SIZE - 10, 200: 10 });
    expect(countAsked() - before).toBeLessThanOrEqual(2);
  });

  it("at the gateway make it ask the team twice at most, and the product nothing", async () => {
    const before = { team: countAsked(), product: world.site.server.requests.length };
    const forged = claims(world.team.issuer);
    const build = (nth: number) => forge({ kid: `made-up-${nth}` }, forged);
    const answers = await floodWith(SMALL_SIZE, build, "jira/rest/api/3/myself");
    expect(tally(answers)).toEqual({ access_jwt_untrusted: SMALL_SIZE });
    expect(countAsked() - before.team).toBeLessThanOrEqual(2);
    expect(world.site.server.requests.length).toBe(before.product);
    expect(world.parts.oauth.requestCount).toBe(0);
  });

  it("of made-up teams make it ask nobody", async () => {
    const asked = vi.spyOn(globalThis, "fetch");
    const told = await floodWithGoodAmong(SMALL_SIZE, (nth) =>
      forge({ kid: "made-up" }, claims(`https://made-up-${nth}.cloudflareaccess.com`)),
    );
    expect(told).toEqual({ access_jwt_untrusted: SMALL_SIZE - 10, 200: 10 });
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });
});

describe("A flood of questions for keys of assertions", { timeout: 120_000 }, () => {
  it("is answered without asking anybody, while a visitor is known as before", async () => {
    const world = await startWorld({ hasEdge: false, env: { TRUST_PROXY: "1" } });
    try {
      await world.prepare();
      await world.link(GRACE);
      const good = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
      (await world.identify(good)).expect(200);
      const asked = vi.spyOn(globalThis, "fetch");
      const answers = await flood(world.parts.app.port, SMALL_SIZE, (nth, connection) => ({
        path:
          nth % 100 === 50
            ? `/api/v1/sites/${world.site.host}/identity`
            : `/sites/${nth % 2 === 0 ? world.site.host : `made-up-${nth}.example`}/jira/jwks.json`,
        headers: { "x-forwarded-for": addressOf(connection), authorization: `Bearer ${good}` },
      }));
      expect(tally(answers)).toEqual({ 200: SMALL_SIZE });
      expect(asked).not.toHaveBeenCalled();
      asked.mockRestore();
    } finally {
      await world.close();
    }
  });
});

describe("Time doesn't tell a stranger", () => {
  it("which teams are known: their refusals wait alike, so many times a minute", async () => {
    const world = await startWorld({ hasEdge: false });
    try {
      world.team.behaviour.delaySeconds = 0.3;
      await world.prepare();
      const known = world.team.issuer;
      const first: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
      const last: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
      const probe = async (issuer: string) => {
        const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo, {
          claims: { iss: issuer },
          header: { kid: `made-up-${randomUUID()}` },
        });
        const startedMs = performance.now();
        expect((await world.identify(token)).body).toMatchObject({ code: "access_jwt_untrusted" });
        return performance.now() - startedMs;
      };
      for (let nth = 0; nth < 2; nth += 1) {
        travel(61);
        for (const [name, issuer] of [
          ["known", known],
          ["unknown", "https://unknown.cloudflareaccess.com"],
        ] as const) {
          first[name].push(await probe(issuer));
          await Promise.all(Array.from({ length: WAITS_OF_A_TEAM.calls }, () => probe(issuer)));
          last[name].push(await probe(issuer));
        }
      }
      // The fastest: a slow moment of the machine isn't an answer.
      for (const name of ["known", "unknown"] as const) {
        expect(Math.min(...first[name]), name).toBeGreaterThan(290);
        expect(Math.min(...last[name]), name).toBeLessThan(Math.min(...first[name]) - 100);
      }
    } finally {
      await world.close();
    }
  });
});

describe("A flood of forged install tokens", { timeout: 120_000 }, () => {
  let stage: TenantsWorld;

  beforeAll(async () => {
    stage = await TenantsWorld.start({ env: { TRUST_PROXY: "1" } });
    await stage.world.install("jira");
  });
  afterAll(() => stage.close());

  const asked = () => stage.world.parts.installKeys.server.requests;

  /** An `enabled` event as Atlassian would send it, signed by nobody. */
  function forgeEvent(kid: string, address: string): FloodRequest {
    const { appUrl, site } = stage.world;
    const { clientKey } = senderOf(site);
    const token = forge(
      { kid },
      {
        iss: clientKey,
        aud: appUrl,
        iat: epochSeconds(),
        exp: epochSeconds() + 180,
        qsh: ENABLED,
      },
    );
    return {
      method: "POST",
      path: "/enabled",
      headers: {
        authorization: `JWT ${token}`,
        "content-type": "application/json",
        "x-forwarded-for": address,
      },
      body: JSON.stringify({ key: APP_KEY, clientKey, eventType: "enabled" }),
    };
  }
  const ENABLED = queryStringHash("POST", "/enabled", "");

  /** A good event, sent from an address of our choice. */
  async function sendGood(address: string): Promise<number> {
    const event = await stage.buildEvent(senderOf(stage.world.site), "enabled");
    const reply = await stage.send({ ...event, headers: { ...event.headers, "x-forwarded-for": address } });
    return reply.status;
  }

  it("with one made-up kid make the app look it up once", async () => {
    travel(0);
    const before = asked().length;
    const answers = await flood(stage.world.parts.app.port, SMALL_SIZE, (_, connection) =>
      forgeEvent("made-up", addressOf(connection)),
    );
    expect(tally(answers)).toEqual({ connect_jwt_invalid: SMALL_SIZE });
    expect(asked().length - before).toBe(1);
  });

  it("with 10,000 kids are looked up as far as their sender's limit goes, and nobody else feels it", async () => {
    const [flooder, honest] = ["192.0.2.66", "192.0.2.1"];
    travel(61);
    const before = asked().length;
    const answers = await flood(stage.world.parts.app.port, SIZE, (nth) =>
      forgeEvent(`made-up-${nth}`, flooder),
    );
    // A machine that is busy with the rest may be too slow for some of those that are looked up.
    const { rate_limited, connect_jwt_invalid = 0, keys_unavailable = 0, ...others } = tally(answers);
    expect(rate_limited).toBe(SIZE - MADE_UP_KIDS_PER_MINUTE);
    expect(connect_jwt_invalid + keys_unavailable).toBe(MADE_UP_KIDS_PER_MINUTE);
    expect(others).toEqual({});
    for (const { code, retryAfter } of answers) {
      if (code === "rate_limited") expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    }
    expect(asked().length - before).toBeLessThanOrEqual(MADE_UP_KIDS_PER_MINUTE);

    expect(await sendGood(flooder)).toBe(204);
    await stage.world.parts.installKeys.rotate();
    expect(await sendGood(flooder)).toBe(429);
    expect(await sendGood(honest)).toBe(204);
    expect(await sendGood(flooder)).toBe(204);
  });
});
