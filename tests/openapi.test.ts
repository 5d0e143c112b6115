import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { confirmInPopup, readTypedCode, type AppPage } from "../sandbox/app-page.js";
import { visibleText } from "../sandbox/html.js";
import type { Reply } from "../sandbox/http-client.js";
import type { Claims } from "../sandbox/jwt.js";
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
import { SERVICES, startWorld, type World } from "../sandbox/world.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import * as schemas from "../src/web/api-schemas.js";
import { ROUTE_PATTERNS } from "../src/web/route-pattern.js";
import { agree, consentPath, READER, readStanding, withdraw } from "./consents.fixture.js";
import {
  openapiDocument,
  listReferences,
  listSchemas,
  type OpenapiDocument,
  type Operation,
} from "./openapi.fixture.js";

/** What each call answers when it succeeds; null stands for no body. */
const ANSWERS: Readonly<Record<string, z.ZodType | null>> = {
  "GET /api/v1/settings 200": schemas.settings,
  "PUT /api/v1/settings 200": schemas.settings,
  "POST /api/v1/settings/check 200": schemas.teamCheck,
  "POST /api/v1/settings/popup-check 200": schemas.popupCheck,
  "GET /api/v1/links 200": schemas.pageOf(schemas.link),
  "DELETE /api/v1/links/{id} 204": null,
  "POST /api/v1/links/{id}/restore 200": schemas.link,
  "GET /api/v1/audit 200": schemas.pageOf(schemas.auditItem),
  "GET /api/v1/me 200": schemas.me,
  "POST /api/v1/me/link-attempts 201": schemas.linkAttempt,
  "POST /api/v1/me/links 201": schemas.link,
  "POST /api/v1/me/links 200": schemas.link,
  "DELETE /api/v1/me/links/{id} 204": null,
  "PUT /api/v1/me/consents/{serviceId} 204": null,
  "DELETE /api/v1/me/consents/{serviceId} 204": null,
  "POST /access/link/{attempt} 200": schemas.popupCodes,
  "POST /access/link/{attempt} 204": null,
  "GET /api/v1/sites/{site}/identity 200": schemas.identity,
};

let world: World;
/** Everything that the app was asked, from its installation on. */
const replies: Reply[] = [];
let document: OpenapiDocument;

beforeAll(async () => {
  world = await startWorld({ hasEdge: false });
  world.parts.client.observer = {
    called: () => undefined,
    answered: (_call, reply) => {
      if (reply?.call.url.startsWith(world.appUrl)) replies.push(reply);
    },
  };
  document = openapiDocument.parse((await get("/openapi.json")).expect(200).body);
  await tellStory();
  await makeMistakes();
  await meetObstacles();
});
afterAll(() => world.close());

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

  it("names for every call its credentials, which are explained, a success and its refusals", () => {
    for (const { name, operation } of operations()) {
      const schemes = operation.security.flatMap((requirement) => Object.keys(requirement));
      expect(Object.keys(document.components.securitySchemes), name).toEqual(expect.arrayContaining(schemes));
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.filter((status) => status.startsWith("2")),
        name,
      ).not.toEqual([]);
      expect(statuses, name).toEqual(expect.arrayContaining(["401", "500", "503"]));
    }
  });

  it("lists the calls of the API, all of them, and none that isn't there", async () => {
    const answered: string[] = [];
    for (const pattern of ROUTE_PATTERNS.filter(
      (each) => each.startsWith("/api/") || each.startsWith("/access/"),
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
      const { name, operation } = findOperation(reply) ?? {};
      const key = `${name ?? ""} ${reply.status}`;
      // Whatever isn't part of the API, and the pages that some calls answer a browser.
      if (!operation || !(isJson(reply) || reply.text === "")) continue;
      expect(Object.keys(operation.responses), key).toContain(String(reply.status));
      const schema = reply.status < 400 ? ANSWERS[key] : schemas.problem;
      if (schema === null) expect(reply.text, key).toBe("");
      else expect(schema?.safeParse(reply.body).error?.issues, `${key}: ${reply.text}`).toBeUndefined();
    }
  });

  it("every success of its own that openapi.json promises was seen", () => {
    const seen = replies.filter(isJson).concat(replies.filter(({ text }) => text === ""));
    const keys = new Set(seen.map((reply) => `${findOperation(reply)?.name ?? ""} ${reply.status}`));
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

  it("every refusal is one that openapi.json announces for that call", () => {
    const refusals = replies.filter(({ status }) => status >= 400);
    expect(refusals.length).toBeGreaterThan(50);
    for (const reply of refusals) {
      const found = findOperation(reply);
      if (!found) continue;
      const { code } = reply.body as { code: ProblemCode };
      const announced = found.operation.responses[reply.status]?.description ?? "";
      expect(announced, `${found.name} ${reply.status} ${code}`).toContain(`\`${code}\``);
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
  await withdraw(page);

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
  const expectCode = async (reply: Promise<Reply>, code: ProblemCode) =>
    expect((await reply).body).toMatchObject({ code });

  await expectCode(saveNothing(), "version_conflict");
  await expectCode(link(GRACE, {}, LINUS), "already_linked");
  await expectCode(link(GRACE, { iat: 1_700_000_000 }), "token_too_old");
  await expectCode(link(NIGHTLY_BUILD), "service_token");
  await admin.saveSettings({ paused: true });
  await expectCode(identify(GRACE), "paused");
  await expectCode(link(GRACE), "paused");
  await expectCode(page.send("POST", "/api/v1/me/link-attempts"), "paused");
  await admin.saveSettings({ paused: false, services: [] });
  await expectCode(page.send("POST", "/api/v1/me/link-attempts"), "purpose_not_allowed");
  await admin.saveSettings({ services: SERVICES });
  for (let nth = 0; nth < 20; nth++) await page.send("POST", "/api/v1/me/link-attempts");
  await expectCode(page.send("POST", "/api/v1/me/link-attempts"), "rate_limited");

  await world.page(GRACE, "confluence").send("GET", "/api/v1/me");
  await world.page(ADA, "confluence").saveSettings({ teamDomain: team.domain, services: SERVICES });
  await world.page(LINUS, "confluence").link(await world.browser(GRACE));
  await expectCode(identify(GRACE), "ambiguous_site");

  team.behaviour.off = true;
  await team.rotateKeys();
  await expectCode(identify(GRACE), "keys_unavailable");
  await expectCode(link(GRACE), "keys_unavailable");
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

interface NamedOperation {
  /** `GET /api/v1/me` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function operations(): NamedOperation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      return { name: `${method} ${path}`, method, path, operation };
    }),
  );
}

function findOperation({ call }: Reply): NamedOperation | undefined {
  const { pathname } = new URL(call.url);
  return operations().find(
    ({ method, path }) =>
      method === call.method && new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`).test(pathname),
  );
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

function isJson({ headers }: Reply): boolean {
  return /^application\/(?:problem\+)?json\b/.test(headers["content-type"] ?? "");
}
