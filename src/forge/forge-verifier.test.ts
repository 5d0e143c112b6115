import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  createForgeSender,
  createInstallationId,
  FORGE_APP_ID,
  pageClaims,
  triggerClaims,
} from "../../sandbox/forge-fit.js";
import { ForgeKeys as ForgeKeyServer } from "../../sandbox/forge-keys.js";
import { systemClock } from "../clock.js";
import { silentLogger } from "../logger.js";
import { ForgeKeys } from "./forge-keys.js";
import { ForgeVerifier } from "./forge-verifier.js";

const ACCOUNT = "557058:7a1c5a3e-0f1b-4a7d-9b8e-2f6d4c3b2a10";
const SITE = createForgeSender({ products: ["jira", "confluence"] });
const JIRA_ONLY = createForgeSender();
const OTHER_CLOUD = "00000000-0000-4000-8000-000000000000";
const INSTALLED = ["installations", "on-installed"];

let server: ForgeKeyServer;
let verifier: ForgeVerifier;

beforeAll(async () => {
  server = await ForgeKeyServer.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.server.requests.length = 0;
  verifier = createVerifier(null);
});

function createVerifier(isolatedKeysUrl: string | null): ForgeVerifier {
  return new ForgeVerifier({
    clock: systemClock,
    appIds: ["ari:cloud:ecosystem::app/another", FORGE_APP_ID],
    environment: "PRODUCTION",
    apiUrl: "https://api.atlassian.com",
    keys: new ForgeKeys({ clock: systemClock, logger: silentLogger, keysUrl: server.url, isolatedKeysUrl }),
  });
}

type Json = Record<string, unknown>;

