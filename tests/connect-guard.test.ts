import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { CallObserver, Reply } from "../sandbox/http-client.js";
import { createRsaKeyPair, epochSeconds, queryStringHash, type Claims } from "../sandbox/jwt.js";
import { ADA, BUILD_BOT, createPerson, DORA, GRACE } from "../sandbox/people.js";
import type { World } from "../sandbox/world.js";
import { mintHs256, mintRs256, mintToken } from "../src/connect/connect-jwt.fixture.js";
import type { ProblemCode } from "../src/errors.js";
import { me as meSchema } from "../src/web/api-schemas.js";
import { exchange, request } from "../src/web/raw-http.fixture.js";
import { APP_KEY, expectProblem, senderOf, TenantsWorld, travel, type Sender } from "./lifecycle.fixture.js";

const ME = "/api/v1/me";

let tenants: TenantsWorld;
let world: World;
/** Grace's tenant, and one of somebody else. */
let tenant: Sender;
let other: Sender;
const answers: Reply[] = [];

beforeAll(async () => {
  // Switches off ACE's own authentication.
  vi.stubEnv("AC_OPTS", "no-auth");
  tenants = await TenantsWorld.start({ siteCount: 2 });
  world = tenants.world;
  world.parts.client.observer = collectAnswers();
  const [site, elsewhere] = world.parts.sites;
  for (const each of [site, elsewhere!]) {
    await world.install("jira", each);
    await tenants.waitUntilProven(each);
  }
  tenant = senderOf(site);
  other = senderOf(elsewhere!);
  // Who Grace is, is asked for now, so that refusals can be seen to ask nobody.
  (await world.page(GRACE).send("GET", ME)).expect(200);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await tenants.close();
});

function collectAnswers(): CallObserver {
  return {
    called: () => undefined,
    answered: (_call, reply) => {
      if (reply) answers.push(reply);
    },
  };
}

function contextClaims(changes: Claims = {}): Claims {
  const now = epochSeconds();
  const sub = GRACE.accountId;
  return {
    iss: tenant.clientKey,
    sub,
    iat: now,
    exp: now + 900,
    qsh: "context-qsh",
    context: {},
    ...changes,
  };
}

/** As the product signs it. */
function sign(claims: Claims = {}, header: object = {}, secret = tenant.sharedSecret): string {
  return mintHs256(contextClaims(claims), secret, header);
}

async function getMe(token: string): Promise<Reply> {
  return tenants.sendAs(token, ME);
}

const encode = (text: string): string => Buffer.from(text).toString("base64url");

/** Signed as it stands, whatever stands there. */
function signText(header: string, claims: string): string {
  return mintToken(header, claims, tenant.sharedSecret);
}

function signSha(bits: 384 | 512): string {
  const input = [{ alg: `HS${bits}`, typ: "JWT" }, contextClaims()]
    .map((part) => encode(JSON.stringify(part)))
    .join(".");
  return `${input}.${createHmac(`sha${bits}`, tenant.sharedSecret).update(input).digest("base64url")}`;
}

function parts(token: string): { header: string; claims: string; signature: string } {
  const [header = "", claims = "", signature = ""] = token.split(".");
  return { header, claims, signature };
}

const qshOf = (method: string, path: string): string =>
  queryStringHash(method, `${world.appUrl}${path}`, world.appUrl);

