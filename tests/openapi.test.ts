import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { confirmInPopup, readTypedCode, type AppPage } from "../sandbox/app-page.js";
import { visibleText } from "../sandbox/html.js";
import type { Reply } from "../sandbox/http-client.js";
import type { Claims } from "../sandbox/jwt.js";
import {
  findOperation,
  listAnnounced,
  listOperations,
  listReferences,
  listSchemas,
  openapiDocument,
  type NamedOperation,
  type OpenapiDocument,
  type Operation,
} from "../sandbox/openapi.fixture.js";
import {
  ADA,
  CLEO,
  DORA,
  GRACE,
  LINUS,
  NIGHTLY_BUILD,
  type Person,
  type ServiceToken,
} from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES, type World } from "../sandbox/world.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import * as schemas from "../src/web/api-schemas.js";
import { toJsonSchema } from "../src/web/openapi-operation.js";
import { ROUTE_PATTERNS } from "../src/web/route-pattern.js";
import { agree, consentPath, READER, readStanding, withdraw } from "./consents.fixture.js";
import { ForgeWorld } from "./forge.fixture.js";
import { isTriedElsewhere, listUntried } from "./openapi-elsewhere.fixture.js";

/** What each call answers when it succeeds; null stands for no body. */
const ANSWERS: Readonly<Record<string, z.ZodType | null>> = {
  "GET /api/v1/settings 200": schemas.settings,
  "PUT /api/v1/settings 200": schemas.settings,
  "POST /api/v1/settings/check 200": schemas.teamCheck,
  "POST /api/v1/settings/popup-check 200": schemas.popupCheck,
  "POST /api/v1/settings/assertion-keys/rotate 200": schemas.signingKey,
  "GET /api/v1/settings/predecessor 200": schemas.predecessor,
  "POST /api/v1/settings/predecessor/take-over 200": schemas.settings,
  "GET /api/v1/services 200": schemas.pageOf(schemas.serviceOverview),
  "POST /api/v1/services/{serviceId}/keys 201": schemas.createdServiceKey,
  "DELETE /api/v1/services/{serviceId}/keys/{keyId} 204": null,
  "GET /api/v1/links 200": schemas.pageOf(schemas.link),
  "DELETE /api/v1/links/{id} 204": null,
  "POST /api/v1/links/{id}/restore 200": schemas.link,
  "GET /api/v1/audit 200": schemas.pageOf(schemas.auditItem),
  "GET /api/v1/me 200": schemas.me,
  "POST /api/v1/me/link-attempts 201": schemas.linkAttempt,
  "POST /api/v1/me/links 201": schemas.link,
  "POST /api/v1/me/links 200": schemas.link,
  "DELETE /api/v1/me/links/{id} 204": null,
  "POST /api/v1/me/links/{id}/confirm 200": schemas.link,
  "POST /api/v1/me/news/seen 204": null,
  "GET /api/v1/me/activity 200": schemas.pageOf(schemas.activity),
  "PUT /api/v1/me/consents/{serviceId} 204": null,
  "DELETE /api/v1/me/consents/{serviceId} 204": null,
  "POST /api/v1/me/assertions 201": schemas.assertion,
  "POST /access/link/{attempt} 200": schemas.popupCodes,
  "POST /access/link/{attempt} 204": null,
  "GET /api/v1/sites/{site}/identity 200": schemas.identity,
  "GET /sites/{site}/jira/jwks.json 200": schemas.publicKeys,
  "GET /sites/{site}/confluence/jwks.json 200": schemas.publicKeys,
};

/** The demo service, once pages tell it who looks at them. */
const ASSERTED = { purposes: ["identify", "assert"] } as const;

let forge: ForgeWorld;
let world: World;
/** Everything that the app was asked, from its installation on. */
const replies: Reply[] = [];
let document: OpenapiDocument;

beforeAll(async () => {
  forge = await ForgeWorld.start({ siteCount: 2 });
  ({ world } = forge.tenants);
  world.parts.client.observer = {
    called: () => undefined,
    answered: (_call, reply) => {
      if (reply?.call.url.startsWith(world.appUrl)) replies.push(reply);
    },
  };
  document = openapiDocument.parse((await get("/openapi.json")).expect(200).body);
  await tellStory();
  await takeOver();
  await makeMistakes();
  await meetObstacles();
});
afterAll(() => forge.close());

