import { describe, expect, it } from "vitest";

import { AppPage, confirmInPopup, type SettingsChanges } from "../sandbox/app-page.js";
import type { Reply } from "../sandbox/http-client.js";
import { listen } from "../sandbox/http-server.js";
import { ADA, createPerson, GRACE, LINUS } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { createScene, expectProblem, startLinkingWorld } from "./linking-scene.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";

const linking = useLinkingWorld();

const TYPED_CODE = /^[A-Z2-7]{10}$/;
const SECRET = /^[\w-]{22}$/;

describe("whether a person can link", () => {
  const TEAM = "acme.cloudflareaccess.com";
  const NOT_SET_UP = "An admin hasn't set up linking yet.";
  const [linkService, identifyService] = SERVICES;

  it.each<
    [state: string, SettingsChanges | null, teamDomain: string | null, reason: string, code: ProblemCode]
  >([
    ["nothing is set up", null, null, NOT_SET_UP, "purpose_not_allowed"],
    ["there is no team", { teamDomain: null }, null, NOT_SET_UP, "purpose_not_allowed"],
    ["no service links", { services: [identifyService] }, TEAM, NOT_SET_UP, "purpose_not_allowed"],
    ["an admin paused it", { paused: true }, TEAM, "An admin has paused the app on this site.", "paused"],
  ])(
    "is no, with the reason, and no attempt begins, while %s",
    async (_state, settings, teamDomain, reason, code) => {
      const scene = await createScene(linking, { settings });
      expect((await scene.page(GRACE).send("GET", "/api/v1/me")).expect(200).body).toEqual({
        accountId: GRACE.accountId,
        displayName: GRACE.name,
        site: scene.site.host,
        product: "jira",
        teamDomain,
        signOutUrl: teamDomain && `${linking.world.team.url}/cdn-cgi/access/logout`,
        links: [],
        consents: [],
        services: [],
        news: [],
        paused: code === "paused",
        linking: { available: false, methods: [], reason },
      });
      const refusal = await scene.page(GRACE).send("POST", "/api/v1/me/link-attempts", {});
      expect(expectProblem(refusal, 403, code).detail).toBe(reason);
      expect(await scene.attempts()).toEqual([]);
    },
  );

  it("is no after the app moved to another host, until that host has proved it", async () => {
    const scene = await createScene(linking);
    const elsewhere = await createScene(linking, { products: [] });
    const move = { body: { baseUrl: elsewhere.site.url } };
    (await scene.site.install("jira", linking.world.appUrl, move)).expect(204);
    expect((await scene.page(GRACE).send("GET", "/api/v1/me")).expect(200).body).toMatchObject({
      site: elsewhere.site.host,
      linking: {
        available: false,
        methods: [],
        reason: "The app has moved to another host name; an admin must open its page there once.",
      },
    });
    expectProblem(await scene.page(GRACE).send("POST", "/api/v1/me/link-attempts", {}), 403, "paused");
    expect(await elsewhere.attempts()).toEqual([]);
  });

  it("is yes, in both ways, once a team and a service that links are set up", async () => {
    const scene = await createScene(linking, {
      products: ["confluence"],
      settings: { services: [linkService] },
    });
    expect((await scene.page(GRACE, "confluence").send("GET", "/api/v1/me")).expect(200).body).toEqual({
      accountId: GRACE.accountId,
      displayName: GRACE.name,
      site: scene.site.host,
      product: "confluence",
      teamDomain: TEAM,
      signOutUrl: `${linking.world.team.url}/cdn-cgi/access/logout`,
      links: [],
      consents: [],
      services: [],
      news: [],
      paused: false,
      linking: { available: true, methods: ["popup", "accessJwt"], reason: null },
    });
  });
});

