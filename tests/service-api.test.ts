import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, LINUS, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { expectProblem, type Problem } from "./refusals.fixture.js";
import { bearer, ServiceWorld, type Headers } from "./service-api.fixture.js";

let scene: ServiceWorld;
/** Grace's and Linus' Access JWTs. Only Grace is linked. */
let grace: string, linus: string;

beforeAll(async () => {
  scene = await ServiceWorld.start();
  grace = await scene.sign(GRACE);
  linus = await scene.sign(LINUS);
});
afterAll(() => scene.close());

describe("a service that asks who its visitor is", () => {
  it("gets the account, and what it needs to pin site and tenant", async () => {
    const reply = await scene.identify(grace);

    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(reply.body).toEqual({
      site: scene.site.host,
      product: "jira",
      tenant: expect.stringMatching(/^[\w-]{8,}$/) as unknown,
      accountId: GRACE.accountId,
      email: GRACE.email,
      method: "proof",
      linkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
    });
  });

  it("finds a person by what Access calls them for good, never by their e-mail address", async () => {
    const successor = { ...GRACE, accessSubject: LINUS.accessSubject };
    const renamed = { ...GRACE, email: "grace.green@acme.example" };

    refuse(await scene.identify(await scene.sign(successor)), "not_linked");
    scene.expectOutcome(await scene.identify(await scene.sign(renamed)), GRACE);
  });

  it("doesn't get somebody of the same name in another team", async () => {
    const site = await scene.startSite();
    await scene.link(GRACE, site);
    await scene.world.page(ADA, "jira", site).saveSettings({ teamDomain: scene.globex.domain });

    refuse(await scene.identify(await scene.sign(GRACE, { team: scene.globex }), { site }), "not_linked");
  });

  it("leaves the time of the last use on the link, and no other trace", async () => {
    const site = await scene.startSite();
    await scene.link(GRACE, site);
    const before = await scene.readTenant(site);

    (await scene.identify(grace, { site })).expect(200);

    const lastUsedAt = await vi.waitFor(async () => {
      const [link] = (await scene.readTenant(site)).links;
      expect(link?.lastUsedAt).not.toBeNull();
      return link?.lastUsedAt ?? "";
    }, 5_000);
    expect(Math.abs(Date.parse(lastUsedAt) - Date.now())).toBeLessThan(10_000);
    expect(await scene.readTenant(site)).toEqual({ ...before, links: [{ ...before.links[0], lastUsedAt }] });
  });

  it("leaves no trace when it is refused", async () => {
    const site = await scene.startSite();
    await scene.link(GRACE, site);
    const before = await scene.readTenant(site);

    for (const token of [linus, await scene.sign(GRACE, { audience: AUDIENCES.app })]) {
      expect((await scene.identify(token, { site })).status).toBeGreaterThanOrEqual(400);
    }

    expect(await scene.readTenant(site)).toEqual(before);
  });
});

describe("the path and the query", () => {
  it.each<[how: string, write: (host: string) => string]>([
    ["as it is", (host) => host],
    ["in upper case", (host) => host.toUpperCase()],
    ["in mixed case", (host) => host.replace("l", "L")],
    ["with its colon percent-encoded", (host) => host.replace(":", "%3A")],
    [
      "percent-encoded throughout",
      (host) => host.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16)}`),
    ],
  ])("may name the site %s", async (_how, write) => {
    const reply = await scene.ask(bearer(grace), { path: `${write(scene.site.host)}/identity` });

    expect(reply.expect(200).body).toMatchObject({ site: scene.site.host });
  });

  it.each<[what: string, path: (host: string) => string, code: ProblemCode]>([
    ["the site without its port", (host) => `${host.replace(/:.*/, "")}/identity`, "access_jwt_untrusted"],
    ["a trailing dot", (host) => `${host.replace(":", ".:")}/identity`, "access_jwt_untrusted"],
    ["a URL for a site", (host) => `http:%2f%2f${host}/identity`, "access_jwt_untrusted"],
    ["a site with a path", (host) => `${host}%2Fwiki/identity`, "access_jwt_untrusted"],
    ["no site", () => "/identity", "access_jwt_untrusted"],
    ["a damaged escape", () => "%zz/identity", "malformed_request"],
    ["a trailing slash", (host) => `${host}/identity/`, "not_found"],
    ["something behind it", (host) => `${host}/identity/x`, "not_found"],
    ["identity in another case", (host) => `${host}/Identity`, "not_found"],
    ["a product without a path", (host) => `${host}/jira`, "not_found"],
    ["a product in another case", (host) => `${host}/Jira/rest/api/3/myself`, "not_found"],
    ["a product that is percent-encoded", (host) => `${host}/%6aira/rest/api/3/myself`, "not_found"],
    ["a product glued to a path", (host) => `${host}/jira%2Frest/api/3/myself`, "not_found"],
    ["no action", (host) => host, "not_found"],
  ])("may not have %s", async (_what, path, code) => {
    refuse(await scene.ask(bearer(grace), { path: path(scene.site.host) }), code);
  });

  it.each([
    ["the product", "?product=jira"],
    ["the audience", `?audience=${AUDIENCES.demo}`],
    ["the audience in upper case", `?audience=${AUDIENCES.demo.toUpperCase()}`],
    ["the audience with spaces around it", `?audience=%20${AUDIENCES.demo}+`],
    ["both", `?product=jira&audience=${AUDIENCES.demo}`],
    ["neither, but something else", "?trace=1&__proto__=2"],
    ["nothing", "?"],
  ])("may name %s", async (_what, query) => {
    scene.expectOutcome(await scene.identify(grace, { query }), GRACE);
  });

  it.each([
    ["an unknown product", "?product=bitbucket", "product"],
    ["a product in upper case", "?product=JIRA", "product"],
    ["an empty product", "?product=", "product"],
    ["a product twice", "?product=jira&product=jira", "product"],
    ["an audience that is no AUD tag", "?audience=demo", "audience"],
    ["an empty audience", "?audience=", "audience"],
    ["an audience twice", `?audience=${AUDIENCES.demo}&audience=${AUDIENCES.app}`, "audience"],
  ])("may not have %s", async (_what, query, field) => {
    const { errors } = refuse(await scene.identify(grace, { query }), "validation_failed");

    expect(errors).toMatchObject([{ field, pointer: `#/${field}` }]);
  });
});

