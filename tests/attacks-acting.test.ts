import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { SettingsChanges } from "../sandbox/app-page.js";
import { ADA, GRACE } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import { expectProblem } from "./refusals.fixture.js";
import { bearer, ServiceWorld } from "./service-api.fixture.js";

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

describe("acting and assertions, which aren't built yet, have no way in:", () => {
  it.each([
    "jira/rest/api/3/myself",
    "confluence/rest/api/user/current",
    "jira",
    "jira/",
    "confluence//rest/api/3/myself",
    "jira/../jira/rest/api/3/myself",
    "jira/%2e%2e/rest/api/3/myself",
    "jira%2Frest%2Fapi%2F3%2Fmyself",
    "jira/rest/api/3/myself;x=1",
    "jira/rest/api/3/myself?jwt=x&acpt=y&os_username=z",
    "jira/http://evil.example/",
    "jira/@evil.example/rest",
    "identity/jira/rest/api/3/myself",
    "assertion",
    "assertions",
    "jwks",
    ".well-known/jwks.json",
    ".well-known/openid-configuration",
  ])("%s answers nobody, by no method, and the product isn't asked", async (path) => {
    const headers = {
      ...bearer(await scene.sign(GRACE)),
      "x-http-method-override": "GET",
      "x-atlassian-token": "no-check",
      "x-forwarded-host": "evil.example",
    };
    const before = productCalls();
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const reply = await scene.ask(headers, { path: `${scene.site.host}/${path}`, method });
      if (method === "HEAD") expect(reply.status).toBe(404);
      else expectProblem(reply, "not_found", scene.world.appUrl);
    }
    expect(productCalls()).toEqual(before);
  });

  it("nobody's consent can be given, guessed or taken, by its owner, another member or an admin", async () => {
    const { services } = await scene.world.page(ADA).getSettings();
    for (const person of [GRACE, ADA]) {
      for (const method of ["GET", "PUT", "POST", "DELETE"]) {
        const path = `/api/v1/me/consents/${services[1]?.id ?? ""}`;
        const reply = await scene.world.page(person).send(method, path, { digest: "0".repeat(64) });
        expectProblem(reply, "not_found", scene.world.appUrl);
      }
    }
    const me = await scene.world.page(GRACE).send("GET", "/api/v1/me");
    expect(me.expect(200).body).toMatchObject({ consents: [] });
  });

  it.each<[what: string, changes: object, field: string, detail: RegExp]>([
    [
      "a service that acts",
      { services: [{ ...DEMO, purposes: ["act"] }] },
      "services[0].purposes",
      /act isn't built yet/,
    ],
    [
      "a service that links, and acts for whom it has linked",
      { services: [{ ...SERVICES[0], purposes: ["link", "act"] }, DEMO] },
      "services[0].purposes",
      /may not act for them/,
    ],
    [
      "consent given in everybody's name",
      { services: [{ ...DEMO, purposes: ["identify", "act"], limits: { consent: "given" } }] },
      "services[0].purposes",
      /act isn't built yet/,
    ],
    [
      "a service that gets assertions",
      { services: [{ ...DEMO, purposes: ["assert"] }] },
      "services[0].purposes",
      /assert isn't built yet/,
    ],
    ["links made of e-mail addresses", { matching: "email" }, "matching", /isn't built yet; only proof is/],
    [
      "a live check that would never be made",
      { services: [{ ...DEMO, limits: { liveCheckSeconds: 60 } }] },
      "services[0].limits.liveCheckSeconds",
      /./,
    ],
    [
      "a service key that would never be asked for",
      { services: [{ ...DEMO, key: "k" }] },
      "services[0].key",
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

  it("limits that are saved for later let a service do no more than identify", async () => {
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

    expectProblem(reply, "not_found", scene.world.appUrl);
    expect(site.server.requests.length).toBe(before);
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
    "/sites/acme.atlassian.net/jira",
    "/sites/acme.atlassian.net/jira/.well-known/jwks.json",
  ])("no flow of OpenID Connect and no signing key stands at %s", async (path) => {
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
