import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ForgeKeys as ForgeKeyServer } from "../../sandbox/forge-keys.js";
import type { Clock } from "../clock.js";
import type { AppError } from "../errors.js";
import { silentLogger } from "../logger.js";
import { ForgeKeys } from "./forge-keys.js";

let nowMs: number;
const clock: Clock = { now: () => new Date(nowMs) };
const advance = (seconds: number) => {
  nowMs += seconds * 1000;
};

let server: ForgeKeyServer;
let keys: ForgeKeys;

beforeEach(async () => {
  nowMs = Date.now();
  server = await ForgeKeyServer.start();
  keys = new ForgeKeys({
    clock,
    logger: silentLogger,
    keysUrl: server.url,
    isolatedKeysUrl: server.isolatedUrl,
  });
});
afterEach(() => server.close());

const asked = () => server.server.requests.length;
const find = (kid = server.signingKey.kid, icLabel?: string) => keys.getKey(kid, icLabel);

describe("ForgeKeys", () => {
  it("asks once for as long as an hour, however many come", async () => {
    await Promise.all([find(), find(), find()]);
    advance(59 * 60);
    expect(await find()).toMatchObject({ kid: server.signingKey.kid });
    expect(asked()).toBe(1);
  });

  it("renews keys of an hour behind the back of whoever comes", async () => {
    await find();
    advance(60 * 60);
    server.behaviour.delaySeconds = 0.2;
    await find();
    expect(asked()).toBe(1);
    await expect.poll(asked).toBe(2);
  });

  it("sees a new key at once, and after that each that comes a minute later", async () => {
    await find();
    for (const expected of [2, 3]) {
      await server.rotate();
      expect(await find()).toMatchObject({ kid: server.signingKey.kid });
      expect(asked()).toBe(expected);
      advance(60);
    }
  });

  it("asks once a minute at most for names that nobody has", async () => {
    await find();
    for (let count = 0; count < 5; count += 1)
      await expect(find(`made-up-${count}`)).rejects.toMatchObject({ code: "forge_jwt_invalid" });
    expect(asked()).toBe(2);
    advance(60);
    await expect(find("made-up")).rejects.toMatchObject({ code: "forge_jwt_invalid" });
    expect(asked()).toBe(3);
  });

  it("keeps a day's keys while they can't be fetched, and says of others that it can't tell", async () => {
    await find();
    server.behaviour.failing = true;
    advance(24 * 60 * 60 - 1);
    expect(await find()).toMatchObject({ kid: server.signingKey.kid });
    await expect.poll(asked).toBe(2);
    await expect(find("new")).rejects.toMatchObject({ code: "keys_unavailable" });
    advance(1);
    await expect(find()).rejects.toMatchObject({ code: "keys_unavailable" });
  });

  it.each(["off", "failing"] as const)(
    "can't tell of any key while the server is %s, and asks once a minute",
    async (state) => {
      server.behaviour[state] = true;
      await expect(find()).rejects.toMatchObject({ code: "keys_unavailable" });
      server.behaviour[state] = false;
      await expect(find()).rejects.toMatchObject({ code: "keys_unavailable" });
      advance(60);
      expect(await find()).toMatchObject({ kid: server.signingKey.kid });
    },
  );

  it("keeps the keys of each isolated cloud apart", async () => {
    await find();
    await find(server.signingKey.kid, "acme");
    await find(server.signingKey.kid, "acme");
    expect(server.server.requests).toEqual([
      "GET /.well-known/jwks.json → 200",
      "GET /acme/.well-known/jwks.json → 200",
    ]);
  });

  it("asks for made-up isolated clouds ten times a minute, however many there are, and loses no keys to them", async () => {
    await find();
    await find(server.signingKey.kid, "acme");
    const before = asked();
    server.behaviour.failing = true;
    const refusals: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      await find(server.signingKey.kid, `made-up-${count}`).catch((error: unknown) =>
        refusals.push((error as AppError).code),
      );
    }
    expect(asked()).toBe(before + 9);
    expect(refusals).toEqual([
      ...Array.from({ length: 9 }, () => "keys_unavailable"),
      ...Array.from({ length: 11 }, () => "rate_limited"),
    ]);
    await find();
    await find(server.signingKey.kid, "acme");
    expect(asked()).toBe(before + 9);
  });
});
