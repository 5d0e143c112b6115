import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";

import type { SettingsChanges } from "../sandbox/app-page.js";
import type { AccessTeam } from "../sandbox/access-team.js";
import { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import {
  ADA,
  GRACE,
  LINUS,
  NIGHTLY_BUILD,
  OSCAR,
  type Person,
  type ServiceToken,
} from "../sandbox/people.js";
import { audienceOf } from "../sandbox/access-team.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import type { Product } from "../src/tenants/tenant.js";
import { expectNoBrowserFavours, expectProblem } from "./refusals.fixture.js";

let world: World;
/** `acme` is the team of every site here, `globex` of a site of its own, `initech` can't be reached, nobody knows `stranger`. */
let acme: AccessTeam, globex: AccessTeam, initech: AccessTeam, stranger: AccessTeam;
/** Grace is linked in its Jira and nobody else; its Confluence has the app, but no settings. */
let site: AtlassianSite;
let grace: string;
/** Of single tests. */
const sites: AtlassianSite[] = [];

beforeAll(async () => {
  world = await startWorld({
    hasEdge: false,
    teamDomains: ["acme", "globex", "initech", "stranger"].map((name) => `${name}.cloudflareaccess.com`) as [
      string,
      ...string[],
    ],
  });
  [acme, globex, initech, stranger] = world.parts.teams as [AccessTeam, AccessTeam, AccessTeam, AccessTeam];
  initech.behaviour.off = true;
  site = world.site;
  await world.prepare();
  await world.link(GRACE);
  grace = await sign(GRACE);
  // So that some tenant trusts them.
  for (const team of [globex, initech]) await setUp(await startSite(), "jira", { teamDomain: team.domain });
});

afterAll(async () => {
  for (const each of sites) await each.close();
  await world.close();
});

describe("a service that asks who its visitor is", () => {
  it("gets the account, and what it needs to pin site and tenant", async () => {
    const reply = await identify(grace);

    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(reply.body).toEqual({
      site: site.host,
      product: "jira",
      tenant: expect.stringMatching(/^[\w-]{8,}$/) as unknown,
      accountId: GRACE.accountId,
      email: GRACE.email,
      method: "proof",
      linkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
    });
  });

  it.each<[how: string, headers: () => Headers]>([
    ["as Access sends it", () => ({ "cf-access-jwt-assertion": grace })],
    ["as a bearer token", () => ({ authorization: `Bearer ${grace}` })],
    ["with the scheme in lower case", () => ({ authorization: `bearer ${grace}` })],
    ["in both headers", () => ({ "cf-access-jwt-assertion": grace, authorization: `Bearer ${grace}` })],
    ["twice in one header", () => ({ "cf-access-jwt-assertion": twice(grace, grace) })],
    [
      "beside credentials of another kind",
      () => ({ "cf-access-jwt-assertion": grace, authorization: "Basic eDp5" }),
    ],
    [
      "beside another person's e-mail, which says nothing",
      () => ({
        "cf-access-jwt-assertion": grace,
        "cf-access-authenticated-user-email": LINUS.email,
      }),
    ],
  ])("may send the token %s", async (_how, headers) => {
    expect((await ask(headers())).expect(200).body).toMatchObject({ accountId: GRACE.accountId });
  });

  it.each<[what: string, code: ProblemCode, headers: () => Promise<Headers>]>([
    [
      "different tokens in both headers",
      "ambiguous_credentials",
      async () => ({ "cf-access-jwt-assertion": grace, authorization: `Bearer ${await sign(LINUS)}` }),
    ],
    [
      "two Access headers",
      "ambiguous_credentials",
      async () => ({ "cf-access-jwt-assertion": twice(grace, await sign(LINUS)) }),
    ],
    [
      "two Authorization headers",
      "ambiguous_credentials",
      async () => ({ authorization: twice(`Bearer ${grace}`, `Bearer ${await sign(LINUS)}`) }),
    ],
    [
      "the same person's newer token in the other header",
      "ambiguous_credentials",
      async () => ({ "cf-access-jwt-assertion": grace, authorization: `Bearer ${await sign(GRACE)}` }),
    ],
    ["no token", "access_jwt_missing", () => Promise.resolve({})],
    ["an empty header", "access_jwt_missing", () => Promise.resolve({ "cf-access-jwt-assertion": "" })],
    [
      "the token in a cookie",
      "access_jwt_missing",
      () => Promise.resolve({ cookie: `CF_Authorization=${grace}` }),
    ],
    [
      "only an e-mail address",
      "access_jwt_missing",
      () => Promise.resolve({ "cf-access-authenticated-user-email": GRACE.email }),
    ],
    [
      "a Connect JWT",
      "access_jwt_missing",
      async () => ({ authorization: `JWT ${await site.contextJwt("jira", GRACE.accountId)}` }),
    ],
    [
      "two tokens in one header",
      "access_jwt_malformed",
      () => Promise.resolve({ "cf-access-jwt-assertion": `${grace}, ${grace}` }),
    ],
  ])("is refused when it sends %s: %s", async (_what, code, headers) => {
    expectProblem(await ask(await headers()), code, world.appUrl);
  });

  it("finds a person by what Access calls them for good, never by their e-mail address", async () => {
    const successor = { ...GRACE, accessSubject: LINUS.accessSubject };
    expectProblem(await identify(await sign(successor)), "not_linked", world.appUrl);

    const renamed = { ...GRACE, email: "grace.green@acme.example" };
    expect((await identify(await sign(renamed))).expect(200).body).toMatchObject({
      accountId: GRACE.accountId,
    });
  });

  it("doesn't take the same name in another team for the same person", async () => {
    const own = await startSite();
    await setUp(own, "jira");
    await world.page(GRACE, "jira", own).link(await world.browser(GRACE));
    await world.page(ADA, "jira", own).saveSettings({ teamDomain: globex.domain });

    const reply = await identify(await sign(GRACE, { team: globex }), { site: own });

    expectProblem(reply, "not_linked", world.appUrl);
  });

  it("leaves a trace of the last use on the link, and only the link", async () => {
    const own = await startSite();
    await setUp(own, "jira");
    await world.page(GRACE, "jira", own).link(await world.browser(GRACE));
    const before = await readTenant(own);

    (await identify(grace, { site: own })).expect(200);

    const lastUse = await vi.waitFor(async () => {
      const [link] = (await readTenant(own)).links;
      expect(link?.lastUsedAt).not.toBeNull();
      return link?.lastUsedAt;
    });
    expect(Math.abs(Date.parse(String(lastUse)) - Date.now())).toBeLessThan(10_000);
    expect(await readTenant(own)).toEqual({
      ...before,
      links: [{ ...before.links[0], lastUsedAt: lastUse }],
    });
  });
});

describe("the path and the query", () => {
  it.each<[how: string, write: (host: string) => string]>([
    ["as it is", (host) => host],
    ["in upper case", (host) => host.toUpperCase()],
    ["in mixed case", (host) => host.replace("l", "L")],
    ["with its colon percent-encoded", (host) => host.replace(":", "%3A")],
    [
      "with everything percent-encoded",
      (host) => host.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16)}`),
    ],
  ])("may name the site %s", async (_how, write) => {
    const reply = await ask({ authorization: `Bearer ${grace}` }, { path: `${write(site.host)}/identity` });

    expect(reply.expect(200).body).toMatchObject({ site: site.host });
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
    ["another case of identity", (host) => `${host}/Identity`, "not_found"],
    ["the gateway, which isn't there yet", (host) => `${host}/jira/rest/api/3/myself`, "not_found"],
    ["no action", (host) => host, "not_found"],
  ])("may not have %s", async (_what, path, code) => {
    expectProblem(
      await ask({ authorization: `Bearer ${grace}` }, { path: path(site.host) }),
      code,
      world.appUrl,
    );
  });

  it.each([
    ["the product", "?product=jira"],
    ["the audience", `?audience=${AUDIENCES.demo}`],
    ["the audience in upper case", `?audience=${AUDIENCES.demo.toUpperCase()}`],
    ["the audience with spaces around it", `?audience=%20${AUDIENCES.demo}+`],
    ["both", `?product=jira&audience=${AUDIENCES.demo}`],
    ["neither, but something of its own", "?trace=1&__proto__=2"],
    ["nothing", "?"],
  ])("may name %s", async (_what, query) => {
    expect((await identify(grace, { query })).status).toBe(200);
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
    const problem = expectProblem(await identify(grace, { query }), "validation_failed", world.appUrl);

    expect(problem.errors).toMatchObject([{ field, pointer: `#/${field}` }]);
  });
});

