import { afterEach, describe, expect, it, vi } from "vitest";

import { silentLogger } from "../logger.js";
import {
  answerJson,
  answerStatus,
  answerText,
  createSigningKey,
  createSteppedClock,
  startTeamServer,
  type PublishedKey,
  type Responder,
  type TeamServer,
} from "./access-team.fixture.js";
import { TeamKeyCache } from "./team-key-cache.js";

const ACME = "acme.cloudflareaccess.com";
const OTHER = "other.cloudflareaccess.com";
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const first = createSigningKey("first");
const second = createSigningKey("second");

const servers: TeamServer[] = [];

async function startServer(...keys: PublishedKey[]): Promise<TeamServer> {
  const server = await startTeamServer(...keys);
  servers.push(server);
  return server;
}

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setUp(options: { maxTeams?: number } = {}) {
  const acme = await startServer(first);
  const other = await startServer(second);
  const clock = createSteppedClock();
  const originOverrides = new Map([
    [ACME, acme.origin],
    [OTHER, other.origin],
  ]);
  const keys = new TeamKeyCache({ clock, logger: silentLogger, originOverrides, ...options });
  return { acme, other, clock, keys };
}

/** Holds every request until it is released, then answers with the first key. */
function holdRequests(server: TeamServer): () => void {
  const held: (() => void)[] = [];
  let isReleased = false;
  server.respond((request, response) => {
    const answer = () => void answerJson({ keys: [first.jwk] })(request, response);
    if (isReleased) answer();
    else held.push(answer);
  });
  return () => {
    isReleased = true;
    for (const answer of held) answer();
  };
}

const unavailable = expect.objectContaining({ code: "keys_unavailable" }) as Error;