describe("openapi.json", () => {
  it("is OpenAPI 3.1 that says where the app is", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.servers).toEqual([{ url: world.appUrl }]);
  });

  it("refers to nothing that isn't there", () => {
    const references = listReferences(document);

    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) expect(resolve(reference), reference).toBeDefined();
  });

  it("has schemas that programs can use: patterns compile, and what is required exists", () => {
    for (const schema of listSchemas(document)) {
      expect(() => new RegExp(schema.pattern ?? "", "u")).not.toThrow();
      expect(Object.keys(schema.properties ?? {})).toEqual(
        expect.arrayContaining([...(schema.required ?? [])]),
      );
    }
  });

  it("declares each parameter of each path once, and each path for good reason", () => {
    for (const { name, path, operation } of operations()) {
      const parameters = operation.parameters ?? [];
      const inPath = parameters
        .filter((parameter) => parameter.in === "path")
        .map((parameter) => parameter.name);
      expect(inPath.sort(), name).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter).sort(),
      );
      expect(new Set(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).size).toBe(
        parameters.length,
      );
    }
  });

  it("gives every call a name of its own", () => {
    const names = operations().map(({ operation }) => operation.operationId);

    expect(new Set(names).size).toBe(names.length);
  });

  it("names for every call its credentials, which are explained, a success and its refusals", () => {
    for (const { name, operation } of operations()) {
      const schemes = operation.security.flatMap((requirement) => Object.keys(requirement));
      expect(Object.keys(document.components.securitySchemes), name).toEqual(expect.arrayContaining(schemes));
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.filter((status) => status.startsWith("2")),
        name,
      ).not.toEqual([]);
      expect(statuses, name).toEqual(expect.arrayContaining(["429", "500", "503"]));
      expect(statuses.includes("401"), name).toBe(schemes.length > 0);
    }
  });

  it("lists the calls of the API, all of them, and none that isn't there", async () => {
    const answered: string[] = [];
    for (const pattern of ROUTE_PATTERNS.filter(
      (each) => each.startsWith("/api/") || each.startsWith("/access/") || each.startsWith("/sites/"),
    )) {
      for (const method of ["GET", "PUT", "POST", "PATCH", "DELETE"]) {
        if (await isAnswered(method, pattern))
          answered.push(`${method} ${pattern.replace(/:(\w+)/g, "{$1}").replace("*", "{path}")}`);
      }
    }

    const pages = ["GET /access/link/{attempt}"];
    expect(answered.sort()).toEqual([...operations().map(({ name }) => name), ...pages].sort());
  });
});