describe("a context JWT", () => {
  it("lets its holder in, and says who they are", async () => {
    const reply = (await getMe(sign())).expect(200);
    expect(meSchema.parse(reply.body)).toMatchObject({
      accountId: GRACE.accountId,
      site: world.site.host,
      product: "jira",
    });
  });

  it.each<[string, () => string]>([
    ["without typ", () => sign({}, { typ: undefined })],
    ["with typ in lower case", () => sign({}, { typ: "jwt" })],
    ["with claims that the app doesn't know", () => sign({ context: { user: {} }, extra: [1, { a: null }] })],
    ["with an audience of any kind of text", () => sign({ aud: ["x", "y"] })],
    ["with one text as audience", () => sign({ aud: world.appUrl })],
    ["with nbf in the past", () => sign({ nbf: epochSeconds() - 60 })],
    ["that lives for long", () => sign({ exp: epochSeconds() + 86_400 })],
  ])("is good %s", async (_name, forge) => {
    (await getMe(forge())).expect(200);
  });

  it.each<[string, () => string]>([
    ["no iss", () => sign({ iss: undefined })],
    ["null as iss", () => sign({ iss: null })],
    ["an empty iss", () => sign({ iss: "" })],
    ["a list with the tenant as iss", () => sign({ iss: [tenant.clientKey] })],
    ["a list of two tenants as iss", () => sign({ iss: [tenant.clientKey, other.clientKey] })],
    ["an object as iss", () => sign({ iss: { clientKey: tenant.clientKey } })],
    ["a number as iss", () => sign({ iss: 1 })],
    ["an unknown iss", () => sign({ iss: "nobody-knows-me" })],
    ["the app's key as iss", () => sign({ iss: APP_KEY })],
    ["the iss in other letters", () => sign({ iss: tenant.clientKey.toUpperCase() })],
    ["a wildcard as iss", () => sign({ iss: "%" })],
    ["a pattern as iss", () => sign({ iss: tenant.clientKey.replace(/.$/, "_") })],
    ["another tenant as iss", () => sign({ iss: other.clientKey })],
    ["two tenants nested in aud", () => sign({ aud: [[tenant.clientKey, other.clientKey]] })],
    ["a number in aud", () => sign({ aud: [123] })],
    ["an object as aud", () => sign({ aud: { 0: tenant.clientKey } })],

    ["no sub", () => sign({ sub: undefined })],
    ["null as sub", () => sign({ sub: null })],
    ["an empty sub", () => sign({ sub: "" })],
    ["a blank sub", () => sign({ sub: " " })],
    ["a sub with a space in front", () => sign({ sub: ` ${GRACE.accountId}` })],
    ["a sub with a line break", () => sign({ sub: `${GRACE.accountId}\n` })],
    ["a sub with an invisible character", () => sign({ sub: `${GRACE.accountId}\u200b` })],
    ["a number as sub", () => sign({ sub: 1 })],
    ["a list as sub", () => sign({ sub: [GRACE.accountId] })],
    ["an object as sub", () => sign({ sub: { accountId: GRACE.accountId } })],
    ["a huge sub", () => sign({ sub: "x".repeat(2000) })],

    ["no exp", () => sign({ exp: undefined })],
    ["null as exp", () => sign({ exp: null })],
    ["text as exp", () => sign({ exp: String(epochSeconds() + 60) })],
    ["a fraction as exp", () => sign({ exp: epochSeconds() + 60.5 })],
    ["a list as exp", () => sign({ exp: [epochSeconds() + 60] })],
    [
      "a huge exp",
      () => signText('{"alg":"HS256"}', JSON.stringify(contextClaims()).replace(/"exp":\d+/, '"exp":1e999')),
    ],
    ["no iat", () => sign({ iat: undefined })],
    ["text as iat", () => sign({ iat: "now" })],
    ["a negative iat", () => sign({ iat: -1 })],
    ["an iat in a minute", () => sign({ iat: epochSeconds() + 60 })],
    ["an nbf in a minute", () => sign({ nbf: epochSeconds() + 60 })],
    ["text as nbf", () => sign({ nbf: "0" })],

    ["no qsh", () => sign({ qsh: undefined })],
    ["an empty qsh", () => sign({ qsh: "" })],
    ["the qsh in other letters", () => sign({ qsh: "Context-QSH" })],
    ["a list as qsh", () => sign({ qsh: ["context-qsh"] })],
    ["the hash of this very URL as qsh", () => sign({ qsh: qshOf("GET", ME) })],
    ["the hash of another URL as qsh", () => sign({ qsh: qshOf("GET", "/admin") })],

    ["another tenant's secret", () => sign({}, {}, other.sharedSecret)],
    ["an empty secret", () => sign({}, {}, "")],
    ["the client key as the secret", () => sign({}, {}, tenant.clientKey)],
    [
      "the signature of another token",
      () => `${cut(sign({ sub: ADA.accountId }))}.${parts(sign()).signature}`,
    ],
    ["claims that were changed afterwards", () => replaceClaims(sign(), { sub: ADA.accountId })],
    ["half a signature", () => sign().slice(0, -20)],
    ["no signature", () => `${cut(sign())}.`],
    ["alg none", () => mintToken({ alg: "none" }, contextClaims(), tenant.sharedSecret)],
    ["alg none and no signature", () => `${cut(mintToken({ alg: "none" }, contextClaims(), "x"))}.`],
    ["alg None", () => mintToken({ alg: "None" }, contextClaims(), tenant.sharedSecret)],
    ["alg hs256", () => sign({}, { alg: "hs256" })],
    ["alg HS384", () => signSha(384)],
    ["alg HS512", () => signSha(512)],
    ["no alg", () => sign({}, { alg: undefined })],
    ["a list as alg", () => sign({}, { alg: ["HS256"] })],
    ["crit", () => sign({}, { crit: ["exp"] })],
    ["an empty crit", () => sign({}, { crit: [] })],
    ["b64", () => sign({}, { b64: true })],
    ["a key of its own", () => sign({}, { jwk: { kty: "oct", k: encode("x") } }, "x")],
    ["a URL of a key", () => sign({}, { jku: "http://127.0.0.1:9/keys" })],
    ["a certificate", () => sign({}, { x5c: ["AAAA"] })],
    ["another type of token", () => sign({}, { typ: "at+jwt" })],
    ["a list as kid", () => sign({}, { kid: ["a"] })],

    ["iss twice", () => signText('{"alg":"HS256"}', doubled("iss", other.clientKey))],
    ["sub twice", () => signText('{"alg":"HS256"}', doubled("sub", ADA.accountId))],
    ["alg twice", () => signText('{"alg":"none","alg":"HS256"}', JSON.stringify(contextClaims()))],
    ["claims that are a list", () => signText('{"alg":"HS256"}', "[]")],
    ["claims that are null", () => signText('{"alg":"HS256"}', "null")],
    ["claims that aren't JSON", () => signText('{"alg":"HS256"}', "{iss}")],
    ["a header that isn't JSON", () => signText("HS256", JSON.stringify(contextClaims()))],

    ["one part", () => parts(sign()).claims],
    ["two parts", () => cut(sign())],
    ["four parts", () => `${sign()}.x`],
    ["five parts, as encrypted tokens have", () => `${sign()}.${encode("x")}.${encode("y")}`],
    ["padding", () => `${sign()}=`],
    ["letters that base64url doesn't have", () => sign().replace(/.$/, "*")],
    ["an empty part", () => `${parts(sign()).header}..${parts(sign()).signature}`],
    ["words", () => "let-me-in"],
  ])("is refused with %s, and nobody is asked", async (_name, forge) => {
    await tenants.expectNoTrace(async () => {
      const reply = await getMe(forge());
      const { detail } = expectProblem(reply, "connect_jwt_invalid");
      expect(reply.headers["www-authenticate"]).toBe("JWT");
      expect(detail).toBe((await refusalOfWrongSignature()).detail);
    });
  });

  // Why it is refused is for the log only.
  async function refusalOfWrongSignature() {
    return expectProblem(await getMe(sign({}, {}, "guess")), "connect_jwt_invalid");
  }

  it("is refused with RS256, whoever's key it is", async () => {
    const { privateKey } = await createRsaKeyPair();
    const byAtlassian = await world.parts.installKeys.sign({ ...contextClaims(), aud: [world.appUrl] });
    const kid = await tenants.currentKid();
    const byStranger = mintRs256(contextClaims(), privateKey, { kid });
    await tenants.expectNoTrace(async () => {
      for (const token of [byAtlassian, byStranger]) expectProblem(await getMe(token), "connect_jwt_invalid");
    });
  });

  it.each<[string, Claims | (() => Claims), ProblemCode | 200]>([
    ["exp 29 seconds ago", () => ({ exp: epochSeconds() - 29 }), 200],
    ["exp 30 seconds ago", () => ({ exp: epochSeconds() - 30 }), "connect_jwt_expired"],
    ["exp an hour ago", () => ({ exp: epochSeconds() - 3600 }), "connect_jwt_expired"],
    ["exp in 1970", { exp: 0 }, "connect_jwt_expired"],
    ["iat in 30 seconds", () => ({ iat: epochSeconds() + 30 }), 200],
    ["iat in 31 seconds", () => ({ iat: epochSeconds() + 31 }), "connect_jwt_invalid"],
    ["nbf in 30 seconds", () => ({ nbf: epochSeconds() + 30 }), 200],
    ["nbf in 31 seconds", () => ({ nbf: epochSeconds() + 31 }), "connect_jwt_invalid"],
  ])("tolerates clocks that differ by thirty seconds: %s", async (_name, claims, expected) => {
    travel(0);
    const reply = await getMe(sign(typeof claims === "function" ? claims() : claims));
    if (expected === 200) reply.expect(200);
    else expectProblem(reply, expected);
  });

  it.each<[string, () => string]>([
    ["another tenant's secret", () => sign({ exp: 1 }, {}, other.sharedSecret)],
    ["an unknown iss", () => sign({ exp: 1, iss: "nobody-knows-me" })],
    ["another qsh", () => sign({ exp: 1, qsh: qshOf("GET", ME) })],
    ["no sub", () => sign({ exp: 1, sub: undefined })],
  ])("isn't told to be expired with %s", async (_name, forge) => {
    expectProblem(await getMe(forge()), "connect_jwt_invalid");
  });
});