describe("the popup", () => {
  it("leads from the page through a cookie to both sides, and gives the opener a code that nobody types", async () => {
    const scene = await createScene(linking);
    const page = scene.page(GRACE);
    const begunAt = Date.now();
    const attempt = await page.beginLink();
    expect(attempt).toEqual({
      id: expect.stringMatching(SECRET) as string,
      url: `${linking.world.appUrl}/link/start/${attempt.id}`,
      expiresAt: expect.stringMatching(/Z$/) as string,
    });
    expect(Math.abs(Date.parse(attempt.expiresAt) - begunAt - 300_000)).toBeLessThan(10_000);

    const browser = await linking.world.browser(GRACE);
    const popup = await page.openPopup(attempt, browser);
    expect(popup.call.url).toBe(`${linking.world.appUrl}/access/link/${attempt.id}`);
    const shown = textOf(popup);
    for (const side of [GRACE.email, scene.site.host, "Jira", GRACE.name]) expect(shown).toContain(side);
    expect(shown).not.toContain("Did you come here from");

    const reply = await browser.submit({}, "application/json");
    const codes = reply.expect(200).body as { code: string };
    expect(codes).toEqual({
      attempt: attempt.id,
      code: expect.stringMatching(SECRET) as string,
      typedCode: null,
      email: GRACE.email,
      site: scene.site.host,
      expiresAt: attempt.expiresAt,
    });
    expect(await scene.links()).toEqual([]);

    const link = (await scene.redeem(GRACE, attempt, codes.code)).expect(201).body;
    expect(link).toEqual({
      id: expect.any(String) as string,
      accountId: GRACE.accountId,
      email: GRACE.email,
      issuer: linking.world.team.issuer,
      method: "proof",
      linkedAt: expect.stringMatching(/Z$/) as string,
      lastUsedAt: null,
      confirmedAt: null,
      standing: "proved",
    });
    expect((await page.send("GET", "/api/v1/me")).body).toMatchObject({ links: [link] });
    expect((await scene.identify(GRACE)).expect(200).body).toMatchObject({
      accountId: GRACE.accountId,
      email: GRACE.email,
      method: "proof",
    });
    expect(await scene.linkEvents()).toEqual(["link.created"]);
  });

  it.each<[how: string, body: unknown]>([
    ["a form", new URLSearchParams({ typed: "true" })],
    ["a form that says action, too", new URLSearchParams({ action: "link", typed: "1" })],
    ["JSON", { typed: true }],
    ["JSON with text, as a script reads it from a form", { typed: "true" }],
  ])("adds a code to type when %s asks for one, and either code links", async (_how, body) => {
    const scene = await createScene(linking);
    for (const which of ["code", "typedCode"] as const) {
      const person = which === "code" ? GRACE : LINUS;
      const attempt = await scene.page(person).beginLink();
      const cookie = await scene.openFromPage(attempt);
      const codes = await scene.getCodes(attempt, { as: person, cookie, body });
      expect(codes).toMatchObject({
        code: expect.stringMatching(SECRET) as string,
        typedCode: expect.stringMatching(TYPED_CODE) as string,
      });
      (await scene.redeem(person, attempt, codes[which] ?? "")).expect(201);
    }
  });

  it.each<[how: string, body: unknown]>([
    ["an empty form", new URLSearchParams()],
    ["a form that doesn't want it", new URLSearchParams({ typed: "false" })],
    ["empty JSON", {}],
    ["JSON that doesn't want it", { typed: false }],
    ["no body", undefined],
  ])("makes no code to type when %s doesn't ask for one", async (_how, body) => {
    const scene = await createScene(linking);
    const attempt = await scene.page(GRACE).beginLink();
    const cookie = await scene.openFromPage(attempt);
    const codes = await scene.getCodes(attempt, { as: GRACE, cookie, body });
    expect(codes).toMatchObject({ typedCode: null, code: expect.stringMatching(SECRET) as string });
    expect(await scene.attempts()).toMatchObject([{ typed_code_hash: null }]);
  });

  it.each<[what: string, status: number, code: ProblemCode, body: unknown, type: string]>([
    ["an unknown action", 422, "validation_failed", "action=delete", "application/x-www-form-urlencoded"],
    ["a field that it doesn't know", 422, "validation_failed", '{"account":"me"}', "application/json"],
    ["a typed that isn't yes or no", 422, "validation_failed", '{"typed":"perhaps"}', "application/json"],
    ["broken JSON", 400, "malformed_request", "{", "application/json"],
    ["plain text", 415, "unsupported_media_type", "typed=true", "text/plain"],
    [
      "more than a small form",
      413,
      "too_large",
      `typed=${"1".repeat(4096)}`,
      "application/x-www-form-urlencoded",
    ],
  ])("refuses %s and claims nothing", async (_what, status, code, body, type) => {
    const scene = await createScene(linking);
    const attempt = await scene.page(GRACE).beginLink();
    const cookie = await scene.openFromPage(attempt);
    const call = { as: GRACE, cookie, body, headers: { "content-type": type } };
    expectProblem(await scene.clickInPopup(attempt, call), status, code);
    expect(await scene.attempts()).toMatchObject([{ subject: null, code_hash: null, typed_code_hash: null }]);
  });

  it("works without JavaScript: the page carries the code to type and the opener's, and each links", async () => {
    const scene = await createScene(linking);
    for (const [person, which] of [
      [GRACE, "typedCode"],
      [LINUS, "code"],
    ] as const) {
      const attempt = await scene.page(person).beginLink();
      const browser = await linking.world.browser(person);
      await scene.page(person).openPopup(attempt, browser);
      const reply = (await browser.submit({})).expect(200);
      const codes = readCodes(reply);
      expect(codes.typedCode).toMatch(TYPED_CODE);
      expect(codes.code).toMatch(SECRET);
      for (const side of [person.email, person.name, scene.site.host]) expect(textOf(reply)).toContain(side);
      (await scene.redeem(person, attempt, codes[which])).expect(201);
    }
  });

  it("gives only a code to type, with a warning about who would get what, where its opener is unknown", async () => {
    const scene = await createScene(linking);
    const attempt = await scene.page(GRACE).beginLink();
    const shown = (await scene.showPopup(attempt, { as: GRACE })).expect(200);
    expect(textOf(shown)).toContain("Did you come here from Jira yourself, just now?");
    expect(textOf(shown)).toContain("close the window");

    const asPage = (
      await scene.clickInPopup(attempt, { as: GRACE, headers: { accept: "text/html" } })
    ).expect(200);
    expect(readCodes(asPage).code).toBe("");
    expect(textOf(asPage)).toContain("Give this code to nobody.");
    expect(textOf(asPage)).toContain(
      `Whoever types it links your Access identity, ${GRACE.email}, to the Jira account ${GRACE.name} (${GRACE.accountId}) on ${scene.site.host}.`,
    );

    const codes = await scene.getCodes(attempt, { as: GRACE });
    expect(codes).toMatchObject({ code: null, typedCode: expect.stringMatching(TYPED_CODE) as string });
    (await scene.redeem(GRACE, attempt, codes.typedCode ?? "")).expect(201);
  });

  it("names the account by its id alone where the product doesn't tell its name", async () => {
    const scene = await createScene(linking);
    const stranger = createPerson("Nobody Known");
    const attempt = await scene.page(stranger).beginLink();
    const shown = (await scene.showPopup(attempt, { as: stranger })).expect(200);
    expect(textOf(shown)).toContain(stranger.accountId);
  });

  it("makes new codes when it is clicked again, and the ones before stop working", async () => {
    const scene = await createScene(linking);
    const attempt = await scene.page(GRACE).beginLink();
    const cookie = await scene.openFromPage(attempt);
    const click = { as: GRACE, cookie, body: { typed: "true" } };
    const before = await scene.getCodes(attempt, click);
    const after = await scene.getCodes(attempt, click);
    for (const old of [before.code, before.typedCode]) {
      const refusal = expectProblem(await scene.redeem(GRACE, attempt, old ?? ""), 422, "validation_failed");
      expect(refusal.errors).toMatchObject([{ field: "code", pointer: "#/code" }]);
    }
    expect(await scene.links()).toEqual([]);
    (await scene.redeem(GRACE, attempt, after.code ?? "")).expect(201);
  });

  it.each<[how: string, write: (code: string) => string]>([
    ["in lower case", (code) => code.toLowerCase()],
    ["in groups with spaces", (code) => ` ${code.slice(0, 5)} ${code.slice(5)} `],
    ["in groups with hyphens", (code) => `${code.slice(0, 5)}-${code.slice(5)}`],
    [
      "in all of these ways",
      (code) => `${code.slice(0, 4).toLowerCase()} - ${code.slice(4).toLowerCase()}\t`,
    ],
  ])("takes the code that a person types %s", async (_how, write) => {
    const scene = await createScene(linking);
    const attempt = await scene.page(GRACE).beginLink();
    const { typedCode } = await scene.getCodes(attempt, { as: GRACE });
    (await scene.redeem(GRACE, attempt, write(typedCode ?? ""))).expect(201);
  });

  it("changes nothing by being looked at, before the click and after it", async () => {
    const scene = await createScene(linking);
    const attempt = await scene.page(GRACE).beginLink();
    const cookie = await scene.openFromPage(attempt);
    const look = async () => {
      const before = await linking.database.snapshot();
      (await scene.showPopup(attempt, { as: GRACE })).expect(200);
      (await scene.showPopup(attempt, { as: GRACE, cookie })).expect(200);
      const refused = await scene.showPopup({ id: "no-such-attempt" }, { as: GRACE, cookie });
      refused.expect(410);
      expect(await linking.database.snapshot()).toEqual(before);
    };
    await look();
    const { code } = await scene.getCodes(attempt, { as: GRACE, cookie });
    await look();
    (await scene.redeem(GRACE, attempt, code ?? "")).expect(201);
  });

  it("lets two popups at once each keep their own tie", async () => {
    const scene = await createScene(linking);
    const browser = await linking.world.browser(GRACE);
    const page = scene.page(GRACE);
    const [first, second] = [await page.beginLink(), await page.beginLink()];
    await page.openPopup(first, browser);
    await page.openPopup(second, browser);
    await browser.open(`${linking.world.appUrl}/access/link/${first.id}`);
    (await scene.redeem(GRACE, first, await confirmInPopup(browser))).expect(201);
    await browser.open(`${linking.world.appUrl}/access/link/${second.id}`);
    (await scene.redeem(GRACE, second, await confirmInPopup(browser))).expect(200);
  });
});

