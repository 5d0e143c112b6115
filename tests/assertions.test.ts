import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from "jose";
import { describe, expect, it } from "vitest";

import type { NewService } from "../sandbox/app-page.js";
import { ADA, DORA, GRACE, LINUS, OSCAR, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import {
  agreeAll,
  ask,
  ASSERTIONS,
  getAssertion,
  issuerOf,
  LIMITS,
  PLANNER,
  plannerOf,
  readKeys,
  ROTATE,
  startAsserting,
  verify,
} from "./assertions.fixture.js";
import { consentPath, readMine } from "./consents.fixture.js";
import { travel } from "./lifecycle.fixture.js";
import type { Row } from "./linking-database.fixture.js";
import { createScene, type Scene } from "./linking-scene.fixture.js";
import { expectProblem } from "./refusals.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";

const running = useLinkingWorld();

const DAY = 86_400;
const HOUR = 3_600;
const audience = PLANNER.audience;

async function refuse(scene: Scene, code: ProblemCode, person = GRACE) {
  return expectProblem(await ask(scene, person), code, scene.world.appUrl);
}

/** Verifies as the planner does, which pins the issuer that it was told when it was set up. */
async function expectRefusedByService(token: string, scene: Scene, code: string | RegExp): Promise<void> {
  await expect(verify(token, { issuer: issuerOf(scene), audience })).rejects.toMatchObject({ code });
}

async function save(scene: Scene, services: readonly NewService[], changes: object = {}): Promise<void> {
  const before = await scene.page(ADA).getSettings();
  const withIds = services.map((service) => ({
    ...(before.services.find((each) => each.audience === service.audience) ?? {}),
    ...service,
  }));
  await scene.page(ADA).saveSettings({ services: withIds, ...changes });
}

async function changeLinks(scene: Scene, change: string, { email }: Partial<Person> = {}): Promise<void> {
  await scene.database.execute(
    `UPDATE links SET ${change} WHERE email LIKE ? AND tenant_id IN (SELECT id FROM tenants WHERE site = ?)`,
    [email ?? "%", scene.site.host],
  );
}

describe("an assertion", () => {
  it("tells a service who looks at a page in Jira, and proves it to plain jose for a minute", async () => {
    const scene = await startAsserting(running);
    const reply = (await ask(scene)).expect(201);
    const { assertion, expiresAt } = reply.body as { assertion: string; expiresAt: string };

    const { payload, protectedHeader } = await verify(assertion, { issuer: issuerOf(scene), audience });

    const [tenant] = await scene.database.select("SELECT id FROM tenants WHERE site = ?", [scene.site.host]);
    const [key] = await readKeys(scene);
    expect(protectedHeader).toEqual({ alg: "ES256", typ: "assertion+jwt", kid: key?.kid });
    expect(payload).toEqual({
      iss: issuerOf(scene),
      aud: PLANNER.audience,
      sub: GRACE.accountId,
      iat: expect.any(Number) as unknown,
      exp: (payload.iat ?? 0) + 60,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      tenant: tenant?.["id"],
      site: scene.site.host,
      product: "jira",
      access: { iss: scene.world.team.issuer, sub: GRACE.accessSubject, email: GRACE.email },
    });
    expect(Math.abs((payload.iat ?? 0) - Date.now() / 1000)).toBeLessThan(10);
    expect(Date.parse(expiresAt)).toBe((payload.exp ?? 0) * 1000);
    travel(62);
    await expectRefusedByService(assertion, scene, "ERR_JWT_EXPIRED");
  });

  it("is another one each time", async () => {
    const scene = await startAsserting(running);
    const tokens = await Promise.all(Array.from({ length: 5 }, () => getAssertion(scene)));
    expect(new Set(tokens.map((token) => decodeJwt(token).jti)).size).toBe(5);
  });

  it("says nothing of an Access identity that its account's owner has only confirmed", async () => {
    const scene = await startAsserting(running);
    await changeLinks(scene, "method = 'admin', confirmed_at = linked_at");

    const { payload } = await verify(await getAssertion(scene), { issuer: issuerOf(scene), audience });

    expect(payload).toMatchObject({ sub: GRACE.accountId });
    expect(payload).not.toHaveProperty("access");
  });

  it("names the Access identity that was used last, of those that the account has proved", async () => {
    const scene = await startAsserting(running);
    travel(60);
    (await scene.linkWithToken(GRACE, await scene.accessJwtOf(LINUS))).expect(201);
    expect(decodeJwt(await getAssertion(scene))["access"]).toMatchObject({ email: LINUS.email });

    await changeLinks(scene, `last_used_at = '2099-01-01 00:00:00.000 +00:00'`, GRACE);

    expect(decodeJwt(await getAssertion(scene))["access"]).toMatchObject({ email: GRACE.email });
  });

  it("is on the record: who, for which service, and the id that the service's own log has", async () => {
    const scene = await startAsserting(running);
    const token = await getAssertion(scene);
    await expect
      .poll(async () => {
        const { body } = (await scene.page(ADA).send("GET", "/api/v1/audit?action=assertion.issued")).expect(
          200,
        );
        return (body as { items: unknown[] }).items;
      })
      .toMatchObject([
        {
          action: "assertion.issued",
          actor: { type: "user", accountId: GRACE.accountId },
          target: { type: "service", id: await plannerOf(scene) },
          after: { label: PLANNER.label, jti: decodeJwt(token).jti },
        },
      ]);
  });

  it("counts for its service, and so does a refusal; for people only what they got", async () => {
    const scene = await startAsserting(running);
    await getAssertion(scene);
    await refuse(scene, "not_linked", LINUS);
    await expect
      .poll(async () => (await scene.page(ADA).send("GET", "/api/v1/services")).body, { timeout: 5_000 })
      .toMatchObject({
        items: [
          { use: { asserted: 0 } },
          {
            label: PLANNER.label,
            consents: 1,
            use: {
              identified: 0,
              acted: 0,
              asserted: 1,
              people: 1,
              refusals: [{ code: "not_linked", count: 1 }],
            },
          },
        ],
      });
    expect(await readMine(scene.page(GRACE))).toMatchObject({
      services: [{ purposes: ["assert"], calls: 1 }],
    });
  });

  it("is refused once there were 300 in a minute, to that account alone", async () => {
    const scene = await startAsserting(running);
    (await scene.linkWithToken(LINUS, await scene.accessJwtOf(LINUS))).expect(201);
    await agreeAll(scene, LINUS);
    travel(0);
    const [page, serviceId] = [scene.page(GRACE), await plannerOf(scene)];
    const askTenTimes = () =>
      Promise.all(Array.from({ length: 10 }, () => page.send("POST", ASSERTIONS, { serviceId })));
    for (let nth = 0; nth < 300; nth += 10) for (const reply of await askTenTimes()) reply.expect(201);

    await refuse(scene, "rate_limited");
    (await ask(scene, LINUS)).expect(201);
    travel(60);
    await getAssertion(scene);
  });
});

describe("no assertion is given", () => {
  it.each<[when: string, code: ProblemCode, prepare: (scene: Scene) => Promise<unknown>]>([
    [
      "while no host vouches for the tenant",
      "paused",
      (scene) =>
        scene.database.execute(
          "UPDATE tenants SET proven = 0, base_url = 'http://127.0.0.1:9' WHERE site = ?",
          [scene.site.host],
        ),
    ],
    ["while the app is paused", "paused", (scene) => scene.page(ADA).saveSettings({ paused: true })],
    [
      "while the service is paused",
      "paused",
      (scene) => save(scene, [SERVICES[0], { ...PLANNER, paused: true }]),
    ],
    [
      "to a service that may act and identify only",
      "purpose_not_allowed",
      (scene) => save(scene, [SERVICES[0], { ...PLANNER, purposes: ["identify", "act"], limits: LIMITS }]),
    ],
    ["to somebody who has unlinked", "not_linked", (scene) => scene.page(GRACE).unlinkAll()],
    [
      "on a link to an identity of another team",
      "not_linked",
      (scene) => scene.page(ADA).saveSettings({ teamDomain: "globex.cloudflareaccess.com" }),
    ],
    [
      "on a link that an e-mail made, where none links any more",
      "not_linked",
      (scene) => changeLinks(scene, "method = 'email'"),
    ],
    [
      "on a link whose address is no longer allowed",
      "email_domain_not_allowed",
      (scene) => scene.page(ADA).saveSettings({ allowedEmailDomains: ["partner.example"] }),
    ],
    [
      "on a link that an admin wrote down and nobody has confirmed",
      "proof_required",
      (scene) => changeLinks(scene, "method = 'admin'"),
    ],
    [
      "on a proof that nobody has used for 90 days",
      "proof_required",
      () => {
        travel(90 * DAY);
        return Promise.resolve();
      },
    ],
    [
      "to a service that the person has taken their consent from",
      "consent_required",
      async (scene) =>
        (await scene.page(GRACE).send("DELETE", consentPath(await plannerOf(scene)))).expect(204),
    ],
    [
      "to a service that may do more than the person agreed to",
      "consent_required",
      (scene) => save(scene, [SERVICES[0], { ...PLANNER, purposes: ["assert", "identify"] }]),
    ],
  ])("%s: %s", async (_when, code, prepare) => {
    const scene = await startAsserting(running);
    await getAssertion(scene);
    const keys = await readKeys(scene);

    await prepare(scene);

    const problem = await refuse(scene, code);
    for (const url of [problem.linkUrl, problem.consentUrl]) {
      if (url !== undefined) expect(url).toContain(`${scene.site.baseUrl("jira")}/plugins/servlet/ac/`);
    }
    expect(keys).toHaveLength(1);
  });

  it("to somebody who hasn't agreed, unless an admin gave consent for everybody", async () => {
    const scene = await startAsserting(running);
    (await scene.linkWithToken(LINUS, await scene.accessJwtOf(LINUS))).expect(201);
    await refuse(scene, "consent_required", LINUS);

    await save(scene, [SERVICES[0], { ...PLANNER, limits: { ...LIMITS, consent: "given" } }]);

    (await ask(scene, LINUS)).expect(201);
  });

  it("on what was agreed to before the service lost its purpose, and got it again", async () => {
    const scene = await startAsserting(running);
    await save(scene, [SERVICES[0], { ...PLANNER, purposes: ["identify"] }]);
    await save(scene, [SERVICES[0], PLANNER]);
    await refuse(scene, "consent_required");
    await agreeAll(scene, GRACE);
    (await ask(scene)).expect(201);
  });

  it("to somebody who isn't active, or hasn't linked, whoever else has", async () => {
    const scene = await startAsserting(running);
    await refuse(scene, "account_inactive", DORA);
    await refuse(scene, "not_linked", OSCAR);
  });

  it.each<[what: string, body: unknown, code: ProblemCode]>([
    ["no service", {}, "validation_failed"],
    ["something besides the service", { serviceId: "x", sub: "somebody-else" }, "validation_failed"],
    ["an AUD tag", { serviceId: PLANNER.audience.slice(0, 64) }, "not_found"],
    ["a service that there isn't", { serviceId: "00000000-0000-4000-8000-000000000000" }, "not_found"],
  ])("for %s", async (_what, body, code) => {
    const scene = await startAsserting(running);
    const reply = await scene.page(GRACE).send("POST", ASSERTIONS, body);
    expectProblem(reply, code, scene.world.appUrl);
  });

  it("for a service of another tenant, also one of the same site", async () => {
    const scene = await startAsserting(running, { products: ["jira", "confluence"] });
    const serviceId = await plannerOf(scene, "confluence");
    const reply = await scene.page(GRACE, "jira").send("POST", ASSERTIONS, { serviceId });
    expectProblem(reply, "not_found", scene.world.appUrl);
  });
});

describe("the published keys", () => {
  it("have nothing but the public half, and a name", async () => {
    const scene = await startAsserting(running);
    expect(await readKeys(scene)).toEqual([]);
    await getAssertion(scene);

    const base64url = expect.stringMatching(/^[\w-]{43}$/) as unknown;
    expect(await readKeys(scene)).toEqual([
      { kty: "EC", crv: "P-256", x: base64url, y: base64url, kid: base64url, alg: "ES256", use: "sig" },
    ]);
  });

  it("are one, also where many ask for the first assertion at once", async () => {
    const scene = await startAsserting(running);
    const tokens = await Promise.all(Array.from({ length: 10 }, () => getAssertion(scene)));
    const [key, ...others] = await readKeys(scene);
    expect(others).toEqual([]);
    expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid))).toEqual(new Set([key?.kid]));
  });

  it("are each tenant's own, also in the two products of a site", async () => {
    const scene = await startAsserting(running, { products: ["jira", "confluence"] });
    const elsewhere = await startAsserting(running);
    const token = await getAssertion(scene, "confluence");
    await getAssertion(elsewhere);

    expect(await readKeys(scene, "jira")).toEqual([]);
    await verify(token, { issuer: issuerOf(scene, "confluence"), audience });
    await getAssertion(scene);
    const kids = (
      await Promise.all([readKeys(scene), readKeys(scene, "confluence"), readKeys(elsewhere)])
    ).flat();
    expect(new Set(kids.map(({ kid }) => kid)).size).toBe(3);
  });

  it.each(["nobody.atlassian.net", "NOT A HOST", "127.0.0.1:1"])(
    "of %s, where nothing is installed, are none, which looks like those of a site that has never signed",
    async (site) => {
      const scene = await createScene(running, {});
      const read = async (host: string) => {
        const { port } = new URL(scene.world.appUrl);
        const response = await fetch(
          `http://127.0.0.1:${port}/sites/${encodeURIComponent(host)}/jira/jwks.json`,
        );
        const headers = [...response.headers].filter(
          ([name]) => !["date", "x-request-reference"].includes(name),
        );
        return { status: response.status, headers, body: await response.text() };
      };
      expect(await read(site)).toEqual(await read(scene.site.host));
      expect(await read(site)).toMatchObject({ status: 200, body: '{"keys":[]}' });
    },
  );

  it("of a tenant that is switched off, or that no host vouches for, are none", async () => {
    for (const change of ["state = 'disabled'", "proven = 0"]) {
      const scene = await startAsserting(running);
      const token = await getAssertion(scene);
      await scene.database.execute(`UPDATE tenants SET ${change} WHERE site = ?`, [scene.site.host]);
      expect(await readKeys(scene)).toEqual([]);
      await expectRefusedByService(token, scene, "ERR_JWKS_NO_MATCHING_KEY");
    }
  });
});

