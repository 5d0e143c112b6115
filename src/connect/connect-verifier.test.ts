import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { AppError } from "../errors.js";
import { sha256Hex } from "../identifiers.js";
import { mintHs256, mintRs256, mintToken } from "./connect-jwt.fixture.js";
import {
  ACCOUNT_ID,
  BASE_URL,
  DISABLED,
  ENABLED,
  HALF_UNINSTALLED,
  KID,
  qshOf,
  SECRETLESS,
  STORE_IS_AWAY,
  UNICODE,
  UNINSTALLED,
  VerifierWorld,
  VICTIM,
} from "./connect-verifier.fixture.js";
import { createRsaKeyPair } from "./key-server.fixture.js";

const ADMIN_PAGE = { method: "GET", target: "/base/admin?xdm_e=https%3A%2F%2Facme.atlassian.net&lic=none" };
const INSTALLED = { method: "POST", target: "/base/installed", caller: "203.0.113.7" };
const ENABLED_EVENT = { method: "POST", target: "/base/enabled?pluginKey=x", caller: "203.0.113.7" };
const SECRET = ENABLED.sharedSecret!;

let world: VerifierWorld;
beforeAll(async () => {
  world = await VerifierWorld.start();
});
afterAll(() => world.keyServer.close());
beforeEach(() => {
  world.lookups.length = 0;
  world.keyServer.asked.length = 0;
});

/** Ways to spoil any token that was good, whatever its mode. */
const SPOILT_CLAIMS: [string, (now: number) => object][] = [
  ["no iss", () => ({ iss: undefined })],
  ["an empty iss", () => ({ iss: "" })],
  ["an array as iss", () => ({ iss: [ENABLED.clientKey] })],
  ["an array of two tenants as iss", () => ({ iss: [ENABLED.clientKey, VICTIM.clientKey] })],
  ["an object as iss", () => ({ iss: { toString: ENABLED.clientKey } })],
  ["a number as iss", () => ({ iss: 1 })],
  ["an iss with a control character", () => ({ iss: `${ENABLED.clientKey}\0` })],
  ["an iss of 256 characters", () => ({ iss: "x".repeat(256) })],
  ["two tenants nested in aud", () => ({ aud: [[ENABLED.clientKey, VICTIM.clientKey]] })],
  ["a number in aud", () => ({ aud: [BASE_URL, 123] })],
  ["an object as aud", () => ({ aud: { 0: BASE_URL } })],
  ["no exp", () => ({ exp: undefined })],
  ["null as exp", () => ({ exp: null })],
  ["an empty exp", () => ({ exp: "" })],
  ["a word as exp", () => ({ exp: "abc" })],
  ["digits in a string as exp", (now) => ({ exp: String(now + 60) })],
  ["a fraction as exp", (now) => ({ exp: now + 60.5 })],
  ["a huge exp", () => ({ exp: 1e300 })],
  ["no iat", () => ({ iat: undefined })],
  ["a string as iat", (now) => ({ iat: String(now) })],
  ["iat beyond the tolerance", (now) => ({ iat: now + 31 })],
  ["nbf beyond the tolerance", (now) => ({ nbf: now + 31 })],
  ["a string as nbf", (now) => ({ nbf: String(now) })],
  ["no qsh", () => ({ qsh: undefined })],
  ["an empty qsh", () => ({ qsh: "" })],
  ["another qsh", () => ({ qsh: "0".repeat(64) })],
  ["an array as qsh", () => ({ qsh: ["context-qsh"] })],
  ["a number as sub", () => ({ sub: 1 })],
  ["an array as sub", () => ({ sub: [ACCOUNT_ID] })],
];

const SPOILT_HEADERS: [string, object][] = [
  ["alg none", { alg: "none" }],
  ["alg HS512", { alg: "HS512" }],
  ["alg hs256", { alg: "hs256" }],
  ["an array as alg", { alg: ["HS256"] }],
  ["no alg", { alg: undefined }],
  ["crit", { crit: ["exp"] }],
  ["b64", { b64: true }],
  ["jwk", { jwk: { kty: "oct", k: "AAAA" } }],
  ["jku", { jku: "https://evil.example/keys" }],
  ["x5u", { x5u: "https://evil.example/cert" }],
  ["x5c", { x5c: ["AAAA"] }],
  ["another typ", { typ: "at+jwt" }],
  ["a number as kid", { kid: 1 }],
];

