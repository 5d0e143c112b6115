import { createPublicKey, type JsonWebKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { Reply } from "../sandbox/http-client.js";
import { epochSeconds, queryStringHash, signJwt, type Claims } from "../sandbox/jwt.js";
import { ADA, GRACE, LINUS } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { describeQsh } from "../src/connect/request-meaning.fixture.js";
import { APP_KEY, expectProblem, senderOf, travel } from "./lifecycle.fixture.js";
import { triedIn, WeaknessWorld, type Weakness } from "./known-weaknesses.fixture.js";

/**
 * What is known to have gone wrong in software that does what this app does, one line each: what it was, what happens
 * here, and the attempt.
 */
let here: WeaknessWorld;

beforeAll(async () => {
  // They beat what atlassian-connect-express is told; the first switches its authentication off.
  vi.stubEnv("AC_OPTS", "no-auth");
  vi.stubEnv("AC_LOCAL_BASE_URL", "https://evil.example");
  vi.stubEnv("AC_APP_KEY", "another-app");
  here = await WeaknessWorld.start();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await here.close();
});

function expectUnauthorized(reply: Reply): void {
  expect(reply.status, reply.text).toBe(401);
}

/** Pages, API and install events: all that Connect JWTs open. */
async function expectNoDoorOpens(claims: Claims): Promise<void> {
  await here.tenants.expectNoTrace(async () => {
    expectUnauthorized(await here.openPage({ jwt: { claims } }));
    expectUnauthorized(await here.getMe({ claims }));
    const sender = senderOf(here.victim);
    expectUnauthorized(await here.tenants.sendEvent(sender, "installed", { claims }));
    expectUnauthorized(await here.tenants.sendEvent(sender, "disabled", { claims }));
    expectUnauthorized(await here.tenants.sendEvent(sender, "disabled", { claims, isSignedByTenant: true }));
  });
}

async function expectEveryKnockRefused(claims: Claims): Promise<void> {
  await here.tenants.expectNoTrace(async () => {
    const statuses = await here.knockEverywhere(claims);
    expect(statuses.size).toBeGreaterThan(20);
    expect([...statuses].filter(([, status]) => status !== 401)).toEqual([]);
  });
}

const ACE: readonly Weakness[] = [
  [
    "checkValidToken() took a token without a qsh, with a wrong one, and another URL's",
    "a page's token is for its URL alone, and the API takes none of these",
    async () => {
      for (const qsh of [undefined, "", "0".repeat(64), null, ["context-qsh"]])
        await expectNoDoorOpens({ qsh });
      expectProblem(await here.openPage({ query: "a=2", signedQuery: "a=1" }), "connect_jwt_invalid");
      expectProblem(await here.openPage({ jwt: { claims: { qsh: "context-qsh" } } }), "connect_jwt_invalid");
    },
  ],
  [
    "a missing, null, empty or textual exp, or 0, was for ever",
    "exp is a number in the future, or the token is refused",
    async () => {
      for (const exp of [undefined, 0, null, "", "abc"]) await expectNoDoorOpens({ exp });
    },
  ],
  [
    "nbf and an iat in the future weren't looked at",
    "what isn't valid yet is refused",
    async () => {
      await expectNoDoorOpens({ nbf: epochSeconds() + 120 });
      await expectNoDoorOpens({ iat: epochSeconds() + 120 });
    },
  ],
  [
    "iss was ignored where there was an aud",
    "iss alone names the tenant",
    async () => {
      const { victim, attacker } = here;
      const aud = [victim.getInstallation("jira").clientKey];
      expectProblem(await here.getMe({ claims: { iss: "nobody", aud } }), "connect_jwt_invalid");
      expectProblem(await here.getMe({ claims: { iss: undefined, aud } }), "connect_jwt_invalid");
      const own = (await here.getMe({ claims: { aud } }, attacker)).expect(200);
      expect(own.body).toMatchObject({ site: attacker.host, links: [] });
    },
  ],
  [
    "two client keys nested in aud read, overwrote and deleted the rows of both",
    "no route of any kind takes it, and no row is touched",
    async () => {
      const keys = [here.attacker, here.victim].map((site) => site.getInstallation("jira").clientKey);
      await expectEveryKnockRefused({ aud: [keys] });
      await expectEveryKnockRefused({ aud: [keys, here.world.appUrl, AUDIENCES.demo] });
      await expectEveryKnockRefused({ iss: keys });
    },
  ],
  [
    "a number in aud left the request without an answer",
    "every kind of route answers with a refusal",
    async () => {
      await expectEveryKnockRefused({ aud: [123] });
      await expectEveryKnockRefused({ aud: 123 });
    },
  ],
  [
    "its session tokens were for every URL, and renewed themselves",
    "they open nothing",
    async () => {
      const session = await here.aceSession();
      expectUnauthorized(await here.tenants.sendAs(session, "/api/v1/me"));
      expectUnauthorized(await here.get(`/account?jwt=${session}`));
      expectUnauthorized(await here.get(`/account?acpt=${session}`));
      expectUnauthorized(await here.get("/account", { "x-acpt": session }));
    },
  ],
  [
    "AC_OPTS=no-auth switched authentication off, in production too",
    "this whole file runs with it, and without a token nothing opens",
    async () => {
      expect(process.env["AC_OPTS"]).toBe("no-auth");
      for (const path of ["/admin", "/account", "/api/v1/me", "/api/v1/settings"]) {
        expectProblem(await here.get(path), "connect_jwt_missing");
      }
      const event = await here.tenants.buildEvent(senderOf(here.victim), "uninstalled");
      expectProblem(await here.tenants.send({ ...event, headers: {} }), "connect_jwt_missing");
    },
  ],
  [
    "AC_LOCAL_BASE_URL and AC_APP_KEY beat its configuration",
    "the descriptor has the app's own",
    async () => {
      const descriptor = (await here.get("/atlassian-connect.json")).expect(200).body;
      expect(descriptor).toMatchObject({ key: APP_KEY, baseUrl: here.world.appUrl });
    },
  ],
  [
    "install keys were fetched without a timeout",
    "after seconds the event is neither taken nor refused",
    triedIn("src/connect/install-keys.test.ts", "refuses when no server can be reached"),
  ],
  [
    "install keys were fetched for every event",
    "a key is fetched once an hour, and one that is unknown once a minute",
    triedIn("tests/lifecycle.test.ts", "are fetched once, however many events come"),
  ],
  [
    "a kid led the request for a key anywhere",
    "a kid that isn't one is refused, and nobody is asked",
    async () => {
      const kid = await here.tenants.currentKid();
      const elsewhere = [
        "https://evil.example/key",
        "//evil.example/key",
        `a/../${kid}`,
        `a%2f..%2f${kid}`,
        `${kid}?x`,
      ];
      await here.tenants.expectNoTrace(async () => {
        for (const header of [...elsewhere, [kid], ""].map((odd) => ({ kid: odd }))) {
          const event = await here.tenants.sendEvent(senderOf(here.victim), "installed", { header });
          expectProblem(event, "connect_jwt_invalid");
        }
      });
    },
  ],
  [
    "a malformed token was a fault of the server",
    "it is a refusal",
    async () => {
      await here.tenants.expectNoTrace(async () => {
        for (const token of [
          "x",
          "..",
          "a.b.c",
          "e30.e30.",
          `${"e30.".repeat(5)}e30`,
          "%00",
          "bnVsbA.bnVsbA.bnVsbA",
        ]) {
          const options = { sign: () => token };
          const event = await here.tenants.sendEvent(senderOf(here.victim), "installed", options);
          expectProblem(event, "connect_jwt_invalid");
          expectProblem(await here.get(`/account?jwt=${token}`), "connect_jwt_invalid");
        }
      });
    },
  ],
  [
    "an object as baseUrl was a fault of the server",
    "it is a refusal",
    async () => {
      for (const baseUrl of [{}, { toString: "x" }, [], 1, null]) {
        const reply = await here.tenants.sendEvent(senderOf(here.victim), "installed", { body: { baseUrl } });
        const { errors = [] } = expectProblem(reply, "validation_failed");
        expect(new Set(errors.map(({ field }) => field))).toEqual(new Set(["baseUrl"]));
      }
    },
  ],
  [
    "/installed took events that say they are something else",
    "it takes its own",
    async () => {
      await here.tenants.expectNoTrace(async () => {
        for (const eventType of ["uninstalled", "enabled", "Installed"]) {
          const reply = await here.tenants.sendEvent(senderOf(here.victim), "installed", {
            body: { eventType },
          });
          expectProblem(reply, "validation_failed", ["eventType"]);
        }
      });
    },
  ],
  [
    "the list of hosts that may install was for one route only",
    "the others take no host from anybody",
    async () => {
      const site = await here.tenants.installed();
      const sender = senderOf(site);
      const before = await here.tenants.findTenant(sender.clientKey);
      const body = { baseUrl: "https://evil.example" };
      expectProblem(await here.tenants.sendEvent(sender, "installed", { body }), "validation_failed", [
        "baseUrl",
      ]);
      (await here.tenants.sendEvent(sender, "enabled", { body })).expect(204);
      (await here.tenants.sendEvent(sender, "uninstalled", { body })).expect(204);
      const after = await here.tenants.findTenant(sender.clientKey);
      expect(after).toMatchObject({ site: before?.["site"], base_url: before?.["base_url"] });
    },
  ],
  [
    "there was no /uninstalled: who had left stayed valid",
    "its tokens open nothing any more, and its secret is gone",
    async () => {
      const site = await here.tenants.installed();
      const url = `${here.world.appUrl}/account`;
      const pageJwt = await site.urlBoundJwt("jira", GRACE.accountId, "GET", url);
      (await here.getMe({}, site)).expect(200);
      const sender = senderOf(site);
      (await site.uninstall("jira")).expect(204);
      expectProblem(await here.getMe({}, site), "connect_jwt_invalid");
      expectProblem(await here.get(`/account?jwt=${pageJwt}`), "connect_jwt_invalid");
      const enabled = await here.tenants.sendEvent(sender, "enabled", { isSignedByTenant: true });
      expectProblem(enabled, "connect_jwt_invalid");
      expect(await here.tenants.findTenant(sender.clientKey)).toMatchObject({ shared_secret: null });
    },
  ],
  [
    "it logged tenants with their secrets",
    "no secret, token, code or address is in any line, at the finest level",
    triedIn("tests/process-logs.test.ts", "leaves no secret, token, code or address"),
  ],
  [
    "it swallowed every unhandled rejection of the process",
    "one ends the process, with a line in the log",
    triedIn("tests/process.test.ts", "ends the process with code 1 and a line in the log"),
  ],
  [
    "a route for everything else hid /installed, which was there a moment later",
    "it is there from the first request on",
    async () => {
      const url = `${here.world.appUrl}/installed`;
      const reply = await here.tenants.send({ caller: "Jira", method: "POST", url, body: {} });
      expectProblem(reply, "connect_jwt_missing");
    },
  ],
  [
    "xdm_e from the query was put into the page of whoever asked",
    "nothing from the query is in a page or its headers",
    async () => {
      const query = `xdm_e=${encodeURIComponent("https://evil.example")}&cp=evil.example&lic=evil.example`;
      const headers = { accept: "text/html" };
      const page = (await here.openPage({ query, headers })).expect(200);
      const refusals = [
        await here.get(`/account?${query}`, headers),
        await here.openPage({ query, signedQuery: "", headers }),
      ];
      for (const { text, headers: sent } of [page, ...refusals]) {
        expect(`${JSON.stringify(sent)}${text}`).not.toContain("evil.example");
      }
    },
  ],
  [
    "its errors were plain objects, which error handlers took for something else",
    "every refusal is a problem with a code and a reference",
    async () => {
      const problem = expectProblem(await here.getMe({ secret: "guessed" }), "connect_jwt_invalid");
      expect(problem.reference).toMatch(/^[A-Z2-7]{12}$/);
    },
  ],
  [
    "of 20 writes at once 19 were lost",
    "100 of 100 are stored",
    triedIn(
      "tests/lifecycle.test.ts",
      "stores 100 of 100 concurrent installs, and 100 of 100 concurrent settings",
    ),
  ],
  [
    "calls to the product had no timeout",
    "a product has ten seconds",
    triedIn("tests/settings.test.ts", "is given up: a team after five seconds, a product after ten"),
  ],
  [
    "on Express 5 every GET with ?jwt= got no answer",
    "all are answered",
    async () => {
      for (const path of [
        "/account",
        "/admin",
        "/api/v1/me",
        "/api/v1/links",
        "/problems",
        "/healthz",
        "/x",
      ]) {
        expect((await here.get(`${path}?jwt=x`)).status).toBeGreaterThanOrEqual(200);
      }
    },
  ],
  [
    "its dependencies were abandoned ones, with advisories",
    "the lock file has none of them",
    async () => {
      const file = await readFile(new URL("../package-lock.json", import.meta.url), "utf8");
      const { packages } = JSON.parse(file) as {
        packages: Record<string, { name?: string; version?: string }>;
      };
      const found = Object.entries(packages).map(
        ([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//, "")}@${version ?? ""}`,
      );
      expect(found).toContainEqual(expect.stringMatching(/^@cypress\/request@[4-9]/));
      const abandoned =
        /^(?:request@|tough-cookie@[0-4]\.|uuid@[0-7]\.|qs@(?:[0-5]\.|6\.(?:\d|1[0-3])\.)|form-data@(?:[01]\.|2\.[0-4]\.))/;
      expect(found.filter((each) => abandoned.test(each))).toEqual([]);
    },
  ],
];

const ATLASSIAN_JWT: readonly Weakness[] = [
  [
    "__proto__ wasn't signed",
    "it is a parameter like any other",
    async () => {
      expectProblem(
        await here.openPage({ query: "a=1&__proto__=x", signedQuery: "a=1" }),
        "connect_jwt_invalid",
      );
    },
  ],
  [
    "what came after the thousandth parameter wasn't signed, as Express didn't read it",
    "it is signed and read",
    async () => {
      const signedQuery = Array.from({ length: 1_500 }, (_, index) => `${index}`).join("&");
      (await here.openPage({ query: signedQuery })).expect(200);
      const qsh = queryStringHash("GET", `${here.world.appUrl}/account?${signedQuery}`, here.world.appUrl);
      expect(qsh).toBe(describeQsh("GET", `/account?${signedQuery.split("&999&")[0]}&999`, ""));
      expectProblem(
        await here.openPage({ query: signedQuery, jwt: { claims: { qsh } } }),
        "connect_jwt_invalid",
      );
      expectProblem(await here.openPage({ query: `${signedQuery}&x=1`, signedQuery }), "connect_jwt_invalid");
    },
  ],
  [
    "a base path was taken off the front of longer names",
    "it is taken off as whole segments",
    triedIn("src/connect/canonical-request.test.ts", "strips the base path only as whole segments"),
  ],
  [
    "brackets in names needed another parser than Express' default",
    "whatever a browser can send verifies",
    triedIn(
      "tests/canonical-requests.test.ts",
      "verifies for any query that a browser or Atlassian can send",
    ),
  ],
  [
    "it sorted names before escaping them, unlike the products",
    "both orders verify",
    triedIn(
      "src/connect/canonical-request.test.ts",
      "as the products do, and takes the order of Atlassian's library too",
    ),
  ],
  [
    "the body of an install event wasn't signed",
    "a token comes with one body only, and only for the tenant and the app that both name",
    async () => {
      const sender = senderOf(here.victim);
      const event = await here.tenants.buildEvent(sender, "installed");
      (await here.tenants.send(event)).expect(204);
      await here.tenants.waitUntilProven(here.victim);
      await here.tenants.expectNoTrace(async () => {
        const body = { ...(event.body as Claims), sharedSecret: "x".repeat(64) };
        expectProblem(await here.tenants.send({ ...event, body }), "connect_jwt_invalid");
        const clientKey = here.attacker.getInstallation("jira").clientKey;
        expectProblem(
          await here.tenants.sendEvent(sender, "installed", { body: { clientKey } }),
          "connect_jwt_invalid",
        );
      });
      (await here.getMe()).expect(200);
    },
  ],
  [
    "disabled and uninstalled arrive in any order",
    "the end is the same",
    triedIn("tests/lifecycle.test.ts", "uninstalled and disabled within the same second"),
  ],
];

let secondsAhead = 0;

/** Further on than every attempt before: an app whose clock goes back asks for keys again. */
function travelOn(seconds: number): void {
  secondsAhead += seconds;
  vi.useRealTimers();
  travel(secondsAhead);
}

/** The team publishes a new key, with which it signs from now on. */
async function rotate(): Promise<void> {
  await here.acme.rotateKeys();
  // Unknown names of keys are asked for once a minute.
  travelOn(61);
}

const countFetches = (team: { readonly server: { readonly requests: readonly string[] } }) =>
  team.server.requests.length;

async function publishedKey(): Promise<{ kid: string; pem: string }> {
  const url = `${here.acme.url}/cdn-cgi/access/certs`;
  const { body } = (await here.tenants.send({ caller: "Anybody", method: "GET", url })).expect(200);
  const [key] = (body as { keys: (JsonWebKey & { kid: string })[] }).keys;
  const pem = createPublicKey({ key: key!, format: "jwk" }).export({ type: "spki", format: "pem" });
  return { kid: key!.kid, pem: pem.toString() };
}

const PLUGIN: readonly Weakness[] = [
  [
    "it tried the first key only: after a rotation nobody got in",
    "the old and the new key both count",
    async () => {
      const old = await here.accessJwt();
      await rotate();
      (await here.identify(await here.accessJwt())).expect(200);
      (await here.identify(old)).expect(200);
    },
  ],
  [
    "it kept keys for ever",
    "a key that its team has withdrawn no longer counts",
    async () => {
      const old = await here.accessJwt();
      await rotate();
      here.acme.dropOldKeys();
      travelOn(2 * 3600);
      await vi.waitFor(async () => expectProblem(await here.identify(old), "access_jwt_untrusted"));
      (await here.identify(await here.accessJwt())).expect(200);
    },
  ],
  [
    "it fetched keys for every made-up kid",
    "it asks once a minute",
    async () => {
      travelOn(61);
      const before = countFetches(here.acme);
      for (let count = 0; count < 50; count += 1) {
        const token = await here.acme.signAccessJwt(GRACE, AUDIENCES.demo, {
          header: { kid: `made-up-${count}` },
        });
        expectProblem(await here.identify(token), "access_jwt_untrusted");
      }
      expect(countFetches(here.acme) - before).toBeLessThanOrEqual(2);
    },
  ],
  [
    "it had no timeouts: one slow team stopped Jira",
    "a team has five seconds",
    triedIn("tests/settings.test.ts", "is given up: a team after five seconds, a product after ten"),
  ],
  [
    "an outage of the keys read as an invalid token",
    "it is told as what it is, and known keys go on working",
    async () => {
      const known = await here.accessJwt();
      await rotate();
      here.acme.behaviour.off = true;
      try {
        expectProblem(await here.identify(await here.accessJwt()), "keys_unavailable");
        (await here.identify(known)).expect(200);
      } finally {
        here.acme.behaviour.off = false;
      }
    },
  ],
  [
    "its log had cookies and Authorization in it",
    "no secret, token, code or address is in any line, at the finest level",
    triedIn("tests/process-logs.test.ts", "leaves no secret, token, code or address"),
  ],
  [
    "its error page said what the query told it to say",
    "nothing of a query is in a page",
    async () => {
      const query = ["reason", "error", "message", "detail", "title", "q"]
        .map((name) => `${name}=MARK`)
        .join("&");
      const headers = { accept: "text/html", "cf-access-jwt-assertion": await here.accessJwt() };
      for (const path of [
        "/account",
        "/admin",
        "/link/start/x",
        "/access/link/x",
        "/problems",
        "/x",
        "/installed",
        "/",
      ]) {
        const { text } = await here.get(`${path}?${query}`, headers);
        expect(text.length).toBeGreaterThan(0);
        expect(text).not.toContain("MARK");
      }
      const page = await here.openPage({ path: "/admin", query, headers: { accept: "text/html" } });
      expectNotAdmin(page);
      expect(page.text).not.toContain("MARK");
    },
  ],
];

function expectNotAdmin({ status }: Reply): void {
  expect(status).toBe(403);
}

const OTHER_VERIFIERS: readonly Weakness[] = [
  [
    "@hono/cloudflare-access and others: tokens for any application of the team passed",
    "a token is for the audience that an admin listed, and for its purpose",
    async () => {
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
    async () => {
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
    async () => {
      const { kid, pem } = await publishedKey();
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
    triedIn("tests/known-weaknesses.test.ts", "it kept keys for ever"),
  ],
  [
    "Grafana, CVE-2023-3128: people were looked up by e-mail alone",
    "the same address with another sub, or of another team, is somebody else",
    async () => {
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
    async () => {
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
    async () => {
      const { globex } = here;
      globex.behaviour.off = true;
      try {
        await globex.rotateKeys();
        travel(8 * 86_400);
        const before = countFetches(globex);
        for (let count = 0; count < 20; count += 1) {
          const token = await here.accessJwt({}, { team: globex });
          expectProblem(await here.tenants.identify(here.attacker.host, token), "keys_unavailable");
        }
        expect(countFetches(globex) - before).toBeLessThanOrEqual(2);
      } finally {
        globex.behaviour.off = false;
      }
    },
  ],
  [
    "keys that were due weren't used when the team didn't answer",
    "known keys go on working for days",
    async () => {
      const token = await here.accessJwt();
      (await here.identify(token)).expect(200);
      here.acme.behaviour.failing = true;
      try {
        travelOn(2 * 3600);
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
    async () => {
      expectProblem(await here.identify(await here.accessJwt({ exp: undefined })), "access_jwt_malformed");
    },
  ],
  [
    "issuer and audience weren't checked unless somebody gave them",
    "a token without either is malformed, and neither can be left out here",
    async () => {
      for (const claims of [{ iss: undefined }, { aud: undefined }, { aud: [] }]) {
        expectProblem(await here.identify(await here.accessJwt(claims)), "access_jwt_malformed");
      }
    },
  ],
  [
    "an answer with keys could have any size",
    "it has 128 KiB",
    triedIn("src/access/team-key-cache.test.ts", '"a huge answer"'),
  ],
];

const ISSUERS = [
  "https://evilcloudflareaccess.com",
  "https://keys.evil.example#.cloudflareaccess.com",
  "https://keys.evil.example/x.cloudflareaccess.com",
  "https://keys.evil.example?x=.cloudflareaccess.com",
  "https://acme.cloudflareaccess.com@evil.example",
  "https://acme.cloudflareaccess.com.evil.example",
  "https://acme.cloudflareaccess.com/",
  "https://ACME.cloudflareaccess.com",
  "http://acme.cloudflareaccess.com",
  "acme.cloudflareaccess.com",
  "https://.cloudflareaccess.com",
  "https://cloudflareaccess.com",
  "https://%61cme.cloudflareaccess.com",
  "https://acme%2ecloudflareaccess.com",
  "%",
  "https://",
];

const TEAM_DOMAINS: readonly Weakness[] = [
  [
    "an issuer that only looks like a team's named the server with the keys",
    "it is nobody's, and nobody is asked",
    async () => {
      const tokens = await Promise.all(ISSUERS.map((iss) => here.accessJwt({ iss })));
      await here.tenants.expectNoTrace(async () => {
        for (const token of tokens) expectUnauthorized(await here.identify(token));
      });
    },
  ],
  [
    "so did a domain in the settings",
    "it isn't stored",
    async () => {
      const admin = here.world.page(ADA);
      const settings = await admin.getSettings();
      await here.tenants.expectNothingStored(async () => {
        for (const issuer of [...ISSUERS.slice(0, 6), ...ISSUERS.slice(10), ""]) {
          const teamDomain = issuer.replace("https://", "");
          const reply = await admin.send("PUT", "/api/v1/settings", { ...settings, teamDomain });
          expectProblem(reply, "validation_failed", ["teamDomain"]);
        }
      });
    },
  ],
];

describe.each([
  ["atlassian-connect-express", ACE],
  ["atlassian-jwt and Connect itself", ATLASSIAN_JWT],
  ["cloudflared, before its tests had them", TEAM_DOMAINS],
  // These travel in time, after which the app notes in the background that a link was used.
  ["the self-hosted plugin", PLUGIN],
  ["other verifiers of Access JWTs", OTHER_VERIFIERS],
  ["jose's remote keys, left as they come", JOSE],
])("%s", (_whose, weaknesses) => {
  it.each(weaknesses)("%s. Here: %s", async (_was, _here, attempt) => {
    await attempt();
  });
});

// Last, so that it has seen all answers.
it("atlassian-connect-express handed out a session token with every success. Here: no answer had one", () => {
  expect(here.answers.filter(({ status }) => status === 200).length).toBeGreaterThan(20);
  for (const { headers } of here.answers) expect(headers).not.toHaveProperty("x-acpt");
});