describe("the audience", () => {
  it("that a service names keeps out tokens for another application of the same team", async () => {
    const own = await startSite();
    const [mine, other] = [audienceOf("mine"), audienceOf("other")];
    const services = [mine, other].map((audience) => ({
      label: audience,
      audience,
      purposes: ["identify"] as const,
    }));
    await setUp(own, "jira", { services: [SERVICES[0], ...services] });
    await world.page(GRACE, "jira", own).link(await world.browser(GRACE));
    const token = await sign(GRACE, { audience: other });

    const refusal = await identify(token, { site: own, query: `?audience=${mine}` });

    expectProblem(refusal, "access_jwt_untrusted", world.appUrl);
    expect((await identify(token, { site: own, query: `?audience=${other}` })).status).toBe(200);
    expect((await identify(token, { site: own })).status).toBe(200);
  });

  it.each<[what: string, aud: unknown, query: string, code: ProblemCode | 200]>([
    ["a bare string", AUDIENCES.demo, "", 200],
    ["one of several", [audienceOf("unlisted"), AUDIENCES.demo], "", 200],
    ["one with the purpose and one without", [AUDIENCES.app, AUDIENCES.demo], "", 200],
    [
      "the one without the purpose, by name",
      [AUDIENCES.app, AUDIENCES.demo],
      `?audience=${AUDIENCES.app}`,
      "purpose_not_allowed",
    ],
    ["only one without the purpose", [AUDIENCES.app], "", "purpose_not_allowed"],
    ["only one that isn't listed", [audienceOf("unlisted")], "", "access_jwt_untrusted"],
    [
      "one that isn't listed, by name",
      [AUDIENCES.demo, audienceOf("unlisted")],
      `?audience=${audienceOf("unlisted")}`,
      "access_jwt_untrusted",
    ],
    ["a listed one within a longer string", `${AUDIENCES.demo} ${AUDIENCES.app}`, "", "access_jwt_untrusted"],
    ["a list within a list", [[AUDIENCES.demo]], "", "access_jwt_malformed"],
    ["none", [], "", "access_jwt_malformed"],
  ])("of a token may be %s", async (_what, aud, query, outcome) => {
    const reply = await identify(await sign(GRACE, { claims: { aud } }), { query });

    if (outcome === 200) expect(reply.status, reply.text).toBe(200);
    else expectProblem(reply, outcome, world.appUrl);
  });
});

