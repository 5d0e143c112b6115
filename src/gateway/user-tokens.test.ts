import { beforeEach, describe, expect, it } from "vitest";

import { AppError, RateLimitedError } from "../errors.js";
import { TestClock } from "../connect/clock.fixture.js";
import { buildInstallation } from "../connect/installation.fixture.js";
import { findScope, type GrantOutcome, type UserTokenRequest } from "./user-token-grant.js";
import { UserTokens } from "./user-tokens.js";

const { tenant } = buildInstallation();
const GRACE: UserTokenRequest = { tenant, accountId: "grace", scope: "READ" };

let clock: TestClock;
let asked: UserTokenRequest[];
let answer: (request: UserTokenRequest) => GrantOutcome | Promise<GrantOutcome>;
let isInstallationAccepted: boolean;
let tokens: UserTokens;

beforeEach(() => {
  clock = new TestClock();
  asked = [];
  answer = () => ({ token: `token-${asked.length}`, expiresInSeconds: 900 });
  isInstallationAccepted = true;
  tokens = createTokens();
});

function createTokens(maxTokens?: number): UserTokens {
  return new UserTokens({
    clock,
    grant: {
      request: async (request) => {
        asked.push(request);
        return answer(request);
      },
    },
    host: { acceptsInstallation: () => Promise.resolve(isInstallationAccepted) },
    ...(maxTokens !== undefined && { maxTokens }),
  });
}

/** An answer that a test gives when it likes. */
function hold(): { give: (outcome: GrantOutcome) => void; fail: (error: Error) => void } {
  let give: (outcome: GrantOutcome) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<GrantOutcome>((resolve, reject) => {
    give = resolve;
    fail = reject;
  });
  answer = () => promise;
  return { give, fail };
}

describe("a token", () => {
  it("is used until a minute before it expires", async () => {
    expect(await tokens.getToken(GRACE)).toBe("token-1");
    clock.advanceSeconds(839);
    expect(await tokens.getToken(GRACE)).toBe("token-1");
    clock.advanceSeconds(2);
    expect(await tokens.getToken(GRACE)).toBe("token-2");
  });

  it("counts from when it was asked for, not from when it came", async () => {
    const { give } = hold();
    const first = tokens.getToken(GRACE);
    clock.advanceSeconds(100);
    give({ token: "slow", expiresInSeconds: 900 });
    await first;
    clock.advanceSeconds(739);
    expect(await tokens.getToken(GRACE)).toBe("slow");
    clock.advanceSeconds(2);
    answer = () => ({ token: "next", expiresInSeconds: 900 });
    expect(await tokens.getToken(GRACE)).toBe("next");
  });

  it.each([1, 60])("that lives for %i s is used once", async (expiresInSeconds) => {
    answer = () => ({ token: "short", expiresInSeconds });
    await tokens.getToken(GRACE);
    await tokens.getToken(GRACE);
    expect(asked).toHaveLength(2);
  });

  it("is used for an hour at most, whatever Atlassian says", async () => {
    answer = () => ({ token: "long", expiresInSeconds: 1e9 });
    await tokens.getToken(GRACE);
    clock.advanceSeconds(3599);
    await tokens.getToken(GRACE);
    expect(asked).toHaveLength(1);
    clock.advanceSeconds(2);
    await tokens.getToken(GRACE);
    expect(asked).toHaveLength(2);
  });

  it.each<[what: string, request: UserTokenRequest]>([
    ["account", { ...GRACE, accountId: "linus" }],
    ["tenant", { ...GRACE, tenant: { ...tenant, id: "another" } }],
    ["secret", { ...GRACE, tenant: { ...tenant, generation: tenant.generation + 1 } }],
    ["scope", { ...GRACE, scope: "WRITE" }],
  ])("is never used for another %s", async (_what, other) => {
    expect(await tokens.getToken(GRACE)).toBe("token-1");
    expect(await tokens.getToken(other)).toBe("token-2");
    expect(await tokens.getToken(GRACE)).toBe("token-1");
    expect(asked).toEqual([GRACE, other]);
  });

  it("is asked for once, however many want it", async () => {
    const { give } = hold();
    const waiting = Array.from({ length: 50 }, () => tokens.getToken(GRACE));
    give({ token: "shared", expiresInSeconds: 900 });
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["shared"]));
    expect(asked).toHaveLength(1);
  });

  it("is pushed out by others when there are too many", async () => {
    tokens = createTokens(2);
    for (const accountId of ["a", "b", "a", "c", "a", "b"]) await tokens.getToken({ ...GRACE, accountId });
    expect(asked.map(({ accountId }) => accountId)).toEqual(["a", "b", "c", "b"]);
  });

  it("for no account is never asked for", async () => {
    await expect(tokens.getToken({ ...GRACE, accountId: "" })).rejects.toThrow("no account");
    expect(asked).toEqual([]);
  });
});