/** Modes in which a tenant's secret signs: a good token, and how to verify it. */
const TENANT_MODES = [
  {
    mode: "context",
    mint: (claims: object = {}, header: object = {}, secret = SECRET) =>
      mintHs256(world.buildClaims(claims), secret, header),
    verify: (token: string) => world.verifier.verifyContext(token),
  },
  {
    mode: "URL-bound",
    mint: (claims: object = {}, header: object = {}, secret = SECRET) =>
      mintHs256(world.buildClaims({ qsh: qshOf(ADMIN_PAGE), ...claims }), secret, header),
    verify: (token: string) => world.verifier.verifyUrlBound(token, ADMIN_PAGE),
  },
  {
    mode: "toggle event by the tenant",
    mint: (claims: object = {}, header: object = {}, secret = SECRET) =>
      mintHs256(world.buildClaims({ qsh: qshOf(ENABLED_EVENT), ...claims }), secret, header),
    verify: (token: string) => world.verifier.verifyToggleEvent(token, ENABLED_EVENT),
  },
];

/** Modes in which Atlassian itself signs. */
const ATLASSIAN_MODES = [
  {
    mode: "install event",
    mint: (claims: object = {}, header: object = {}) =>
      mintRs256(world.buildEventClaims(INSTALLED, claims), world.atlassian.privateKey, {
        kid: KID,
        ...header,
      }),
    verify: (token: string) => world.verifier.verifyInstallEvent(token, INSTALLED),
  },
  {
    mode: "toggle event by Atlassian",
    mint: (claims: object = {}, header: object = {}) =>
      mintRs256(world.buildEventClaims(ENABLED_EVENT, claims), world.atlassian.privateKey, {
        kid: KID,
        ...header,
      }),
    verify: (token: string) => world.verifier.verifyToggleEvent(token, ENABLED_EVENT),
  },
];

describe.each([...TENANT_MODES, ...ATLASSIAN_MODES])("every mode: $mode", ({ mint, verify }) => {
  it("accepts a good token", async () => {
    await expect(verify(mint())).resolves.toBeDefined();
  });

  it.each(SPOILT_CLAIMS)("refuses %s before looking anything up", async (_name, spoil) => {
    expect(await codeOf(verify(mint(spoil(world.clock.epochSeconds))))).toBe("connect_jwt_invalid");
    expect(world.lookups).toEqual([]);
    expect(world.keyServer.asked).toEqual([]);
  });

  it.each(SPOILT_HEADERS)("refuses a header with %s before looking anything up", async (_name, header) => {
    expect(await codeOf(verify(mint({}, header)))).toBe("connect_jwt_invalid");
    expect(world.lookups).toEqual([]);
    expect(world.keyServer.asked).toEqual([]);
  });

  it("tolerates clocks that differ by thirty seconds", async () => {
    const now = world.clock.epochSeconds;
    await expect(verify(mint({ iat: now + 30, nbf: now + 30, exp: now - 29 }))).resolves.toBeDefined();
  });

  it("says so when an otherwise perfect token has expired", async () => {
    const exp = world.clock.epochSeconds - 30;
    expect(await codeOf(verify(mint({ exp })))).toBe("connect_jwt_expired");
    expect(await codeOf(verify(mint({ exp: 0 })))).toBe("connect_jwt_expired");
  });

  it("doesn't say of a forged token that it has expired", async () => {
    const token = mint({ exp: world.clock.epochSeconds - 60 });
    expect(await codeOf(verify(withOtherSignature(token)))).toBe("connect_jwt_invalid");
  });

  it("refuses a good token whose claims were changed after signing", async () => {
    const [header, , signature] = mint().split(".");
    const [, claims] = mint({ context: {} }).split(".");
    expect(await codeOf(verify([header, claims, signature].join(".")))).toBe("connect_jwt_invalid");
  });

  it("refuses other spellings of a good token", async () => {
    const token = mint();
    const [header, claims, signature] = token.split(".");
    for (const other of [
      ` ${token}`,
      `${token}\n`,
      `${token}=`,
      `${token}.`,
      `${token}.AAAA`,
      `${header}.${claims}`,
      `${header}.${claims}.`,
      `${header}..${signature}`,
      `${header}=.${claims}.${signature}`,
      `${header}.${claims}.${withOtherLastBits(signature!)}`,
      "",
      "..",
    ]) {
      expect(await codeOf(verify(other)), other).toBe("connect_jwt_invalid");
    }
    expect([...world.lookups, ...world.keyServer.asked]).toEqual([]);
  });

  it("refuses a token of more than 16 KiB", async () => {
    await expect(verify(mint({ context: "x".repeat(11 * 1024) }))).resolves.toBeDefined();
    expect(await codeOf(verify(mint({ context: "x".repeat(13 * 1024) })))).toBe("connect_jwt_invalid");
  });
});