it("starts nothing at /link/start when only the headers are asked for", async () => {
  const scene = await createScene(linking);
  const { url } = await scene.page(GRACE).beginLink();
  const headers = { "sec-fetch-site": "same-origin" };
  const reply = await linking.world.parts.client.send({ caller: "A browser", method: "HEAD", url, headers });
  expect(reply.status).toBe(405);
  expect(reply.headers.allow).toBe("GET");
  expect(await scene.attempts()).toMatchObject([{ cookie_hash: null }]);
});

describe("links", () => {
  it("answers 200 with the same link, and notes nothing, when an identity is proved to the same account again", async () => {
    const scene = await createScene(linking);
    const page = scene.page(GRACE);
    const first = await page.link(await linking.world.browser(GRACE));
    const rows = await scene.links();
    const attempt = await page.beginLink();
    const { code } = await scene.getCodes(attempt, { as: GRACE, cookie: await scene.openFromPage(attempt) });
    expect((await scene.redeem(GRACE, attempt, code ?? "")).expect(200).body).toEqual(first);
    const accessJwt = await scene.accessJwtOf(GRACE);
    expect((await scene.linkWithToken(GRACE, accessJwt)).expect(200).body).toEqual(first);
    expect(await scene.links()).toEqual(rows);
    expect(await scene.linkEvents()).toEqual(["link.created"]);
  });

  it("renews the label when the identity's e-mail has changed, and says so in the audit log", async () => {
    const scene = await createScene(linking);
    const before = await scene.page(GRACE).link(await linking.world.browser(GRACE));
    const renamed = { ...GRACE, email: "grace.hopper@acme.example" };
    const after = { ...before, email: renamed.email };
    expect((await scene.linkWithToken(GRACE, await scene.accessJwtOf(renamed))).expect(200).body).toEqual(
      after,
    );
    expect((await scene.identify(renamed)).expect(200).body).toMatchObject({ email: renamed.email });
    expect(await scene.linkEvents()).toEqual(["link.created", "link.replaced"]);
  });

  it("links directly with a fresh Access JWT, and with the same one again to no effect", async () => {
    const scene = await createScene(linking);
    const accessJwt = await scene.accessJwtOf(GRACE);
    const link = (await scene.linkWithToken(GRACE, accessJwt)).expect(201).body;
    expect(link).toMatchObject({ accountId: GRACE.accountId, email: GRACE.email, method: "proof" });
    expect((await scene.linkWithToken(GRACE, accessJwt)).expect(200).body).toEqual(link);
    expect((await scene.identify(GRACE)).expect(200).body).toMatchObject({ accountId: GRACE.accountId });
    expect(await scene.linkEvents()).toEqual(["link.created"]);
  });

  it.each([
    ["nothing", {}],
    ["an attempt without its code", { attempt: "x" }],
    ["both kinds of proof", { attempt: "x", code: "y", accessJwt: "z" }],
    ["an account to link to", { accessJwt: "z", accountId: ADA.accountId }],
    ["an empty code", { attempt: "x", code: "" }],
    ["a code that isn't text", { attempt: "x", code: 1 }],
    ["a token that isn't text", { accessJwt: ["z"] }],
  ])("refuses %s as proof", async (_what, body) => {
    const scene = await createScene(linking);
    expectProblem(await scene.page(GRACE).send("POST", "/api/v1/me/links", body), 422, "validation_failed");
    expect(await scene.links()).toEqual([]);
  });

  it("lets one account hold several identities, oldest first, each removable alone", async () => {
    const scene = await createScene(linking);
    const atWork = createPerson("Grace at work", { email: "grace@acme.example" });
    const atHome = createPerson("Grace at home", { email: "grace@home.example" });
    for (const identity of [atWork, atHome]) {
      await scene.page(GRACE).link(await linking.world.browser(identity), identity);
    }
    const links = await scene.page(GRACE).listLinks();
    expect(links.map(({ email }) => email)).toEqual([atWork.email, atHome.email]);
    for (const identity of [atWork, atHome]) {
      expect((await scene.identify(identity)).expect(200).body).toMatchObject({ accountId: GRACE.accountId });
    }
    (await scene.page(GRACE).send("DELETE", `/api/v1/me/links/${links[0]!.id}`)).expect(204);
    expect(await scene.page(GRACE).listLinks()).toMatchObject([{ id: links[1]!.id, email: atHome.email }]);
    expectProblem(await scene.identify(atWork), 404, "not_linked");
    (await scene.identify(atHome)).expect(200);
  });

  it("keeps the link in Jira and the one in Confluence apart", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    await scene.page(GRACE).link(await linking.world.browser(GRACE));
    expect(await scene.page(GRACE, "confluence").listLinks()).toEqual([]);
    expectProblem(await scene.identify(GRACE, "confluence"), 404, "not_linked");

    // The same identity may even be somebody else there.
    await scene.page(LINUS, "confluence").link(await linking.world.browser(GRACE), GRACE);
    expect((await scene.identify(GRACE, "jira")).body).toMatchObject({
      accountId: GRACE.accountId,
      product: "jira",
    });
    expect((await scene.identify(GRACE, "confluence")).body).toMatchObject({
      accountId: LINUS.accountId,
      product: "confluence",
    });

    await scene.page(GRACE).unlinkAll();
    expectProblem(await scene.identify(GRACE, "jira"), 404, "not_linked");
    expect(await scene.page(LINUS, "confluence").listLinks()).toHaveLength(1);
  });

  it("unlinks at once, and links again as new", async () => {
    const scene = await createScene(linking);
    const page = scene.page(GRACE);
    const first = await page.link(await linking.world.browser(GRACE));
    (await page.send("DELETE", `/api/v1/me/links/${first.id}`)).expect(204);
    expect(await page.listLinks()).toEqual([]);
    expectProblem(await scene.identify(GRACE), 404, "not_linked");
    expectProblem(await page.send("DELETE", `/api/v1/me/links/${first.id}`), 404, "not_found");

    const second = await page.link(await linking.world.browser(GRACE));
    expect(second.id).not.toBe(first.id);
    expect((await scene.identify(GRACE)).expect(200).body).toMatchObject({ accountId: GRACE.accountId });
    expect(await scene.linkEvents()).toEqual(["link.created", "link.removed", "link.created"]);
  });

  it("can be removed by their holder while the app is paused", async () => {
    const scene = await createScene(linking);
    const link = await scene.page(GRACE).link(await linking.world.browser(GRACE));
    await scene.page(ADA).saveSettings({ paused: true });
    (await scene.page(GRACE).send("DELETE", `/api/v1/me/links/${link.id}`)).expect(204);
    expect(await scene.links()).toEqual([]);
  });

  it("can be moved to another account by unlinking first", async () => {
    const scene = await createScene(linking);
    await scene.page(LINUS).link(await linking.world.browser(GRACE), GRACE);
    await scene.page(LINUS).unlinkAll();
    await scene.page(GRACE).link(await linking.world.browser(GRACE));
    expect((await scene.identify(GRACE)).expect(200).body).toMatchObject({ accountId: GRACE.accountId });
  });

  it.each(["email", "admin"])(
    "of method %s become proved ones, and the account's that proves them",
    async (method) => {
      const scene = await createScene(linking);
      await scene.page(LINUS).link(await linking.world.browser(LINUS));
      const [{ id } = {}] = await scene.links();
      // No route makes such links yet.
      await linking.database.execute("UPDATE links SET method = ?, email = 'old@acme.example' WHERE id = ?", [
        method,
        id,
      ]);
      const proved = { method: "proof", email: LINUS.email, id };
      const link = async () => {
        const accessJwt = await scene.accessJwtOf(LINUS);
        return scene.linkWithToken(GRACE, accessJwt);
      };
      expect((await link()).expect(201).body).toMatchObject({ ...proved, accountId: GRACE.accountId });
      expect((await link()).expect(200).body).toMatchObject({ ...proved, accountId: GRACE.accountId });
      expect(await scene.links()).toHaveLength(1);
      expect(await scene.linkEvents()).toEqual(["link.created", "link.replaced"]);
    },
  );
});

