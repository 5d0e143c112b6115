import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { audienceOf } from "../sandbox/access-team.js";
import type { AtlassianSite } from "../sandbox/atlassian-site.js";
import type { Reply } from "../sandbox/http-client.js";
import { epochSeconds, type Claims } from "../sandbox/jwt.js";
import {
  ADA,
  GRACE,
  LINUS,
  NIGHTLY_BUILD,
  OSCAR,
  type Person,
  type ServiceToken,
} from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import type { ProblemCode } from "../src/errors.js";
import { expectProblem, type Problem } from "./refusals.fixture.js";
import { bearer, forge, ServiceWorld, type TokenOptions } from "./service-api.fixture.js";

let scene: ServiceWorld;
let grace: string;

beforeAll(async () => {
  scene = await ServiceWorld.start();
  grace = await scene.sign(GRACE);
});
afterAll(() => scene.close());

const UNLISTED = audienceOf("unlisted");

describe("of two reasons to refuse, the one that comes first in the contract is told:", () => {
  let paused: AtlassianSite;
  beforeAll(async () => {
    paused = await scene.startSite({ paused: true, allowedEmailDomains: ["acme.example"] });
  });

  const yesterday = {
    iat: epochSeconds() - 90_000,
    nbf: epochSeconds() - 90_000,
    exp: epochSeconds() - 3600,
  };

  const at =
    (site: () => AtlassianSite) =>
    async (holder: Person | ServiceToken, options: TokenOptions = {}, query = ""): Promise<Reply> =>
      scene.identify(await scene.sign(holder, options), { site: site(), query });
  const atHome = at(() => scene.site);
  const atPaused = at(() => paused);
  const nowhere = async (options: TokenOptions) =>
    scene.ask(bearer(await scene.sign(GRACE, options)), { path: "nowhere.atlassian.net/identity" });

  // prettier-ignore
  it.each<[first: ProblemCode, second: string, request: () => Promise<Reply>]>([
    ["ambiguous_credentials", "malformed", () => scene.ask({ "cf-access-jwt-assertion": "x", ...bearer("y") })],
    ["access_jwt_missing", "an unknown site", () => scene.ask({}, { path: "nowhere.atlassian.net/identity" })],
    ["access_jwt_malformed", "unavailable keys", () => atHome(GRACE, { team: scene.initech, claims: { exp: undefined } })],
    ["access_jwt_malformed", "an untrusted team", () => atHome(GRACE, { team: scene.stranger, claims: { exp: undefined } })],
    ["keys_unavailable", "a team of another site", () => atHome(GRACE, { team: scene.initech })],
    ["keys_unavailable", "an unknown site", () => nowhere({ team: scene.initech })],
    ["keys_unavailable", "an unlisted audience", () => atHome(GRACE, { team: scene.initech, audience: UNLISTED })],
    ["keys_unavailable", "expired", () => atHome(GRACE, { team: scene.initech, claims: yesterday })],
    ["keys_unavailable", "a service token", () => atHome(NIGHTLY_BUILD, { team: scene.initech })],
    ["access_jwt_untrusted", "expired, of an unknown team", () => atHome(GRACE, { team: scene.stranger, claims: yesterday })],
    ["access_jwt_untrusted", "expired, of another site's team", () => atHome(GRACE, { team: scene.globex, claims: yesterday })],
    ["access_jwt_untrusted", "expired, for an unlisted audience", () => atHome(GRACE, { audience: UNLISTED, claims: yesterday })],
    ["access_jwt_untrusted", "expired, for another audience than named", () => atHome(GRACE, { claims: yesterday }, `?audience=${UNLISTED}`)],
    ["access_jwt_untrusted", "expired, at an unknown site", () => nowhere({ claims: yesterday })],
    ["access_jwt_untrusted", "expired and forged", async () => scene.identify(forge(await scene.sign(GRACE, { claims: yesterday })))],
    ["access_jwt_untrusted", "a service token", () => atHome(NIGHTLY_BUILD, { audience: UNLISTED })],
    ["access_jwt_untrusted", "an e-mail domain", () => atPaused(OSCAR, { audience: UNLISTED })],
    ["access_jwt_untrusted", "paused", () => atPaused(GRACE, { audience: UNLISTED })],
    ["access_jwt_expired", "a service token", () => atHome(NIGHTLY_BUILD, { claims: yesterday })],
    ["access_jwt_expired", "an e-mail domain", () => atPaused(OSCAR, { claims: yesterday })],
    ["access_jwt_expired", "paused", () => atPaused(GRACE, { claims: yesterday })],
    ["access_jwt_expired", "a missing purpose", () => atHome(GRACE, { audience: AUDIENCES.app, claims: yesterday })],
    ["access_jwt_expired", "not linked", () => atHome(LINUS, { claims: yesterday })],
    ["service_token", "an e-mail domain", () => atPaused(NIGHTLY_BUILD, { claims: { email: OSCAR.email } })],
    ["service_token", "paused", () => atPaused(NIGHTLY_BUILD)],
    ["service_token", "a missing purpose", () => atHome(NIGHTLY_BUILD, { audience: AUDIENCES.app })],
    ["email_domain_not_allowed", "paused", () => atPaused(OSCAR)],
    ["email_domain_not_allowed", "a missing purpose", () => atPaused(OSCAR, { audience: AUDIENCES.app })],
    ["paused", "a missing purpose", () => atPaused(GRACE, { audience: AUDIENCES.app })],
    ["paused", "not linked", () => atPaused(LINUS)],
    ["purpose_not_allowed", "not linked", () => atHome(LINUS, { audience: AUDIENCES.app })],
  ])("%s before %s", async (first, _second, request) => {
    refuse(await request(), first);
  });
});