describe("of a whole story, with its mistakes,", () => {
  it("every answer is exactly what openapi.json says it is", () => {
    for (const reply of replies) {
      const { name, operation } = operationOf(reply) ?? {};
      const key = `${name ?? ""} ${reply.status}`;
      // Whatever isn't part of the API, and the pages that some calls answer a browser.
      if (!operation || isPassedOn(reply) || !(isJson(reply) || reply.text === "")) continue;
      expect(Object.keys(operation.responses), key).toContain(String(reply.status));
      const schema = reply.status < 400 ? ANSWERS[key] : schemas.problem;
      if (schema === null) expect(reply.text, key).toBe("");
      else expect(schema?.safeParse(reply.body).error?.issues, `${key}: ${reply.text}`).toBeUndefined();
    }
  });

  it("every success of its own that openapi.json promises was seen", () => {
    const seen = replies.filter(isJson).concat(replies.filter(({ text }) => text === ""));
    const keys = new Set(seen.map((reply) => `${operationOf(reply)?.name ?? ""} ${reply.status}`));
    // What a product answers to whoever acts there is not the app's own.
    const own = operations().filter(({ path }) => !path.endsWith("/{path}"));
    const promised = own.flatMap(({ name, operation }) =>
      Object.keys(operation.responses)
        .filter((status) => status.startsWith("2"))
        .map((status) => `${name} ${status}`),
    );

    expect(Object.keys(ANSWERS).sort()).toEqual(promised.sort());
    expect([...keys]).toEqual(expect.arrayContaining(promised));
  });

  it("every success is announced with the shape that it was seen to have", () => {
    const announced = operations().flatMap(({ name, path, operation }) =>
      Object.entries(operation.responses).flatMap(([status, { content = null }]) =>
        status.startsWith("2") && !path.endsWith("/{path}") ? [[`${name} ${status}`, content]] : [],
      ),
    );

    const expected = Object.entries(ANSWERS).map(([key, schema]) => [
      key,
      schema && {
        "application/json": { schema: JSON.parse(JSON.stringify(toJsonSchema(schema))) as unknown },
      },
    ]);
    expect(Object.fromEntries(announced)).toEqual(Object.fromEntries(expected));
  });

  it("every refusal is one that openapi.json announces for that call", () => {
    const refusals = replies.filter(({ status }) => status >= 400);
    expect(refusals.length).toBeGreaterThan(50);
    for (const reply of refusals) {
      const found = operationOf(reply);
      if (!found || isPassedOn(reply)) continue;
      const { code } = reply.body as { code: ProblemCode };
      expect(listAnnounced(found.operation), found.name).toContain(`${reply.status} ${code}`);
      expect(found.operation.responses[reply.status]?.description).toContain(`\`${code}\``);
    }
  });

  it("every refusal that openapi.json announces was seen, or is tried elsewhere for a reason", () => {
    const seen = new Set(
      replies.map((reply) => {
        const { code } = (isJson(reply) ? reply.body : {}) as { code?: string };
        return `${operationOf(reply)?.name ?? ""} ${code ?? ""}`;
      }),
    );
    const announced = operations().flatMap(({ name, operation }) =>
      listAnnounced(operation).map((each) => [name, each.replace(/^\d+ /, "")] as const),
    );
    const unseen = announced.filter(([name, code]) => !seen.has(`${name} ${code}`));

    const surprising = unseen.filter(([name, code]) => !isTriedElsewhere(name, code));
    expect(surprising.map((each) => each.join(" "))).toEqual([]);
    expect(listUntried()).toEqual([]);
  });

  it("every answer has the headers that openapi.json promises, and none of those that say where it is from", () => {
    for (const reply of replies) {
      const { name, operation } = operationOf(reply) ?? {};
      const response = operation?.responses[reply.status];
      if (!response || isPassedOn(reply)) continue;
      for (const header of Object.keys(response.headers)) {
        const isOfProduct = header === "X-Gateway-Upstream";
        expect(header.toLowerCase() in reply.headers, `${name ?? ""} ${header}`).toBe(!isOfProduct);
      }
    }
  });
});

describe("of acting calls,", () => {
  it("every status may be the product's, and says how to tell; no other call's may", () => {
    for (const { path, operation } of operations()) {
      const marks = Object.values(operation.responses).map(({ headers }) => "X-Gateway-Upstream" in headers);
      expect(new Set(marks), path).toEqual(new Set([path.endsWith("/{path}")]));
    }
  });

  it("the query is the product's: any parameters, each by its own name", () => {
    for (const { path, operation } of operations().filter((each) => each.path.endsWith("/{path}"))) {
      const query = operation.parameters?.find((parameter) => parameter.in === "query");
      const schema = { type: "object", additionalProperties: { type: "string" } };
      expect(query, path).toMatchObject({ required: false, style: "form", explode: true, schema });
    }
  });
});

describe("/problems", () => {
  const entries = Object.entries(PROBLEMS) as [ProblemCode, (typeof PROBLEMS)[ProblemCode]][];

  it("lists every code with its cause and its fix, for programs", async () => {
    const { body } = (await get("/problems", "application/json")).expect(200);

    expect(body).toEqual({
      items: entries.map(([code, problem]) => ({ code, ...problem })),
      nextCursor: null,
    });
  });

  it("lists them for people, each where the type of the problem leads", async () => {
    const { text, headers } = (await get("/problems", "text/html")).expect(200);

    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    for (const [code, { title, cause, fix }] of entries) {
      const [, section = ""] = new RegExp(`<section id="${code}"[^>]*>(.*?)</section>`, "s").exec(text) ?? [];
      for (const part of [code, title, cause, fix]) expect(visibleText(section)).toContain(part);
    }
  });
});