describe("of two reasons to refuse, the one that comes first in the contract is told", () => {
  let paused: AtlassianSite;
  beforeAll(async () => {
    paused = await startSite();
    await setUp(paused, "jira", { paused: true, allowedEmailDomains: ["acme.example"] });
  });

  const yesterday = {
    iat: epochSeconds() - 90_000,
    nbf: epochSeconds() - 90_000,
    exp: epochSeconds() - 3600,
  };
  const unlisted = audienceOf("unlisted");
  const nowhere = "nowhere.atlassian.net";

  // prettier-ignore
  it.each<[first: ProblemCode, second: string, request: () => Promise<Reply>]>([
    ["ambiguous_credentials", "malformed", () => ask({ "cf-access-jwt-assertion": "x", authorization: "Bearer y" })],
    ["access_jwt_missing", "untrusted, for the site is unknown", () => ask({}, { path: `${nowhere}/identity` })],
    ["access_jwt_malformed", "keys_unavailable", async () => identify(await sign(GRACE, { team: initech, claims: { exp: undefined } }))],
    ["access_jwt_malformed", "untrusted, for nobody knows the team", async () => identify(await sign(GRACE, { team: stranger, claims: { exp: undefined } }))],
    ["keys_unavailable", "untrusted, for the site has another team", async () => identify(await sign(GRACE, { team: initech }))],
    ["keys_unavailable", "untrusted, for the site is unknown", async () => ask(bearer(await sign(GRACE, { team: initech })), { path: `${nowhere}/identity` })],
    ["keys_unavailable", "expired", async () => identify(await sign(GRACE, { team: initech, claims: yesterday }))],
    ["keys_unavailable", "a service token", async () => identify(await sign(NIGHTLY_BUILD, { team: initech }))],
    ["access_jwt_untrusted", "expired, for nobody knows the team", async () => identify(await sign(GRACE, { team: stranger, claims: yesterday }))],
    ["access_jwt_untrusted", "expired, for the audience isn't listed", async () => identify(await sign(GRACE, { audience: unlisted, claims: yesterday }))],
    ["access_jwt_untrusted", "expired, for the service named another audience", async () => identify(await sign(GRACE, { claims: yesterday }), { query: `?audience=${unlisted}` })],
    ["access_jwt_untrusted", "expired, for the site is unknown", async () => ask(bearer(await sign(GRACE, { claims: yesterday })), { path: `${nowhere}/identity` })],
    ["access_jwt_untrusted", "expired, for the signature is wrong", async () => identify(forge(await sign(GRACE, { claims: yesterday })))],
    ["access_jwt_untrusted", "a service token", async () => identify(await sign(NIGHTLY_BUILD, { audience: unlisted }))],
    ["access_jwt_untrusted", "an e-mail domain", async () => identify(await sign(OSCAR, { audience: unlisted }), { site: paused })],
    ["access_jwt_untrusted", "paused", async () => identify(await sign(GRACE, { audience: unlisted }), { site: paused })],
    ["access_jwt_expired", "a service token", async () => identify(await sign(NIGHTLY_BUILD, { claims: yesterday }))],
    ["access_jwt_expired", "an e-mail domain", async () => identify(await sign(OSCAR, { claims: yesterday }), { site: paused })],
    ["access_jwt_expired", "paused", async () => identify(await sign(GRACE, { claims: yesterday }), { site: paused })],
    ["access_jwt_expired", "not linked", async () => identify(await sign(LINUS, { claims: yesterday }))],
    ["service_token", "an e-mail domain", async () => identify(await sign(NIGHTLY_BUILD, { claims: { email: OSCAR.email } }), { site: paused })],
    ["service_token", "paused", async () => identify(await sign(NIGHTLY_BUILD), { site: paused })],
    ["service_token", "a purpose", async () => identify(await sign(NIGHTLY_BUILD, { audience: AUDIENCES.app }))],
    ["email_domain_not_allowed", "paused", async () => identify(await sign(OSCAR), { site: paused })],
    ["email_domain_not_allowed", "a purpose", async () => identify(await sign(OSCAR, { audience: AUDIENCES.app }), { site: paused })],
    ["paused", "a purpose", async () => identify(await sign(GRACE, { audience: AUDIENCES.app }), { site: paused })],
    ["paused", "not linked", async () => identify(await sign(LINUS), { site: paused })],
    ["purpose_not_allowed", "not linked", async () => identify(await sign(LINUS, { audience: AUDIENCES.app }))],
  ])("%s before %s", async (first, _second, request) => {
    expectProblem(await request(), first, world.appUrl);
  });
});