describe("TeamKeyCache.findKey", () => {
  it("finds a team's key and asks once for any number of tokens", async () => {
    const { acme, keys } = await setUp();
    for (let i = 0; i < 100; i += 1) {
      expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first", modulus: first.jwk.n });
    }
    expect(acme.requestCount).toBe(1);
  });

  it("shares one request among 50 tokens that come at once", async () => {
    const { acme, keys } = await setUp();
    const release = holdRequests(acme);
    const found = Array.from({ length: 50 }, () => keys.findKey(ACME, "first"));
    await vi.waitFor(() => expect(acme.requestCount).toBe(1));
    release();
    expect((await Promise.all(found)).map((key) => key?.kid)).toEqual(Array(50).fill("first"));
    expect(acme.requestCount).toBe(1);
  });

  it("asks at most once a minute for kids that nobody published, and shares that request too", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    const askForMadeUpKids = () =>
      Promise.all(Array.from({ length: 1000 }, (_, i) => keys.findKey(ACME, `made-up-${i}`)));
    expect(new Set(await askForMadeUpKids())).toEqual(new Set([null]));
    expect(acme.requestCount).toBe(2);
    clock.advance(MINUTE - 1);
    await askForMadeUpKids();
    expect(acme.requestCount).toBe(2);
    clock.advance(1);
    expect(new Set(await askForMadeUpKids())).toEqual(new Set([null]));
    expect(acme.requestCount).toBe(3);
  });

  it("finds a key that the team rotates in right after its keys were first fetched", async () => {
    const { acme, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.publish(first, second);
    expect(await keys.findKey(ACME, "second")).toMatchObject({ kid: "second" });
    expect(acme.requestCount).toBe(2);
  });

  it("finds one that is rotated in right after 50 tokens at once made it fetch the first keys", async () => {
    const { acme, keys } = await setUp();
    await Promise.all(Array.from({ length: 50 }, () => keys.findKey(ACME, "first")));
    acme.publish(first, second);
    expect(await keys.findKey(ACME, "second")).toMatchObject({ kid: "second" });
    expect(acme.requestCount).toBe(2);
  });

  it("finds a key that the team has rotated in", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.publish(first, second);
    clock.advance(MINUTE);
    expect(await keys.findKey(ACME, "second")).toMatchObject({ kid: "second" });
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
    expect(acme.requestCount).toBe(2);
  });

  it("no longer finds a key once a fetch doesn't list it", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.publish(second);
    clock.advance(MINUTE);
    await keys.findKey(ACME, "second");
    expect(await keys.findKey(ACME, "first")).toBeNull();
  });

  it("takes the new key when a kid comes to name another one", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.publish({ ...second.jwk, kid: "first" });
    clock.advance(MINUTE);
    await keys.findKey(ACME, "unknown");
    expect(await keys.findKey(ACME, "first")).toMatchObject({ modulus: second.jwk.n });
  });

  it("refreshes keys older than an hour behind the back of requests", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    clock.advance(HOUR - 1);
    const fetches = vi.spyOn(globalThis, "fetch");
    await keys.findKey(ACME, "first");
    expect(fetches).not.toHaveBeenCalled();
    clock.advance(1);
    const release = holdRequests(acme);
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
    await vi.waitFor(() => expect(acme.requestCount).toBe(2));
    release();
    // Shares the request above or makes another: either way the keys are new when it is done.
    await keys.check(ACME);
    fetches.mockClear();
    await keys.findKey(ACME, "first");
    expect(fetches).not.toHaveBeenCalled();
  });

  it("keeps keys for seven days while the team can't be reached, and not longer", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.respond(answerStatus(500));
    for (let day = 0; day < 7; day += 1) {
      expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
      clock.advance(DAY - 1);
    }
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
    clock.advance(7);
    await expect(keys.findKey(ACME, "first")).rejects.toEqual(unavailable);
    acme.publish(first);
    clock.advance(MINUTE);
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
  });

  it("says keys_unavailable for an unknown kid when it can't ask whether there is a new key", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.respond(answerStatus(500));
    clock.advance(MINUTE);
    await expect(keys.findKey(ACME, "second")).rejects.toEqual(unavailable);
    await expect(keys.findKey(ACME, "third")).rejects.toEqual(unavailable);
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
    expect(acme.requestCount).toBe(2);
  });

  it.each([
    ["doesn't exist", answerStatus(404)],
    ["fails", answerStatus(500)],
    ["answers with something else", answerText("<!doctype html>")],
  ])("asks a team that %s once a minute, however many tokens arrive", async (_name, responder) => {
    const { acme, clock, keys } = await setUp();
    acme.respond(responder);
    for (let minute = 1; minute <= 3; minute += 1) {
      const found = await Promise.allSettled(Array.from({ length: 200 }, () => keys.findKey(ACME, "first")));
      expect(found).toEqual(Array(200).fill({ status: "rejected", reason: unavailable }));
      expect(acme.requestCount).toBe(minute);
      clock.advance(MINUTE - 1);
      await expect(keys.findKey(ACME, "first")).rejects.toEqual(unavailable);
      expect(acme.requestCount).toBe(minute);
      clock.advance(1);
    }
  });

  it("serves other teams while one doesn't answer", async () => {
    const { acme, keys } = await setUp();
    const release = holdRequests(acme);
    const waiting = keys.findKey(ACME, "first");
    expect(await keys.findKey(OTHER, "second")).toMatchObject({ kid: "second" });
    release();
    expect(await waiting).toMatchObject({ kid: "first" });
  });

  it("doesn't take one team's key for another's", async () => {
    const { keys } = await setUp();
    await keys.findKey(OTHER, "second");
    expect(await keys.findKey(ACME, "second")).toBeNull();
  });

  it("asks again when the clock was set back", async () => {
    const { acme, clock, keys } = await setUp();
    await keys.findKey(ACME, "first");
    clock.advance(-DAY);
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
    expect(acme.requestCount).toBe(2);
  });

  it("remembers a bounded number of teams, and forgets the one not used for longest", async () => {
    const { acme, other, keys } = await setUp({ maxTeams: 1 });
    await keys.findKey(ACME, "first");
    await keys.findKey(OTHER, "second");
    await keys.findKey(OTHER, "second");
    expect(other.requestCount).toBe(1);
    await keys.findKey(ACME, "first");
    expect(acme.requestCount).toBe(2);
  });
});