describe.each(TENANT_MODES)("signed by a tenant: $mode", ({ mint, verify }) => {
  it.each([
    ["another tenant's secret", VICTIM.clientKey, SECRET],
    ["a client key that nobody has", "no-such-client-key", SECRET],
    ["an uninstalled tenant", UNINSTALLED.clientKey, "any"],
    [
      "an uninstalled tenant whose secret was kept",
      HALF_UNINSTALLED.clientKey,
      HALF_UNINSTALLED.sharedSecret!,
    ],
    ["a tenant with an empty secret", SECRETLESS.clientKey, ""],
    ["a client key in other letters", ENABLED.clientKey.toUpperCase(), SECRET],
  ])("refuses %s", async (_name, iss, secret) => {
    expect(await codeOf(verify(mint({ iss }, {}, secret)))).toBe("connect_jwt_invalid");
  });

  it("answers the same for an unknown client key as for a wrong signature", async () => {
    const unknown = await errorOf(verify(mint({ iss: "no-such-client-key" })));
    const forged = await errorOf(verify(mint({}, {}, "guess")));
    expect([unknown.code, unknown.message]).toEqual([forged.code, forged.message]);
  });

  it("refuses an RSA public key as the secret", async () => {
    const token = mint({}, { kid: KID }, world.atlassian.publicPem);
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
    expect(world.keyServer.asked).toEqual([]);
  });

  it("never takes a tenant from aud, whoever it names", async () => {
    await verify(mint({ aud: [VICTIM.clientKey] }));
    expect(world.lookups).toEqual([ENABLED.clientKey]);
  });

  it("refuses a session token of ACE's", async () => {
    const token = mint({ iss: "access-for-atlassian-cloud", aud: [ENABLED.clientKey], qsh: undefined });
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
  });
});

describe("verifyContext", () => {
  const [{ mint, verify }] = TENANT_MODES as [(typeof TENANT_MODES)[0]];

  it("names the tenant and the account", async () => {
    expect(await verify(mint())).toEqual({ tenant: ENABLED.tenant, accountId: ACCOUNT_ID });
  });

  it.each([
    ["no sub", undefined],
    ["an empty sub", ""],
    ["a blank sub", " "],
    ["a sub with a space", "557058:a b"],
    ["a sub with a line break", "557058:a\nb"],
    ["a sub with an invisible character", "557058:a\u200bb"],
    ["a sub of 129 characters", "x".repeat(129)],
  ])("refuses %s", async (_name, sub) => {
    expect(await codeOf(verify(mint({ sub })))).toBe("connect_jwt_invalid");
  });

  it("refuses a token that is bound to a URL", async () => {
    expect(await codeOf(verify(mint({ qsh: qshOf(ADMIN_PAGE) })))).toBe("connect_jwt_invalid");
  });

  it("refuses a disabled tenant", async () => {
    const token = mint({ iss: DISABLED.clientKey }, {}, DISABLED.sharedSecret!);
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
  });

  it("passes on what the store throws", async () => {
    const refused = world.verifier.verifyContext(mint({ iss: STORE_IS_AWAY }));
    expect(await codeOf(refused)).toBe("store_unavailable");
  });

  it("takes the secret as UTF-8", async () => {
    const token = mint({ iss: UNICODE.clientKey }, {}, UNICODE.sharedSecret!);
    await expect(verify(token)).resolves.toBeDefined();
  });
});

