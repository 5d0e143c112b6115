import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { SettingsChanges } from "../sandbox/app-page.js";
import type { Reply } from "../sandbox/http-client.js";
import { json } from "../sandbox/http-server.js";
import { createRsaKeyPair, epochSeconds, signJwt, type Claims } from "../sandbox/jwt.js";
import {
  ADA,
  BUILD_BOT,
  createPerson,
  DORA,
  GRACE,
  LINUS,
  NIGHTLY_BUILD,
  OSCAR,
  type Person,
} from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { sha256Hex } from "../src/identifiers.js";
import { startLoggedWorld } from "./linking-attacks.fixture.js";
import { storedTime } from "./linking-database.fixture.js";
import {
  createScene,
  expectProblem,
  startLinkingWorld,
  type LinkingWorld,
  type Scene,
} from "./linking-scene.fixture.js";

const VICTIM = GRACE;
const ATTACKER = LINUS;
const OTHER_TEAM = "globex.cloudflareaccess.com";
const ANY_CODE = "AAAAAAAAAA";

let linking: LinkingWorld;
beforeAll(async () => {
  linking = await startLinkingWorld({ teamDomains: ["acme.cloudflareaccess.com", OTHER_TEAM] });
});
afterAll(async () => {
  await linking.close();
});

/** The attack got nowhere: no link, and nothing that says there was one. */
async function expectNothingLinked(scene: Scene): Promise<void> {
  expect(await scene.links()).toEqual([]);
  expect(await scene.linkEvents()).toEqual([]);
}

async function expectUnclaimed(scene: Scene): Promise<void> {
  expect(await scene.attempts()).toMatchObject([{ subject: null, code_hash: null, typed_code_hash: null }]);
  await expectNothingLinked(scene);
}

async function expectUnchanged(work: () => Promise<void>): Promise<void> {
  const before = await linking.database.snapshot();
  await work();
  expect(await linking.database.snapshot()).toEqual(before);
}

describe("a link that somebody is lured into", () => {
  it.each<[how: string, fetchSite: string | undefined]>([
    ["a link on another site", "cross-site"],
    ["a page of a neighbouring host", "same-site"],
    ["a link in a mail, or typing it", "none"],
    ["a browser that doesn't say where from", undefined],
    ["a header that is sent twice", "same-origin, cross-site"],
  ])("starts nothing at /link/start by %s: no cookie, no way on", async (_how, fetchSite) => {
    const scene = await createScene(linking);
    const attempt = await scene.page(ATTACKER).beginLink();
    await expectUnchanged(async () => {
      const reply = await linking.world.parts.client.send({
        caller: "The victim's browser",
        method: "GET",
        url: attempt.url,
        headers: { accept: "application/json", "sec-fetch-site": fetchSite, "sec-fetch-mode": "navigate" },
      });
      expectProblem(reply, 403, "browser_not_allowed");
      expect(reply.headers).not.toHaveProperty("set-cookie");
      expect(reply.headers).not.toHaveProperty("location");
    });
  });

  it("straight to the popup warns its victim, and gives no code that a script of the attacker's could get", async () => {
    const scene = await createScene(linking);
    // The attacker has opened it in his own browser, so the attempt has a cookie: the victim hasn't.
    const { attempt } = await scene.beginInPopup(ATTACKER);
    const shown = (await scene.showPopup(attempt, { as: VICTIM })).expect(200);
    expect(shown.text).toMatch(/This window was not opened from\s+Jira\s+in this browser/);
    expect(shown.text).toContain(ATTACKER.name);
    expect(shown.headers).not.toHaveProperty("set-cookie");

    const codes = await scene.getCodes(attempt, { as: VICTIM });
    expect(codes).toMatchObject({ code: null, typedCode: expect.stringMatching(/^[A-Z2-7]{8,}$/) as string });
    expect(await scene.attempts()).toMatchObject([{ code_hash: null }]);
    const page = await scene.clickInPopup(attempt, { as: VICTIM, headers: { accept: "text/html" } });
    expect(page.expect(200).text).toContain('data-code=""');
    expect(page.text).toContain("Give this code to nobody.");

    expectProblem(await scene.redeem(ATTACKER, attempt, ANY_CODE), 422, "validation_failed");
    await expectNothingLinked(scene);
  });
});

describe("a click that somebody else's page makes", () => {
  const OURS = "ours";
  const CLICKS: [by: string, origin: string | undefined, fetchSite: string | undefined][] = [
    ["a form on another site", "https://evil.example", "cross-site"],
    ["another site in an old browser", "https://evil.example", undefined],
    ["another site that claims to be ours", "https://evil.example", "same-origin"],
    ["a sandboxed frame", "null", "cross-site"],
    ["a sandboxed frame in an old browser", "null", undefined],
    ["a sandboxed frame of our own", "null", "same-origin"],
    ["a neighbouring host", "http://evil.localhost", "same-site"],
    ["another port of our host", "http://localhost:1", "same-site"],
    ["our host by another scheme", "https", undefined],
    ["a host that begins like ours", "suffix", undefined],
    ["an empty origin", "", undefined],
    ["our origin, redirected through another site", OURS, "cross-site"],
    ["our origin, redirected through a neighbour", OURS, "same-site"],
    ["our origin, without a page", OURS, "none"],
    ["nobody who says where from", undefined, undefined],
    ["another site that leaves its origin out", undefined, "cross-site"],
    ["a neighbour that leaves its origin out", undefined, "same-site"],
  ];
  const originOf = (origin: string | undefined) => {
    const { appUrl } = linking.world;
    if (origin === OURS) return appUrl;
    if (origin === "https") return appUrl.replace("http:", "https:");
    return origin === "suffix" ? `${appUrl}.evil.example` : origin;
  };

  it.each(CLICKS)("is refused when it comes from %s, and changes nothing", async (_by, origin, fetchSite) => {
    const scene = await createScene(linking);
    await scene.page(LINUS).link(await linking.world.browser(VICTIM), VICTIM);
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const headers = { origin: originOf(origin), "sec-fetch-site": fetchSite };
    await expectUnchanged(async () => {
      for (const action of ["link", "remove"]) {
        const body = new URLSearchParams({ action, typed: "true" });
        const reply = await scene.clickInPopup(attempt, { as: VICTIM, cookie, headers, body });
        expectProblem(reply, 403, "browser_not_allowed");
      }
    });
  });

  it.each<[browser: string, origin: string | undefined, fetchSite: string | undefined]>([
    ["a browser of today", OURS, "same-origin"],
    ["a browser without Sec-Fetch-Site", OURS, undefined],
    ["a browser without Origin", undefined, "same-origin"],
  ])("is told apart from our own page's, in %s", async (_browser, origin, fetchSite) => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const headers = { origin: originOf(origin), "sec-fetch-site": fetchSite };
    (await scene.clickInPopup(attempt, { as: VICTIM, cookie, headers })).expect(200);
  });
});