describe("the audience", () => {
  const unlisted = audienceOf("unlisted");

  it("that a service names keeps out tokens for another application of the same team", async () => {
    const [mine, other] = [audienceOf("mine"), audienceOf("other")];
    const services = [mine, other].map((audience) => ({
      label: "x",
      audience,
      purposes: ["identify"] as const,
    }));
    const site = await scene.startSite({ services: [SERVICES[0], ...services] });
    await scene.link(GRACE, site);
    const token = await scene.sign(GRACE, { audience: other });

    refuse(await scene.identify(token, { site, query: `?audience=${mine}` }), "access_jwt_untrusted");
    scene.expectOutcome(await scene.identify(token, { site, query: `?audience=${other}` }), GRACE);
    scene.expectOutcome(await scene.identify(token, { site }), GRACE);
  });

  // prettier-ignore
  it.each<[what: string, aud: unknown, named: string | null, outcome: Person | ProblemCode]>([
    ["a bare string", AUDIENCES.demo, null, GRACE],
    ["one of several", [unlisted, AUDIENCES.demo], null, GRACE],
    ["one with the purpose and one without", [AUDIENCES.app, AUDIENCES.demo], null, GRACE],
    ["one with the purpose, when the other is named", [AUDIENCES.app, AUDIENCES.demo], AUDIENCES.app, "purpose_not_allowed"],
    ["only one without the purpose", [AUDIENCES.app], null, "purpose_not_allowed"],
    ["only one that isn't listed", [unlisted], null, "access_jwt_untrusted"],
    ["a listed one, when another is named", [AUDIENCES.demo, unlisted], unlisted, "access_jwt_untrusted"],
    ["a listed one within a longer string", `${AUDIENCES.demo} ${AUDIENCES.app}`, null, "access_jwt_untrusted"],
    ["a listed one in upper case", AUDIENCES.demo.toUpperCase(), null, "access_jwt_untrusted"],
    ["a list within a list", [[AUDIENCES.demo]], null, "access_jwt_malformed"],
    ["none", [], null, "access_jwt_malformed"],
  ])("of a token may be %s", async (_what, aud, named, outcome) => {
    const token = await scene.sign(GRACE, { claims: { aud } });

    scene.expectOutcome(await scene.identify(token, { query: named === null ? "" : `?audience=${named}` }), outcome);
  });
});

describe("a browser", () => {
  it.each<[what: string, headers: Headers]>([
    ["another site's script", { origin: "https://evil.example" }],
    ["a sandboxed page", { origin: "null" }],
    ["a page with no other sign", { origin: "http://localhost:3000" }],
    ["a link that was clicked", { "sec-fetch-mode": "navigate", "sec-fetch-site": "none" }],
    ["an image on another site", { "sec-fetch-mode": "no-cors", "sec-fetch-site": "cross-site" }],
    ["an image on a neighbour's site", { "sec-fetch-mode": "no-cors", "sec-fetch-site": "same-site" }],
    ["one whose word something on the way has doubled", { "sec-fetch-site": "none, cross-site" }],
    ["one with a word that isn't known yet", { "sec-fetch-site": "fenced" }],
  ])("doesn't speak this API, whatever token it holds: %s", async (_what, headers) => {
    refuse(await scene.ask({ ...bearer(grace), ...headers }), "browser_not_allowed");
  });

  it("gets no permission in advance, either", async () => {
    const asking = {
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    };

    const reply = await scene.ask({ origin: "https://evil.example", ...asking }, { method: "OPTIONS" });

    refuse(reply, "method_not_allowed");
  });
});

describe("the method", () => {
  it("HEAD gets what GET would get, without a body", async () => {
    const [head, get] = [await scene.ask(bearer(grace), { method: "HEAD" }), await scene.ask(bearer(grace))];
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(withoutOnesOwn(head)).toEqual(withoutOnesOwn(get));

    const [headRefusal, getRefusal] = [await scene.ask({}, { method: "HEAD" }), await scene.ask({})];
    expect([headRefusal.status, headRefusal.text]).toEqual([401, ""]);
    expect(withoutOnesOwn(headRefusal)).toEqual(withoutOnesOwn(getRefusal));
  });

  it.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])(
    "%s is none",
    async (method) => {
      const reply = await scene.ask(bearer(grace), { method });

      refuse(reply, "method_not_allowed");
      expect(reply.headers.allow).toBe("GET, HEAD");
    },
  );

  function withoutOnesOwn({ headers }: Reply): unknown {
    const { date, "x-request-reference": reference, ...rest } = headers;
    expect([date, reference]).not.toContain(undefined);
    return rest;
  }
});

function refuse(reply: Reply, code: ProblemCode): Problem {
  return expectProblem(reply, code, scene.world.appUrl);
}
