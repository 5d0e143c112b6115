import { once } from "node:events";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import { json, type Handler, type Incoming } from "../sandbox/http-server.js";
import { ADA, CLEO, createPerson, GRACE, LINUS, NIGHTLY_BUILD, OSCAR } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { epochSeconds } from "../sandbox/jwt.js";
import { ACTING, GatewayWorld, type GatewayAnswer, type GatewayCall } from "./gateway.fixture.js";
import { travel } from "./lifecycle.fixture.js";
import { expectProblem, type Problem } from "./refusals.fixture.js";

let scene: GatewayWorld;
beforeAll(async () => {
  scene = await GatewayWorld.start();
});
afterAll(() => scene.close());

const GATEWAY_POLICY = "sandbox; default-src 'none'";

function refuse(answer: GatewayAnswer, code: ProblemCode): Problem {
  expect(answer.headers["x-gateway-upstream"]).toBeUndefined();
  expect(answer.headers["content-security-policy"]).toBe(GATEWAY_POLICY);
  return expectProblem(answer, code, scene.world.appUrl);
}

/** Answers this path of Jira's until the test is over. */
function answer(method: string, path: string, handler: Handler): void {
  const { routes } = scene.site.server;
  const before = routes.length;
  routes.push([method, new RegExp(`^${path}$`), handler]);
  onTestFinished(() => void routes.splice(before, 1));
}

describe("a service that acts as its visitor", () => {
  it("reads what the visitor may see, with the product's own answer and a mark", async () => {
    const reply = await scene.call({});

    expect(reply.status, reply.text).toBe(200);
    expect(JSON.parse(reply.text)).toMatchObject({ accountId: GRACE.accountId });
    expect(reply.headers).toMatchObject({
      "x-gateway-upstream": "jira",
      "content-security-policy": GATEWAY_POLICY,
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache, no-store",
      "x-ratelimit-remaining": "349",
    });
    expect(reply.headers["x-request-reference"]).toMatch(/^[A-Z2-7]{12}$/);
  });

  it("writes as the visitor, and only what it sent", async () => {
    const doc = { type: "doc", version: 1, content: [] };
    const headers = { "content-type": "application/json" };
    const path = "/rest/api/3/issue/SAND-1/comment";
    const reply = await scene.call({ method: "POST", path, headers, body: JSON.stringify({ body: doc }) });

    expect(reply.status, reply.text).toBe(201);
    expect(JSON.parse(reply.text)).toMatchObject({ author: { accountId: GRACE.accountId }, body: doc });
  });

  it("asks for headers alone", async () => {
    const reply = await scene.call({ method: "HEAD" });
    expect([reply.status, reply.headers["x-gateway-upstream"], reply.text]).toEqual([200, "jira", ""]);
  });

  it("gets Jira's own 404 with the mark, for what the visitor may not see", async () => {
    const path = "/rest/api/3/issue/SAND-4";
    const hidden = await scene.call({ path });
    expect([hidden.status, hidden.headers["x-gateway-upstream"]]).toEqual([404, "jira"]);
    expect((await scene.call({ path, as: ADA })).status).toBe(200);
  });

  it("reaches Confluence below its own path", async () => {
    const reply = await scene.call({
      service: "wiki",
      product: "confluence",
      path: "/rest/api/user/current",
    });
    expect([reply.status, reply.headers["x-gateway-upstream"]]).toEqual([200, "confluence"]);
    expect(JSON.parse(reply.text)).toMatchObject({ accountId: GRACE.accountId });
  });

  it("gets the first bytes of an answer before the product has written the last", async () => {
    const body = new PassThrough();
    answer("GET", "/rest/stream", () => ({ status: 200, body }));
    body.write("first,");

    const chunks = (await scene.open({ path: "/rest/stream" })).iterator() as AsyncIterator<Buffer>;
    expect(String((await chunks.next()).value)).toBe("first,");
    body.end("last");
    expect(String((await chunks.next()).value)).toBe("last");
    expect((await chunks.next()).done).toBe(true);
  });

  it("takes the product's answer away with it when it leaves", async () => {
    const body = new PassThrough();
    answer("GET", "/rest/stream", () => ({ status: 200, body }));
    body.write("first,");
    const response = await scene.open({ path: "/rest/stream" });
    await once(response, "data");

    response.on("error", () => undefined).destroy();

    await vi.waitFor(() => expect(body.destroyed).toBe(true));
  });

  it("sends bodies that are far larger than any that the app itself reads", async () => {
    answer("PUT", "/rest/upload", ({ body }) => json(200, { length: body.length }));
    const body = Buffer.alloc(20_000_000, "x");

    const reply = await scene.call({ method: "PUT", path: "/rest/upload", body });

    expect(reply.text).toBe(JSON.stringify({ length: body.length }));
  });

  it("doesn't notice that Jira rejected a token, unless the body is gone already", async () => {
    const comment: GatewayCall = {
      method: "POST",
      path: "/rest/api/3/issue/SAND-1/comment",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ body: {} }),
    };
    expect((await scene.call({})).status).toBe(200);
    expect((await scene.call(comment)).status).toBe(201);
    scene.world.parts.oauth.revokeAll();

    expect((await scene.call({})).status).toBe(200);
    const rejected = await scene.call(comment);
    expect([rejected.status, rejected.headers["x-gateway-upstream"]]).toEqual([401, "jira"]);
    expect((await scene.call(comment)).status).toBe(201);
  });

  it("is told no more than twice that Jira rejects a token, and buys one new token for it now and then", async () => {
    answer("GET", "/rest/never", () => json(401, {}));
    // Whatever was got before has expired.
    travel(3600);
    const token = await scene.sign({ as: ADA });
    await scene.call({ token });
    const { oauth } = scene.world.parts;
    const callAndCount = async () => {
      const before = [scene.productCalls().length, oauth.requestCount] as const;
      const { status, headers } = await scene.call({ token, path: "/rest/never" });
      expect([status, headers["x-gateway-upstream"]]).toEqual([401, "jira"]);
      return { calls: scene.productCalls().length - before[0], tokens: oauth.requestCount - before[1] };
    };

    expect(await callAndCount()).toEqual({ calls: 2, tokens: 1 });
    for (let times = 0; times < 5; times += 1) expect(await callAndCount()).toEqual({ calls: 1, tokens: 0 });
    expect((await scene.call({ token })).status).toBe(200);
    travel(31);
    expect(await callAndCount()).toEqual({ calls: 2, tokens: 1 });
  });

  it("asks Atlassian for one token of each kind, not for one each time", async () => {
    const { oauth } = scene.world.parts;
    await scene.call({});
    const before = oauth.requestCount;
    for (let time = 0; time < 5; time += 1) await scene.call({});
    expect(oauth.requestCount).toBe(before);
  });
});