it.each([
  ["PUT", "/api/v1/me", "GET, HEAD"],
  ["GET", "/api/v1/me/link-attempts", "POST"],
  ["GET", "/api/v1/me/links", "POST"],
  ["GET", "/api/v1/me/links/some-id", "DELETE"],
  ["GET", "/api/v1/me/links/some-id/confirm", "POST"],
  ["GET", "/api/v1/me/consents/some-id", "PUT, DELETE"],
  ["GET", "/api/v1/me/news/seen", "POST"],
  ["POST", "/api/v1/me/activity", "GET, HEAD"],
])("answers %s %s with the methods that there are", async (method, path, allow) => {
  const scene = await createScene(linking);
  const reply = await scene.page(GRACE).send(method, path);
  expectProblem(reply, 405, "method_not_allowed");
  expect(reply.headers.allow).toBe(allow);
});

it("does all of it below the path of its public URL", async () => {
  const probe = await listen(() => Promise.resolve(), {});
  await probe.close();
  const appUrl = `http://localhost:${probe.port}/tools/access`;
  const behindPath = await startLinkingWorld({ ports: { app: probe.port }, env: { BASE_URL: appUrl } });
  try {
    const { world } = behindPath;
    const { client } = world.parts;
    (await world.site.install("jira", appUrl)).expect(204);
    const pageOf = (person: typeof ADA) =>
      new AppPage({ client, appUrl, site: world.site, product: "jira", person });
    await pageOf(ADA).saveSettings({ teamDomain: world.team.domain, services: SERVICES });

    const page = pageOf(GRACE);
    const attempt = await page.beginLink();
    expect(attempt.url).toBe(`${appUrl}/link/start/${attempt.id}`);
    const browser = await world.browser(GRACE);
    const popup = await page.openPopup(attempt, browser);
    expect(popup.call.url).toBe(`${appUrl}/access/link/${attempt.id}`);
    expect(popup.text).toContain('href="/tools/access/public/');
    const codes = readCodes((await browser.submit({})).expect(200));
    expect(codes.code).toMatch(SECRET);
    const link = await page.finishLink(attempt, codes.typedCode);
    expect(await page.listLinks()).toMatchObject([{ id: link.id }]);
    await page.unlinkAll();
    expect(await page.listLinks()).toEqual([]);
    expectProblem(
      await client.send({
        caller: "A browser",
        method: "GET",
        url: `${world.appUrl}/link/start/${attempt.id}`,
      }),
      404,
      "not_found",
    );
  } finally {
    await behindPath.close();
  }
});

function textOf(reply: Reply): string {
  return reply.text
    .replace(/<[^>]+>/g, " ")
    .replace(/&[^;]+;/g, "'")
    .replace(/\s+/g, " ")
    .replace(/ ([.,;)])/g, "$1")
    .replaceAll("( ", "(");
}

/** What the popup's page carries without a script; empty where there is no code. */
function readCodes(reply: Reply): { code: string; typedCode: string } {
  const [, attributes = "", typedCode = ""] = /<output([^>]*)>([^<]*)<\/output>/.exec(reply.text) ?? [];
  expect(attributes).toContain('id="link-code"');
  return { code: /data-code="([^"]*)"/.exec(attributes)?.[1] ?? "missing", typedCode: typedCode.trim() };
}
