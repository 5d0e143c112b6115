import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createRsaKeyPair, epochSeconds, queryStringHash, signJwt, type Claims } from "../sandbox/jwt.js";
import { ADA, GRACE, LINUS } from "../sandbox/people.js";
import { mintToken } from "../src/connect/connect-jwt.fixture.js";
import type { RawAnswer } from "../src/web/raw-http.fixture.js";
import {
  adminPaths,
  findObjects,
  lifecyclePaths,
  modulePaths,
  type ScannedDescriptor,
} from "./connect-security-requirements.fixture.js";
import {
  contextJwt,
  INSTALLABLE_SITE,
  pagePath,
  send,
  Stages,
  type Message,
  type Stage,
} from "./production.fixture.js";

/*
 * The checks of Atlassian's Connect Security Requirements Tester, against the app in production, at the URLs of its own
 * descriptor; and the same URLs with good tokens, so that refusing everything isn't enough. Two of its checks are about
 * what terminates TLS in front of the app, and are the operator's: TLS 1.2 or later, and a certificate that is valid.
 */

let stages: Stages;
let production: Stage;
let descriptor: ScannedDescriptor;
/** Every answer to a URL of the descriptor, whatever the request. */
const answers: RawAnswer[] = [];

beforeAll(async () => {
  stages = await Stages.start();
  production = stages.production;
  const answer = await send(production, { method: "GET", path: "/atlassian-connect.json" });
  descriptor = JSON.parse(answer.body) as ScannedDescriptor;
});
afterAll(() => stages.close());

async function visit(message: Message): Promise<RawAnswer> {
  const answer = await send(production, message);
  answers.push(answer);
  return answer;
}

/** Refused with a status that says so. With a 503, the tester would skip the URL without a word. */
function expectRefusal({ status, body }: RawAnswer): void {
  expect(status, body).toBeGreaterThanOrEqual(400);
  expect(status, body).toBeLessThan(500);
}

function claimsFor(path: string, method: string, changes: Claims = {}): Claims {
  const now = epochSeconds();
  const url = `${production.baseUrl}${path}`;
  const qsh = queryStringHash(method, url, production.baseUrl);
  return { iss: "made-up", iat: now, exp: now + 3 * 3600, qsh, ...changes };
}

function everyPath(): string[] {
  return [...modulePaths(descriptor), ...lifecyclePaths(descriptor).values()];
}

describe("the descriptor", () => {
  it("names an app that authenticates by JWT, takes signed installs alone, and administers nothing", () => {
    expect(descriptor).toMatchObject({
      baseUrl: production.baseUrl,
      authentication: { type: "jwt" },
      apiMigrations: { "signed-install": true, "context-qsh": true },
      scopes: ["READ", "WRITE", "DELETE", "ACT_AS_USER"],
    });
  });

  it("has nothing that the tester passes over: cacheable pages, background scripts, a page after installing", () => {
    expect(findObjects(descriptor.modules).filter(({ cacheable }) => cacheable)).toEqual([]);
    expect(Object.keys(descriptor.modules)).not.toContain("jiraBackgroundScripts");
    expect(Object.keys(descriptor.modules)).not.toContain("postInstallPage");
  });

  it("leads to pages and events that are all below its own URL, and to some that are for admins alone", () => {
    expect(modulePaths(descriptor)).toEqual(expect.arrayContaining(["/account", "/admin"]));
    expect(adminPaths(descriptor)).toContain("/admin");
    expect(adminPaths(descriptor)).not.toContain("/account");
    const events = ["installed", "enabled", "disabled", "uninstalled"];
    expect([...lifecyclePaths(descriptor).keys()]).toEqual(expect.arrayContaining(events));
  });

  it("puts no token, secret or person into a URL", () => {
    const urls = findObjects({ ...descriptor }).flatMap(({ url }) => (typeof url === "string" ? [url] : []));
    expect(urls.join()).not.toMatch(/jwt|token|secret|[{}]|user|account\./i);
  });

  it("has a name that may stand in the Marketplace: no product's first, and no promise", () => {
    expect(descriptor.name).not.toMatch(
      /^(?:atlassian|jira|confluence|bitbucket|trello|statuspage|opsgenie)|premium/i,
    );
  });
});