describe("an attempt that somebody else wants", () => {
  it.each<[who: string, thief: Person]>([
    ["another person", ATTACKER],
    ["a person who inherited the e-mail address", { ...ATTACKER, email: VICTIM.email }],
  ])(
    "stays with the first identity that claimed it: %s can neither see nor claim it",
    async (_who, thief) => {
      const scene = await createScene(linking);
      const { attempt, cookie } = await scene.beginInPopup(VICTIM);
      const { code } = await scene.getCodes(attempt, { as: VICTIM, cookie });
      await expectUnchanged(async () => {
        for (const stolen of [{}, { cookie }]) {
          expectProblem(await scene.showPopup(attempt, { as: thief, ...stolen }), 410, "attempt_expired");
          expectProblem(await scene.clickInPopup(attempt, { as: thief, ...stolen }), 410, "attempt_expired");
          const remove = { as: thief, body: { action: "remove" }, ...stolen };
          expectProblem(await scene.clickInPopup(attempt, remove), 410, "attempt_expired");
        }
      });
      (await scene.redeem(VICTIM, attempt, code ?? "")).expect(201);
      expect(await scene.links()).toMatchObject([{ subject: VICTIM.accessSubject }]);
    },
  );

  it("is claimed by one only of two identities that click at the same time", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const replies = await Promise.all(
      [VICTIM, ATTACKER, VICTIM, ATTACKER].map((as) => scene.clickInPopup(attempt, { as, cookie })),
    );
    const [{ subject } = {}] = await scene.attempts();
    const winner = subject === VICTIM.accessSubject ? VICTIM : ATTACKER;
    expect(replies.map(({ status, body }) => (body as { email?: string }).email ?? status)).toEqual(
      [VICTIM, ATTACKER, VICTIM, ATTACKER].map((person) => (person === winner ? person.email : 410)),
    );
  });

  it("can't be redeemed by another account, in another product or on another site, and costs its owner no try", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const elsewhere = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code, typedCode } = await scene.getBothCodes(attempt, { as: VICTIM, cookie });
    await expectUnchanged(async () => {
      for (const stolen of [code, typedCode, ANY_CODE]) {
        expectProblem(await scene.redeem(ATTACKER, attempt, stolen), 410, "attempt_expired");
        expectProblem(await scene.redeem(ADA, attempt, stolen), 410, "attempt_expired");
        expectProblem(await scene.redeem(VICTIM, attempt, stolen, "confluence"), 410, "attempt_expired");
        expectProblem(await elsewhere.redeem(VICTIM, attempt, stolen), 410, "attempt_expired");
      }
    });
    for (let wrong = 0; wrong < 4; wrong += 1) {
      expectProblem(await scene.redeem(VICTIM, attempt, ANY_CODE), 422, "validation_failed");
    }
    (await scene.redeem(VICTIM, attempt, code)).expect(201);
  });

  it("isn't open to people of a team that its tenant doesn't trust", async () => {
    const scene = await createScene(linking);
    // Another company's app trusts that team, so its tokens are verified.
    await createScene(linking, { settings: { teamDomain: OTHER_TEAM } });
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const accessJwt = await linking.world.parts.teams[1]!.signAccessJwt(VICTIM, AUDIENCES.app);
    expectProblem(await scene.showPopup(attempt, { accessJwt, cookie }), 401, "access_jwt_untrusted");
    expectProblem(await scene.clickInPopup(attempt, { accessJwt, cookie }), 401, "access_jwt_untrusted");
    expectProblem(await scene.linkWithToken(VICTIM, accessJwt), 401, "access_jwt_untrusted");
    await expectUnclaimed(scene);
  });

  it("proves nothing in a tenant whose admin named somebody else's team and audience", async () => {
    const scene = await createScene(linking);
    const attackers = await createScene(linking);
    await attackers.page(ATTACKER).link(await linking.world.browser(VICTIM), VICTIM);
    expect((await attackers.identify(VICTIM)).expect(200).body).toMatchObject({ site: attackers.site.host });
    expectProblem(await scene.identify(VICTIM), 404, "not_linked");
    await expectNothingLinked(scene);
  });
});