describe("Jira and Confluence of one site", () => {
  type Linked = "grace" | "linus" | "nobody" | "paused";
  const ACCOUNTS = { grace: GRACE, linus: LINUS };

  // prettier-ignore
  it.each<[jira: Linked, confluence: Linked, unnamed: Outcome, asJira: Outcome, asConfluence: Outcome]>([
    ["grace",  "grace",  ["jira", GRACE],        ["jira", GRACE],  ["confluence", GRACE]],
    ["grace",  "linus",  "ambiguous_site",       ["jira", GRACE],  ["confluence", LINUS]],
    ["grace",  "nobody", ["jira", GRACE],        ["jira", GRACE],  "not_linked"],
    ["nobody", "linus",  ["confluence", LINUS],  "not_linked",     ["confluence", LINUS]],
    ["grace",  "paused", ["jira", GRACE],        ["jira", GRACE],  "paused"],
    ["paused", "linus",  ["confluence", LINUS],  "paused",         ["confluence", LINUS]],
    ["paused", "nobody", "not_linked",           "paused",         "not_linked"],
    ["nobody", "nobody", "not_linked",           "not_linked",     "not_linked"],
  ])("are apart: Grace is linked to %s there and to %s here", async (jira, confluence, unnamed, asJira, asConfluence) => {
    const own = await startSite();
    for (const [product, linked] of [["jira", jira], ["confluence", confluence]] as const) {
      await setUp(own, product);
      if (linked === "grace" || linked === "linus") {
        await world.page(ACCOUNTS[linked], product, own).link(await world.browser(GRACE));
      }
      if (linked === "paused") await world.page(ADA, product, own).saveSettings({ paused: true });
    }

    expectOutcome(await identify(grace, { site: own }), unnamed);
    expectOutcome(await identify(grace, { site: own, query: "?product=jira" }), asJira);
    expectOutcome(await identify(grace, { site: own, query: "?product=confluence" }), asConfluence);
  });

  it("are two tenants, and each says where to link in it", async () => {
    const own = await startSite();
    for (const product of ["jira", "confluence"] as const) {
      await setUp(own, product);
      const refusal = await identify(grace, { site: own, query: `?product=${product}` });
      const { linkUrl } = expectProblem(refusal, "not_linked", world.appUrl);
      expect(linkUrl).toBe(`${own.baseUrl(product)}/plugins/servlet/ac/access-for-atlassian-cloud/account`);
      await world.page(GRACE, product, own).link(await world.browser(GRACE));
    }

    const answers = ["jira", "confluence"].map(async (product) =>
      identify(grace, { site: own, query: `?product=${product}` }),
    );

    const [jira, confluence] = (await Promise.all(answers)).map(({ body }) => body as { tenant: string });
    expect(jira?.tenant).not.toBe(confluence?.tenant);
  });

  it("don't lend each other their settings: a token that one trusts is a stranger's to the other", async () => {
    expectProblem(
      await identify(grace, { query: "?product=confluence" }),
      "access_jwt_untrusted",
      world.appUrl,
    );
  });

  type Outcome = ProblemCode | [product: Product, account: Person];

  function expectOutcome(reply: Reply, outcome: Outcome): void {
    if (typeof outcome === "string") expectProblem(reply, outcome, world.appUrl);
    else expect(reply.body).toMatchObject({ product: outcome[0], accountId: outcome[1].accountId });
  }
});

