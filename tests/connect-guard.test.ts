import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { CallObserver, Reply } from "../sandbox/http-client.js";
import { epochSeconds, queryStringHash, type Claims } from "../sandbox/jwt.js";
import { BUILD_BOT, createPerson, DORA, GRACE } from "../sandbox/people.js";
import type { World } from "../sandbox/world.js";
import { mintHs256 } from "../src/connect/connect-jwt.fixture.js";
import { me as meSchema } from "../src/web/api-schemas.js";
import { CONTEXT_CALLS } from "./hostile-input.fixture.js";
import { APP_KEY, expectProblem, senderOf, TenantsWorld, type Sender } from "./lifecycle.fixture.js";

const ME = "/api/v1/me";

let tenants: TenantsWorld;
let world: World;
/** Grace's tenant, and one of somebody else. */
let tenant: Sender;
let other: Sender;
const answers: Reply[] = [];

beforeAll(async () => {
  // Switches off ACE's own authentication.
  vi.stubEnv("AC_OPTS", "no-auth");
  tenants = await TenantsWorld.start({ siteCount: 2 });
  world = tenants.world;
  world.parts.client.observer = collectAnswers();
  const [site, elsewhere] = world.parts.sites;
  for (const each of [site, elsewhere!]) {
    await world.install("jira", each);
    await tenants.waitUntilProven(each);
  }
  tenant = senderOf(site);
  other = senderOf(elsewhere!);
  // Who Grace is, is asked for now, so that refusals can be seen to ask nobody.
  (await world.page(GRACE).send("GET", ME)).expect(200);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await tenants.close();
});

function collectAnswers(): CallObserver {
  return {
    called: () => undefined,
    answered: (_call, reply) => {
      if (reply) answers.push(reply);
    },
  };
}

function contextClaims(changes: Claims = {}): Claims {
  const now = epochSeconds();
  const sub = GRACE.accountId;
  return {
    iss: tenant.clientKey,
    sub,
    iat: now,
    exp: now + 900,
    qsh: "context-qsh",
    context: {},
    ...changes,
  };
}

/** As the product signs it. */
function sign(claims: Claims = {}, header: object = {}, secret = tenant.sharedSecret): string {
  return mintHs256(contextClaims(claims), secret, header);
}

async function getMe(token: string): Promise<Reply> {
  return tenants.sendAs(token, ME);
}

const qshOf = (method: string, path: string): string =>
  queryStringHash(method, `${world.appUrl}${path}`, world.appUrl);

describe("a context JWT", () => {
  it("lets its holder in, and says who they are", async () => {
    const reply = (await getMe(sign())).expect(200);
    expect(meSchema.parse(reply.body)).toMatchObject({
      accountId: GRACE.accountId,
      site: world.site.host,
      product: "jira",
    });
  });

  // Why it is refused is for the log only.
  it("is refused with the same words, whatever is wrong with it", async () => {
    const forged = [
      sign({ iss: "nobody-knows-me" }),
      sign({ qsh: "x" }),
      sign({}, { alg: "none" }),
      "let-me-in",
    ];
    const { detail } = expectProblem(await getMe(sign({}, {}, "guess")), "connect_jwt_invalid");
    for (const token of forged) {
      const reply = await getMe(token);
      expect(expectProblem(reply, "connect_jwt_invalid").detail).toBe(detail);
      expect(reply.headers["www-authenticate"]).toBe("JWT");
    }
  });
});

describe("the account of a context JWT", () => {
  it.each([
    ["deactivated", DORA],
    ["an app's", BUILD_BOT],
    ["a portal customer's", createPerson("Cus Tomer", { accountType: "customer" })],
    ["named like a portal customer's", createPerson("Cus Tomer", { accountId: "qm:1:2:3" })],
  ])("is refused when it is %s", async (_name, person) => {
    world.site.accounts.set(person.accountId, person);
    await tenants.expectNothingStored(async () => {
      expectProblem(await getMe(sign({ sub: person.accountId })), "account_inactive");
    });
  });

  it("is the token's word while the product doesn't answer", async () => {
    const unknown = createPerson("Una Unknown");
    world.site.behaviour.failing = true;
    try {
      const reply = (await getMe(sign({ sub: unknown.accountId }))).expect(200);
      expect(reply.body).toMatchObject({ accountId: unknown.accountId, links: [] });
    } finally {
      world.site.behaviour.failing = false;
    }
  });
});

describe("every route for people", () => {
  it.each(CONTEXT_CALLS)("is guarded: %s %s", async (method, path) => {
    const url = `${world.appUrl}${path}`;
    const body = method === "GET" || method === "DELETE" ? undefined : {};
    await tenants.expectNoTrace(async () => {
      expectProblem(await tenants.send({ caller: "Anybody", method, url, body }), "connect_jwt_missing");
      for (const token of [
        sign({}, {}, other.sharedSecret),
        sign({ qsh: qshOf(method, path) }),
        aceSession(),
      ]) {
        expectProblem(await tenants.sendAs(token, path, method, body), "connect_jwt_invalid");
      }
    });
  });
});

/** What atlassian-connect-express would hand out as `X-acpt`, and take for any URL. */
function aceSession(): string {
  return mintHs256(
    { ...contextClaims({ iss: APP_KEY, qsh: undefined }), aud: [tenant.clientKey] },
    tenant.sharedSecret,
  );
}

describe("atlassian-connect-express", () => {
  it.each([
    ["GET", "/"],
    ["POST", "/"],
    ["GET", "/installed"],
    ["POST", "/installed/"],
    ["GET", "/atlassian-connect.json/"],
    ["GET", "/enable"],
    ["GET", "/healthcheck"],
    ["GET", "/addon"],
    ["GET", "/all.js"],
  ])("answers nothing: %s %s", async (method, path) => {
    const query = `?xdm_e=${encodeURIComponent("https://evil.example")}&cp=&lic=none`;
    const reply = await tenants.sendAs(sign(), `${path}${query}`, method, method === "POST" ? {} : undefined);
    expect([404, 405]).toContain(reply.status);
    expect(reply.text).not.toContain("evil.example");
  });

  it("doesn't renew its sessions", async () => {
    for (const path of [ME, `${ME}?acpt=${aceSession()}`]) {
      expectProblem(await tenants.sendAs(aceSession(), path), "connect_jwt_invalid");
    }
    const headers = { "x-acpt": aceSession() };
    const call = { caller: "A page", method: "GET", url: `${world.appUrl}${ME}`, headers };
    expectProblem(await tenants.send(call), "connect_jwt_missing");
  });

  // Last, so that it has seen them all.
  it("has handed out a session token in no answer", () => {
    expect(answers.length).toBeGreaterThan(60);
    for (const { headers } of answers) {
      expect(headers).not.toHaveProperty("x-acpt");
      expect(headers).not.toHaveProperty("x-unexpected-symmetric-hook");
      expect(headers).not.toHaveProperty("x-powered-by");
    }
  });
});
