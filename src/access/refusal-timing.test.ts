import { setTimeout as sleep } from "node:timers/promises";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { silentLogger } from "../logger.js";
import { AccessJwtVerifier } from "./access-jwt-verifier.js";
import {
  answerJson,
  createSigningKey,
  createSteppedClock,
  signAccessJwt,
  startTeamServer,
  type TeamServer,
} from "./access-team.fixture.js";
import { TeamKeyCache } from "./team-key-cache.js";

const KNOWN = "known.cloudflareaccess.com";
const STRANGER = "stranger.cloudflareaccess.com";
const key = createSigningKey();

let server: TeamServer;
beforeAll(async () => {
  server = await startTeamServer(key);
});
afterAll(() => server.close());

/** Says of every probe whether its sender had to wait, for the team or for a decoy. */
function startApp({ maxDecoys = 10_000 } = {}) {
  const clock = createSteppedClock();
  const wait = vi.fn<(milliseconds: number) => Promise<void>>().mockResolvedValue();
  const originOverrides = new Map([
    [KNOWN, server.origin],
    [STRANGER, server.origin],
  ]);
  const keys = new TeamKeyCache({ clock, wait, logger: silentLogger, originOverrides, maxDecoys });
  const isTrustedTeam = (teamDomain: string) => Promise.resolve(teamDomain === KNOWN);
  const verifier = new AccessJwtVerifier({ clock, keys, isTrustedTeam });
  const probe = async (teamDomain: string, kid: string): Promise<boolean> => {
    const before = server.requestCount + wait.mock.calls.length;
    await expect(verifier.verify(forge(teamDomain, kid))).rejects.toMatchObject({
      code: "access_jwt_untrusted",
    });
    return server.requestCount + wait.mock.calls.length > before;
  };
  return { clock, wait, keys, verifier, probe };
}

const sign = () => Buffer.alloc(256, 1);
const forge = (teamDomain: string, kid: string) =>
  signAccessJwt(key, { teamDomain, header: { kid }, signWith: sign });

describe("A stranger who forges tokens", () => {
  const probes = fc.array(
    fc.record({
      // Everybody can look up a team's kids. In less than an hour nothing is refreshed behind the back of requests.
      kid: fc.constantFrom(key.kid, "made-up", "another"),
      secondsLater: fc.constantFrom(0, 1, 29, 59, 60, 61),
    }),
    { maxLength: 19 },
  );

  it("waits for a team that is known exactly when for one that isn't", async () => {
    await fc.assert(
      fc.asyncProperty(probes, fc.boolean(), async (script, isWarm) => {
        const app = startApp();
        if (isWarm) await app.verifier.verify(signAccessJwt(key, { teamDomain: KNOWN }));
        for (const { kid, secondsLater } of script) {
          app.clock.advance(secondsLater);
          const waits = { known: await app.probe(KNOWN, kid), stranger: await app.probe(STRANGER, kid) };
          expect(waits.known).toBe(waits.stranger);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("waits no longer after twenty refusals in a minute, and makes nobody be asked but for made-up kids", async () => {
    const { verifier, probe } = startApp();
    await verifier.verify(signAccessJwt(key, { teamDomain: KNOWN }));
    const asked = server.requestCount;
    for (const team of [KNOWN, STRANGER]) {
      for (let nth = 1; nth <= 25; nth += 1) expect(await probe(team, key.kid)).toBe(nth <= 20);
    }
    expect(server.requestCount).toBe(asked);
  });

  it("can't keep a key that was rotated in from being seen for longer than a minute, however many he forges", async () => {
    const { clock, verifier, probe } = startApp();
    await verifier.verify(signAccessJwt(key, { teamDomain: KNOWN }));
    const rotatedIn = createSigningKey();
    const genuine = signAccessJwt(rotatedIn, { teamDomain: KNOWN });
    const forgeMany = async () => {
      for (let nth = 1; nth <= 25; nth += 1) await probe(KNOWN, nth % 2 ? key.kid : "made-up");
    };
    await forgeMany();
    server.publish(key, rotatedIn);
    for (let minute = 1; minute <= 2; minute += 1) {
      clock.advance(60);
      await forgeMany();
    }
    await verifier.verify(genuine);
    server.publish(key);
  });

  it("makes the app look for a new key while nobody waits any longer, and doesn't see that it does", async () => {
    const { verifier, probe } = startApp();
    await verifier.verify(signAccessJwt(key, { teamDomain: KNOWN }));
    for (let nth = 1; nth <= 20; nth += 1) await probe(KNOWN, key.kid);
    const rotatedIn = createSigningKey();
    const genuine = signAccessJwt(rotatedIn, { teamDomain: KNOWN });
    let answer: () => void = () => undefined;
    server.respond(async (request, response) => {
      await new Promise<void>((resolve) => (answer = resolve));
      await answerJson({ keys: [key.jwk, rotatedIn.jwk] })(request, response);
    });
    // The team hasn't answered yet.
    await expect(verifier.verify(genuine)).rejects.toMatchObject({ code: "access_jwt_untrusted" });
    await vi.waitFor(async () => {
      answer();
      await verifier.verify(genuine);
    });
    server.publish(key);
  });

  it("isn't told by waits of a team that the app has forgotten because many were tried", async () => {
    const { clock, verifier, probe } = startApp({ maxDecoys: 10 });
    await verifier.verify(signAccessJwt(key, { teamDomain: KNOWN }));
    const probeBoth = async () => [await probe(KNOWN, "made-up"), await probe(STRANGER, "made-up")];
    for (let nth = 1; nth <= 20; nth += 1) expect(await probeBoth()).toEqual([true, true]);
    expect(await probeBoth()).toEqual([false, false]);
    for (let nth = 0; nth < 10; nth += 1) await probe(`team-${nth}.cloudflareaccess.com`, "made-up");
    const asked = server.requestCount;
    expect(await probeBoth()).toEqual([true, true]);
    expect(server.requestCount).toBe(asked);
    clock.advance(60);
    expect(await probeBoth()).toEqual([true, true]);
  });

  it("waits as long as a team took to answer lately", async () => {
    const { wait, probe } = startApp();
    server.respond(async (request, response) => {
      await sleep(200);
      server.publish(key);
      await answerJson({ keys: [key.jwk] })(request, response);
    });
    await probe(KNOWN, "made-up");
    await probe(STRANGER, "made-up");
    expect(wait).toHaveBeenCalledTimes(1);
    const milliseconds = wait.mock.lastCall?.[0];
    expect(milliseconds).toBeGreaterThan(190);
    expect(milliseconds).toBeLessThan(5000);
  });

  it("shares the wait with all who name the same team meanwhile, and holds up nobody else", async () => {
    const { wait, verifier, probe } = startApp();
    await verifier.verify(signAccessJwt(key, { teamDomain: KNOWN }));
    let release: () => void = () => undefined;
    wait.mockReturnValue(new Promise((resolve) => (release = resolve)));
    let answered = 0;
    const waiting = Array.from({ length: 50 }, async () => {
      await verifier.verify(forge(STRANGER, "made-up")).catch(() => (answered += 1));
    });
    await vi.waitFor(() => expect(wait).toHaveBeenCalledTimes(1));
    await probe(KNOWN, "made-up");
    await verifier.verify(signAccessJwt(key, { teamDomain: KNOWN, claims: { identity_nonce: "2" } }));
    expect(answered).toBe(0);
    release();
    await Promise.all(waiting);
    expect(answered).toBe(50);
    expect(wait).toHaveBeenCalledTimes(1);
  });
});