describe("a stranger", () => {
  // prettier-ignore
  const PROBES: readonly [name: string, request: () => Promise<Reply>][] = [
    ["an unknown site", () => ask(bearer(grace), { path: "nowhere.atlassian.net/identity" })],
    ["a host that can't be", () => ask(bearer(grace), { path: "not%20a%20host/identity" })],
    ["a known site and a team that nobody trusts", async () => identify(await sign(GRACE, { team: stranger }))],
    ["a known site and a team that another site trusts", async () => identify(await sign(GRACE, { team: globex }))],
    ["an unknown site and a team that some site trusts", async () => ask(bearer(await sign(GRACE, { team: globex })), { path: "nowhere.atlassian.net/identity" })],
    ["an issuer that is no team", async () => identify(await sign(GRACE, { claims: { iss: "https://evil.example" } }))],
    ["an audience that isn't listed", async () => identify(await sign(GRACE, { audience: audienceOf("unlisted") }))],
    ["a product that isn't set up", () => identify(grace, { query: "?product=confluence" })],
    ["a signature that is wrong", () => Promise.resolve(identify(forge(grace)))],
    ["a foreign team's signature", async () => identify(await sign(GRACE, { team: stranger, claims: { iss: acme.issuer } }))],
    ["the team-wide session", async () => identify(await sign(GRACE, { claims: { type: "org" } }))],
    ["a token of tomorrow", async () => identify(await sign(GRACE, { claims: { iat: epochSeconds() + 86_400, nbf: epochSeconds() + 86_400, exp: epochSeconds() + 90_000 } }))],
  ];

  it.each(PROBES)("gets one and the same answer, to the byte: %s", async (_name, request) => {
    const reference = await ask(bearer(await sign(LINUS, { team: stranger })), {
      path: "unknown.example/identity",
    });
    expectProblem(reference, "access_jwt_untrusted", world.appUrl);

    const answer = await request();

    expect(withoutReference(answer)).toEqual(withoutReference(reference));
  });

  it("makes the app ask nobody: neither teams nor sites", async () => {
    const before = countQuestions();

    for (const [, request] of PROBES) await request();

    expect(countQuestions()).toBe(before);
  });

  it("isn't told by a team's outage which site trusts it", async () => {
    const token = await sign(GRACE, { team: initech });

    const [known, unknown] = [
      await identify(token),
      await ask(bearer(token), { path: "nowhere.atlassian.net/identity" }),
    ];

    expectProblem(known, "keys_unavailable", world.appUrl);
    expect(withoutReference(unknown)).toEqual(withoutReference(known));
  });

  function withoutReference({ status, text, headers }: Reply): unknown {
    const { date, "x-request-reference": reference, ...rest } = headers;
    expect(date).toBeDefined();
    return { status, headers: rest, text: text.replace(String(reference), "") };
  }
});