async function tellStory(): Promise<void> {
  const { team } = world;
  const [admin, page] = [world.page(ADA), world.page(GRACE)];
  await world.install("jira");
  await page.send("GET", "/api/v1/me");
  await world.prepare();
  await admin.saveSettings({
    allowedEmailDomains: ["acme.example", "*.acme.example"],
    services: (await admin.getSettings()).services.map((service) => ({
      ...service,
      limits: {
        requests: [{ methods: ["GET"], path: "/rest/**" }],
        maxTokenAgeSeconds: 3600,
        ipAddresses: ["::1"],
        consent: "given",
      },
    })),
  });
  await admin.send("POST", "/api/v1/settings/popup-check");
  for (const teamDomain of [null, "nobody", "unknown.cloudflareaccess.com", team.domain]) {
    await admin.send("POST", "/api/v1/settings/check", { teamDomain });
  }

  await world.link(GRACE);
  await page.send("GET", "/api/v1/me");
  const accessJwt = await team.signAccessJwt(GRACE, AUDIENCES.app);
  await page.send("POST", "/api/v1/me/links", { accessJwt });
  await world
    .page(LINUS)
    .send("POST", "/api/v1/me/links", { accessJwt: await team.signAccessJwt(LINUS, AUDIENCES.app) });
  await world.identify(await team.signAccessJwt(GRACE, AUDIENCES.demo), { product: "jira" });
  await vi.waitFor(
    async () => expect((await page.listLinks())[0]).not.toMatchObject({ lastUsedAt: null }),
    5_000,
  );

  const { services } = await admin.getSettings();
  const acting = services.map((service) => ({
    ...service,
    ...(service.audience === AUDIENCES.demo && READER),
  }));
  await admin.saveSettings({ services: acting });
  await agree(page);
  await expectConsentChanged(page);
  await actAs(GRACE);
  await seeWhatWasDone(page);
  await keepOthersOut(admin);
  await withdraw(page);

  await admin.saveSettings({
    services: acting.map((each) => (each.audience === AUDIENCES.demo ? { ...each, ...ASSERTED } : each)),
  });
  const { serviceId } = await readStanding(page);
  await expectRefusal(page.send("POST", "/api/v1/me/assertions", { serviceId }), "consent_required");
  await agree(page);
  await page.send("POST", "/api/v1/me/assertions", { serviceId });
  await page.send("POST", "/api/v1/me/assertions", { serviceId: "unknown" });
  await expectRefusal(world.page(CLEO).send("POST", "/api/v1/me/assertions", { serviceId }), "not_linked");
  await admin.send("POST", "/api/v1/settings/assertion-keys/rotate");

  // Linus' identity turns up in a window that Ada's page opened, which offers to remove his own link instead.
  const browser = await world.browser(LINUS);
  await admin.openPopup(await admin.beginLink(), browser, LINUS);
  await readTypedCode(browser);
  await confirmInPopup(browser);
  await browser.submit({ action: "link", typed: "true" }, "application/json");
  await browser.submit({ action: "remove" }, "application/json");

  const links = (await admin.send("GET", "/api/v1/links?limit=1&query=acme")).body as {
    items: { id: string }[];
  };
  await admin.send("GET", "/api/v1/audit?limit=2");
  await admin.send("GET", "/api/v1/audit?limit=200&from=2020-01-01T00:00:00Z");
  const link = `/api/v1/links/${links.items[0]?.id ?? ""}`;
  await admin.send("DELETE", link);
  await admin.send("POST", `${link}/restore`);
  await admin.send("DELETE", link);
  await world.link(GRACE);
  await page.unlinkAll();
  await world.link(GRACE);
}

/** From the app as another site has it through Connect. */
async function takeOver(): Promise<void> {
  const connect = world.parts.sites[1]!;
  await world.install("jira", connect);
  await forge.tenants.waitUntilProven(connect);
  const site = forge.site({ siteUrl: connect.url });
  const path = "/api/v1/settings/predecessor";
  const asAdmin = { headers: forge.userToken(site, ADA), path };
  const post = { ...asAdmin, path: `${path}/take-over`, method: "POST", body: { version: 0 } };
  expect((await forge.page(site, ADA, asAdmin)).expect(200).body).toMatchObject({ available: true });
  await expectRefusal(forge.page(site, ADA, { ...post, body: { version: 1 } }), "version_conflict");
  (await forge.page(site, ADA, post)).expect(200);
  await expectRefusal(forge.page(site, ADA, post), "not_found");
  expect((await forge.page(site, ADA, asAdmin)).expect(200).body).toMatchObject({ available: false });
}

async function actAs(person: Person): Promise<void> {
  const token = await world.team.signAccessJwt(person, AUDIENCES.demo);
  const reply = await world.parts.client.send({
    caller: "A service",
    method: "GET",
    url: `${world.appUrl}/api/v1/sites/${world.site.host}/jira/rest/api/3/issue/SAND-1`,
    headers: { authorization: `Bearer ${token}` },
  });
  reply.expect(200);
}

