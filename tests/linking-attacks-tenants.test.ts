import { describe, expect, it } from "vitest";

import type { SettingsChanges } from "../sandbox/app-page.js";
import type { Reply } from "../sandbox/http-client.js";
import { json } from "../sandbox/http-server.js";
import { ADA, BUILD_BOT, createPerson, DORA, type Person } from "../sandbox/people.js";
import { SERVICES } from "../sandbox/world.js";
import type { ProblemCode } from "../src/errors.js";
import { sha256Hex } from "../src/identifiers.js";
import {
  ATTACKER,
  expectNothingLinked,
  expectUnchanged,
  OTHER_TEAM,
  useAttackedWorld,
  VICTIM,
} from "./linking-attacks.fixture.js";
import { createScene, expectProblem, type Scene } from "./linking-scene.fixture.js";

const linking = useAttackedWorld();

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
      await expectUnchanged(scene, async () => {
        for (const { attempt, cookie } of [claimed, open]) {
          expectProblem(await scene.showPopup(attempt, { as: VICTIM, cookie }), ...atPopup);
          expectProblem(await scene.clickInPopup(attempt, { as: VICTIM, cookie }), ...atPopup);
        }
        expectProblem(await scene.redeem(VICTIM, claimed.attempt, code ?? ""), ...atCode);
        expectProblem(await scene.linkWithToken(VICTIM, await scene.accessJwtOf(VICTIM)), ...atPopup);
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
    expectProblem(await scene.linkWithToken(VICTIM, await scene.accessJwtOf(VICTIM)), 403, "paused");
    await expectNothingLinked(elsewhere);
  });
});

describe("a tenant that is gone", () => {
  const CALLS: [method: string, path: string, body?: unknown][] = [
    ["GET", "/api/v1/me"],
    ["POST", "/api/v1/me/link-attempts", {}],
    ["POST", "/api/v1/me/links", { attempt: "x", code: "y" }],
    ["POST", "/api/v1/me/links", { accessJwt: "x" }],
    ["DELETE", "/api/v1/me/links/some-id"],
    ["POST", "/api/v1/me/links/some-id/confirm", { email: "x" }],
    ["POST", "/api/v1/me/news/seen", { until: new Date().toISOString() }],
    ["GET", "/api/v1/me/activity"],
    ["PUT", "/api/v1/me/consents/some-id", { digest: "0".repeat(64) }],
    ["DELETE", "/api/v1/me/consents/some-id"],
    ["GET", "/api/v1/links"],
    ["DELETE", "/api/v1/links/some-id"],
    ["GET", "/api/v1/audit"],
  ];

  it.each(["disabled", "uninstalled"] as const)("because it was %s, lets nobody in", async (event) => {
    const scene = await createScene(linking);
    // Another tenant trusts the team still, so that its tokens are looked at at all.
    await createScene(linking);
    await scene.page(VICTIM).link(await linking.world.browser(VICTIM));
    const { attempt, cookie } = await scene.beginInPopup(ATTACKER);
    const { code } = await scene.getCodes(attempt, { as: ATTACKER, cookie });
    const end = event === "disabled" ? scene.site.disable("jira") : scene.site.uninstall("jira");
    (await end).expect(204);
    await expectUnchanged(scene, async () => {
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
    // Not even in what the database has deleted.
    expect((await linking.database.bytes()).includes(sha256Hex(attempt.id))).toBe(false);
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

  interface Code {
    readonly id: string;
    readonly code: string;
  }
  const CALLS_UNDER_WAY: [
    what: string,
    call: (scene: Scene, person: Person, code: Code) => Promise<Reply>,
  ][] = [
    ["an attempt", (scene, person) => scene.page(person).send("POST", "/api/v1/me/link-attempts", {})],
    [
      "a link by token",
      async (scene, person) => scene.linkWithToken(person, await scene.accessJwtOf(person)),
    ],
    ["a link by code", (scene, person, { id, code }) => scene.redeem(person, { id }, code)],
  ];
  describe.each(["disabled", "uninstalled"] as const)("while it was being %s", (event) => {
    it.each(CALLS_UNDER_WAY)("stores nothing for a request that was under way: %s", async (_what, call) => {
      const scene = await createScene(linking);
      const { attempt, cookie } = await scene.beginInPopup(VICTIM);
      const { code } = await scene.getBothCodes(attempt, { as: VICTIM, cookie });
      // Somebody whom the app hasn't asked the site about yet, and still does when the tenant leaves.
      const person = createPerson("Somebody New");
      const takeOver = "UPDATE link_attempts SET account_id = ? WHERE id_hash = ?";
      await linking.database.execute(takeOver, [person.accountId, sha256Hex(attempt.id)]);
      const held = holdAccountQuestions(scene);
      const answer = call(scene, person, { id: attempt.id, code });
      await held.asked;
      const end = event === "disabled" ? scene.site.disable("jira") : scene.site.uninstall("jira");
      (await end).expect(204);
      const attempts = await scene.attempts();
      held.release();
      expect([401, 410]).toContain((await answer).status);
      expect(await scene.attempts()).toEqual(attempts);
      await expectNothingLinked(scene);
    });
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
    const accessJwt = await scene.accessJwtOf(person);
    await expectUnchanged(scene, async () => {
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