describe("a browser", () => {
  it.each<[what: string, headers: Headers]>([
    ["another site's script", { origin: "https://evil.example" }],
    ["a sandboxed page", { origin: "null" }],
    ["our own page, with Origin", { origin: "http://localhost:3000" }],
    ["a link that was clicked", { "sec-fetch-mode": "navigate", "sec-fetch-site": "none" }],
    ["an image on another site", { "sec-fetch-mode": "no-cors", "sec-fetch-site": "cross-site" }],
    ["an image on a neighbour's site", { "sec-fetch-mode": "no-cors", "sec-fetch-site": "same-site" }],
  ])("doesn't speak this API, whatever token it holds: %s", async (_what, headers) => {
    expectProblem(await ask({ ...bearer(grace), ...headers }), "browser_not_allowed", world.appUrl);
  });

  it("gets no permission in advance, either", async () => {
    const preflight = await ask(
      {
        origin: "https://evil.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
      },
      { method: "OPTIONS" },
    );

    expectProblem(preflight, "method_not_allowed", world.appUrl);
  });
});

describe("the method", () => {
  it("HEAD gets what GET would get, without a body", async () => {
    const [head, get] = [await ask(bearer(grace), { method: "HEAD" }), await ask(bearer(grace))];

    expect([head.status, head.text]).toEqual([200, ""]);
    expect(Object.keys(head.headers)).toEqual(expect.arrayContaining(["content-type", "cache-control"]));
    expect(head.headers["content-type"]).toBe(get.headers["content-type"]);

    const refusal = await ask({}, { method: "HEAD" });
    expect([refusal.status, refusal.text]).toEqual([401, ""]);
  });

  it.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])(
    "%s is none of it",
    async (method) => {
      const reply = await ask(bearer(grace), { method });

      expectProblem(reply, "method_not_allowed", world.appUrl);
      expect(reply.headers.allow).toBe("GET, HEAD");
    },
  );
});

describe("what an admin, a person or Atlassian changes counts from the next question on", () => {
  let own: AtlassianSite;
  const admin = () => world.page(ADA, "jira", own);

  // prettier-ignore
  it.each<[what: string, change: () => Promise<unknown>, code: ProblemCode, undo: (() => Promise<unknown>) | null]>([
    ["the app is paused", () => admin().saveSettings({ paused: true }), "paused", () => admin().saveSettings({ paused: false })],
    ["the e-mail domain is no longer allowed", () => admin().saveSettings({ allowedEmailDomains: ["globex.example"] }), "email_domain_not_allowed",
      () => admin().saveSettings({ allowedEmailDomains: [] })],
    ["the service loses its purpose", () => admin().saveSettings({ services: [{ ...SERVICES[1], purposes: ["link"] }] }), "purpose_not_allowed",
      () => admin().saveSettings({ services: SERVICES })],
    ["the service is removed", () => admin().saveSettings({ services: [] }), "access_jwt_untrusted", () => admin().saveSettings({ services: SERVICES })],
    ["the team is another", () => admin().saveSettings({ teamDomain: globex.domain }), "access_jwt_untrusted", () => admin().saveSettings({ teamDomain: acme.domain })],
    ["the team is taken away", () => admin().saveSettings({ teamDomain: null }), "access_jwt_untrusted", () => admin().saveSettings({ teamDomain: acme.domain })],
    ["the app is disabled", () => own.disable("jira"), "access_jwt_untrusted", () => own.enable("jira")],
    ["the person unlinks", () => world.page(GRACE, "jira", own).unlinkAll(), "not_linked", null],
    ["an admin removes the link", async () => {
      const { links: [link] } = await readTenant(own);
      (await admin().send("DELETE", `/api/v1/links/${String(link?.id)}`)).expect(204);
    }, "not_linked", null],
    ["the app is uninstalled", () => own.uninstall("jira"), "access_jwt_untrusted", null],
  ])("%s", async (_what, change, code, undo) => {
    own = await startSite();
    await setUp(own, "jira");
    await world.page(GRACE, "jira", own).link(await world.browser(GRACE));
    (await identify(grace, { site: own })).expect(200);

    await change();

    expectProblem(await identify(grace, { site: own }), code, world.appUrl);
    await undo?.();
    expect((await identify(grace, { site: own })).status === 200).toBe(undo !== null);
  });
});