describe("guessing the code", () => {
  it("ends the attempt with the fifth wrong one, though the sixth be right, and leaves one audit event", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code, typedCode } = await scene.getBothCodes(attempt, { as: VICTIM, cookie });
    const replies: Reply[] = [];
    for (const wrong of ["AAAAAAAAAA", code.slice(1), `${typedCode}A`, code.toUpperCase(), attempt.id]) {
      expect(await scene.linkEvents()).toEqual([]);
      replies.push(await scene.redeem(VICTIM, attempt, wrong));
    }
    for (const reply of replies) {
      expect(expectProblem(reply, 422, "validation_failed").errors).toMatchObject([{ field: "code" }]);
    }
    for (const right of [code, typedCode]) {
      expectProblem(await scene.redeem(VICTIM, attempt, right), 410, "attempt_expired");
    }
    expectProblem(await scene.showPopup(attempt, { as: VICTIM, cookie }), 410, "attempt_expired");
    expectProblem(await scene.clickInPopup(attempt, { as: VICTIM, cookie }), 410, "attempt_expired");
    expect(await scene.links()).toEqual([]);
    const events = await linking.database.ofSite("audit_events", scene.site.host);
    expect(events.filter(({ action }) => action === "link_attempt.failed")).toMatchObject([
      {
        actor_type: "user",
        actor_account_id: VICTIM.accountId,
        target_type: "account",
        target_id: VICTIM.accountId,
        reference: replies.at(-1)!.headers["x-request-reference"],
      },
    ]);
    // It was this attempt only that ended.
    (await scene.linkWithToken(VICTIM, await accessJwtOf(VICTIM))).expect(201);
  });

  it("counts every guess when many are made at the same time", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code } = await scene.getCodes(attempt, { as: VICTIM, cookie });
    const guesses = Array.from({ length: 12 }, (_, index) => scene.redeem(VICTIM, attempt, `GUESS${index}`));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(7).fill(410), ...Array<number>(5).fill(422)]);
    expect(await scene.attempts()).toMatchObject([{ wrong_codes: 5 }]);
    expect(await scene.linkEvents()).toEqual(["link_attempt.failed"]);
    expectProblem(await scene.redeem(VICTIM, attempt, code ?? ""), 410, "attempt_expired");
  });

  it("isn't given more tries by new codes, nor tries for nothing before anybody clicked", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    for (const guess of ["", "null", "undefined"].map((text) => `${text}A`)) {
      expectProblem(await scene.redeem(VICTIM, attempt, guess), 422, "validation_failed");
    }
    await scene.getCodes(attempt, { as: VICTIM, cookie });
    expectProblem(await scene.redeem(VICTIM, attempt, ANY_CODE), 422, "validation_failed");
    const { code } = await scene.getCodes(attempt, { as: VICTIM, cookie });
    expectProblem(await scene.redeem(VICTIM, attempt, ANY_CODE), 422, "validation_failed");
    expectProblem(await scene.redeem(VICTIM, attempt, code ?? ""), 410, "attempt_expired");
  });

  it.each(["", " - ", "null", "\0", "%00"])(
    "can't match a code that there is none of with %j",
    async (guess) => {
      const scene = await createScene(linking);
      const attempt = await scene.page(VICTIM).beginLink();
      expectProblem(await scene.redeem(VICTIM, attempt, guess), 422, "validation_failed");
      const cookie = await scene.openFromPage(attempt);
      await scene.getCodes(attempt, { as: VICTIM, cookie });
      expectProblem(await scene.redeem(VICTIM, attempt, guess), 422, "validation_failed");
      await expectNothingLinked(scene);
    },
  );

  it.each(["no-such-attempt", "..", "%00", "'", "\u00e9", "A".repeat(64)])(
    "of the attempt itself meets the same refusal everywhere: %j",
    async (id) => {
      const scene = await createScene(linking);
      const attempt = {
        id: encodeURIComponent(id),
        url: `${linking.world.appUrl}/link/start/${encodeURIComponent(id)}`,
      };
      if (id !== "..") {
        expectProblem(await scene.showPopup(attempt, { as: VICTIM }), 410, "attempt_expired");
        expectProblem(await scene.clickInPopup(attempt, { as: VICTIM }), 410, "attempt_expired");
        await expect(scene.openFromPage({ ...attempt, expiresAt: "" })).rejects.toThrow("answered 410");
      }
      expectProblem(await scene.redeem(VICTIM, { id }, ANY_CODE), 410, "attempt_expired");
    },
  );
});

describe("an attempt that is over", () => {
  it("is refused everywhere once five minutes have passed, right codes included", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code, typedCode } = await scene.getBothCodes(attempt, { as: VICTIM, cookie });
    const setExpiry = (at: number) =>
      linking.database.execute("UPDATE link_attempts SET expires_at = ? WHERE id_hash = ?", [
        storedTime(new Date(at)),
        sha256Hex(attempt.id),
      ]);
    await setExpiry(Date.now() - 1);
    await expectUnchanged(async () => {
      await expect(scene.openFromPage(attempt)).rejects.toThrow("answered 410");
      expectProblem(await scene.showPopup(attempt, { as: VICTIM, cookie }), 410, "attempt_expired");
      expectProblem(await scene.clickInPopup(attempt, { as: VICTIM, cookie }), 410, "attempt_expired");
      expectProblem(await scene.redeem(VICTIM, attempt, code), 410, "attempt_expired");
      expectProblem(await scene.redeem(VICTIM, attempt, typedCode), 410, "attempt_expired");
    });
    await setExpiry(Date.now() + 60_000);
    (await scene.redeem(VICTIM, attempt, code)).expect(201);
  });

  it("can't be used twice, by either code, in the popup or at the start", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code, typedCode } = await scene.getBothCodes(attempt, { as: VICTIM, cookie });
    (await scene.redeem(VICTIM, attempt, typedCode)).expect(201);
    await scene.page(VICTIM).unlinkAll();
    await expectUnchanged(async () => {
      for (const used of [typedCode, code]) {
        expectProblem(await scene.redeem(VICTIM, attempt, used), 410, "attempt_expired");
      }
      await expect(scene.openFromPage(attempt)).rejects.toThrow("answered 410");
      expectProblem(await scene.showPopup(attempt, { as: VICTIM, cookie }), 410, "attempt_expired");
      expectProblem(await scene.clickInPopup(attempt, { as: VICTIM, cookie }), 410, "attempt_expired");
    });
  });

  it("links once when both codes are sent many times at the same time", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code, typedCode } = await scene.getBothCodes(attempt, { as: VICTIM, cookie });
    const tries = [code, typedCode, code, typedCode, code].map((right) =>
      scene.redeem(VICTIM, attempt, right),
    );
    expect((await Promise.all(tries)).map(({ status }) => status).sort()).toEqual([201, 410, 410, 410, 410]);
    expect(await scene.linkEvents()).toEqual(["link.created"]);
  });

  it("takes no code that was made for another attempt of the same account", async () => {
    const scene = await createScene(linking);
    const first = await scene.beginInPopup(VICTIM);
    const second = await scene.beginInPopup(VICTIM);
    const codes = await scene.getBothCodes(first.attempt, { as: VICTIM, cookie: first.cookie });
    await scene.getBothCodes(second.attempt, { as: VICTIM, cookie: second.cookie });
    for (const foreign of [codes.code, codes.typedCode]) {
      expectProblem(await scene.redeem(VICTIM, second.attempt, foreign), 422, "validation_failed");
    }
    await expectNothingLinked(scene);
  });
});

