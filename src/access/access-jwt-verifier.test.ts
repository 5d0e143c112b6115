import { sign } from "node:crypto";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { AppError } from "../errors.js";
import { sha256Hex } from "../identifiers.js";
import { silentLogger } from "../logger.js";
import { AccessJwtVerifier } from "./access-jwt-verifier.js";
import {
  AUDIENCE,
  answerStatus,
  createSigningKey,
  createSteppedClock,
  signAccessJwt,
  startTeamServer,
  type AccessJwtOverrides,
  type SteppedClock,
  type TeamServer,
} from "./access-team.fixture.js";
import { TeamKeyCache } from "./team-key-cache.js";

const ACME = "acme.cloudflareaccess.com";
const FEDERAL = "acme.fed.cloudflareaccess.com";
const OTHER = "other.cloudflareaccess.com";
const STRANGER = "stranger.cloudflareaccess.com";
const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

const key = createSigningKey();
const foreignKey = createSigningKey();
// Another team's key, which happens to have the same name.
const sameKid = createSigningKey(key.kid);

let acme: TeamServer;
let other: TeamServer;
let clock: SteppedClock;
let trusted: Set<string>;
let keys: TeamKeyCache;
let verifier: AccessJwtVerifier;

beforeAll(async () => {
  acme = await startTeamServer(key);
  other = await startTeamServer(sameKid);
});

afterAll(() => Promise.all([acme.close(), other.close()]));

beforeEach(() => {
  acme.publish(key);
  clock = createSteppedClock();
  trusted = new Set([ACME, FEDERAL, OTHER]);
  const originOverrides = new Map([
    [ACME, acme.origin],
    [FEDERAL, acme.origin],
    [STRANGER, acme.origin],
    [OTHER, other.origin],
  ]);
  keys = new TeamKeyCache({ clock, logger: silentLogger, originOverrides });
  verifier = createVerifier();
});

afterEach(() => vi.restoreAllMocks());

function createVerifier(): AccessJwtVerifier {
  return new AccessJwtVerifier({
    clock,
    keys,
    isTrustedTeam: (teamDomain) => Promise.resolve(trusted.has(teamDomain)),
  });
}

async function expectRefusal(token: string, code: string): Promise<void> {
  await expect(verifier.verify(token)).rejects.toMatchObject({ code });
}

/** Counts the signature checks from here on, against decoys too. */
function watchSignatureChecks() {
  return vi.spyOn(crypto.subtle, "verify");
}

describe("AccessJwtVerifier accepts", () => {
  it("a person's token, and says what is in it", async () => {
    const token = signAccessJwt(key);
    const issuedAt = Date.parse("2026-11-22T11:59:00Z") / 1000;
    expect(await verifier.verify(token)).toEqual({
      issuer: `https://${ACME}`,
      teamDomain: ACME,
      audiences: [AUDIENCE],
      issuedAt,
      notBefore: issuedAt,
      expiresAt: issuedAt + DAY,
      holder: { kind: "person", subject: "7335d417-61da-459d-899c-0a01c76a2f94", email: "ann@acme.com" },
      hash: sha256Hex(token),
    });
  });

  it("a service token, and says that it is one", async () => {
    const claims = { aud: AUDIENCE, common_name: "e367.access", sub: "", email: undefined, nbf: undefined };
    expect(await verifier.verify(signAccessJwt(key, { claims }))).toMatchObject({
      audiences: [AUDIENCE],
      notBefore: null,
      holder: { kind: "service_token", commonName: "e367.access" },
    });
  });

  it.each<[string, AccessJwtOverrides]>([
    ["without typ", { header: { typ: undefined } }],
    ["with header members that nobody knows", { header: { x5t: "abc", extra: { a: 1 } } }],
    ["of a FedRAMP team", { teamDomain: FEDERAL }],
    ["with several audiences", { claims: { aud: [AUDIENCE, "other"] } }],
    ["that has expired, which is judged elsewhere", { claims: { exp: 1 } }],
    ["that isn't valid yet, which is judged elsewhere", { claims: { nbf: 253_402_300_799 } }],
  ])("a token %s", async (_name, overrides) => {
    const token = signAccessJwt(key, overrides);
    expect((await verifier.verify(token)).issuer).toMatch(/cloudflareaccess\.com$/);
  });
});