describe("an installation", () => {
  it("that was removed and came back has its settings, but no links", async () => {
    const own = await startSite();
    await setUp(own, "jira");
    await world.page(GRACE, "jira", own).link(await world.browser(GRACE));
    (await own.uninstall("jira")).expect(204);

    await world.install("jira", own);

    expectProblem(await identify(grace, { site: own }), "not_linked", world.appUrl);
  });

  it("counts for nothing until its host has accepted the secret, and the host isn't asked at every question", async () => {
    const own = await startSite();
    await setUp(own, "jira");
    await world.page(GRACE, "jira", own).link(await world.browser(GRACE));
    own.behaviour.failing = true;
    const before = own.server.requests.length;
    await world.install("jira", own);
    await vi.waitFor(() => expect(own.server.requests.length).toBeGreaterThan(before));

    for (let nth = 0; nth < 5; nth++) {
      expectProblem(await identify(grace, { site: own }), "access_jwt_untrusted", world.appUrl);
    }

    // For the app itself, and for the last admin who saved.
    expect(own.server.requests.length).toBeLessThanOrEqual(before + 2);
    own.behaviour.failing = false;
    await world.page(ADA, "jira", own).getSettings();
    expect((await identify(grace, { site: own })).status).toBe(200);
  });

  it("that claims another's host gains nothing there, and loses its own", async () => {
    const [victim, evil] = [await startSite(), await startSite()];
    for (const each of [victim, evil]) await setUp(each, "jira");
    await world.page(GRACE, "jira", victim).link(await world.browser(GRACE));
    await world.page(LINUS, "jira", evil).link(await world.browser(GRACE));
    const before = (await identify(grace, { site: victim })).expect(200).body;

    (await evil.install("jira", world.appUrl, { body: { baseUrl: victim.url } })).expect(204);

    expect((await identify(grace, { site: victim })).expect(200).body).toEqual(before);
    expectProblem(await identify(grace, { site: evil }), "access_jwt_untrusted", world.appUrl);
  });

  it("that claims the host of a site without the app isn't there either", async () => {
    const [bystander, evil] = [await startSite(), await startSite()];
    await setUp(evil, "jira");
    await world.page(LINUS, "jira", evil).link(await world.browser(GRACE));

    (await evil.install("jira", world.appUrl, { body: { baseUrl: bystander.url } })).expect(204);

    expectProblem(await identify(grace, { site: bystander }), "access_jwt_untrusted", world.appUrl);
  });
});