function cut(token: string): string {
  return token.slice(0, token.lastIndexOf("."));
}

function replaceClaims(token: string, changes: Claims): string {
  const { header, signature } = parts(token);
  return `${header}.${encode(JSON.stringify(contextClaims(changes)))}.${signature}`;
}

/** JSON in which a claim stands once more, in front. */
function doubled(claim: string, value: string): string {
  return JSON.stringify(contextClaims()).replace("{", `{${JSON.stringify(claim)}:${JSON.stringify(value)},`);
}

describe("where a context JWT stands", () => {
  type Sent = [path: string, authorization: string | undefined];

  it.each<[string, (token: string) => Sent, ProblemCode | 200]>([
    ["in the header", (token) => [ME, `JWT ${token}`], 200],
    ["in the header, its scheme in lower case", (token) => [ME, `jwt ${token}`], 200],
    ["in the header after several spaces", (token) => [ME, `JWT   ${token}`], 200],
    ["in the query only", (token) => [`${ME}?jwt=${token}`, undefined], "connect_jwt_missing"],
    ["in the query and the header, the same", (token) => [`${ME}?jwt=${token}`, `JWT ${token}`], 200],
    [
      "in the header, another in the query",
      (token) => [`${ME}?jwt=${sign({ sub: ADA.accountId })}`, `JWT ${token}`],
      "ambiguous_credentials",
    ],
    [
      "in the header and twice in the query",
      (token) => [`${ME}?jwt=${token}&jwt=${token}`, `JWT ${token}`],
      "ambiguous_credentials",
    ],
    [
      "in the header, nothing in the query's jwt",
      (token) => [`${ME}?jwt=`, `JWT ${token}`],
      "ambiguous_credentials",
    ],
    [
      "in the query, another scheme in the header",
      (token) => [`${ME}?jwt=${token}`, "Basic eDp5"],
      "connect_jwt_missing",
    ],
    ["as Bearer", (token) => [ME, `Bearer ${token}`], "connect_jwt_missing"],
    ["as Basic", (token) => [ME, `Basic ${token}`], "connect_jwt_missing"],
    ["without a scheme", (token) => [ME, token], "connect_jwt_missing"],
    ["without a space after the scheme", (token) => [ME, `JWT${token}`], "connect_jwt_missing"],
    ["before a second one", (token) => [ME, `JWT ${token} ${token}`], "connect_jwt_missing"],
    ["before a second one in a list", (token) => [ME, `JWT ${token}, JWT ${token}`], "connect_jwt_missing"],
    ["nowhere", () => [ME, undefined], "connect_jwt_missing"],
    ["nowhere, the scheme alone", () => [ME, "JWT"], "connect_jwt_missing"],
    ["nowhere, the header empty", () => [ME, ""], "connect_jwt_missing"],
    ["in ACE's parameter", (token) => [`${ME}?acpt=${token}`, undefined], "connect_jwt_missing"],
  ])("counts: %s", async (_name, place, expected) => {
    const [path, authorization] = place(sign());
    const call = {
      caller: "A page",
      method: "GET",
      url: `${world.appUrl}${path}`,
      headers: { authorization },
    };
    const reply = await tenants.send(call);
    if (expected === 200) reply.expect(200);
    else expectProblem(reply, expected);
  });

  it.each(["cookie", "x-acpt", "x-authorization", "cf-access-jwt-assertion", "proxy-authorization"])(
    "doesn't count in the header %s",
    async (name) => {
      const headers = { [name]: name === "cookie" ? `jwt=${sign()}; CF_Authorization=${sign()}` : sign() };
      const call = { caller: "A page", method: "GET", url: `${world.appUrl}${ME}`, headers };
      expectProblem(await tenants.send(call), "connect_jwt_missing");
    },
  );

  it("doesn't count in a body", async () => {
    const url = `${world.appUrl}${ME}/link-attempts`;
    for (const body of [{ jwt: sign() }, new URLSearchParams({ jwt: sign() })]) {
      expectProblem(
        await tenants.send({ caller: "A page", method: "POST", url, body }),
        "connect_jwt_missing",
      );
    }
  });

  it.each<[string, () => string[], ProblemCode]>([
    ["the same twice", () => [`JWT ${sign()}`, `JWT ${sign()}`], "ambiguous_credentials"],
    [
      "two of different tenants",
      () => [`JWT ${sign()}`, `JWT ${sign({ iss: other.clientKey }, {}, other.sharedSecret)}`],
      "ambiguous_credentials",
    ],
    ["a Bearer token after it", () => [`JWT ${sign()}`, "Bearer x"], "ambiguous_credentials"],
    ["a Bearer token before it", () => ["Bearer x", `JWT ${sign()}`], "ambiguous_credentials"],
    ["two Bearer tokens", () => ["Bearer x", "Bearer y"], "connect_jwt_missing"],
  ])("isn't guessed among two Authorization headers: %s", async (_name, values, code) => {
    const lines = values().map((value) => `Authorization: ${value}`);
    const bytes = request(`GET ${ME} HTTP/1.1`, "Connection: close", ...lines);
    const [answer] = await exchange(world.parts.app.port, bytes);
    expect(JSON.parse(answer?.body ?? "")).toMatchObject({ code });
    expect(answer?.headers.has("x-acpt")).toBe(false);
  });

  it("may be long, but not longer than the headers of a request may be", async () => {
    (await getMe(sign({ context: { padding: "x".repeat(9_000) } }))).expect(200);
    await tenants.expectNoTrace(async () => {
      expectProblem(await getMe(sign({ context: { padding: "x".repeat(20_000) } })), "headers_too_large");
    });
  });
});

