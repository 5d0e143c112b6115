import { describe, expect, it } from "vitest";

import { createRsaKeyPair, epochSeconds, signJwt, type Claims } from "../sandbox/jwt.js";
import { ADA, createPerson, NIGHTLY_BUILD, OSCAR, type Person } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { ProblemCode } from "../src/errors.js";
import {
  ATTACKER,
  expectNothingLinked,
  expectUnchanged,
  expectUnclaimed,
  useAttackedWorld,
  VICTIM,
} from "./linking-attacks.fixture.js";
import { createScene, expectProblem } from "./linking-scene.fixture.js";

const linking = useAttackedWorld();

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
    await expectUnchanged(scene, async () => {
      expectProblem(await scene.showPopup(attempt, { accessJwt, cookie }), status, code);
      expectProblem(await scene.clickInPopup(attempt, { accessJwt, cookie }), status, code);
      expectProblem(await scene.linkWithToken(VICTIM, accessJwt), status, code);
    });
  });

  it("forged with another key, is refused by the popup and by the API", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const real = await scene.accessJwtOf(VICTIM);
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

  it("anywhere but where Access itself puts it, says nothing to the popup about who somebody is", async () => {
    const scene = await createScene(linking);
    const { attempt, cookie } = await scene.beginInPopup(VICTIM);
    const accessJwt = await scene.accessJwtOf(VICTIM);
    const elsewhere = {
      accessJwt: null,
      cookie: `${cookie}; CF_Authorization=${accessJwt}`,
      headers: { "cf-access-authenticated-user-email": VICTIM.email, authorization: `Bearer ${accessJwt}` },
    };
    expectProblem(await scene.showPopup(attempt, elsewhere), 401, "access_jwt_missing");
    expectProblem(await scene.clickInPopup(attempt, elsewhere), 401, "access_jwt_missing");
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
    const accessJwt = await scene.accessJwtOf(VICTIM);
    (await scene.linkWithToken(VICTIM, accessJwt)).expect(201);
    const refuseAll = async () => {
      expectProblem(await scene.linkWithToken(ATTACKER, accessJwt), 409, "already_linked");
      expectProblem(await scene.linkWithToken(ATTACKER, accessJwt, "confluence"), 409, "already_linked");
      expectProblem(await scene.linkWithToken(VICTIM, accessJwt, "confluence"), 409, "already_linked");
      expectProblem(await elsewhere.linkWithToken(VICTIM, accessJwt), 409, "already_linked");
    };
    await expectUnchanged(scene, refuseAll);
    await scene.page(VICTIM).unlinkAll();
    await expectUnchanged(scene, refuseAll);
    (await scene.linkWithToken(VICTIM, accessJwt)).expect(201);
  });

  it("links one account only when two send it at the same time", async () => {
    const scene = await createScene(linking);
    const accessJwt = await scene.accessJwtOf(VICTIM);
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
      await scene.linkWithToken(VICTIM, await scene.accessJwtOf(VICTIM)),
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
    expect(shown.text).toMatch(/is already linked to another account/);
    expect(shown.text).toMatch(/since\s+\d+ \w+ \d{4}\.\s+No tool has used that link yet\./);
    expect(shown.text).toContain("Nothing has been changed so far.");
    for (const hint of [ATTACKER.accountId, ATTACKER.name]) expect(shown.text).not.toContain(hint);
    const removal = (await browser.submit({ action: "remove" })).expect(200);
    expect(removal.text).not.toContain("already linked");
    expect(removal.text).toContain("The other link was removed. Nothing new is linked yet.");
    expect(removal.text).not.toContain("Nothing has been changed so far.");
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
    await expectUnchanged(scene, async () => {
      const remove = { body: { action: "remove" } };
      (await scene.clickInPopup(own.attempt, { as: VICTIM, cookie: own.cookie, ...remove })).expect(204);
      (await scene.clickInPopup(own.attempt, { as: ATTACKER, cookie: own.cookie, ...remove })).expect(204);
      const { attempt, cookie } = attackers;
      (await scene.clickInPopup(attempt, { as: ATTACKER, cookie, ...remove })).expect(204);
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
  await expectUnchanged(scene, async () => {
    const path = `/api/v1/me/links/${id}`;
    expectProblem(await scene.page(ATTACKER).send("DELETE", path), 404, "not_found");
    expectProblem(await scene.page(ADA).send("DELETE", path), 404, "not_found");
    expectProblem(await scene.page(VICTIM, "confluence").send("DELETE", path), 404, "not_found");
    expectProblem(await elsewhere.page(VICTIM).send("DELETE", path), 404, "not_found");
  });
});