describe("verifyUrlBound", () => {
  const { mint, verify } = TENANT_MODES[1]!;

  it("names the tenant and the account", async () => {
    expect(await verify(mint())).toEqual({ tenant: ENABLED.tenant, accountId: ACCOUNT_ID });
  });

  it("says when nobody is signed in", async () => {
    expect((await world.verifier.verifyUrlBound(mint({ sub: undefined }), ADMIN_PAGE)).accountId).toBeNull();
    expect(await codeOf(verify(mint({ sub: "" })))).toBe("connect_jwt_invalid");
  });

  it.each([
    ["a page's token", "context-qsh"],
    ["a token for another page", qshOf({ method: "GET", target: "/base/account" })],
    ["a token for another method", qshOf({ ...ADMIN_PAGE, method: "POST" })],
    ["a token for other parameters", qshOf({ method: "GET", target: "/base/admin" })],
  ])("refuses %s", async (_name, qsh) => {
    expect(await codeOf(verify(mint({ qsh })))).toBe("connect_jwt_invalid");
  });

  it.each(["&__proto__=x", "&constructor=x", "&xdm_e=https://evil.example", "&=", "&a"])(
    "refuses %s appended to the signed URL",
    async (appended) => {
      const request = { ...ADMIN_PAGE, target: ADMIN_PAGE.target + appended };
      expect(await codeOf(world.verifier.verifyUrlBound(mint(), request))).toBe("connect_jwt_invalid");
    },
  );

  it("doesn't count the jwt parameter as signed", async () => {
    const token = mint();
    const request = { ...ADMIN_PAGE, target: `${ADMIN_PAGE.target}&jwt=${token}` };
    expect((await world.verifier.verifyUrlBound(token, request)).accountId).toBe(ACCOUNT_ID);
  });

  it("refuses a disabled tenant", async () => {
    const token = mint({ iss: DISABLED.clientKey }, {}, DISABLED.sharedSecret!);
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
  });
});

describe("verifyToggleEvent by the tenant", () => {
  const { mint, verify } = TENANT_MODES[2]!;

  it("obeys a disabled tenant, which is to be enabled", async () => {
    const token = mint({ iss: DISABLED.clientKey }, {}, DISABLED.sharedSecret!);
    expect(await verify(token)).toEqual({
      clientKey: DISABLED.clientKey,
      issuedAt: world.clock.epochSeconds - 10,
      expiresAt: world.clock.epochSeconds + 170,
      hash: sha256Hex(token),
    });
  });

  it("refuses a page's token", async () => {
    expect(await codeOf(verify(mint({ qsh: "context-qsh" })))).toBe("connect_jwt_invalid");
  });

  it("refuses the token of the opposite event", async () => {
    const token = mint({ qsh: qshOf({ method: "POST", target: "/base/disabled?pluginKey=x" }) });
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
  });
});

describe.each(ATLASSIAN_MODES)("signed by Atlassian: $mode", ({ mint, verify }) => {
  it("says which installation, when, and which token it was", async () => {
    const token = mint({ iss: "never-seen-client-key", sub: "" });
    expect(await verify(token)).toEqual({
      clientKey: "never-seen-client-key",
      issuedAt: world.clock.epochSeconds - 10,
      expiresAt: world.clock.epochSeconds + 170,
      hash: sha256Hex(token),
    });
  });

  it.each([
    ["one string", BASE_URL],
    ["one of several", ["https://other.example.com", BASE_URL]],
  ])("accepts the base URL as %s in aud", async (_name, aud) => {
    await expect(verify(mint({ aud }))).resolves.toBeDefined();
  });

  it.each([
    ["no aud", undefined],
    ["an empty aud", []],
    ["another app", ["https://other.example.com"]],
    ["the base URL with a slash", [`${BASE_URL}/`]],
    ["a longer URL", [`${BASE_URL}.evil.example`]],
    ["a shorter URL", ["https://app.example.com"]],
    ["a nested base URL", [[BASE_URL]]],
    ["the client key", [ENABLED.clientKey]],
  ])("refuses %s in aud before fetching a key", async (_name, aud) => {
    expect(await codeOf(verify(mint({ aud })))).toBe("connect_jwt_invalid");
    expect(world.keyServer.asked).toEqual([]);
  });

  it("refuses a token without kid", async () => {
    expect(await codeOf(verify(mint({}, { kid: undefined })))).toBe("connect_jwt_invalid");
  });

  it("refuses a kid that nobody publishes", async () => {
    expect(await codeOf(verify(mint({}, { kid: "made-up" })))).toBe("connect_jwt_invalid");
  });

  it("passes on that the keys can't be fetched", async () => {
    world.keyServer.answers.set("in-trouble", { status: 500 });
    expect(await codeOf(verify(mint({}, { kid: "in-trouble" })))).toBe("keys_unavailable");
  });

  it("refuses the context qsh", async () => {
    expect(await codeOf(verify(mint({ qsh: "context-qsh" })))).toBe("connect_jwt_invalid");
  });
});