describe("the cookie that ties the popup to its opener", () => {
  it("can't be read by scripts, sent by other sites, planted by neighbouring hosts, or outlive the attempt", async () => {
    const scene = await createScene(linking);
    const attempt = await scene.page(VICTIM).beginLink();
    const reply = await linking.world.parts.client.send({
      caller: "A browser",
      method: "GET",
      url: attempt.url,
      headers: { "sec-fetch-site": "same-origin" },
    });
    expect(reply.headers.location).toBe(`/access/link/${attempt.id}`);
    const [cookie = "", ...others] = reply.headers["set-cookie"] ?? [];
    expect(others).toEqual([]);
    const [pair, ...attributes] = cookie.split("; ");
    // RFC 6265bis §4.1.3.2: a browser takes __Host- only from the host itself, over https, for the whole host.
    expect(pair).toMatch(/^__Host-link-[0-9a-f]{16}=[\w-]{22}$/);
    expect(attributes.map((attribute) => attribute.toLowerCase()).sort()).toEqual([
      "httponly",
      "max-age=300",
      "path=/",
      "samesite=lax",
      "secure",
    ]);
    expect(pair).not.toContain(attempt.id);
  });

  it("of one attempt says nothing about another", async () => {
    const scene = await createScene(linking);
    const attackers = await scene.beginInPopup(ATTACKER);
    const victims = await scene.beginInPopup(VICTIM);
    const [name] = victims.cookie.split("=");
    const [, value] = attackers.cookie.split("=");
    for (const cookie of [attackers.cookie, `${name}=${value}`, `${name}=`, `${name}=null`]) {
      expect(await scene.getCodes(victims.attempt, { as: VICTIM, cookie })).toMatchObject({ code: null });
    }
    expect(await scene.getCodes(victims.attempt, { as: VICTIM, cookie: victims.cookie })).toMatchObject({
      typedCode: null,
    });
  });

  it("of the window before last no longer counts", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const newer = await scene.openFromPage(attempt);
    expect(await scene.getCodes(attempt, { as: VICTIM, cookie })).toMatchObject({ code: null });
    expect(await scene.getCodes(attempt, { as: VICTIM, cookie: newer })).toMatchObject({ typedCode: null });
  });

  it("of the attacker's in the victim's browser links nothing: the page names the attacker's account, and waits", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const shown = (await scene.showPopup(attempt, { as: VICTIM, cookie })).expect(200);
    expect(shown.text).toContain(ATTACKER.name);
    expect(shown.text).toContain(VICTIM.email);
    await expectUnclaimed(scene);
    // Nor does it, by itself, let anybody redeem or see anything.
    expectProblem(await scene.showPopup(attempt, { accessJwt: null, cookie }), 401, "access_jwt_missing");
    expectProblem(
      await scene.redeem(ATTACKER, attempt, cookie.split("=")[1] ?? ""),
      422,
      "validation_failed",
    );
  });
});

it("whoever reads the database or the log finds no id, code, cookie or token, and the log names nobody", async () => {
  const logged = await startLoggedWorld(linking.world);
  const scene = await createScene(logged);
  const { attempt, cookie } = await scene.beginInPopup(VICTIM);
  const accessJwt = await accessJwtOf(VICTIM);
  const before = await scene.getBothCodes(attempt, { accessJwt, cookie });
  const { code, typedCode } = await scene.getBothCodes(attempt, { accessJwt, cookie });
  expectProblem(await scene.redeem(VICTIM, attempt, before.code), 422, "validation_failed");
  expectProblem(
    await scene.showPopup({ id: `${attempt.id}x` }, { as: VICTIM, cookie }),
    410,
    "attempt_expired",
  );
  (await scene.showPopup({ id: `${attempt.id}/more` }, { as: VICTIM, cookie })).expect(404);
  expectProblem(await scene.redeem(VICTIM, attempt, before.typedCode), 422, "validation_failed");
  const linked = (await scene.redeem(VICTIM, attempt, typedCode)).expect(201);
  (await scene.linkWithToken(VICTIM, accessJwt)).expect(200);
  expectProblem(await scene.linkWithToken(ATTACKER, accessJwt), 409, "already_linked");
  expectProblem(await scene.linkWithToken(VICTIM, `${accessJwt}x`), 401, "access_jwt_malformed");

  const secrets = {
    attempt: attempt.id,
    cookie: cookie.split("=")[1] ?? "",
    code,
    typedCode,
    ...{ oldCode: before.code, oldTypedCode: before.typedCode },
    accessJwt,
    accessJwtPayload: accessJwt.split(".")[1] ?? "",
    accessJwtSignature: accessJwt.split(".")[2] ?? "",
    sharedSecret: scene.site.getInstallation("jira").sharedSecret,
  };
  const whileOpen = await logged.database.bytes();
  await logged.stop();
  const afterwards = await logged.database.bytes();
  const log = logged.output();
  for (const [what, secret] of Object.entries(secrets)) {
    expect(secret.length, what).toBeGreaterThanOrEqual(10);
    expect(whileOpen.includes(secret), `the database has: ${what}`).toBe(false);
    expect(afterwards.includes(secret), `the database has: ${what}`).toBe(false);
    expect(log.includes(secret), `the log has: ${what}`).toBe(false);
  }
  for (const personal of [VICTIM.email, VICTIM.name, VICTIM.accessSubject])
    expect(log).not.toContain(personal);
  // What it looked at was the right database and the right log.
  expect(afterwards.includes(sha256Hex(attempt.id))).toBe(true);
  expect(log).toContain(linked.headers["x-request-reference"]);
});