describe("forgetting", () => {
  const LINUS = { ...GRACE, accountId: "linus" };
  const ELSEWHERE = { ...GRACE, tenant: { ...tenant, id: "another" } };

  it.each<[what: string, forget: () => void, again: readonly UserTokenRequest[]]>([
    [
      "an account, in all its scopes",
      () => tokens.forgetAccount(tenant.id, "grace"),
      [GRACE, { ...GRACE, scope: "WRITE" }],
    ],
    ["a tenant", () => tokens.forgetTenant(tenant.id), [GRACE, { ...GRACE, scope: "WRITE" }, LINUS]],
    ["a rejected token", () => tokens.forgetRejected(GRACE, "token-1"), [GRACE]],
    ["a token that is another by now", () => tokens.forgetRejected(GRACE, "token-0"), []],
    ["somebody else", () => tokens.forgetAccount(tenant.id, "nobody"), []],
  ])("%s leaves the others alone", async (_what, forget, again) => {
    const all = [GRACE, { ...GRACE, scope: "WRITE" } as const, LINUS, ELSEWHERE];
    for (const each of all) await tokens.getToken(each);
    asked.length = 0;
    forget();
    for (const each of all) await tokens.getToken(each);
    expect(asked).toEqual(again);
  });

  it("a rejected token lately says that another won't help, and keeps it", async () => {
    await tokens.getToken(GRACE);
    expect(tokens.forgetRejected(GRACE, "token-1")).toBe(true);
    expect(tokens.findToken(GRACE)).toBeNull();
    expect(await tokens.getToken(GRACE)).toBe("token-2");
    // Somebody else's call that was under way with the first one.
    expect(tokens.forgetRejected(GRACE, "token-1")).toBe(true);
    expect(tokens.forgetRejected(GRACE, "token-2")).toBe(false);
    expect(tokens.findToken(GRACE)).toBe("token-2");
    expect(tokens.forgetRejected(LINUS, "token-1")).toBe(true);
    clock.advanceSeconds(31);
    expect(tokens.forgetRejected(GRACE, "token-2")).toBe(true);
  });

  it("also holds for what is under way: whoever waits gets it, nobody after", async () => {
    const { give } = hold();
    const before = tokens.getToken(GRACE);
    tokens.forgetTenant(tenant.id);
    answer = () => ({ token: "new", expiresInSeconds: 900 });
    expect(await tokens.getToken(GRACE)).toBe("new");
    give({ token: "old", expiresInSeconds: 900 });
    expect(await before).toBe("old");
    expect(await tokens.getToken(GRACE)).toBe("new");
  });
});

describe("a refusal", () => {
  const codeOf = async (request = GRACE) =>
    tokens.getToken(request).then(
      () => null,
      (error: unknown) => (error as AppError).code,
    );

  it.each([
    ["account", "account_inactive"],
    ["scope", "scope_not_granted"],
    ["installation", "installation_expired"],
  ] as const)("because of the %s is %s", async (refusal, code) => {
    answer = () => ({ refusal });
    expect(await codeOf()).toBe(code);
  });

  it.each([
    [true, "account_inactive"],
    [false, "installation_expired"],
  ])("that leaves it open is explained by the product: it knows the app: %s", async (accepted, code) => {
    isInstallationAccepted = accepted;
    answer = () => ({ refusal: "account_or_installation" });
    expect(await codeOf()).toBe(code);
  });

  it("holds for half a minute, for that account alone", async () => {
    answer = ({ accountId }) =>
      accountId === "grace" ? { refusal: "account" } : { token: "t", expiresInSeconds: 900 };
    for (let call = 0; call < 10; call += 1) expect(await codeOf()).toBe("account_inactive");
    expect(asked).toHaveLength(1);
    expect(await codeOf({ ...GRACE, accountId: "linus" })).toBeNull();
    clock.advanceSeconds(31);
    answer = () => ({ token: "t", expiresInSeconds: 900 });
    expect(await codeOf()).toBeNull();
  });

  it("to wait is obeyed, for the whole tenant and for it alone, while tokens at hand go on working", async () => {
    await tokens.getToken({ ...GRACE, accountId: "linus" });
    answer = () => {
      throw new RateLimitedError(20);
    };
    expect(await codeOf()).toBe("rate_limited");
    clock.advanceSeconds(5);
    asked.length = 0;
    const refusal = await tokens.getToken({ ...GRACE, accountId: "ada" }).catch((error: unknown) => error);
    expect((refusal as AppError).extras.retryAfterSeconds).toBe(15);
    expect(await codeOf({ ...GRACE, accountId: "linus" })).toBeNull();
    expect(asked).toEqual([]);

    answer = () => ({ token: "t", expiresInSeconds: 900 });
    expect(await codeOf({ ...GRACE, tenant: { ...tenant, id: "another" } })).toBeNull();
    clock.advanceSeconds(15);
    expect(await codeOf()).toBeNull();
  });

  it("to wait for days is obeyed for five minutes", async () => {
    answer = () => {
      throw new RateLimitedError(86_400);
    };
    await codeOf();
    answer = () => ({ token: "t", expiresInSeconds: 900 });
    clock.advanceSeconds(299);
    expect(await codeOf()).toBe("rate_limited");
    clock.advanceSeconds(1);
    expect(await codeOf()).toBeNull();
  });

  it("isn't made of an outage: the next caller asks again, those who waited all hear of it", async () => {
    const { fail } = hold();
    const waiting = [codeOf(), codeOf()];
    fail(new AppError("upstream_timeout"));
    expect(await Promise.all(waiting)).toEqual(["upstream_timeout", "upstream_timeout"]);
    answer = () => ({ token: "t", expiresInSeconds: 900 });
    expect(await codeOf()).toBeNull();
    expect(asked).toHaveLength(2);
  });
});

it.each([
  ["GET", "READ"],
  ["HEAD", "READ"],
  ["POST", "WRITE"],
  ["PUT", "WRITE"],
  ["PATCH", "WRITE"],
  ["DELETE", "DELETE"],
  ["OPTIONS", null],
  ["CONNECT", null],
  ["get", null],
])("the method %s needs the scope %s", (method, scope) => {
  expect(findScope(method)).toBe(scope);
});