describe("a token", () => {
  it.each<[when: string, times: () => Claims, outcome: ProblemCode | 200]>([
    ["expired 20 seconds ago", () => ({ exp: epochSeconds() - 20 }), 200],
    ["expired 40 seconds ago", () => ({ exp: epochSeconds() - 40 }), "access_jwt_expired"],
    ["counts from in 20 seconds", () => ({ iat: epochSeconds() + 20, nbf: epochSeconds() + 20 }), 200],
    ["counts from in 40 seconds", () => ({ nbf: epochSeconds() + 40 }), "access_jwt_untrusted"],
    [
      "was issued in 40 seconds",
      () => ({ iat: epochSeconds() + 40, nbf: undefined }),
      "access_jwt_untrusted",
    ],
    ["says nothing of when it begins", () => ({ nbf: undefined }), 200],
  ])("that %s is judged with half a minute of tolerance", async (_when, times, outcome) => {
    const reply = await identify(await sign(GRACE, { claims: times() }));

    if (outcome === 200) expect(reply.status, reply.text).toBe(200);
    else expectProblem(reply, outcome, world.appUrl);
  });

  it("goes on working while the key that signed it is published, and not a question longer", async () => {
    const own = await startSite();
    await setUp(own, "jira", { teamDomain: globex.domain });
    const [old, admin] = [await sign(GRACE, { team: globex }), world.page(ADA, "jira", own)];
    await globex.rotateKeys();
    const recent = await sign(GRACE, { team: globex });
    const check = async () => (await admin.send("POST", "/api/v1/settings/check", {})).expect(200);

    await check();
    for (const token of [old, recent])
      expectProblem(await identify(token, { site: own }), "not_linked", world.appUrl);

    globex.dropOldKeys();
    await check();
    expectProblem(await identify(old, { site: own }), "access_jwt_untrusted", world.appUrl);
    expectProblem(await identify(recent, { site: own }), "not_linked", world.appUrl);
  });

  it("is still accepted with the keys at hand while its team can't be reached", async () => {
    acme.behaviour.off = true;
    onTestFinished(() => void (acme.behaviour.off = false));

    expect((await identify(await sign(GRACE))).status).toBe(200);
  });
});

type Headers = Readonly<Record<string, string>>;

/** Every answer of this API, good or bad, is held against what none may have. */
async function ask(
  headers: Headers,
  { path = `${site.host}/identity`, method = "GET" }: { path?: string; method?: string } = {},
): Promise<Reply> {
  const url = `${world.appUrl}/api/v1/sites/${path}`;
  const reply = await world.parts.client.send({ caller: "A service", method, url, headers });
  expectNoBrowserFavours(reply.headers);
  expect(reply.headers["cache-control"]).toBe("no-cache, no-store");
  return reply;
}

async function identify(token: string, { site: at = site, query = "" } = {}): Promise<Reply> {
  return ask(bearer(token), { path: `${at.host}/identity${query}` });
}

function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` };
}

/** Node sends an array as one header line each; the client's type doesn't know. */
function twice(one: string, other: string): string {
  return [one, other] as unknown as string;
}

async function sign(
  holder: Person | ServiceToken,
  {
    team = acme,
    audience = AUDIENCES.demo,
    claims = {},
  }: { team?: AccessTeam; audience?: string; claims?: Claims } = {},
): Promise<string> {
  return team.signAccessJwt(holder, audience, { claims });
}

/** The same header and claims under a signature that isn't theirs. */
function forge(token: string): string {
  const [header, claims, signature = ""] = token.split(".");
  return [header, claims, Buffer.from(signature, "base64url").reverse().toString("base64url")].join(".");
}

/** A site of a test's own. */
async function startSite(): Promise<AtlassianSite> {
  const { installKeys, client } = world.parts;
  const own = await AtlassianSite.start({ keys: installKeys, client });
  sites.push(own);
  return own;
}

async function setUp(own: AtlassianSite, product: Product, changes: SettingsChanges = {}): Promise<void> {
  await world.install(product, own);
  await world
    .page(ADA, product, own)
    .saveSettings({ teamDomain: acme.domain, services: SERVICES, ...changes });
}

interface Tenant {
  readonly settings: unknown;
  readonly links: readonly { readonly id: string; readonly lastUsedAt: string | null }[];
  readonly audit: unknown;
}

async function readTenant(own: AtlassianSite): Promise<Tenant> {
  const admin = world.page(ADA, "jira", own);
  const read = async (path: string) => (await admin.send("GET", path)).expect(200).body as { items: never[] };
  return {
    settings: await read("/api/v1/settings"),
    links: (await read("/api/v1/links")).items,
    audit: (await read("/api/v1/audit")).items,
  };
}

/** How often the app has asked anybody anything. */
function countQuestions(): number {
  const { teams, installKeys } = world.parts;
  return [site, ...sites, ...teams, installKeys].reduce((count, { server }) => count + server.requests.length, 0);
}