describe("what passes", () => {
  it("to the product is listed; who the caller says it is, and where it came from, isn't on the list", async () => {
    let seen: Incoming | null = null;
    answer("PUT", "/rest/echo", (request) => {
      seen = request;
      return json(200, {});
    });
    const headers = {
      accept: "application/json",
      "content-type": "text/plain",
      "if-none-match": '"1"',
      "x-atlassian-token": "no-check",
      "x-named": "x",
      connection: "close, accept-language",
      "accept-language": "de",
      cookie: "tenant.session.token=x; CF_Authorization=y",
      "cf-access-jwt-assertion": await scene.sign({}),
      "cf-access-authenticated-user-email": "boss@acme.example",
      "cf-connecting-ip": "203.0.113.1",
      "x-forwarded-for": "203.0.113.1",
      "x-forwarded-host": "evil.example",
      forwarded: "for=203.0.113.1",
      "x-http-method-override": "DELETE",
      "x-atlassian-force-account-id": ADA.accountId,
      "proxy-authorization": "Basic eDp5",
      "x-acpt": "x",
      te: "trailers",
      via: "1.1 x",
      "user-agent": "evil",
      origin_: "x",
    };

    const token = headers["cf-access-jwt-assertion"];
    const path = "/rest/echo?a=%20b&a=c&";
    await scene.call({ method: "PUT", path, token, headers, body: "hello" });

    const { authorization, host, connection, ...rest } = seen!.headers;
    expect(rest).toEqual({
      accept: "application/json",
      "content-type": "text/plain",
      "content-length": "5",
      "if-none-match": '"1"',
      "x-atlassian-token": "no-check",
      "user-agent": "Access for Atlassian Cloud",
    });
    expect([host, connection]).toEqual([scene.site.host, "keep-alive"]);
    expect(authorization).toMatch(/^Bearer [\w-]{40,}$/);
    expect(authorization).not.toContain(token);
    expect(seen!.url.search).toBe("?a=%20b&a=c&");
    expect(seen!.body).toBe("hello");
  });

  it("back has no cookie, no permission for pages of other origins, and nothing about the server", async () => {
    answer("GET", "/rest/bad", () => ({
      status: 200,
      headers: {
        "set-cookie": ["a=b", "c=d"],
        "access-control-allow-origin": "*",
        "access-control-allow-credentials": "true",
        "content-security-policy": "script-src *",
        "cache-control": "public, max-age=9",
        "x-gateway-upstream": "confluence",
        "content-type": "text/html",
        "clear-site-data": "*",
        server: "x",
        refresh: "0; url=https://evil.example/",
      },
      body: "<script>alert(1)</script>",
    }));

    const { headers, text } = await scene.call({ path: "/rest/bad" });

    expect(text).toBe("<script>alert(1)</script>");
    expect(headers["x-gateway-upstream"]).toBe("jira");
    expect(headers["content-security-policy"]).toBe(GATEWAY_POLICY);
    expect(headers["cache-control"]).toBe("no-cache, no-store");
    const bad = /^(?:set-cookie|access-control-.*|server|refresh|clear-site-data)$/;
    expect(Object.keys(headers).filter((name) => bad.test(name))).toEqual([]);
  });

  it.each<[from: string, location: () => string, expected: () => string]>([
    [
      "within Jira, to the gateway",
      () => "/rest/b",
      () => `${scene.world.appUrl}${scene.url({ path: "/rest/b" })}`,
    ],
    ["to another host, as it is", () => "https://media.example/x", () => "https://media.example/x"],
  ])("as a redirect leads on: %s, and nobody follows it", async (_from, location, expected) => {
    answer("GET", "/rest/a", () => ({ status: 302, headers: { location: location() } }));
    const before = scene.productCalls().length;

    const reply = await scene.call({ path: "/rest/a" });

    expect([reply.status, reply.headers.location]).toEqual([302, expected()]);
    expect(scene.productCalls().length - before).toBe(1);
  });
});