describe("keys change", () => {
  it("after 30 days: the next one is known an hour before it signs, the last one ten minutes longer", async () => {
    const scene = await startAsserting(running);
    const kidOf = async () => decodeProtectedHeader(await getAssertion(scene)).kid;
    const published = async () => (await readKeys(scene)).map(({ kid }) => kid);
    const first = await kidOf();

    travel(30 * DAY - HOUR - 10);
    expect(await kidOf()).toBe(first);
    expect(await published()).toEqual([first]);
    travel(11);
    expect(await kidOf()).toBe(first);
    const [, next] = await published();
    expect(await published()).toEqual([first, next]);
    travel(HOUR - 10);
    const last = await getAssertion(scene);
    expect(decodeProtectedHeader(last).kid).toBe(first);
    travel(20);
    expect(await kidOf()).toBe(next);
    await verify(last, { issuer: issuerOf(scene), audience });
    travel(550);
    expect(await published()).toEqual([first, next]);
    travel(60);
    expect(await published()).toEqual([next]);
    expect(await kidOf()).toBe(next);
  });

  it("at once when an admin says so: whoever fetches the keys now refuses what was signed before, and the file holds no trace", async () => {
    const scene = await startAsserting(running);
    const token = await getAssertion(scene);
    const [{ private_key: stored } = {}] = await keyRows(scene);

    const reply = (await scene.page(ADA).send("POST", ROTATE)).expect(200);

    const [key, ...others] = await readKeys(scene);
    expect(others).toEqual([]);
    expect(reply.body).toEqual({ kid: key?.kid, createdAt: expect.stringMatching(/Z$/) as unknown });
    expect(key?.kid).not.toBe(decodeProtectedHeader(token).kid);
    await expectRefusedByService(token, scene, "ERR_JWKS_NO_MATCHING_KEY");
    await verify(await getAssertion(scene), { issuer: issuerOf(scene), audience });
    expect((await scene.database.bytes()).includes(String(stored))).toBe(false);
    const { body } = (
      await scene.page(ADA).send("GET", "/api/v1/audit?action=assertion_keys.rotated")
    ).expect(200);
    expect(body).toMatchObject({
      items: [{ actor: { accountId: ADA.accountId }, after: { kid: key?.kid } }],
    });
  });

  it("unnoticed by a service that keeps the keys it has fetched: it believes the old ones for ten minutes at most", async () => {
    const scene = await startAsserting(running);
    const token = await getAssertion(scene);
    const kept = createRemoteJWKSet(new URL(`${issuerOf(scene)}/jwks.json`));
    const signedAt = new Date();
    // As somebody who has the key could sign another one later.
    const believes = () => jwtVerify(token, kept, { currentDate: signedAt }).then(() => true);
    expect(await believes()).toBe(true);

    (await scene.page(ADA).send("POST", ROTATE)).expect(200);
    travel(590);
    expect(await believes()).toBe(true);
    travel(20);
    await expect(believes()).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
  });

  it("by no word of somebody who isn't an admin, and not for long by an admin's", async () => {
    const scene = await startAsserting(running);
    const token = await getAssertion(scene);
    expectProblem(await scene.page(GRACE).send("POST", ROTATE), "not_admin", scene.world.appUrl);
    await verify(token, { issuer: issuerOf(scene), audience });
    for (let nth = 0; nth < 30; nth += 1) (await scene.page(ADA).send("POST", ROTATE)).expect(200);
    expectProblem(await scene.page(ADA).send("POST", ROTATE), "rate_limited", scene.world.appUrl);
  });

  it("with the installation: none is left once the app is uninstalled, and the next has others", async () => {
    const scene = await startAsserting(running);
    const token = await getAssertion(scene);
    const [{ private_key: stored } = {}] = await keyRows(scene);

    (await scene.site.uninstall("jira")).expect(204);

    expect(await readKeys(scene)).toEqual([]);
    expect(await keyRows(scene)).toEqual([]);
    expect((await scene.database.bytes()).includes(String(stored))).toBe(false);
    await scene.install("jira");
    expect(await readKeys(scene)).toEqual([]);
    (await scene.linkWithToken(GRACE, await scene.accessJwtOf(GRACE))).expect(201);
    await agreeAll(scene, GRACE);
    expect(decodeProtectedHeader(await getAssertion(scene)).kid).not.toBe(decodeProtectedHeader(token).kid);
    await expectRefusedByService(token, scene, "ERR_JWKS_NO_MATCHING_KEY");
  });
});

