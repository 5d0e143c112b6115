import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { AppError } from "../errors.js";
import { sha256Hex } from "../identifiers.js";
import { mintHs256, mintRs256 } from "./connect-jwt.fixture.js";
import {
  ACCOUNT_ID,
  DISABLED,
  ENABLED,
  HALF_UNINSTALLED,
  KID,
  qshOf,
  SECRETLESS,
  STORE_IS_AWAY,
  VerifierWorld,
  VICTIM,
} from "./connect-verifier.fixture.js";

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

/** One way each to spoil what is checked first. What is refused at all, the token tables of `tests/tokens` tell. */
const SPOILT_CLAIMS: [string, (now: number) => object][] = [
  ["an array of two tenants as iss", () => ({ iss: [ENABLED.clientKey, VICTIM.clientKey] })],
  ["two tenants nested in aud", () => ({ aud: [[ENABLED.clientKey, VICTIM.clientKey]] })],
  ["an array as sub", () => ({ sub: [ACCOUNT_ID] })],
  ["no exp", () => ({ exp: undefined })],
  ["a string as iat", (now) => ({ iat: String(now) })],
  ["iat beyond the tolerance", (now) => ({ iat: now + 31 })],
  ["nbf beyond the tolerance", (now) => ({ nbf: now + 31 })],
  ["another qsh", () => ({ qsh: "0".repeat(64) })],
  // HTTP can't tell these from a client key that nobody has.
  ["an iss with a control character", () => ({ iss: `${ENABLED.clientKey}\0` })],
  ["an iss of 256 characters", () => ({ iss: "x".repeat(256) })],
];

const SPOILT_HEADERS: [string, object][] = [
  ["another alg", { alg: "none" }],
  ["crit", { crit: ["exp"] }],
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

  it("refuses a token of more than 16 KiB", async () => {
    await expect(verify(mint({ context: "x".repeat(11 * 1024) }))).resolves.toBeDefined();
    expect(await codeOf(verify(mint({ context: "x".repeat(13 * 1024) })))).toBe("connect_jwt_invalid");
  });
});

describe.each(TENANT_MODES)("signed by a tenant: $mode", ({ mint, verify }) => {
  // Neither is ever stored; should one be, it signs nothing.
  it.each([
    [
      "an uninstalled tenant whose secret was kept",
      HALF_UNINSTALLED.clientKey,
      HALF_UNINSTALLED.sharedSecret!,
    ],
    ["a tenant with an empty secret", SECRETLESS.clientKey, ""],
  ])("refuses %s", async (_name, iss, secret) => {
    expect(await codeOf(verify(mint({ iss }, {}, secret)))).toBe("connect_jwt_invalid");
  });

  it("never takes a tenant from aud, whoever it names", async () => {
    await verify(mint({ aud: [VICTIM.clientKey] }));
    expect(world.lookups).toEqual([ENABLED.clientKey]);
  });
});

describe("verifyContext", () => {
  const [{ mint, verify }] = TENANT_MODES as [(typeof TENANT_MODES)[0]];

  it("names the tenant and the account", async () => {
    expect(await verify(mint())).toEqual({ tenant: ENABLED.tenant, accountId: ACCOUNT_ID });
  });

  it("passes on what the store throws", async () => {
    const refused = world.verifier.verifyContext(mint({ iss: STORE_IS_AWAY }));
    expect(await codeOf(refused)).toBe("store_unavailable");
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

  it("passes on that the keys can't be fetched", async () => {
    world.keyServer.answers.set("in-trouble", { status: 500 });
    expect(await codeOf(verify(mint({}, { kid: "in-trouble" })))).toBe("keys_unavailable");
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