const hoursAgo = (hours: number) => {
  const at = epochSeconds() - hours * 3600;
  return { iat: at, nbf: at };
};
const expired = { ...hoursAgo(25), exp: epochSeconds() - 3600 };
const NINA = createPerson("Nina New");
const HIDDEN = "/rest/%2e%2e/secure";
const OTHER = "/rest/api/3/project";
const DEMO = SERVICES[1].audience;

// prettier-ignore
describe("of two reasons to refuse, the one that comes first in the contract is told:", () => {
  it.each<[first: ProblemCode, second: string, call: GatewayCall]>([
    ["browser_not_allowed", "an unknown method", { method: "OPTIONS", headers: { origin: "https://evil.example" } }],
    ["browser_not_allowed", "a missing token", { token: null, headers: { "sec-fetch-mode": "navigate" } }],
    ["method_not_allowed", "a missing token", { method: "OPTIONS", token: null }],
    ["ambiguous_credentials", "malformed", { token: "x", headers: { "cf-access-jwt-assertion": "y" } }],
    ["access_jwt_missing", "a hidden path", { token: null, path: HIDDEN }],
    ["access_jwt_malformed", "an unknown site", { token: "x", site: "nowhere.atlassian.net" }],
    ["access_jwt_untrusted", "a hidden path", { site: "nowhere.atlassian.net", path: HIDDEN }],
    ["access_jwt_untrusted", "expired", { service: "wiki", claims: expired }],
    ["access_jwt_expired", "a service token", { as: NIGHTLY_BUILD, claims: expired }],
    ["service_token", "a missing purpose", { as: NIGHTLY_BUILD, audience: DEMO }],
    ["email_domain_not_allowed", "a missing purpose", { as: OSCAR, audience: DEMO }],
    ["purpose_not_allowed", "not linked", { as: NINA, audience: DEMO }],
    ["not_linked", "a hidden path", { as: NINA, path: HIDDEN }],
    ["not_linked", "no limits", { as: NINA, service: "empty" }],
    ["request_not_allowed", "a token that is too old", { service: "strict", path: OTHER, claims: hoursAgo(1) }],
    ["request_not_allowed", "another method, from another address", { service: "strict", method: "POST" }],
    ["request_not_allowed", "a link that isn't proved", { as: LINUS, service: "empty" }],
    ["token_too_old", "another address", { service: "strict", claims: hoursAgo(1) }],
    ["token_too_old", "a link that isn't proved, by the usual age", { as: LINUS, claims: hoursAgo(24.1) }],
    ["ip_not_allowed", "a link that isn't proved", { as: LINUS, service: "strict" }],
    ["proof_required", "consent that isn't given", { as: LINUS, service: "asking" }],
    ["proof_required", "nothing else", { as: LINUS }],
    ["consent_required", "nothing else", { service: "asking" }],
  ])("%s before %s", async (first, _second, call) => {
    const before = scene.productCalls();
    refuse(await scene.call(call), first);
    expect(scene.productCalls()).toEqual(before);
  });

  it("paused comes before a missing purpose, and holds for those who were let in a moment ago", async () => {
    await scene.call({});
    const page = scene.world.page(ADA);
    await page.saveSettings({ paused: true });
    onTestFinished(async () => {
      await page.saveSettings({ paused: false });
    });
    refuse(await scene.call({}), "paused");
    refuse(await scene.call({ audience: DEMO }), "paused");
    refuse(await scene.call({ as: OSCAR }), "email_domain_not_allowed");
  });

  it("a missing consent comes before an account that can't be used, and says where to agree", async () => {
    deactivate();
    const { consentUrl } = refuse(await scene.call({ as: CLEO, service: "asking" }), "consent_required");
    const { services } = await scene.world.page(ADA).getSettings();
    const { id = "" } = services.find(({ label }) => label === "asking") ?? {};
    const page = `${scene.site.url}/plugins/servlet/ac/access-for-atlassian-cloud/account`;
    expect(consentUrl).toBe(`${page}?ac.service=${id}`);
    refuse(await scene.call({ as: CLEO }), "account_inactive");
  });
});