describe("TeamKeyCache.warm and forget", () => {
  it("fetches ahead of the first token, and not again", async () => {
    const { acme, clock, keys } = await setUp();
    keys.warm(ACME);
    await vi.waitFor(() => expect(acme.requestCount).toBe(1));
    await keys.findKey(ACME, "first");
    clock.advance(MINUTE);
    const fetches = vi.spyOn(globalThis, "fetch");
    keys.warm(ACME);
    expect(fetches).not.toHaveBeenCalled();
  });

  it("fetches afresh for a team that was forgotten", async () => {
    const { acme, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.publish(second);
    keys.forget(ACME);
    expect(await keys.findKey(ACME, "first")).toBeNull();
    expect(acme.requestCount).toBe(2);
  });

  it("asks once when a team is forgotten and named again while it is being asked", async () => {
    const { acme, keys } = await setUp();
    const release = holdRequests(acme);
    keys.warm(ACME);
    keys.forget(ACME);
    const found = keys.findKey(ACME, "first");
    await vi.waitFor(() => expect(acme.requestCount).toBe(1));
    release();
    expect(await found).toMatchObject({ kid: "first" });
    expect(acme.requestCount).toBe(1);
  });
});

describe("TeamKeyCache.check", () => {
  it("says which keys a team publishes, each time afresh", async () => {
    const { acme, keys } = await setUp();
    acme.publish(first, second);
    const check = await keys.check(ACME);
    expect(check).toEqual({
      ok: true,
      teamDomain: ACME,
      keyCount: 2,
      kids: ["first", "second"],
      milliseconds: expect.any(Number) as number,
      problem: null,
    });
    expect(Number.isInteger(check.milliseconds)).toBe(true);
    await keys.check(ACME);
    expect(acme.requestCount).toBe(2);
  });

  it("shares a request that is under way", async () => {
    const { acme, keys } = await setUp();
    const release = holdRequests(acme);
    const checks = [keys.check(ACME), keys.check(ACME), keys.findKey(ACME, "first")];
    await vi.waitFor(() => expect(acme.requestCount).toBe(1));
    release();
    await Promise.all(checks);
    expect(acme.requestCount).toBe(1);
  });

  it("renews the keys of a team that is in use", async () => {
    const { acme, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.publish(second);
    await keys.check(ACME);
    expect(await keys.findKey(ACME, "second")).toMatchObject({ kid: "second" });
    expect(acme.requestCount).toBe(2);
    expect(await keys.findKey(ACME, "first")).toBeNull();
  });

  it("takes no key from a team in use when the check fails", async () => {
    const { acme, keys } = await setUp();
    await keys.findKey(ACME, "first");
    acme.respond(answerStatus(404));
    expect((await keys.check(ACME)).ok).toBe(false);
    expect(await keys.findKey(ACME, "first")).toMatchObject({ kid: "first" });
  });

  it("keeps nothing of a team that isn't in use, so that trying names pushes nobody out", async () => {
    const { acme, other, keys } = await setUp({ maxTeams: 1 });
    await keys.findKey(ACME, "first");
    await keys.check(OTHER);
    await keys.findKey(ACME, "first");
    expect(acme.requestCount).toBe(1);
    await keys.findKey(OTHER, "second");
    expect(other.requestCount).toBe(2);
  });

  const truncated: Responder = (_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write('{"keys":[', () => response.destroy());
  };
  const redirecting: Responder = (_request, response) => {
    response.writeHead(302, { location: "/elsewhere" }).end();
  };
  it.each([
    ["a team that doesn't exist", answerStatus(404), "There is no Access team with this name."],
    ["a server that fails", answerStatus(500), "The team's server answered with status 500."],
    ["an empty answer", answerStatus(204), "The team's server answered with status 204."],
    ["a page", answerText("<!doctype html>"), "The answer isn't JSON."],
    ["other JSON", answerJson({ ok: true }), "The answer isn't a list of keys."],
    [
      "no usable key",
      answerJson({ keys: [{ kty: "oct" }] }),
      "The answer has no usable key: an Access team publishes RSA keys for RS256.",
    ],
    [
      "a huge answer",
      answerText(Buffer.alloc(128 * 1024 + 1, " ")),
      "The answer is larger than 131072 bytes.",
    ],
    ["an answer that breaks off", truncated, "The server can't be reached."],
    ["a redirect", redirecting, "The server answered with a redirect, which is not followed."],
  ])("says what it saw: %s", async (_name, responder, detail) => {
    const { acme, keys } = await setUp();
    acme.respond(responder);
    expect(await keys.check(ACME)).toMatchObject({
      ok: false,
      teamDomain: ACME,
      keyCount: 0,
      kids: [],
      problem: { code: "keys_unavailable", detail },
    });
  });

  it("says that a team can't be reached when nobody listens", async () => {
    const { acme, keys } = await setUp();
    await servers.splice(servers.indexOf(acme), 1)[0]?.close();
    expect((await keys.check(ACME)).problem?.detail).toBe("The server can't be reached.");
  });

  it("gives up after five seconds, also when the answer trickles", async () => {
    const { acme, keys } = await setUp();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.timeout(50));
    acme.respond((_request, response) => void response.writeHead(200).write("{"));
    expect((await keys.check(ACME)).problem?.detail).toBe("No answer within 5 seconds.");
    expect(timeout).toHaveBeenCalledWith(5000);
  });

  it.each([
    "",
    "localhost",
    "evil.example",
    "acme.cloudflareaccess.com@evil.example",
    "acme.cloudflareaccess.com/x",
  ])("asks nobody for %j", async (teamDomain) => {
    const { keys } = await setUp();
    const fetches = vi.spyOn(globalThis, "fetch");
    expect((await keys.check(teamDomain)).problem?.detail).toBe("This isn't the domain of an Access team.");
    expect(fetches).not.toHaveBeenCalled();
  });

  it("asks the team itself, at its own address, unless that is overridden", async () => {
    const fetches = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("", { status: 404 }));
    const keys = new TeamKeyCache({
      clock: createSteppedClock(),
      logger: silentLogger,
      originOverrides: new Map(),
    });
    await keys.check(ACME);
    expect(fetches).toHaveBeenCalledWith(
      `https://${ACME}/cdn-cgi/access/certs`,
      expect.objectContaining({ redirect: "manual" }),
    );
  });
});