describe("authentication (requirement 1.1)", () => {
  const FORGED: readonly (readonly [what: string, sign: (claims: Claims) => string | Promise<string>])[] = [
    ["signed by somebody else", (claims) => signJwt({}, claims, "a secret that somebody made up")],
    ["signed with an empty secret", (claims) => mintToken({ alg: "HS256", typ: "JWT" }, claims, "")],
    ["with alg none and no signature", (claims) => `${unsigned("none", claims)}.`],
    ["with alg None and no signature", (claims) => `${unsigned("None", claims)}.`],
    ["with alg none and a signature", (claims) => mintToken({ alg: "none", typ: "JWT" }, claims, "x")],
    ["with no algorithm at all", (claims) => mintToken({ typ: "JWT" }, claims, "x")],
  ];

  it("refuses every URL without a token, by GET and by POST", async () => {
    for (const path of everyPath()) {
      for (const method of ["GET", "POST"]) expectRefusal(await visit({ method, path }));
      expectRefusal(await visit({ method: "POST", path, body: {} }));
    }
  });

  it.each(FORGED)("refuses every URL with a token %s, in the header and in the URL", async (_what, sign) => {
    const { clientKey } = stages.world.site.getInstallation("jira");
    for (const path of everyPath()) {
      for (const method of ["GET", "POST"]) {
        for (const changes of [
          {},
          { iss: clientKey, sub: ADA.accountId },
          { iss: clientKey, sub: ADA.accountId, qsh: "context-qsh" },
        ]) {
          const token = await sign(claimsFor(path, method, changes));
          const headers = { Authorization: `JWT ${token}` };
          expectRefusal(await visit({ method, path, headers }));
          expectRefusal(await visit({ method, path: `${path}?jwt=${token}` }));
        }
      }
    }
  });

  it("opens every page to an admin with a token of the product", async () => {
    for (const path of modulePaths(descriptor)) {
      const answer = await visit({ method: "GET", path: await pagePath(stages, production, path, ADA) });
      expect(answer.status, answer.body).toBe(200);
    }
  });

  function unsigned(alg: string, claims: Claims): string {
    return mintToken({ alg, typ: "JWT" }, claims, "").split(".").slice(0, 2).join(".");
  }
});

describe("authorization (requirement 1.2)", () => {
  it("refuses what is for admins to a member, with a good token in the header, in the URL, and in both", async () => {
    for (const path of adminPaths(descriptor)) {
      for (const person of [GRACE, LINUS]) {
        const context = await contextJwt(stages, person);
        const inUrl = await pagePath(stages, production, path, person);
        for (const method of ["GET", "POST"]) {
          for (const [target, headers] of [
            [path, { Authorization: context }],
            [`${path}?jwt=${context.slice("JWT ".length)}`, { Authorization: context }],
            [inUrl, {}],
          ] as const) {
            expectRefusal(await visit({ method, path: target, headers }));
          }
        }
        // A page that says "not an admin" with a 200 doesn't count as a refusal.
        expect((await visit({ method: "GET", path: inUrl })).status).toBe(403);
      }
    }
  });

  it("opens to a member what is for everybody", async () => {
    const everybodys = modulePaths(descriptor).filter((path) => !adminPaths(descriptor).includes(path));
    expect(everybodys).not.toEqual([]);
    for (const path of everybodys) {
      const answer = await visit({ method: "GET", path: await pagePath(stages, production, path, GRACE) });
      expect(answer.status, answer.body).toBe(200);
    }
  });

  it("refuses a page to whoever tampers with its URL (requirement 8.1)", async () => {
    for (const path of modulePaths(descriptor)) {
      const good = await pagePath(stages, production, path, ADA);
      for (const tampered of [good.replace("cp=", "cp=x"), good.replace("?", "/?"), `${good}&more=1`]) {
        expectRefusal(await visit({ method: "GET", path: tampered }));
      }
    }
  });
});