function deactivate(): void {
  scene.site.accounts.set(CLEO.accountId, { ...CLEO, active: false });
  onTestFinished(() => {
    scene.site.accounts.set(CLEO.accountId, CLEO);
  });
}

describe("what Atlassian refuses", () => {
  it("is told apart: a scope that no admin agreed to, an installation that it doesn't know, an outage", async () => {
    const installation = scene.site.getInstallation("jira");
    const { app } = installation;
    onTestFinished(() => void Object.assign(installation, { app }));
    Object.assign(installation, { app: { ...app, scopes: ["READ"] } });
    refuse(await scene.call({ as: ADA, method: "DELETE" }), "scope_not_granted");
    Object.assign(installation, { app: null });
    refuse(await scene.call({ as: ADA, method: "POST" }), "installation_expired");
    Object.assign(installation, { app });

    const { behaviour } = scene.world.parts.oauth;
    onTestFinished(() => void (behaviour.failing = false));
    behaviour.failing = true;
    refuse(await scene.call({ method: "DELETE" }), "upstream_failed");
  });

  it("is a 502 when Jira can't be reached, and Jira's own 500 when it can", async () => {
    await scene.call({});
    const { behaviour } = scene.site;
    onTestFinished(() => void Object.assign(behaviour, { off: false, failing: false }));
    behaviour.off = true;
    refuse(await scene.call({}), "upstream_failed");
    Object.assign(behaviour, { off: false, failing: true });
    const reply = await scene.call({});
    expect([reply.status, reply.headers["x-gateway-upstream"]]).toEqual([500, "jira"]);
  });
});