describe("an Access JWT that proves nothing", () => {
  const now = epochSeconds();
  interface Token {
    readonly holder?: Person | typeof NIGHTLY_BUILD;
    readonly audience?: string;
    readonly claims?: Claims;
  }
  const TOKENS: [what: string, status: number, code: ProblemCode, token: Token][] = [
    ["made for a service that may only identify", 403, "purpose_not_allowed", { audience: AUDIENCES.demo }],
    ["made for an application that isn't listed", 401, "access_jwt_untrusted", { audience: "f".repeat(64) }],
    ["made for no application", 401, "access_jwt_untrusted", { claims: { type: "org" } }],
    [
      "that has expired",
      401,
      "access_jwt_expired",
      { claims: { iat: now - 900, nbf: now - 900, exp: now - 60 } },
    ],
    ["from the future", 401, "access_jwt_untrusted", { claims: { iat: now + 300, nbf: now + 300 } }],
    ["of a service token", 403, "service_token", { holder: NIGHTLY_BUILD }],
    ["of a service token that names a person", 403, "service_token", { claims: { common_name: "x.access" } }],
    ["of nobody", 401, "access_jwt_untrusted", { claims: { sub: "" } }],
    ["without an e-mail", 401, "access_jwt_untrusted", { claims: { email: undefined } }],
    ["of a partner's domain", 403, "email_domain_not_allowed", { holder: OSCAR }],
    ["of a subdomain", 403, "email_domain_not_allowed", { claims: { email: "grace@x.acme.example" } }],
    [
      "of a domain that ends alike",
      403,
      "email_domain_not_allowed",
      { claims: { email: "grace@evil-acme.example" } },
    ],
    [
      "of a domain that begins alike",
      403,
      "email_domain_not_allowed",
      { claims: { email: "grace@acme.example.evil.example" } },
    ],
    [
      "of an address that holds another",
      403,
      "email_domain_not_allowed",
      { claims: { email: '"grace@acme.example"@evil.example' } },
    ],
    [
      "of a domain that only Unicode folds into ours",
      403,
      "email_domain_not_allowed",
      { claims: { email: "grace@\u212Aiosk.example" } },
    ],
  ];

  it.each(TOKENS)("%s, is refused by the popup and by the API", async (_what, status, code, token) => {
    const scene = await createScene(linking, {
      settings: { allowedEmailDomains: ["acme.example", "kiosk.example"] },
    });
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { holder = VICTIM, audience = AUDIENCES.app, claims = {} } = token;
    const accessJwt = await linking.world.team.signAccessJwt(holder, audience, { claims });
    await expectUnchanged(async () => {
      expectProblem(await scene.showPopup(attempt, { accessJwt, cookie }), status, code);
      expectProblem(await scene.clickInPopup(attempt, { accessJwt, cookie }), status, code);
      expectProblem(await scene.linkWithToken(VICTIM, accessJwt), status, code);
    });
  });

  it("forged with another key, is refused by the popup and by the API", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const real = await accessJwtOf(VICTIM);
    const [header, payload] = real.split(".").map((part) => Buffer.from(part, "base64url").toString());
    const { privateKey } = await createRsaKeyPair();
    const forged = await signJwt(JSON.parse(header!) as Claims, JSON.parse(payload!) as Claims, privateKey);
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${real.split(".")[1]}.AA`;
    for (const accessJwt of [forged, unsigned]) {
      expectProblem(await scene.clickInPopup(attempt, { accessJwt, cookie }), 401, "access_jwt_untrusted");
      expectProblem(await scene.linkWithToken(VICTIM, accessJwt), 401, "access_jwt_untrusted");
    }
    await expectUnclaimed(scene);
  });

  it("in a cookie, an e-mail header, or beside another one, says nothing about who somebody is", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const accessJwt = await accessJwtOf(VICTIM);
    const headers = { "cf-access-authenticated-user-email": VICTIM.email };
    const withCookie = { accessJwt: null, headers, cookie: `${cookie}; CF_Authorization=${accessJwt}` };
    expectProblem(await scene.clickInPopup(attempt, withCookie), 401, "access_jwt_missing");
    const withTwo = {
      accessJwt,
      cookie,
      headers: { authorization: `Bearer ${await accessJwtOf(ATTACKER)}` },
    };
    expectProblem(await scene.clickInPopup(attempt, withTwo), 400, "ambiguous_credentials");
    await expectUnclaimed(scene);
  });

  it.each([
    [590, true],
    [615, false],
  ])("of %i seconds ago, links without the popup: %s", async (ageSeconds, links) => {
    const scene = await createScene(linking);
    const iat = epochSeconds() - ageSeconds;
    const accessJwt = await linking.world.team.signAccessJwt(VICTIM, AUDIENCES.app, {
      claims: { iat, nbf: iat },
    });
    const reply = await scene.linkWithToken(VICTIM, accessJwt);
    if (links) {
      reply.expect(201);
    } else {
      expectProblem(reply, 403, "token_too_old");
      await expectNothingLinked(scene);
    }
  });

  it("after it has linked one account, links no second one, in no tenant, even after unlinking", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const elsewhere = await createScene(linking);
    const accessJwt = await accessJwtOf(VICTIM);
    (await scene.linkWithToken(VICTIM, accessJwt)).expect(201);
    const refuseAll = async () => {
      expectProblem(await scene.linkWithToken(ATTACKER, accessJwt), 409, "already_linked");
      expectProblem(await scene.linkWithToken(ATTACKER, accessJwt, "confluence"), 409, "already_linked");
      expectProblem(await scene.linkWithToken(VICTIM, accessJwt, "confluence"), 409, "already_linked");
      expectProblem(await elsewhere.linkWithToken(VICTIM, accessJwt), 409, "already_linked");
    };
    await expectUnchanged(refuseAll);
    await scene.page(VICTIM).unlinkAll();
    await expectUnchanged(refuseAll);
    (await scene.linkWithToken(VICTIM, accessJwt)).expect(201);
  });

  it("links one account only when two send it at the same time", async () => {
    const scene = await createScene(linking);
    const accessJwt = await accessJwtOf(VICTIM);
    const people = [VICTIM, ATTACKER, ADA, OSCAR];
    const replies = await Promise.all(people.map((person) => scene.linkWithToken(person, accessJwt)));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    expect(await scene.linkEvents()).toEqual(["link.created"]);
  });

  it("of somebody who inherited an e-mail address, isn't the person who was linked", async () => {
    const scene = await createScene(linking);
    await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
    expectProblem(await scene.identify({ ...ATTACKER, email: VICTIM.email }), 404, "not_linked");
  });
});

describe("an identity that is linked to another account", () => {
  it("is refused without a word about whose it is", async () => {
    const scene = await createScene(linking);
    const other = createPerson("Zacharias Zeppelin");
    scene.site.accounts.set(other.accountId, other);
    const link = await scene.page(other).link(await linking.world.browser(VICTIM), VICTIM);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const html = { accept: "text/html" };
    const answers = [
      await scene.showPopup(attempt, { as: VICTIM, cookie }),
      await scene.showPopup(attempt, { as: VICTIM }),
      await scene.clickInPopup(attempt, { as: VICTIM, cookie, headers: html }),
      await scene.clickInPopup(attempt, { as: VICTIM, cookie }),
      await scene.page(VICTIM).send("GET", "/api/v1/me"),
    ];
    const { code } = await scene.getCodes(attempt, { as: VICTIM, cookie });
    const refusals = [
      await scene.redeem(VICTIM, attempt, code ?? ""),
      await scene.linkWithToken(VICTIM, await accessJwtOf(VICTIM)),
    ];
    for (const refusal of refusals) expectProblem(refusal, 409, "already_linked");
    for (const { text, headers } of [...answers, ...refusals]) {
      for (const hint of [other.accountId, other.name, "Zacharias", link.id]) {
        expect(`${text}${JSON.stringify(headers)}`).not.toContain(hint);
      }
    }
    expect(await scene.links()).toMatchObject([{ account_id: other.accountId }]);
    expect(await scene.linkEvents()).toEqual(["link.created"]);
  });

  it("sees so in the popup, and its holder can remove that link and then link, audited", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const browser = await linking.world.browser(VICTIM);
    const old = await scene.page(ATTACKER).link(browser, VICTIM);
    await scene.page(ATTACKER, "confluence").link(browser, VICTIM);

    const attempt = await scene.page(VICTIM).beginLink();
    const shown = await scene.page(VICTIM).openPopup(attempt, browser);
    expect(shown.text).toMatch(/is already linked to another account\s+on/);
    const removal = await browser.submit({ action: "remove" });
    expect(removal.expect(200).text).not.toContain("already linked");
    expect(await scene.page(ATTACKER).listLinks()).toEqual([]);
    expect(await scene.page(ATTACKER, "confluence").listLinks()).toHaveLength(1);

    const { code } = (await browser.submit({}, "application/json")).expect(200).body as { code: string };
    (await scene.redeem(VICTIM, attempt, code)).expect(201);
    const audit = await scene.page(ADA).send("GET", "/api/v1/audit?action=link.removed");
    expect(audit.expect(200).body).toMatchObject({
      items: [
        {
          action: "link.removed",
          // Access proved whose identity it is; nothing proved an Atlassian account.
          actor: { type: "user", accountId: null },
          target: { type: "link", id: old.id },
          before: { accountId: ATTACKER.accountId, email: VICTIM.email, method: "proof" },
          after: null,
          ip: "127.0.0.1",
        },
      ],
      nextCursor: null,
    });
  });

  it("is the only one that the popup's button removes: not the account's own, and nobody else's", async () => {
    const scene = await createScene(linking);
    await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
    const own = await scene.beginInPopup(VICTIM);
    const attackers = await scene.beginInPopup(ATTACKER);
    await expectUnchanged(async () => {
      const remove = { body: { action: "remove" } };
      (await scene.clickInPopup(own.attempt, { as: VICTIM, cookie: own.cookie, ...remove })).expect(204);
      (await scene.clickInPopup(own.attempt, { as: ATTACKER, cookie: own.cookie, ...remove })).expect(204);
      (await scene.clickInPopup(attackers.attempt, { as: ATTACKER, ...remove })).expect(204);
    });
  });

  it("is removed once when its holder clicks twice at the same time", async () => {
    const scene = await createScene(linking);
    await scene.page(ATTACKER).link(await linking.world.browser(VICTIM), VICTIM);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const click = () => scene.clickInPopup(attempt, { as: VICTIM, cookie, body: { action: "remove" } });
    const statuses = (await Promise.all([click(), click(), click()])).map(({ status }) => status);
    expect(statuses).toContain(204);
    expect(statuses.every((status) => status === 204 || status === 404)).toBe(true);
    expect(await scene.linkEvents()).toEqual(["link.created", "link.removed"]);
  });
});

it("nobody removes another's link by its id", async () => {
  const scene = await createScene(linking, { products: ["jira", "confluence"] });
  const elsewhere = await createScene(linking);
  const { id } = await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
  await expectUnchanged(async () => {
    const path = `/api/v1/me/links/${id}`;
    expectProblem(await scene.page(ATTACKER).send("DELETE", path), 404, "not_found");
    expectProblem(await scene.page(ADA).send("DELETE", path), 404, "not_found");
    expectProblem(await scene.page(VICTIM, "confluence").send("DELETE", path), 404, "not_found");
    expectProblem(await elsewhere.page(VICTIM).send("DELETE", path), 404, "not_found");
  });
});

describe("settings that change meanwhile", () => {
  const [linkService, identifyService] = SERVICES;
  const moved = { ...linkService, audience: "e".repeat(64) };
  const onlyIdentifies = { ...linkService, purposes: ["identify"] as const };
  type Change = [
    change: string,
    changes: SettingsChanges,
    atPopup: [number, ProblemCode],
    atCode: [number, ProblemCode],
  ];
  const CHANGES: Change[] = [
    ["to another team", { teamDomain: OTHER_TEAM }, [401, "access_jwt_untrusted"], [410, "attempt_expired"]],
    ["to no team", { teamDomain: null }, [401, "access_jwt_untrusted"], [403, "purpose_not_allowed"]],
    [
      "to another audience",
      { services: [moved, identifyService] },
      [401, "access_jwt_untrusted"],
      [410, "attempt_expired"],
    ],
    [
      "so that the service no longer links",
      { services: [onlyIdentifies] },
      [403, "purpose_not_allowed"],
      [403, "purpose_not_allowed"],
    ],
    [
      "to other e-mail domains",
      { allowedEmailDomains: ["other.example"] },
      [403, "email_domain_not_allowed"],
      [403, "email_domain_not_allowed"],
    ],
    ["to paused", { paused: true }, [403, "paused"], [403, "paused"]],
  ];

  it.each(CHANGES)(
    "%s, count at the click and when the code comes",
    async (_change, changes, atPopup, atCode) => {
      const scene = await createScene(linking);
      const claimed = await scene.beginInPopup(VICTIM);
      const { code } = await scene.getCodes(claimed.attempt, { as: VICTIM, cookie: claimed.cookie });
      const open = await scene.beginInPopup(VICTIM);
      // So that the other team's tokens would be verified.
      await createScene(linking, { settings: { teamDomain: OTHER_TEAM } });
      await scene.page(ADA).saveSettings(changes);
      await expectUnchanged(async () => {
        for (const { attempt, cookie } of [claimed, open]) {
          expectProblem(await scene.showPopup(attempt, { as: VICTIM, cookie }), ...atPopup);
          expectProblem(await scene.clickInPopup(attempt, { as: VICTIM, cookie }), ...atPopup);
        }
        expectProblem(await scene.redeem(VICTIM, claimed.attempt, code ?? ""), ...atCode);
        expectProblem(await scene.linkWithToken(VICTIM, await accessJwtOf(VICTIM)), ...atPopup);
      });
      await expectNothingLinked(scene);
    },
  );

  it("between two audiences that both link don't make the first one's proof the second's", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code } = await scene.getCodes(attempt, { as: VICTIM, cookie });
    const services = [
      { ...linkService, purposes: ["identify"] as const },
      { ...identifyService, purposes: ["link"] as const },
    ];
    await scene.page(ADA).saveSettings({ services });
    expectProblem(await scene.redeem(VICTIM, attempt, code ?? ""), 410, "attempt_expired");
    await expectNothingLinked(scene);
  });

  it("because the app moved to another host, count at the click and when the code comes", async () => {
    const scene = await createScene(linking);
    const elsewhere = await createScene(linking, { products: [] });
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const { code } = await scene.getCodes(attempt, { as: VICTIM, cookie });
    const move = { body: { baseUrl: elsewhere.site.url } };
    (await scene.site.install("jira", linking.world.appUrl, move)).expect(204);
    expectProblem(await scene.showPopup(attempt, { as: VICTIM, cookie }), 403, "paused");
    expectProblem(await scene.clickInPopup(attempt, { as: VICTIM, cookie }), 403, "paused");
    expectProblem(await scene.redeem(VICTIM, attempt, code ?? ""), 403, "paused");
    expectProblem(await scene.linkWithToken(VICTIM, await accessJwtOf(VICTIM)), 403, "paused");
    await expectNothingLinked(elsewhere);
  });
});

describe("the popup's pages", () => {
  it("can't be framed, run no script, are kept nowhere, and aren't cut off from their opener", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const asPage = { as: VICTIM, cookie, headers: { accept: "text/html" } };
    const start = await linking.world.parts.client.send({
      caller: "A browser",
      method: "GET",
      url: attempt.url,
      headers: { "sec-fetch-site": "same-origin" },
    });
    const replies = [
      start.expect(303),
      (await scene.showPopup(attempt, { as: VICTIM, cookie })).expect(200),
      (await scene.clickInPopup(attempt, asPage)).expect(200),
      (await scene.clickInPopup(attempt, { as: VICTIM, cookie })).expect(200),
      (await scene.showPopup({ id: "gone" }, asPage)).expect(410),
      (
        await scene.clickInPopup(attempt, { ...asPage, headers: { origin: "null", accept: "text/html" } })
      ).expect(403),
    ];
    for (const { headers } of replies) {
      const policy = String(headers["content-security-policy"]).split(";");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("form-action 'self'");
      expect(policy).toContain("base-uri 'none'");
      expect(policy.filter((directive) => directive.startsWith("script-src"))).toEqual([]);
      expect(headers).not.toHaveProperty("cross-origin-opener-policy");
      expect(headers["cache-control"]).toContain("no-store");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      // The address names the attempt.
      expect(headers["referrer-policy"]).toBe("same-origin");
    }
  });

  it("show names, addresses and attempts as text, whatever is in them", async () => {
    const scene = await createScene(linking);
    const hostile = createPerson(`<script>alert("name")</script>`, {
      email: `"<img/src=x/onerror=alert(1)>&'"@acme.example`,
      accountId: `"><script>alert('account')</script>`.replaceAll(" ", ""),
    });
    const html = { accept: "text/html" };
    const pages: Reply[] = [];
    for (const knownToTheSite of [false, true]) {
      // With a name, then under the id alone.
      if (knownToTheSite) scene.site.accounts.set(hostile.accountId, hostile);
      const { attempt, cookie } = await scene.beginInPopup(hostile);
      pages.push(await scene.showPopup(attempt, { as: hostile, cookie }));
      pages.push(await scene.showPopup(attempt, { as: hostile }));
      pages.push(await scene.clickInPopup(attempt, { as: hostile, cookie, headers: html }));
    }
    await scene.page(ATTACKER).link(await linking.world.browser(hostile), hostile);
    const { attempt } = await scene.beginInPopup(hostile);
    pages.push(await scene.showPopup(attempt, { as: hostile }));
    for (const page of pages) {
      expect(page.expect(200).text).toContain("&lt;img/src");
      expect(page.text).not.toMatch(/<(?:script|img)/i);
    }
    const lost = await scene.showPopup(
      { id: encodeURIComponent("<script>") },
      { as: hostile, headers: html },
    );
    expect(lost.expect(410).text).not.toMatch(/<script/i);
  });
});