describe("the account of a context JWT", () => {
  it.each([
    ["deactivated", DORA],
    ["an app's", BUILD_BOT],
    ["a portal customer's", createPerson("Cus Tomer", { accountType: "customer" })],
    ["named like a portal customer's", createPerson("Cus Tomer", { accountId: "qm:1:2:3" })],
  ])("is refused when it is %s", async (_name, person) => {
    world.site.accounts.set(person.accountId, person);
    await tenants.expectNothingStored(async () => {
      expectProblem(await getMe(sign({ sub: person.accountId })), "account_inactive");
    });
  });

  it("is the token's word while the product doesn't answer", async () => {
    const unknown = createPerson("Una Unknown");
    world.site.behaviour.failing = true;
    try {
      const reply = (await getMe(sign({ sub: unknown.accountId }))).expect(200);
      expect(reply.body).toMatchObject({ accountId: unknown.accountId, links: [] });
    } finally {
      world.site.behaviour.failing = false;
    }
  });
});

describe("every route for people", () => {
  it.each([
    ["GET", "/api/v1/me"],
    ["POST", "/api/v1/me/link-attempts"],
    ["POST", "/api/v1/me/links"],
    ["DELETE", "/api/v1/me/links/x"],
    ["GET", "/api/v1/settings"],
    ["PUT", "/api/v1/settings"],
    ["POST", "/api/v1/settings/check"],
    ["POST", "/api/v1/settings/popup-check"],
    ["GET", "/api/v1/links"],
    ["DELETE", "/api/v1/links/x"],
    ["POST", "/api/v1/links/x/restore"],
    ["GET", "/api/v1/audit"],
  ])("is guarded: %s %s", async (method, path) => {
    const url = `${world.appUrl}${path}`;
    const body = method === "GET" || method === "DELETE" ? undefined : {};
    await tenants.expectNoTrace(async () => {
      expectProblem(await tenants.send({ caller: "Anybody", method, url, body }), "connect_jwt_missing");
      for (const token of [
        sign({}, {}, other.sharedSecret),
        sign({ qsh: qshOf(method, path) }),
        aceSession(),
      ]) {
        expectProblem(await tenants.sendAs(token, path, method, body), "connect_jwt_invalid");
      }
    });
  });
});