describe("AccessJwtVerifier says whose token it is", () => {
  it("with the e-mail exactly as it was signed", async () => {
    const token = signAccessJwt(key, { claims: { email: " Ann@ACME.com " } });
    expect((await verifier.verify(token)).holder).toMatchObject({ email: " Ann@ACME.com " });
  });
});

describe("AccessJwtVerifier refuses", () => {
  const signForeign = (input: Buffer) => sign("sha256", input, foreignKey.privateKey);

  it("a second spelling of a token that it has accepted", async () => {
    const token = signAccessJwt(key);
    await verifier.verify(token);
    for (const respelled of [`${token}=`, `${token} `, `${token}\n`, ` ${token}`, `${token}.`]) {
      await expectRefusal(respelled, "access_jwt_malformed");
    }
  });

  it("what isn't a string", async () => {
    await expectRefusal(undefined as unknown as string, "access_jwt_malformed");
    await expectRefusal([signAccessJwt(key)] as unknown as string, "access_jwt_malformed");
  });

  it("a malformed token before it looks at its header or its team", async () => {
    const overrides = { header: { alg: "none" }, claims: { exp: undefined }, teamDomain: STRANGER };
    await expectRefusal(signAccessJwt(key, overrides), "access_jwt_malformed");
  });

  it("with the same words for every reason, and the reason for the log alone", async () => {
    const refused = [{ header: { alg: "none" } }, { teamDomain: STRANGER }, { signWith: signForeign }];
    const errors = await Promise.all(
      refused.map((overrides) =>
        verifier.verify(signAccessJwt(key, overrides)).catch((e: unknown) => e as AppError),
      ),
    );
    expect(new Set(errors.map((error) => (error as AppError).message)).size).toBe(1);
    expect(new Set(errors.map((error) => (error as AppError).reason)).size).toBe(3);
  });

  it("with keys_unavailable, not as a bad token, while the team can't be reached", async () => {
    acme.respond(answerStatus(500));
    await expectRefusal(signAccessJwt(key), "keys_unavailable");
    await expectRefusal(signAccessJwt(foreignKey), "keys_unavailable");
  });
});

describe("AccessJwtVerifier tells strangers little", () => {
  it("asks nothing of a team that no tenant names", async () => {
    const fetches = vi.spyOn(globalThis, "fetch");
    for (const teamDomain of [STRANGER, "nobody.cloudflareaccess.com"]) {
      await expectRefusal(signAccessJwt(key, { teamDomain }), "access_jwt_untrusted");
    }
    expect(fetches).not.toHaveBeenCalled();
  });

  it.each([{ alg: "none" }, { kid: "a".repeat(257) }, { jku: "https://evil.example" }])(
    "asks nothing for a token whose header is refused: %j",
    async (header) => {
      const fetches = vi.spyOn(globalThis, "fetch");
      await expectRefusal(signAccessJwt(key, { header }), "access_jwt_untrusted");
      expect(fetches).not.toHaveBeenCalled();
    },
  );

  it.each<[string, AccessJwtOverrides]>([
    ["a known team with a wrong signature", { signWith: () => Buffer.alloc(256, 1) }],
    ["a known team with an unknown kid", { header: { kid: "unknown" } }],
    ["an unknown team", { teamDomain: STRANGER }],
    ["an issuer that is no team", { claims: { iss: "https://evil.example" } }],
  ])("checks one signature for %s", async (_name, overrides) => {
    const checks = watchSignatureChecks();
    await expectRefusal(signAccessJwt(key, overrides), "access_jwt_untrusted");
    expect(checks).toHaveBeenCalledTimes(1);
  });
});