describe("signed install (requirement 1.4)", () => {
  const CLIENT_KEY = "k2h3j4k5-a1b2-c3d4-e5f6-a1b2c3d4e5f6";

  function eventBody(event: string, clientKey: string): object {
    return {
      key: descriptor.key,
      clientKey,
      cloudId: clientKey,
      sharedSecret: "a secret that somebody made up",
      baseUrl: `https://${INSTALLABLE_SITE}`,
      eventType: event,
      productType: "jira",
      oauthClientId: clientKey,
      serverVersion: "6452",
      pluginsVersion: "1.801.0",
    };
  }

  async function sendEvent(event: string, token: string, clientKey = CLIENT_KEY): Promise<RawAnswer> {
    return visit({
      method: "POST",
      path: lifecyclePaths(descriptor).get(event) ?? "",
      headers: { Authorization: `JWT ${token}` },
      body: eventBody(event, clientKey),
    });
  }

  it("refuses every event with an RS256 token that isn't Atlassian's, whatever key it names", async () => {
    const { privateKey } = await createRsaKeyPair();
    const published = await stages.world.parts.installKeys.sign({});
    const header = JSON.parse(Buffer.from(published.split(".")[0] ?? "", "base64url").toString()) as Claims;
    const known = stages.world.site.getInstallation("jira").clientKey;
    for (const [event, path] of lifecyclePaths(descriptor)) {
      for (const kid of ["fake-kid", header["kid"], undefined]) {
        for (const clientKey of [CLIENT_KEY, known]) {
          for (const aud of [`${production.baseUrl}/atlassian-connect.json`, production.baseUrl]) {
            const claims = claimsFor(path, "POST", { iss: clientKey, aud, sub: "made-up", context: {} });
            expectRefusal(
              await sendEvent(event, await signJwt({ ...header, kid }, claims, privateKey), clientKey),
            );
          }
        }
      }
    }
  });

  it("obeys every event with Atlassian's own, in the order in which they come", async () => {
    const { installKeys } = stages.world.parts;
    for (const event of ["installed", "enabled", "disabled", "uninstalled"]) {
      const path = lifecyclePaths(descriptor).get(event) ?? "";
      const claims = claimsFor(path, "POST", { iss: CLIENT_KEY, aud: production.baseUrl });
      const answer = await sendEvent(event, await installKeys.sign(claims));
      expect([event, answer.status, answer.body]).toEqual([event, 204, ""]);
    }
  });
});

describe("every answer to what was tried above", () => {
  it("says that nobody may keep it, and tells nobody its URL (requirements 7.2 and 7.3)", () => {
    expect(answers.length).toBeGreaterThan(200);
    for (const { headers } of answers) {
      const directives = (headers.get("cache-control") ?? "").split(",").map((directive) => directive.trim());
      expect(directives).toEqual(expect.arrayContaining(["no-cache", "no-store"]));
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
  });

  it("sets no cookie (requirement 7.4)", () => {
    expect(answers.flatMap(({ headers }) => headers.getSetCookie())).toEqual([]);
  });

  it("insists on TLS, as the descriptor and the app's URL do (requirement 3)", async () => {
    const read = (path: string) => send(production, { method: "GET", path });
    for (const { headers } of [...answers, await read("/atlassian-connect.json"), await read("/")]) {
      const maxAge = /(?:^|;)\s*max-age=(\d+)/.exec(headers.get("strict-transport-security") ?? "")?.[1];
      expect(Number(maxAge)).toBeGreaterThanOrEqual(31_536_000);
    }
  });
});