async function seeWhatWasDone(page: AppPage): Promise<void> {
  await vi.waitFor(async () => {
    const { body } = (await page.send("GET", "/api/v1/me")).expect(200);
    expect(body).toMatchObject({ news: [{ type: "acted" }, { type: "linked" }], services: [{ calls: 1 }] });
  }, 5_000);
  const { body } = (await page.send("GET", "/api/v1/me/activity?limit=1")).expect(200);
  expect(body).toMatchObject({ items: [{ status: 200 }] });
  const [link] = await page.listLinks();
  const confirm = `/api/v1/me/links/${link?.id ?? ""}/confirm`;
  (await page.send("POST", confirm, { email: GRACE.email })).expect(200);
  expect((await page.send("POST", confirm, { email: "x" })).body).toMatchObject({ code: "consent_changed" });
  (await page.send("POST", "/api/v1/me/news/seen", { until: new Date().toISOString() })).expect(204);
}

/** With keys of the demo service, of which there may be two. */
async function keepOthersOut(admin: AppPage): Promise<void> {
  const { services } = await admin.getSettings();
  const path = `/api/v1/services/${services.find(({ audience }) => audience === AUDIENCES.demo)?.id ?? ""}/keys`;
  const keys = [await admin.send("POST", path), await admin.send("POST", path)];
  await expectRefusal(admin.send("POST", path), "validation_failed");
  const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
  await expectRefusal(world.identify(token), "service_key_required");
  await admin.send("GET", "/api/v1/services");
  for (const { body } of keys) {
    (await admin.send("DELETE", `${path}/${(body as { id: string }).id}`)).expect(204);
  }
  await expectRefusal(admin.send("DELETE", `${path}/unknown`), "not_found");
}

async function expectRefusal(reply: Promise<Reply>, code: ProblemCode): Promise<void> {
  expect((await reply).body).toMatchObject({ code });
}

async function expectConsentChanged(page: AppPage): Promise<void> {
  const { serviceId } = await readStanding(page);
  const reply = await page.send("PUT", consentPath(serviceId), { digest: "0".repeat(64) });
  expect(reply.body).toMatchObject({ code: "consent_changed" });
}

/** Every call without credentials, with those of the wrong people, and with bodies and queries of all kinds. */
async function makeMistakes(): Promise<void> {
  for (const { method, path, operation } of operations()) {
    const url = `${world.appUrl}${fill(path)}`;
    const query = operation.parameters?.some((parameter) => parameter.in === "query")
      ? "?limit=x&product=x&cursor=x"
      : "";
    for (const headers of await listCredentials(operation)) {
      const call = { caller: "Somebody", method, url, headers };
      await world.parts.client.send(call);
      await world.parts.client.send({ ...call, url: `${url}${query}` });
      if (!operation.requestBody) continue;
      const json = { ...headers, "content-type": "application/json" };
      for (const body of ["{", '{"nonsense":1}', "[]", " ".repeat(70_000)]) {
        await world.parts.client.send({ ...call, headers: json, body });
      }
      await world.parts.client.send({
        ...call,
        headers: { ...headers, "content-type": "text/plain" },
        body: "x",
      });
    }
  }
}

/** What stands in the way of people who do everything right. */
async function meetObstacles(): Promise<void> {
  const { site, team } = world;
  const [admin, page] = [world.page(ADA), world.page(GRACE)];
  const link = async (holder: Person | ServiceToken, claims: Claims = {}, account = GRACE) =>
    world.page(account).send("POST", "/api/v1/me/links", {
      accessJwt: await team.signAccessJwt(holder, AUDIENCES.app, { claims }),
    });
  const identify = async (holder: Person) => world.identify(await team.signAccessJwt(holder, AUDIENCES.demo));
  const saveNothing = async () =>
    admin.send("PUT", "/api/v1/settings", { teamDomain: null, services: [], version: 1 });

  await expectRefusal(saveNothing(), "version_conflict");
  await expectRefusal(link(GRACE, {}, LINUS), "already_linked");
  await expectRefusal(link(GRACE, { iat: 1_700_000_000 }), "token_too_old");
  await expectRefusal(link(NIGHTLY_BUILD), "service_token");
  await admin.saveSettings({ paused: true });
  await expectRefusal(identify(GRACE), "paused");
  await expectRefusal(link(GRACE), "paused");
  await expectRefusal(page.send("POST", "/api/v1/me/link-attempts"), "paused");
  await admin.saveSettings({ paused: false, services: [] });
  await expectRefusal(page.send("POST", "/api/v1/me/link-attempts"), "purpose_not_allowed");
  await admin.saveSettings({ services: SERVICES });
  for (let nth = 0; nth < 20; nth++) await page.send("POST", "/api/v1/me/link-attempts");
  await expectRefusal(page.send("POST", "/api/v1/me/link-attempts"), "rate_limited");

  await world.page(GRACE, "confluence").send("GET", "/api/v1/me");
  await world.page(ADA, "confluence").saveSettings({ teamDomain: team.domain, services: SERVICES });
  await world.page(LINUS, "confluence").link(await world.browser(GRACE));
  await expectRefusal(identify(GRACE), "ambiguous_site");

  team.behaviour.off = true;
  await team.rotateKeys();
  await expectRefusal(identify(GRACE), "keys_unavailable");
  await expectRefusal(link(GRACE), "keys_unavailable");
  site.behaviour.failing = true;
  for (const { method, path, operation } of operations()) {
    if (operation.security.some((requirement) => "contextJwt" in requirement)) {
      await world.page(CLEO).send(method, fill(path), operation.requestBody && {});
    }
  }
}