/** What atlassian-connect-express would hand out as `X-acpt`, and take for any URL. */
function aceSession(): string {
  return mintHs256(
    { ...contextClaims({ iss: APP_KEY, qsh: undefined }), aud: [tenant.clientKey] },
    tenant.sharedSecret,
  );
}

describe("atlassian-connect-express", () => {
  it.each([
    ["GET", "/"],
    ["POST", "/"],
    ["GET", "/installed"],
    ["POST", "/installed/"],
    ["GET", "/atlassian-connect.json/"],
    ["GET", "/enable"],
    ["GET", "/healthcheck"],
    ["GET", "/addon"],
    ["GET", "/all.js"],
  ])("answers nothing: %s %s", async (method, path) => {
    const query = `?xdm_e=${encodeURIComponent("https://evil.example")}&cp=&lic=none`;
    const reply = await tenants.sendAs(sign(), `${path}${query}`, method, method === "POST" ? {} : undefined);
    expect([404, 405]).toContain(reply.status);
    expect(reply.text).not.toContain("evil.example");
  });

  it("doesn't renew its sessions", async () => {
    for (const path of [ME, `${ME}?acpt=${aceSession()}`]) {
      expectProblem(await tenants.sendAs(aceSession(), path), "connect_jwt_invalid");
    }
    const headers = { "x-acpt": aceSession() };
    const call = { caller: "A page", method: "GET", url: `${world.appUrl}${ME}`, headers };
    expectProblem(await tenants.send(call), "connect_jwt_missing");
  });

  // Last, so that it has seen them all.
  it("has handed out a session token in no answer", () => {
    expect(answers.length).toBeGreaterThan(100);
    for (const { headers } of answers) {
      expect(headers).not.toHaveProperty("x-acpt");
      expect(headers).not.toHaveProperty("x-unexpected-symmetric-hook");
      expect(headers).not.toHaveProperty("x-powered-by");
    }
  });
});