describe("a tenant that is gone", () => {
  const CALLS: [method: string, path: string, body?: unknown][] = [
    ["GET", "/api/v1/me"],
    ["POST", "/api/v1/me/link-attempts", {}],
    ["POST", "/api/v1/me/links", { attempt: "x", code: "y" }],
    ["POST", "/api/v1/me/links", { accessJwt: "x" }],
    ["DELETE", "/api/v1/me/links/some-id"],
    ["GET", "/api/v1/links"],
    ["DELETE", "/api/v1/links/some-id"],
    ["GET", "/api/v1/audit"],
  ];

  it.each(["disabled", "uninstalled"] as const)("because it was %s, lets nobody in", async (event) => {
    const scene = await createScene(linking);
    await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const { code } = await scene.getCodes(attempt, { as: ATTACKER, cookie });
    const end = event === "disabled" ? scene.site.disable("jira") : scene.site.uninstall("jira");
    (await end).expect(204);
    await expectUnchanged(async () => {
      for (const [method, path, body] of CALLS) {
        expectProblem(await scene.page(ADA).send(method, path, body), 401, "connect_jwt_invalid");
      }
      expectProblem(await scene.redeem(ATTACKER, attempt, code ?? ""), 401, "connect_jwt_invalid");
      expectProblem(await scene.showPopup(attempt, { as: ATTACKER, cookie }), 410, "attempt_expired");
      expectProblem(await scene.clickInPopup(attempt, { as: ATTACKER, cookie }), 410, "attempt_expired");
      expectProblem(await scene.identify(VICTIM), 401, "access_jwt_untrusted");
    });
  });

  it("has its attempts and links erased by uninstalling, so that they don't count after a reinstall", async () => {
    const scene = await createScene(linking);
    await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const { code } = await scene.getCodes(attempt, { as: ATTACKER, cookie });
    const oldContextJwt = await scene.site.contextJwt("jira", VICTIM.accountId);
    (await scene.site.uninstall("jira")).expect(204);
    expect([await scene.links(), await scene.attempts()]).toEqual([[], []]);
    await scene.install("jira");
    await expect(scene.openFromPage(attempt)).rejects.toThrow("answered 410");
    expectProblem(await scene.showPopup(attempt, { as: ATTACKER, cookie }), 410, "attempt_expired");
    expectProblem(await scene.redeem(ATTACKER, attempt, code ?? ""), 410, "attempt_expired");
    expectProblem(await scene.identify(VICTIM), 404, "not_linked");
    const withOldToken = await linking.world.parts.client.send({
      caller: "Somebody with an old token",
      method: "GET",
      url: `${linking.world.appUrl}/api/v1/me`,
      headers: { authorization: `JWT ${oldContextJwt}` },
    });
    expectProblem(withOldToken, 401, "connect_jwt_invalid");
  });

  // The site doesn't know her, so every request of hers asks it once more.
  const stranger = createPerson("Somebody New");
  it.each<[what: string, call: (scene: Scene, attempt: { id: string; code: string }) => Promise<Reply>]>([
    ["an attempt", (scene) => scene.page(stranger).send("POST", "/api/v1/me/link-attempts", {})],
    ["a link by token", async (scene) => scene.linkWithToken(stranger, await accessJwtOf(stranger))],
    ["a link by code", (scene, attempt) => scene.redeem(stranger, attempt, attempt.code)],
  ])("stores nothing any more for a request that was under way: %s", async (_what, call) => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(stranger);
    const { code } = await scene.getBothCodes(attempt, { as: stranger, cookie });
    const held = holdAccountQuestions(scene);
    const answer = call(scene, { id: attempt.id, code });
    await held.asked;
    (await scene.site.uninstall("jira")).expect(204);
    held.release();
    expect([401, 410]).toContain((await answer).status);
    expect([await scene.links(), await scene.attempts(), await scene.linkEvents()]).toEqual([[], [], []]);
  });
});