async function listCredentials({ security }: Operation): Promise<Record<string, string>[]> {
  const [person, machine] = [GRACE, world.team.serviceTokens[0]!];
  if (security.some((requirement) => "contextJwt" in requirement)) {
    const expired = { claims: { iat: 1_700_000_000, exp: 1_700_000_900 } };
    const tokens = [
      await world.site.contextJwt("jira", ADA.accountId),
      await world.site.contextJwt("jira", person.accountId),
      await world.site.contextJwt("jira", person.accountId, expired),
      await world.site.contextJwt("jira", DORA.accountId),
      "nonsense",
    ];
    return [{}, ...tokens.map((token) => ({ authorization: `JWT ${token}` }))];
  }
  const sign = world.team.signAccessJwt.bind(world.team);
  const tokens = [
    await sign(person, AUDIENCES.app),
    await sign(person, AUDIENCES.demo),
    await sign(LINUS, AUDIENCES.demo),
    await sign(machine, AUDIENCES.app),
    await sign(machine, AUDIENCES.demo),
    await sign(person, AUDIENCES.demo, { claims: { exp: 1_700_000_000 } }),
    await sign({ ...person, email: "grace@elsewhere.example" }, AUDIENCES.demo),
    "nonsense",
  ];
  const origin = new URL(world.appUrl).origin;
  const ofPage = { accept: "application/json", origin };
  return [
    {},
    ...tokens.flatMap((token) => [
      { "cf-access-jwt-assertion": token },
      { "cf-access-jwt-assertion": token, ...ofPage },
    ]),
  ];
}

/** Whether there is anything at all at a path for a method. */
async function isAnswered(method: string, pattern: string): Promise<boolean> {
  const authorization = `JWT ${await world.site.contextJwt("jira", ADA.accountId)}`;
  const url = `${world.appUrl}${fill(pattern.replace(/:(\w+)|\*/g, "{$1}"))}`;
  const { status, text } = await world.parts.client.send({
    caller: "Somebody",
    method,
    url,
    headers: { authorization },
  });
  return status !== 405 && !(status === 404 && text.includes(PROBLEMS.not_found.cause));
}

function operations(): NamedOperation[] {
  return listOperations(document);
}

function operationOf({ call }: Reply): NamedOperation | undefined {
  return findOperation(document, call);
}

/** A path with something in the place of every parameter. */
function fill(path: string): string {
  return path.replace("{site}", world.site.host).replace(/\{\w*\}/g, "x");
}

/** RFC 6901, within the document. */
function resolve(reference: string): unknown {
  const [root, ...tokens] = reference.split("/");
  expect(root).toBe("#");
  return tokens.reduce<unknown>(
    (value, token) => (value as Record<string, unknown> | undefined)?.[token],
    document,
  );
}

async function get(path: string, accept = "*/*"): Promise<Reply> {
  return world.parts.client.send({
    caller: "Somebody",
    method: "GET",
    url: `${world.appUrl}${path}`,
    headers: { accept },
  });
}

/** The product's own: whatever it is, it isn't the app's to describe. */
function isPassedOn({ headers }: Reply): boolean {
  return "x-gateway-upstream" in headers;
}

function isJson({ headers }: Reply): boolean {
  return /^application\/(?:problem\+)?json\b/.test(headers["content-type"] ?? "");
}