describe("nobody else can make an assertion that a service takes:", () => {
  it("another tenant that lists the same team and service can't, whatever it claims to be", async () => {
    const [acme, evil] = [await startAsserting(running), await startAsserting(running)];
    await getAssertion(acme);
    const token = await getAssertion(evil);

    await verify(token, { issuer: issuerOf(evil), audience });
    await expectRefusedByService(token, acme, "ERR_JWKS_NO_MATCHING_KEY");
  });

  it("whoever has read the published keys can't", async () => {
    const scene = await startAsserting(running);
    const good = await getAssertion(scene);
    const { privateKey } = await generateKeyPair("ES256");
    const header = decodeProtectedHeader(good) as { alg: string };
    const forged = await new SignJWT({ ...decodeJwt(good), sub: ADA.accountId })
      .setProtectedHeader(header)
      .sign(privateKey);
    await expectRefusedByService(forged, scene, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED");
  });

  it("one service can't use at another what it was given", async () => {
    const scene = await startAsserting(running);
    await expect(
      verify(await getAssertion(scene), { issuer: issuerOf(scene), audience: SERVICES[1].audience }),
    ).rejects.toMatchObject({ code: "ERR_JWT_CLAIM_VALIDATION_FAILED", claim: "aud" });
  });
});

describe("the private half", () => {
  it("stands nowhere in the database in plain text", async () => {
    const scene = await startAsserting(running);
    await getAssertion(scene);
    const [key] = await readKeys(scene);
    const bytes = await scene.database.bytes();
    // The public half is there, so this would find the other beside it.
    expect(bytes.includes(String(key?.["x"]))).toBe(true);
    expect(bytes.includes('"d":')).toBe(false);
    expect(await keyRows(scene)).toMatchObject([
      { private_key: expect.stringMatching(/^v1\.[0-9a-f]{8}\./) as unknown },
    ]);
  });

  it("is of no use in another tenant's row", async () => {
    const [acme, evil] = [await startAsserting(running), await startAsserting(running)];
    await getAssertion(acme);
    await getAssertion(evil);
    const [theirs] = await keyRows(acme);
    const [mine] = await keyRows(evil);
    await evil.database.execute("UPDATE assertion_keys SET private_key = ? WHERE kid = ?", [
      theirs?.["private_key"],
      mine?.["kid"],
    ]);

    await refuse(evil, "internal_error");
  });
});

async function keyRows({ database, site }: Scene): Promise<Row[]> {
  return database.select(
    "SELECT * FROM assertion_keys WHERE tenant_id IN (SELECT id FROM tenants WHERE site = ?)",
    [site.host],
  );
}