describe("AccessJwtVerifier remembers a verified token", () => {
  it("and checks its signature once", async () => {
    const token = signAccessJwt(key);
    const checks = watchSignatureChecks();
    const seen = await verifier.verify(token);
    expect(await verifier.verify(token)).toEqual(seen);
    expect(checks).toHaveBeenCalledTimes(1);
  });

  it("but no refused one", async () => {
    const token = signAccessJwt(key, { claims: { type: "org" } });
    const checks = watchSignatureChecks();
    await expectRefusal(token, "access_jwt_untrusted");
    await expectRefusal(token, "access_jwt_untrusted");
    expect(checks).toHaveBeenCalledTimes(2);
  });

  it("until its exp and the tolerance have passed", async () => {
    const token = signAccessJwt(key, { claims: { exp: clock.now().getTime() / 1000 + MINUTE } });
    const checks = watchSignatureChecks();
    await verifier.verify(token);
    clock.advance(MINUTE + 29);
    await verifier.verify(token);
    expect(checks).toHaveBeenCalledTimes(1);
    clock.advance(1);
    await verifier.verify(token);
    await verifier.verify(token);
    expect(checks).toHaveBeenCalledTimes(3);
  });

  it("until its key is no longer published", async () => {
    const token = signAccessJwt(key);
    await verifier.verify(token);
    acme.publish(foreignKey);
    clock.advance(MINUTE);
    await verifier.verify(signAccessJwt(foreignKey));
    await expectRefusal(token, "access_jwt_untrusted");
  });

  it("until its kid names another key", async () => {
    const token = signAccessJwt(key);
    await verifier.verify(token);
    acme.publish(sameKid);
    await keys.check(ACME);
    await expectRefusal(token, "access_jwt_untrusted");
    await verifier.verify(signAccessJwt(sameKid));
  });

  it("across a refresh that brings the same key", async () => {
    const token = signAccessJwt(key);
    await verifier.verify(token);
    acme.publish(foreignKey, key);
    await keys.check(ACME);
    const checks = watchSignatureChecks();
    await verifier.verify(token);
    expect(checks).not.toHaveBeenCalled();
  });

  it("but asks each time whether the team is still trusted", async () => {
    const token = signAccessJwt(key);
    await verifier.verify(token);
    trusted.delete(ACME);
    await expectRefusal(token, "access_jwt_untrusted");
    trusted.add(ACME);
    await verifier.verify(token);
  });

  it("until the team's keys are too old to count", async () => {
    const token = signAccessJwt(key, { claims: { exp: clock.now().getTime() / 1000 + 30 * DAY } });
    await verifier.verify(token);
    acme.respond(answerStatus(500));
    clock.advance(7 * DAY - 1);
    await verifier.verify(token);
    clock.advance(1 + MINUTE);
    await expectRefusal(token, "keys_unavailable");
  });
});

describe("AccessJwtVerifier asks for keys", () => {
  it("once for 50 first tokens that come at once", async () => {
    const before = acme.requestCount;
    const tokens = Array.from({ length: 50 }, (_, i) =>
      signAccessJwt(key, { claims: { identity_nonce: `${i}` } }),
    );
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(acme.requestCount - before).toBe(1);
  });

  it("at most once more for 1,000 tokens with made-up kids", async () => {
    await verifier.verify(signAccessJwt(key));
    clock.advance(MINUTE);
    const before = acme.requestCount;
    const signWith = () => Buffer.alloc(256, 1);
    const tokens = Array.from({ length: 1000 }, (_, i) =>
      signAccessJwt(key, { header: { kid: `k${i}` }, signWith }),
    );
    const results = await Promise.allSettled(tokens.map((token) => verifier.verify(token)));
    const untrusted = { status: "rejected", reason: { code: "access_jwt_untrusted" } };
    for (const result of results) expect(result).toMatchObject(untrusted);
    expect(acme.requestCount - before).toBe(1);
  });

  it("again after a rotation, so that both the old and the new key verify", async () => {
    const oldToken = signAccessJwt(key);
    await verifier.verify(oldToken);
    acme.publish(foreignKey, key);
    clock.advance(MINUTE);
    await verifier.verify(signAccessJwt(foreignKey));
    await createVerifier().verify(oldToken);
  });
});
