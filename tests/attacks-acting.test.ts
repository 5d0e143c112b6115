import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { SettingsChanges } from "../sandbox/app-page.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import { PROBLEMS, type ProblemCode } from "../src/errors.js";
import { expectProblem } from "./refusals.fixture.js";
import { bearer, ServiceWorld, type Headers } from "./service-api.fixture.js";

let scene: ServiceWorld;
beforeAll(async () => {
  scene = await ServiceWorld.start();
});
afterAll(() => scene.close());

/** The demo service, as an admin enters it. */
const DEMO = SERVICES[1];

/** But for those in which the app, in the background, has its installation confirmed. */
function productCalls(): string[] {
  return scene.site.server.requests.filter((line) => !line.includes("/rest/atlassian-connect/"));
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Every header by which a caller may try to make it another request. */
async function disguised(): Promise<Headers> {
  return {
    ...bearer(await scene.sign(GRACE)),
    "x-http-method-override": "GET",
    "x-atlassian-token": "no-check",
    "x-forwarded-host": "evil.example",
  };
}

async function expectUnheard(path: string, methods: readonly string[], code: ProblemCode): Promise<void> {
  const headers = await disguised();
  const before = productCalls();
  for (const method of methods) {
    const reply = await scene.ask(headers, { path: `${scene.site.host}/${path}`, method });
    if (method === "HEAD") expect(reply.status).toBe(PROBLEMS[code].status);
    else expectProblem(reply, code, scene.world.appUrl);
  }
  expect(productCalls()).toEqual(before);
}

describe("a service that may only identify its visitors", () => {
  it.each([
    "jira/",
    "jira/rest/api/3/myself",
    "jira/../jira/rest/api/3/myself",
    "jira/rest/api/3/myself;x=1",
    "jira/rest/api/3/myself?jwt=x&acpt=y&os_username=z",
    "jira/http://evil.example/",
    "jira/@evil.example/rest",
  ])("gets nothing from %s, by no method, and the product isn't asked", async (path) => {
    await expectUnheard(path, METHODS, "purpose_not_allowed");
  });

  it("gets nothing more by way of limits that were saved beside its purpose", async () => {
    const everything = {
      requests: [{ methods: ["GET", "POST", "PUT", "PATCH", "DELETE"], path: "/**" }],
      maxTokenAgeSeconds: null,
      ipAddresses: [],
      consent: "given",
    };
    const services = [SERVICES[0], { ...DEMO, limits: everything }] as SettingsChanges["services"];
    const site = await scene.startSite({ ...(services && { services }) });
    await scene.link(GRACE, site);
    const before = site.server.requests.length;

    const reply = await scene.ask(bearer(await scene.sign(GRACE)), {
      path: `${site.host}/jira/rest/api/3/myself`,
    });

    expectProblem(reply, "purpose_not_allowed", scene.world.appUrl);
    expect(site.server.requests.length).toBe(before);
  });

  it.each(["confluence/rest/api/user/current", "confluence//rest/api/3/myself"])(
    "gets nothing from %s, whose product trusts nobody",
    async (path) => {
      await expectUnheard(path, METHODS, "access_jwt_untrusted");
    },
  );
});

describe("nothing stands behind", () => {
  it.each([
    "jira",
    "jira%2Frest%2Fapi%2F3%2Fmyself",
    "Jira/rest/api/3/myself",
    "bitbucket/rest/api/3/myself",
    "identity/jira/rest/api/3/myself",
    "assertion",
    "assertions",
    "jwks",
    ".well-known/jwks.json",
    ".well-known/openid-configuration",
  ])("%s, by no method, and the product isn't asked", async (path) => {
    await expectUnheard(path, [...METHODS, "OPTIONS"], "not_found");
  });
});

describe("what isn't built, or isn't allowed, has no way in:", () => {
  it.each<[what: string, changes: object, field: string, detail: RegExp]>([
    [
      "a service that links, and acts for whom it has linked",
      { services: [{ ...SERVICES[0], purposes: ["link", "act"] }, DEMO] },
      "services[0].purposes",
      /may not act for them/,
    ],
    ["links made of e-mail addresses", { matching: "email" }, "matching", /isn't built yet; only proof is/],
    [
      "a live check so seldom that it tells nothing",
      { services: [{ ...DEMO, limits: { liveCheckSeconds: 86_400 } }] },
      "services[0].limits.liveCheckSeconds",
      /or less/,
    ],
    [
      "a service key of somebody's own choice",
      { services: [{ ...DEMO, keys: [{ hash: "0".repeat(64) }] }] },
      "services[0].keys",
      /./,
    ],
  ])("%s can't be saved, and the refusal says so", async (_what, changes, field, detail) => {
    const page = scene.world.page(ADA);
    const before = await page.getSettings();

    const reply = await page.send("PUT", "/api/v1/settings", { ...before, ...changes });

    const { errors } = expectProblem(reply, "validation_failed", scene.world.appUrl);
    expect(errors?.[0]).toMatchObject({ field, detail: expect.stringMatching(detail) as unknown });
    expect(await page.getSettings()).toEqual(before);
  });

  it("an import has no way in, so no admin can write down that he is the CEO", async () => {
    const page = scene.world.page(ADA);
    const before = await scene.readTenant(scene.site);
    const csv = `email,accountId\r\n${GRACE.email},${ADA.accountId}\r\n`;
    for (const path of ["/api/v1/links/import", "/api/v1/links/import?dryRun=true"]) {
      expectProblem(await page.send("POST", path, csv), "method_not_allowed", scene.world.appUrl);
    }
    expect(await scene.readTenant(scene.site)).toEqual(before);
  });

  it("nobody, an admin neither, is told by a diagnosis what is wrong with a token", async () => {
    const accessJwt = await scene.sign(GRACE);
    for (const person of [GRACE, ADA]) {
      for (const method of ["GET", "POST", "PUT", "DELETE"]) {
        const reply = await scene.world.page(person).send(method, "/api/v1/diagnosis", { accessJwt });
        expectProblem(reply, "not_found", scene.world.appUrl);
      }
    }
  });

  it.each([
    "/link/oidc",
    "/link/callback",
    "/link/start/oidc/callback",
    "/access/callback",
    "/oidc/callback",
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/sites/acme.atlassian.net",
    "/sites/acme.atlassian.net/jira",
    "/sites/acme.atlassian.net/jwks.json",
    "/sites/acme.atlassian.net/bitbucket/jwks.json",
    "/sites/acme.atlassian.net/jira/jwks",
    "/sites/acme.atlassian.net/jira/.well-known/jwks.json",
    "/sites/acme.atlassian.net/jira/.well-known/openid-configuration",
  ])("no flow of OpenID Connect, and no key of any but a tenant's own, stands at %s", async (path) => {
    for (const query of ["", "?code=x&state=y", "?iss=https://evil.example"]) {
      const reply = await scene.world.parts.client.send({
        caller: "A browser",
        method: "GET",
        url: `${scene.world.appUrl}${path}${query}`,
        headers: { accept: "application/json", "sec-fetch-site": "same-origin" },
      });
      expectProblem(reply, "not_found", scene.world.appUrl);
    }
  });
});
