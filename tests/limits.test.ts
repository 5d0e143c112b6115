import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { ADA, GRACE, LINUS, OSCAR, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { PUBLIC_VERSION } from "../src/web/public-files.js";
import { openConnection, write } from "../src/web/raw-http.fixture.js";
import { travel } from "./lifecycle.fixture.js";
import { FEW, LimitedWorld } from "./limits.fixture.js";
import { expectProblem } from "./refusals.fixture.js";
import { forge } from "./service-api.fixture.js";

const CODE = { attempt: "unknown", code: "ABCDEFGHIJ" };

let limited: LimitedWorld;
beforeAll(async () => {
  limited = await LimitedWorld.start();
});
afterAll(() => limited.close());

describe("the calls of an account", () => {
  let site: AtlassianSite;
  beforeEach(async () => {
    site = await limited.installedSite("jira", "confluence");
  });

  const callAs = (person: Person) => limited.world.page(person, "jira", site).send("GET", "/api/v1/me");
  const useUp = (person: Person) => limited.askTimes(FEW.account.calls, 200, () => callAs(person));

  it.each<[what: string, call: () => Promise<Reply>, status: number]>([
    ["the person's own API", () => callAs(LINUS), 200],
    ["the admin API, to somebody who is no admin", () => pageOf(LINUS).send("GET", "/api/v1/links"), 403],
    ["calls that are refused for what they say", () => pageOf(LINUS).send("POST", "/api/v1/me"), 405],
    ["pages", () => limited.openPage(site, LINUS, "account"), 200],
    ["pages that are refused", () => limited.openPage(site, LINUS, "admin"), 403],
  ])("count: %s", async (_what, call, status) => {
    await limited.askTimes(FEW.account.calls, status, call);

    limited.expectRefused(await callAs(LINUS));
  });

  it("are refused before the product is asked anything", async () => {
    await useUp(LINUS);
    const asked = site.server.requests.length;

    limited.expectRefused(await pageOf(LINUS).send("GET", "/api/v1/settings"));
    limited.expectRefused(await callAs(LINUS));
    (await limited.openPage(site, LINUS, "admin")).expect(429);
    expect(site.server.requests.length).toBe(asked);
  });

  it("are refused in the product's frame, where a page was asked for", async () => {
    await useUp(LINUS);
    const reply = (await limited.openPage(site, LINUS, "account")).expect(429);

    expect(reply.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(reply.headers["content-security-policy"]).toContain(`frame-ancestors ${site.url}`);
    expect(Number(reply.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  });

  it("refuse nobody else, nor the same person in the other product", async () => {
    await useUp(LINUS);
    limited.expectRefused(await callAs(LINUS));

    (await callAs(GRACE)).expect(200);
    (await limited.world.page(LINUS, "confluence", site).send("GET", "/api/v1/me")).expect(200);
  });

  it("may go on when the minute is over", async () => {
    travel(0);
    await useUp(LINUS);
    travel(59);
    limited.expectRefused(await callAs(LINUS));
    travel(1);

    await useUp(LINUS);
  });

  it("don't use up what the tenant has, once they are refused", async () => {
    await useUp(LINUS);
    await limited.askTimes(FEW.tenant.calls, 429, () => callAs(LINUS));

    (await callAs(GRACE)).expect(200);
  });

  it("are counted only for tokens that are really the account's", async () => {
    const genuine = await site.contextJwt("jira", LINUS.accountId);
    const headers = { authorization: `JWT ${forge(genuine)}` };
    const from = limited.newAddress();
    await limited.askTimes(FEW.account.calls, 401, () => limited.ask(from, "/api/v1/me", { headers }));

    (await callAs(LINUS)).expect(200);
  });

  const pageOf = (person: Person) => limited.world.page(person, "jira", site);
});

describe("the calls of a tenant", () => {
  it("are limited for all of its accounts together, and the other product's are not", async () => {
    const site = await limited.installedSite("jira", "confluence");
    const pageOf = (person: Person, product: "jira" | "confluence" = "jira") =>
      limited.world.page(person, product, site);
    travel(0);
    for (const person of [ADA, GRACE, LINUS]) {
      const calls = person === LINUS ? FEW.tenant.calls - 2 * (FEW.account.calls - 1) : FEW.account.calls - 1;
      await limited.askTimes(calls, 200, () => pageOf(person).send("GET", "/api/v1/me"));
    }

    for (const person of [OSCAR, ADA]) {
      limited.expectRefused(await pageOf(person).send("GET", "/api/v1/me"));
    }
    (await limited.openPage(site, OSCAR, "account")).expect(429);
    (await pageOf(OSCAR, "confluence").send("GET", "/api/v1/me")).expect(200);
    (await limited.world.page(OSCAR).send("GET", "/api/v1/me")).expect(200);
    travel(60);
    (await pageOf(OSCAR).send("GET", "/api/v1/me")).expect(200);
  });
});

describe("codes", () => {
  it("are limited for each account, more strictly than its other calls", async () => {
    const site = await limited.installedSite();
    const handIn = (person: Person, body: unknown = CODE) =>
      limited.world.page(person, "jira", site).send("POST", "/api/v1/me/links", body);
    travel(0);
    await limited.askTimes(FEW.proof.calls, 410, () => handIn(LINUS));

    limited.expectRefused(await handIn(LINUS));
    limited.expectRefused(await handIn(LINUS, { accessJwt: "x" }));
    (await handIn(GRACE)).expect(410);
    (await limited.world.page(LINUS, "jira", site).send("GET", "/api/v1/me")).expect(200);
    travel(60);
    (await handIn(LINUS)).expect(410);
  });
});

describe("made-up tokens", () => {
  const IDENTITY = "/api/v1/sites/acme.atlassian.net/identity";
  const json = { "content-type": "application/json" };
  const junk = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA";
  const event = { method: "POST", headers: { ...json, authorization: `JWT ${junk}` } };

  it.each<[what: string, path: string, options: Parameters<LimitedWorld["ask"]>[2], status: number]>([
    ["a context JWT", "/api/v1/settings", { headers: { authorization: `JWT ${junk}` } }, 401],
    ["a URL-bound JWT", `/admin?jwt=${junk}`, {}, 401],
    ["an install event", "/installed", { ...event, body: "{}" }, 401],
    ["an Access JWT", IDENTITY, { headers: { authorization: `Bearer ${junk}` } }, 401],
    [
      "an Access JWT at the linking window",
      "/access/link/x",
      { headers: { "cf-access-jwt-assertion": junk } },
      401,
    ],
  ])("are limited for each address: %s", async (_what, path, options, status) => {
    const from = limited.newAddress();
    await limited.askTimes(FEW.forgery.calls, status, () => limited.ask(from, path, options));

    for (const next of [path, "/openapi.json", IDENTITY, "/nowhere"]) {
      limited.expectRefused(await limited.ask(from, next, next === path ? options : {}));
    }
    (await limited.ask(limited.newAddress(), path, options)).expect(status);
  });

  it.each<[what: string, path: string, options: Parameters<LimitedWorld["ask"]>[2], status: number]>([
    ["no token", "/api/v1/me", {}, 401],
    ["an unreadable event", "/installed", { method: "POST", headers: json, body: "{" }, 400],
    ["no Access JWT", IDENTITY, {}, 401],
    ["a browser at the service API", IDENTITY, { headers: { origin: "https://evil.example" } }, 403],
    ["a path that there isn't", "/wp-login.php", {}, 404],
    ["a method that there isn't", "/openapi.json", { method: "DELETE" }, 405],
    [
      "an attempt opened from elsewhere",
      "/link/start/x",
      { headers: { "sec-fetch-site": "cross-site" } },
      403,
    ],
    [
      "a click of another site",
      "/access/link/x",
      { method: "POST", headers: { origin: "https://evil.example" } },
      403,
    ],
  ])("aren't what any page in a colleague's browser could send: %s", async (_what, path, options, status) => {
    const from = limited.newAddress();
    await limited.askTimes(FEW.forgery.calls + 1, status, () => limited.ask(from, path, options));

    (await limited.ask(from, "/openapi.json")).expect(200);
  });

  it("keep neither probes nor files from an address", async () => {
    const from = limited.newAddress();
    await useUp(from);

    for (const path of ["/healthz", "/readyz", `/public/${PUBLIC_VERSION}/admin.css`]) {
      (await limited.ask(from, path)).expect(200);
    }
  });

  it("are told in a page to a browser that asks for one", async () => {
    const from = limited.newAddress();
    await useUp(from);
    const reply = (await limited.ask(from, "/account", { headers: { accept: "text/html" } })).expect(429);

    expect(reply.headers["content-type"]).toBe("text/html; charset=utf-8");
  });

  it("are forgotten when the minute is over", async () => {
    const from = limited.newAddress();
    travel(0);
    await useUp(from);
    travel(59);
    limited.expectRefused(await limited.ask(from, "/openapi.json"));
    travel(1);

    await useUp(from);
  });

  it.each([
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
    ["2001:db8:1:3::1", "2001:db8:1:4::1", false],
    ["198.51.100.1", "198.51.100.2", false],
    ["198.51.100.3", "::ffff:198.51.100.3", true],
  ])("of %s count for %s: %s", async (from, next, isRefused) => {
    await useUp(from);

    (await limited.ask(next, "/openapi.json")).expect(isRefused ? 429 : 200);
  });

  it("count also when nobody waits to be told", async () => {
    const from = limited.newAddress();
    const { port } = limited.world.parts.app;
    for (let nth = 0; nth < FEW.forgery.calls; nth += 1) {
      const socket = await openConnection(port);
      const lines = [
        "GET /api/v1/me HTTP/1.1",
        "Host: x",
        `X-Forwarded-For: ${from}`,
        `Authorization: JWT ${junk}`,
      ];
      await write(socket, Buffer.from(`${lines.join("\r\n")}\r\n\r\n`));
      socket.destroy();
    }

    await expect.poll(async () => (await limited.ask(from, "/openapi.json")).status).toBe(429);
  });

  it("don't count where somebody known is refused for what is theirs to know", async () => {
    const { world } = limited;
    const from = limited.newAddress();
    const token = await world.team.signAccessJwt(LINUS, AUDIENCES.demo);
    const path = `/api/v1/sites/${world.site.host}/identity`;
    const headers = { authorization: `Bearer ${token}` };

    await limited.askTimes(FEW.forgery.calls, 404, () => limited.ask(from, path, { headers }));
    const contextJwt = await world.site.contextJwt("confluence", LINUS.accountId);
    const wrong = { method: "POST", headers: { authorization: `JWT ${contextJwt}` } };
    await limited.askTimes(FEW.account.calls, 405, () => limited.ask(from, "/api/v1/me", wrong));
    await limited.askTimes(FEW.forgery.calls, 429, () => limited.ask(from, "/api/v1/me", wrong));
    (await limited.ask(from, "/openapi.json")).expect(200);
  });

  it("don't keep tools from asking about visitors whom they have asked about before", async () => {
    const { world } = limited;
    const path = `/api/v1/sites/${world.site.host}/identity`;
    const asking = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    const sign = () => world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    const [known, fresh] = [await sign(), await sign()];
    const from = limited.newAddress();
    (await limited.ask(from, path, asking(known))).expect(200);
    await useUp(from);

    (await limited.ask(from, path, asking(known))).expect(200);
    for (const token of [fresh, forge(known), "x"]) {
      limited.expectRefused(await limited.ask(from, path, asking(token)));
    }
    const other = limited.newAddress();
    (await limited.ask(other, path, asking(fresh))).expect(200);
  });

  async function useUp(from: string): Promise<void> {
    const headers = { authorization: `JWT ${junk}` };
    await limited.askTimes(FEW.forgery.calls, 401, () => limited.ask(from, "/api/v1/me", { headers }));
  }
});

describe("behind a proxy that nobody trusts", () => {
  let proxied: LimitedWorld;
  beforeAll(async () => {
    proxied = await LimitedWorld.start("0");
  });
  afterAll(() => proxied.close());

  it("everybody shares one address, which has ten times as much; those who come directly have their own", async () => {
    let nth = 0;
    const headers = { authorization: "JWT made-up" };
    const ask = () => proxied.ask(`203.0.113.${(nth += 1) % 200}`, "/api/v1/me", { headers });
    await proxied.askTimes(FEW.forgery.calls * 10, 401, ask);
    proxied.expectRefused(await ask());

    const { client } = proxied.world.parts;
    const url = `${proxied.world.appUrl}/api/v1/me`;
    const direct = () => client.send({ caller: "A stranger", method: "GET", url, headers });
    await proxied.askTimes(FEW.forgery.calls, 401, direct);
    expectProblem(await direct(), "rate_limited", proxied.world.appUrl);
  });
});