describe("an account that isn't an active person's", () => {
  it.each<[who: string, person: Person]>([
    ["a deactivated account", DORA],
    ["an app", BUILD_BOT],
    ["a portal customer", createPerson("Paula Portal", { accountType: "customer" })],
    ["a portal customer, by the id alone", createPerson("Pia Portal", { accountId: "qm:1234:abcd" })],
  ])("can neither look nor link: %s", async (_who, person) => {
    const scene = await createScene(linking);
    if (!person.accountId.startsWith("qm:")) scene.site.accounts.set(person.accountId, person);
    const accessJwt = await accessJwtOf(person);
    await expectUnchanged(async () => {
      const page = scene.page(person);
      for (const reply of [
        await page.send("GET", "/api/v1/me"),
        await page.send("POST", "/api/v1/me/link-attempts", {}),
        await page.send("POST", "/api/v1/me/links", { accessJwt }),
        await page.send("POST", "/api/v1/me/links", { attempt: "x", code: "y" }),
        await page.send("DELETE", "/api/v1/me/links/some-id"),
      ]) {
        expectProblem(reply, 403, "account_inactive");
      }
    });
    expect(scene.site.server.requests.filter((line) => line.includes("qm:"))).toEqual([]);
  });
});

describe("beginning attempts without end", () => {
  it("stops at twenty for one account of one tenant, until they are old", async () => {
    const scene = await createScene(linking, { products: ["jira", "confluence"] });
    const begin = () => scene.page(ATTACKER).send("POST", "/api/v1/me/link-attempts", {});
    // At the same time, so that none slips through between counting and storing.
    const replies = await Promise.all(Array.from({ length: 25 }, begin));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(20);
    const refused = replies.filter(({ status }) => status !== 201);
    for (const reply of refused) {
      expectProblem(reply, 429, "rate_limited");
      expect(Number(reply.headers["retry-after"])).toBeGreaterThanOrEqual(1);
      expect(Number(reply.headers["retry-after"])).toBeLessThanOrEqual(600);
    }
    expect(await scene.attempts()).toHaveLength(20);
    await scene.page(VICTIM).beginLink();
    await scene.page(ATTACKER, "confluence").beginLink();

    const longAgo = storedTime(new Date(Date.now() - 600_000));
    await linking.database.execute("UPDATE link_attempts SET created_at = ? WHERE account_id = ?", [
      longAgo,
      ATTACKER.accountId,
    ]);
    (await begin()).expect(201);
  });
});

async function accessJwtOf(person: Person): Promise<string> {
  return linking.world.team.signAccessJwt(person, AUDIENCES.app);
}

/** The site takes its time to say what kind of account somebody has, until it is told to answer. */
function holdAccountQuestions({ site }: Scene): { readonly asked: Promise<void>; release(): void } {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const asked = new Promise<void>((resolve) => {
    site.server.routes.unshift([
      "GET",
      /^\/rest\/api\/3\/user$/,
      async () => {
        resolve();
        await released;
        return json(404, {});
      },
    ]);
  });
  return { asked, release };
}