describe("the limits of a service", () => {
  it("hold for an address that somebody claims: only the connection's own counts", async () => {
    expect((await scene.call({ service: "local" })).status).toBe(200);
    for (const name of ["x-forwarded-for", "cf-connecting-ip", "forwarded", "x-real-ip"]) {
      const headers = { [name]: "127.0.0.1" };
      refuse(await scene.call({ service: "local", headers }), "ip_not_allowed");
    }
  });

  it("end consent that was given in everybody's name as soon as the person withdraws it", async () => {
    const { services } = await scene.world.page(ADA).getSettings();
    const { id } = services.find(({ label }) => label === ACTING.local.label)!;
    const page = scene.world.page(ADA);
    const call = { as: ADA, service: "local" } as const;
    expect((await scene.call(call)).status).toBe(200);

    (await page.send("DELETE", `/api/v1/me/consents/${id}`)).expect(204);

    refuse(await scene.call(call), "consent_required");
    expect((await scene.call({ ...call, as: GRACE })).status).toBe(200);
    expect((await scene.call({ as: ADA })).status).toBe(200);
  });

  it("ask for a new proof after 90 days in which the link wasn't used, which asking who it is doesn't make up for", async () => {
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ["Date"] });
    expect((await scene.call({ as: ADA })).status).toBe(200);
    travel(91 * 86_400);
    // A link of a person who signs in again, with the same Access identity.
    refuse(await scene.call({ as: ADA }), "proof_required");
    const token = await scene.sign({ as: ADA, audience: DEMO });
    (await scene.world.identify(token, { product: "jira" })).expect(200);
    refuse(await scene.call({ as: ADA }), "proof_required");

    await scene.world.link(ADA);

    expect((await scene.call({ as: ADA })).status).toBe(200);
  });
});

describe("Jira and Confluence of one site", () => {
  it("have each their own services: what may act in one may do nothing in the other", async () => {
    refuse(await scene.call({ service: "wiki" }), "access_jwt_untrusted");
    refuse(await scene.call({ service: "free", product: "confluence" }), "access_jwt_untrusted");
  });

  it("have each their own links: a proof in Confluence doesn't make up for one in Jira", async () => {
    const path = "/rest/api/user/current";
    expect((await scene.call({ as: LINUS, service: "wiki", product: "confluence", path })).status).toBe(200);
    refuse(await scene.call({ as: LINUS }), "proof_required");
    refuse(await scene.call({ as: ADA, service: "wiki", product: "confluence", path }), "not_linked");
  });

  it.each(["/wiki/rest/api/user/current", "/WIKI/rest", "/%77iki/rest", "/gateway/api/graphql"])(
    "Confluence isn't reached through Jira: %s",
    async (path) => {
      refuse(await scene.call({ path }), "request_not_allowed");
    },
  );
});

describe("the path that is matched is the path that is sent:", () => {
  it.each([
    "//rest/api/3/myself",
    "/rest//api/3/myself",
    "/rest/../secure",
    "/..",
    "/../confluence/rest",
    "/./rest",
    "/rest/%2e%2e/secure",
    "/rest/.%2E/secure",
    "/rest/%252e%252e/secure",
    "/rest/..;/secure",
    "/rest;x=1/api",
    "/rest\\api",
    "/rest%5capi",
    "/rest%2fapi",
    "/rest%2Fapi",
    "/rest/100%25",
    "/rest/%00",
    "/rest%0d%0aX:1",
    "/rest/%c0%ae%c0%ae",
    "/rest/%zz",
    "/rest/%",
    '/rest/"a"',
    "/http://evil.example/",
    "/rest/api/3/myself?jwt=x",
    "/rest/api/3/myself?a=1&acpt=y",
    "/rest/api/3/myself?os_username=a&os_password=b",
    "/rest/api/3/myself?access_token=x",
    "/rest/api/3/myself?%6awt=x",
  ])("%s is refused, and Jira isn't asked", async (path) => {
    const before = scene.productCalls();
    refuse(await scene.call({ path }), "request_not_allowed");
    expect(scene.productCalls()).toEqual(before);
  });

  it.each([
    "/rest/@evil.example/x",
    "/rest/a%20b/%C3%BC",
    "/rest/.../~a!$&'()*+,=:",
    "/rest/a?q=%2e%2e/x%25",
    "/rest/a?",
  ])("%s arrives as it was sent", async (path) => {
    await scene.call({ path });
    expect(scene.productCalls().at(-1)).toBe(`GET ${path} → 404`);
  });
});