/** Lays changes over claims, member by member. */
function lay(claims: object, changes: object): Json {
  const laid: Json = { ...claims };
  for (const [name, change] of Object.entries(changes)) {
    const before = laid[name];
    const isBranch = isObject(before) && isObject(change);
    laid[name] = isBranch ? lay(before, change) : change;
  }
  return laid;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const page = (changes: object = {}, sender = SITE) => server.sign(lay(pageClaims(sender, ACCOUNT), changes));
const trigger = (changes: object = {}) => server.sign(lay(triggerClaims(SITE, "on-installed"), changes));
const contexts = (...changes: object[]) => ({
  app: {
    installation: {
      contexts: changes.map((change) => ({
        name: "jira",
        apiBaseUrl: `https://api.atlassian.com/ex/jira/${SITE.cloudId}`,
        ...change,
      })),
    },
  },
});

describe("a page's token", () => {
  it("says who calls, from which product of which site", async () => {
    expect(await verifier.verifyUser(await page())).toMatchObject({
      accountId: ACCOUNT,
      product: "jira",
      siteUrl: SITE.siteUrl,
      installationId: SITE.installationId,
      place: {
        cloudId: SITE.cloudId,
        product: "jira",
        apiBaseUrl: `https://api.atlassian.com/ex/jira/${SITE.cloudId}`,
      },
      places: [{ product: "jira" }, { product: "confluence" }],
    });
  });

  it.each([
    ["no site's address", { context: { siteUrl: undefined } }, { siteUrl: null }],
    ["no context at all", { context: undefined }, { product: "jira" }],
    [
      "the key of its endpoint instead of its module",
      { app: { module: { key: "pages" } } },
      { product: "jira" },
    ],
    [
      "Confluence's module",
      { app: { module: { key: "confluence-admin" } }, context: { moduleKey: "confluence-admin" } },
      { product: "confluence" },
    ],
    ["the cloud id beside the URL", contexts({ cloudId: SITE.cloudId }), { product: "jira" }],
    [
      "an installation in a product that the app doesn't know",
      contexts({}, { name: "bitbucket", apiBaseUrl: "https://api.atlassian.com/ex/bitbucket/x" }),
      { places: [{ product: "jira" }] },
    ],
    ["claims that nobody knows", { app: { version: "1" }, extra: 1 }, { product: "jira" }],
  ])("is good with %s", async (_what, changes, call) => {
    expect(await verifier.verifyUser(await page(changes))).toMatchObject(call);
  });

  it.each<[string, object]>([
    ["another issuer", { iss: "forge/other" }],
    ["another app as audience", { aud: "ari:cloud:ecosystem::app/somebody-else" }],
    [
      "another app throughout",
      {
        aud: "ari:cloud:ecosystem::app/somebody-else",
        app: { id: "ari:cloud:ecosystem::app/somebody-else" },
      },
    ],
    ["its audience in a list", { aud: [FORGE_APP_ID] }],
    ["the app's UUID alone", { aud: FORGE_APP_ID.slice(-36), app: { id: FORGE_APP_ID.slice(-36) } }],
    ["two of our apps", { aud: "ari:cloud:ecosystem::app/another" }],
    ["a deployment for development", { app: { environment: { type: "DEVELOPMENT" } } }],
    ["an environment in small letters", { app: { environment: { type: "production" } } }],
    ["no environment", { app: { environment: undefined } }],
    ["a life of more than five minutes", { exp: Math.floor(Date.now() / 1000) + 400 }],
    ["nbf in an hour", { nbf: Math.floor(Date.now() / 1000) + 3600 }],
    ["no jti", { jti: undefined }],
    ["an empty jti", { jti: "" }],
    ["no principal: a trigger's", { principal: undefined }],
    ["an empty principal", { principal: "" }],
    ["a blank principal", { principal: " " }],
    ["a principal with a line end", { principal: `${ACCOUNT}\n` }],
    ["a principal with an invisible character", { principal: `${ACCOUNT}\u200b` }],
    ["a principal of 129 characters", { principal: "x".repeat(129) }],
    ["a principal in a list", { principal: [ACCOUNT] }],
    ["two installations", { app: { installation: { id: createInstallationId() } } }],
    ["no installation", { app: { installation: undefined } }],
    ["no contexts", contexts()],
    ["another site in the context", { context: { cloudId: OTHER_CLOUD } }],
    ["another site beside the URL", contexts({ cloudId: OTHER_CLOUD })],
    [
      "two sites",
      contexts(
        {},
        { name: "confluence", apiBaseUrl: `https://api.atlassian.com/ex/confluence/${OTHER_CLOUD}` },
      ),
    ],
    ["an API elsewhere", contexts({ apiBaseUrl: `https://api.example.com/ex/jira/${SITE.cloudId}` })],
    [
      "an API elsewhere, in both places",
      lay(contexts({ apiBaseUrl: `https://api.example.com/ex/jira/${SITE.cloudId}` }), {
        app: { apiBaseUrl: `https://api.example.com/ex/jira/${SITE.cloudId}` },
      }),
    ],
    [
      "an apiBaseUrl that is none of the installation's",
      { app: { apiBaseUrl: "https://api.atlassian.com" } },
    ],
    ["the API of the other product", contexts({ name: "confluence" })],
    [
      "a slash behind the API",
      contexts({ apiBaseUrl: `https://api.atlassian.com/ex/jira/${SITE.cloudId}/` }),
    ],
    [
      "a path behind the API",
      contexts({ apiBaseUrl: `https://api.atlassian.com/ex/jira/${SITE.cloudId}/x` }),
    ],
    [
      "a query behind the API",
      contexts({ apiBaseUrl: `https://api.atlassian.com/ex/jira/${SITE.cloudId}?` }),
    ],
    ["dots in the API", contexts({ apiBaseUrl: "https://api.atlassian.com/ex/jira/../.." })],
    ["a cloud id that is none", contexts({ apiBaseUrl: "https://api.atlassian.com/ex/jira/acme" })],
    ["an unknown module", { app: { module: { key: "pages" } }, context: { moduleKey: "macro" } }],
    ["a trigger's module", { app: { module: { key: "on-hour" } }, context: { moduleKey: "on-hour" } }],
    ["modules of two products", { app: { module: { key: "confluence-admin" } } }],
    ["a product's name alone", { app: { module: { key: "jira" } }, context: { moduleKey: "jira" } }],
    ["the label of an isolated cloud", { icLabel: "acme-cloud" }],
    ["an empty label", { icLabel: "" }],
  ])("is refused for %s, and nobody is asked", async (_what, changes) => {
    await expect(verifier.verifyUser(await page(changes))).rejects.toMatchObject({
      code: "forge_jwt_invalid",
    });
    expect(server.server.requests).toEqual([]);
  });

  it("is refused for a product where the app isn't", async () => {
    const changes = {
      app: { module: { key: "confluence-admin" } },
      context: { moduleKey: "confluence-admin" },
    };
    await expect(verifier.verifyUser(await page(changes, JIRA_ONLY))).rejects.toMatchObject({
      code: "forge_jwt_invalid",
    });
  });

  it("is told to be expired only when all else is right", async () => {
    const now = Math.floor(Date.now() / 1000) - 100;
    const old = { iat: now, nbf: now, exp: now + 25 };
    await expect(verifier.verifyUser(await page(old))).rejects.toMatchObject({ code: "forge_jwt_expired" });
    const forged = (await page(old)).replace(/.{8}$/, "AAAAAAAA");
    await expect(verifier.verifyUser(forged)).rejects.toMatchObject({ code: "forge_jwt_invalid" });
  });
});

describe("a trigger's token", () => {
  it.each([
    ["its endpoint's key", {}],
    ["its own key", { app: { module: { key: "installations" } }, context: { moduleKey: "installations" } }],
    ["one of each", { context: { moduleKey: "installations" } }],
    ["no context", { context: undefined }],
  ])("is good with %s", async (_what, changes) => {
    const call = await verifier.verifyTrigger(await trigger(changes), INSTALLED);
    expect(call).toMatchObject({ installationId: SITE.installationId, places: [{}, {}] });
  });

  it.each<[string, object]>([
    ["a principal", { principal: ACCOUNT }],
    ["an empty principal", { principal: "" }],
    ["another trigger's key", { app: { module: { key: "on-uninstall" } } }],
    ["another trigger's key beside its own", { context: { moduleKey: "farewell" } }],
    ["a page's key", { app: { module: { key: "jira-admin" } } }],
    ["another app", { aud: "ari:cloud:ecosystem::app/another" }],
    ["another environment", { app: { environment: { type: "STAGING" } } }],
    ["an API elsewhere", contexts({ apiBaseUrl: `https://api.example.com/ex/jira/${SITE.cloudId}` })],
  ])("is refused for %s", async (_what, changes) => {
    await expect(verifier.verifyTrigger(await trigger(changes), INSTALLED)).rejects.toMatchObject({
      code: "forge_jwt_invalid",
    });
    expect(server.server.requests).toEqual([]);
  });

  it("is no page's, and a page's is no trigger's", async () => {
    await expect(verifier.verifyUser(await trigger())).rejects.toMatchObject({ code: "forge_jwt_invalid" });
    await expect(verifier.verifyTrigger(await page(), INSTALLED)).rejects.toMatchObject({
      code: "forge_jwt_invalid",
    });
  });
});

describe("an isolated cloud", () => {
  beforeEach(() => {
    verifier = createVerifier(server.isolatedUrl);
  });

  it("has keys of its own, once the app knows where", async () => {
    await verifier.verifyUser(await page({ icLabel: "acme_cloud-1" }));
    expect(server.server.requests).toEqual(["GET /acme_cloud-1/.well-known/jwks.json → 200"]);
  });

  it.each(["", "../x", "a/b", "ACME", "acme.cloud", "acme@evil.example", "a".repeat(51), "acme\n"])(
    "isn't asked for by the label %j",
    async (icLabel) => {
      await expect(verifier.verifyUser(await page({ icLabel }))).rejects.toMatchObject({
        code: "forge_jwt_invalid",
      });
      expect(server.server.requests).toEqual([]);
    },
  );
});