describe("a stranger", () => {
  const tomorrow = {
    iat: epochSeconds() + 86_400,
    nbf: epochSeconds() + 86_400,
    exp: epochSeconds() + 90_000,
  };
  const sign = async (options: TokenOptions) => scene.identify(await scene.sign(GRACE, options));

  // prettier-ignore
  const PROBES: readonly [name: string, request: () => Promise<Reply>][] = [
    ["an unknown site", () => scene.ask(bearer(grace), { path: "nowhere.atlassian.net/identity" })],
    ["a host that can't be", () => scene.ask(bearer(grace), { path: "not%20a%20host/identity" })],
    ["a known site and a team that nobody trusts", () => sign({ team: scene.stranger })],
    ["a known site and a team that another site trusts", () => sign({ team: scene.globex })],
    ["an unknown site and a team that some site trusts", async () =>
      scene.ask(bearer(await scene.sign(GRACE, { team: scene.globex })), { path: "nowhere.atlassian.net/identity" })],
    ["an issuer that is no team", () => sign({ claims: { iss: "https://evil.example" } })],
    ["an audience that isn't listed", () => sign({ audience: UNLISTED })],
    ["a product that isn't set up", () => scene.identify(grace, { query: "?product=confluence" })],
    ["a signature that is wrong", () => scene.identify(forge(grace))],
    ["another team's signature", () => sign({ team: scene.stranger, claims: { iss: scene.acme.issuer } })],
    ["the team-wide session", () => sign({ claims: { type: "org" } })],
    ["a token of tomorrow", () => sign({ claims: tomorrow })],
    ["a token of nobody", () => sign({ claims: { sub: undefined } })],
  ];

  it.each(PROBES)("gets one and the same answer, to the byte: %s", async (_name, request) => {
    const token = await scene.sign(LINUS, { team: scene.stranger });
    const nothing = await scene.ask(bearer(token), { path: "unknown.example/identity" });
    refuse(nothing, "access_jwt_untrusted");

    expect(withoutReference(await request())).toEqual(withoutReference(nothing));
  });

  it("makes the app ask neither teams nor sites, however often it tries", async () => {
    // For a key that it doesn't know, the app asks a trusted team once a minute.
    for (const [, request] of PROBES) await request();
    const before = scene.countQuestions();

    for (const [, request] of PROBES) await request();

    expect(scene.countQuestions()).toBe(before);
  });

  it("isn't told by a team's outage which site trusts it", async () => {
    const token = await scene.sign(GRACE, { team: scene.initech });

    const known = await scene.identify(token);
    const unknown = await scene.ask(bearer(token), { path: "nowhere.atlassian.net/identity" });

    refuse(known, "keys_unavailable");
    expect(withoutReference(unknown)).toEqual(withoutReference(known));
  });

  function withoutReference({ status, text, headers }: Reply): unknown {
    const { date, "x-request-reference": reference, ...rest } = headers;
    expect(date).toBeDefined();
    return { status, headers: rest, text: text.replace(String(reference), "") };
  }
});

describe("a token", () => {
  it.each<[when: string, times: () => Claims, outcome: Person | ProblemCode]>([
    ["expired 20 seconds ago", () => ({ exp: epochSeconds() - 20 }), GRACE],
    ["expired 40 seconds ago", () => ({ exp: epochSeconds() - 40 }), "access_jwt_expired"],
    ["counts from in 20 seconds", () => ({ iat: epochSeconds() + 20, nbf: epochSeconds() + 20 }), GRACE],
    ["counts from in 40 seconds", () => ({ nbf: epochSeconds() + 40 }), "access_jwt_untrusted"],
    [
      "was issued in 40 seconds",
      () => ({ iat: epochSeconds() + 40, nbf: undefined }),
      "access_jwt_untrusted",
    ],
    ["says nothing of when it begins", () => ({ nbf: undefined }), GRACE],
  ])("that %s is judged with half a minute of tolerance", async (_when, times, outcome) => {
    scene.expectOutcome(await scene.identify(await scene.sign(GRACE, { claims: times() })), outcome);
  });

  it("is good while the key that signed it is published, and not a question longer", async () => {
    const { globex } = scene;
    const site = await scene.startSite({ teamDomain: globex.domain });
    const check = async () =>
      (await scene.world.page(ADA, "jira", site).send("POST", "/api/v1/settings/check", {})).expect(200);
    const old = await scene.sign(GRACE, { team: globex });
    refuse(await scene.identify(old, { site }), "not_linked");

    await globex.rotateKeys();
    await check();
    const recent = await scene.sign(GRACE, { team: globex });
    for (const token of [old, recent]) refuse(await scene.identify(token, { site }), "not_linked");

    globex.dropOldKeys();
    await check();
    refuse(await scene.identify(old, { site }), "access_jwt_untrusted");
    refuse(await scene.identify(recent, { site }), "not_linked");
  });

  it("is judged by the keys at hand while its team can't be reached", async () => {
    scene.acme.behaviour.off = true;
    onTestFinished(() => void (scene.acme.behaviour.off = false));

    scene.expectOutcome(await scene.identify(await scene.sign(GRACE)), GRACE);
    refuse(await scene.identify(forge(await scene.sign(GRACE))), "access_jwt_untrusted");
  });
});

function refuse(reply: Reply, code: ProblemCode): Problem {
  return expectProblem(reply, code, scene.world.appUrl);
}
