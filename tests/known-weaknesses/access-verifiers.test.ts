import { createPublicKey, type JsonWebKey } from "node:crypto";
import { expect } from "vitest";

import { epochSeconds, signJwt } from "../../sandbox/jwt.js";
import { GRACE, LINUS } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { expectProblem } from "../lifecycle.fixture.js";
import { expectUnauthorized, type WeaknessWorld } from "./weakness-world.fixture.js";
import { describeWeaknesses, triedIn, type Weakness } from "./weaknesses.fixture.js";

async function publishedKey(here: WeaknessWorld): Promise<{ kid: string; pem: string }> {
  const url = `${here.acme.url}/cdn-cgi/access/certs`;
  const { body } = (await here.tenants.send({ caller: "Anybody", method: "GET", url })).expect(200);
  const [key] = (body as { keys: (JsonWebKey & { kid: string })[] }).keys;
  const pem = createPublicKey({ key: key!, format: "jwk" }).export({ type: "spki", format: "pem" });
  return { kid: key!.kid, pem: pem.toString() };
}

const OTHER_VERIFIERS: readonly Weakness[] = [
  [
    "@hono/cloudflare-access and others: tokens for any application of the team passed",
    "a token is for the audience that an admin listed, and for its purpose",
    async (here) => {
      const elsewhere = await here.acme.signAccessJwt(GRACE, "f".repeat(64));
      expectProblem(await here.identify(elsewhere), "access_jwt_untrusted");
      const page = here.world.page(LINUS);
      for (const accessJwt of [elsewhere, await here.accessJwt()]) {
        const reply = await page.send("POST", "/api/v1/me/links", { accessJwt });
        expect(reply.status, reply.text).toBeGreaterThanOrEqual(400);
      }
      expect(await page.listLinks()).toEqual([]);
    },
  ],
  [
    "others: a text as aud was searched for the audience",
    "it is the audience, whole and exactly",
    async (here) => {
      const { demo, app } = AUDIENCES;
      for (const aud of [
        `${demo}${app}`,
        `${app} ${demo}`,
        `x${demo}`,
        demo.slice(1),
        demo.slice(0, 32),
        [`${demo},`],
      ]) {
        expectProblem(await here.identify(await here.accessJwt({ aud })), "access_jwt_untrusted");
      }
      (await here.identify(await here.accessJwt({ aud: demo }))).expect(200);
    },
  ],
  [
    "Redash: HS256 was allowed, for which a public key is a secret",
    "nothing but RS256 is",
    async (here) => {
      const { kid, pem } = await publishedKey(here);
      const claims = {
        iss: here.acme.issuer,
        aud: [AUDIENCES.demo],
        sub: GRACE.accessSubject,
        email: GRACE.email,
      };
      const times = { iat: epochSeconds(), nbf: epochSeconds(), exp: epochSeconds() + 600, type: "app" };
      for (const secret of [pem, pem.trim(), kid]) {
        const forged = await signJwt({ kid }, { ...claims, ...times }, secret);
        const reply = await here.identify(forged);
        expectUnauthorized(reply);
      }
    },
  ],
  [
    "Redash: keys were kept for ever",
    "a key that its team has withdrawn no longer counts",
    (here) => here.expectWithdrawnKeyRefused(),
  ],
  [
    "Grafana, CVE-2023-3128: people were looked up by e-mail alone",
    "the same address with another sub, or of another team, is somebody else",
    async (here) => {
      const successor = await here.accessJwt({ sub: "7d3b8a52-0000-4000-8000-000000000000" });
      expectProblem(await here.identify(successor), "not_linked");
      const namesake = await here.accessJwt({}, { team: here.globex });
      expectProblem(await here.identify(namesake), "access_jwt_untrusted");
      expectProblem(await here.tenants.identify(here.attacker.host, namesake), "not_linked");
    },
  ],
  [
    "Gitea, CVE-2026-20896: a header was trusted without the token",
    "a header or a cookie says nothing about who somebody is",
    async (here) => {
      const path = `/api/v1/sites/${here.victim.host}/identity`;
      const email = { "cf-access-authenticated-user-email": GRACE.email };
      expectProblem(await here.get(path, email), "access_jwt_missing");
      const cookie = `CF_Authorization=${await here.accessJwt()}`;
      expectProblem(await here.get(path, { cookie, ...email }), "access_jwt_missing");
      const linus = await here.accessJwt({}, { person: LINUS });
      expectProblem(await here.get(path, { "cf-access-jwt-assertion": linus, ...email }), "not_linked");
      const popup = await here.get("/access/link/x", email);
      expectUnauthorized(popup);
    },
  ],
];

const JOSE: readonly Weakness[] = [
  [
    "a team that doesn't answer was asked for every request",
    "it is asked once in a while",
    async (here) => {
      const { globex } = here;
      globex.behaviour.off = true;
      try {
        await globex.rotateKeys();
        here.travelOn(8 * 86_400);
        const before = globex.server.requests.length;
        for (let count = 0; count < 20; count += 1) {
          const token = await here.accessJwt({}, { team: globex });
          expectProblem(await here.tenants.identify(here.attacker.host, token), "keys_unavailable");
        }
        expect(globex.server.requests.length - before).toBeLessThanOrEqual(2);
      } finally {
        globex.behaviour.off = false;
      }
    },
  ],
  [
    "keys that were due weren't used when the team didn't answer",
    "known keys go on working for days",
    async (here) => {
      const token = await here.accessJwt();
      (await here.identify(token)).expect(200);
      here.acme.behaviour.failing = true;
      try {
        here.travelOn(2 * 3600);
        (await here.identify(token)).expect(200);
        (await here.identify(await here.accessJwt())).expect(200);
      } finally {
        here.acme.behaviour.failing = false;
      }
    },
  ],
  [
    "exp was optional",
    "a token without exp is malformed",
    async (here) => {
      expectProblem(await here.identify(await here.accessJwt({ exp: undefined })), "access_jwt_malformed");
    },
  ],
  [
    "issuer and audience weren't checked unless somebody gave them",
    "a token without either is malformed, and neither can be left out here",
    async (here) => {
      for (const claims of [{ iss: undefined }, { aud: undefined }, { aud: [] }]) {
        expectProblem(await here.identify(await here.accessJwt(claims)), "access_jwt_malformed");
      }
    },
  ],
  [
    "an answer with keys could have any size",
    "it has 128 KiB",
    triedIn("src/access/team-key-cache.test.ts", "a huge answer"),
  ],
];

describeWeaknesses("other verifiers of Access JWTs", OTHER_VERIFIERS);
describeWeaknesses("jose's remote keys, left as they come", JOSE);