describe("verifyInstallEvent", () => {
  const verify = (token: string) => world.verifier.verifyInstallEvent(token, INSTALLED);

  it("refuses a signature by somebody else's key", async () => {
    const claims = world.buildEventClaims(INSTALLED);
    const token = mintRs256(claims, createRsaKeyPair().privateKey, { kid: KID });
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
  });

  it.each([
    ["a known tenant's secret", () => SECRET],
    ["Atlassian's public key as the secret", () => world.atlassian.publicPem],
  ])("refuses HS256 by %s", async (_name, secret) => {
    const token = mintHs256(world.buildEventClaims(INSTALLED), secret(), { kid: KID });
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
    expect(world.lookups).toEqual([]);
  });

  it("refuses the token of another lifecycle event", async () => {
    const claims = world.buildEventClaims({ method: "POST", target: "/base/uninstalled" });
    const token = mintRs256(claims, world.atlassian.privateKey, { kid: KID });
    expect(await codeOf(verify(token))).toBe("connect_jwt_invalid");
  });
});

describe("the JSON of a token", () => {
  const verify = (token: string) => world.verifier.verifyContext(token);
  const header = { alg: "HS256" };
  const claims = () => JSON.stringify(world.buildClaims());

  it("may hold objects whose members have the names of claims", async () => {
    const context = { exp: 1, user: { exp: 1, iss: "x" }, list: [{ exp: 1 }, "exp", '"exp":'] };
    const token = mintToken(header, JSON.stringify(world.buildClaims({ context }), null, 2), SECRET);
    await expect(verify(token)).resolves.toBeDefined();
  });

  it.each<[string, () => [object | string, string]]>([
    ["a claim twice", () => [header, claims().replace("{", '{"iss":"victim-client-key",')]],
    [
      "a claim twice, once escaped",
      () => [header, claims().replace("{", '{"\\u0069ss":"victim-client-key",')],
    ],
    ["alg twice", () => ['{"alg":"none","alg" : "HS256"}', claims()]],
    ["an array as claims", () => [header, `[${claims()}]`]],
    ["null as claims", () => [header, "null"]],
    ["a string as claims", () => [header, '"context-qsh"']],
    ["an array as header", () => ['["HS256"]', claims()]],
    ["a byte order mark", () => [header, `\ufeff${claims()}`]],
    ["something after the object", () => [header, `${claims()}x`]],
    ["single quotes", () => [header, claims().replaceAll('"', "'")]],
    ["claims behind __proto__", () => [header, `{"__proto__":${claims()}}`]],
  ])("refuses %s", async (_name, parts) => {
    expect(await codeOf(verify(mintToken(...parts(), SECRET)))).toBe("connect_jwt_invalid");
    expect(world.lookups).toEqual([]);
  });

  it("refuses bytes that aren't UTF-8", async () => {
    const bytes = Buffer.from(claims());
    bytes[claims().indexOf(ENABLED.clientKey)] = 0xff;
    expect(await codeOf(verify(mintToken(header, bytes, SECRET)))).toBe("connect_jwt_invalid");
    expect(world.lookups).toEqual([]);
  });
});

async function errorOf(verifying: Promise<unknown>): Promise<AppError> {
  return verifying.then(
    () => expect.fail("The token was accepted."),
    (error: unknown) => error as AppError,
  );
}

async function codeOf(verifying: Promise<unknown>): Promise<string> {
  return (await errorOf(verifying)).code;
}

function withOtherSignature(token: string): string {
  const [header, claims, signature] = token.split(".");
  const bytes = Buffer.from(signature!, "base64url").reverse();
  return [header, claims, bytes.toString("base64url")].join(".");
}

/** Decodes to the same bytes: only the bits that base64url leaves unused differ. */
function withOtherLastBits(segment: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return segment.slice(0, -1) + alphabet.charAt(alphabet.indexOf(segment.at(-1)!) ^ 1);
}
