import { describe, expect, it } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { ADA, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { sha256Hex } from "../src/identifiers.js";
import { startLoggedWorld } from "./linking-attacks-log.fixture.js";
import {
  ANY_CODE,
  ATTACKER,
  expectNothingLinked,
  expectUnchanged,
  expectUnclaimed,
  OTHER_TEAM,
  useAttackedWorld,
  VICTIM,
} from "./linking-attacks.fixture.js";
import { storedTime } from "./linking-database.fixture.js";
import { createScene, expectProblem } from "./linking-scene.fixture.js";

const linking = useAttackedWorld();

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
      await expectUnchanged(scene, async () => {
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
    await expectUnchanged(scene, async () => {
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
    (await scene.linkWithToken(VICTIM, await scene.accessJwtOf(VICTIM))).expect(201);
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
    for (const guess of ["A", "NULL", "UNDEFINED"]) {
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
    await expectUnchanged(scene, async () => {
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
    await expectUnchanged(scene, async () => {
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

it("whoever reads the database or the log finds no id, code, cookie or token, and the log names nobody", async () => {
  const logged = await startLoggedWorld(linking);
  const scene = await createScene(logged);
  const { attempt, cookie } = await scene.beginInPopup(VICTIM);
  const accessJwt = await scene.accessJwtOf(VICTIM);
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
    expect(secret, what).not.toBe("");
    expect(whileOpen.includes(secret), `the database has: ${what}`).toBe(false);
    expect(afterwards.includes(secret), `the database has: ${what}`).toBe(false);
    expect(log.includes(secret), `the log has: ${what}`).toBe(false);
  }
  for (const personal of [VICTIM.email, VICTIM.name, VICTIM.accessSubject])
    expect(log).not.toContain(personal);
  // What it looked at was the right database and the right log.
  expect(afterwards.includes(sha256Hex(attempt.id))).toBe(true);
  expect(log).toContain(linked.headers["x-request-reference"]);
}, 60_000);
