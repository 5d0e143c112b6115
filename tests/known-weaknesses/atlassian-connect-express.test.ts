import { readFile } from "node:fs/promises";
import { expect } from "vitest";

import { text } from "../../sandbox/http-server.js";
import { epochSeconds } from "../../sandbox/jwt.js";
import { GRACE } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { JSON_TYPE, request } from "../../src/web/raw-http.fixture.js";
import { APP_KEY, expectProblem, senderOf } from "../lifecycle.fixture.js";
import { sendFirst } from "./first-request.fixture.js";
import { expectUnauthorized } from "./weakness-world.fixture.js";
import { describeWeaknesses, triedIn, type Weakness } from "./weaknesses.fixture.js";

const ACE: readonly Weakness[] = [
  [
    "checkValidToken() took a token without a qsh, with a wrong one, and another URL's",
    "a page's token is for its URL alone, and the API takes none of these",
    async (here) => {
      for (const qsh of [undefined, "", "0".repeat(64), null, ["context-qsh"]])
        await here.expectNoDoorOpens({ qsh });
      expectProblem(await here.openPage({ query: "a=2", signedQuery: "a=1" }), "connect_jwt_invalid");
      expectProblem(await here.openPage({ jwt: { claims: { qsh: "context-qsh" } } }), "connect_jwt_invalid");
    },
  ],
  [
    "a missing, null, empty or textual exp, or 0, was for ever",
    "exp is a number in the future, or the token is refused",
    async (here) => {
      for (const exp of [undefined, 0, null, "", "abc"]) await here.expectNoDoorOpens({ exp });
    },
  ],
  [
    "nbf and an iat in the future weren't looked at",
    "what isn't valid yet is refused",
    async (here) => {
      await here.expectNoDoorOpens({ nbf: epochSeconds() + 120 });
      await here.expectNoDoorOpens({ iat: epochSeconds() + 120 });
    },
  ],
  [
    "iss was ignored where there was an aud",
    "iss alone names the tenant",
    async (here) => {
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
    async (here) => {
      const keys = [here.attacker, here.victim].map((site) => site.getInstallation("jira").clientKey);
      await here.expectEveryKnockRefused({ aud: [keys] });
      await here.expectEveryKnockRefused({ aud: [keys, here.world.appUrl, AUDIENCES.demo] });
      await here.expectEveryKnockRefused({ iss: keys });
    },
  ],
  [
    "a number in aud left the request without an answer",
    "every kind of route answers with a refusal",
    async (here) => {
      await here.expectEveryKnockRefused({ aud: [123] });
      await here.expectEveryKnockRefused({ aud: 123 });
    },
  ],
  [
    "its session tokens were for every URL, and renewed themselves",
    "they open nothing",
    async (here) => {
      const session = await here.aceSession();
      expectUnauthorized(await here.tenants.sendAs(session, "/api/v1/me"));
      expectUnauthorized(await here.get(`/account?jwt=${session}`));
      expectUnauthorized(await here.get(`/account?acpt=${session}`));
      expectUnauthorized(await here.get("/account", { "x-acpt": session }));
    },
  ],
  [
    "it handed out a session token with every success",
    "no answer has one, here and in all of these attempts",
    async (here) => {
      const { victim, tenants } = here;
      const event = tenants.sendEvent(senderOf(victim), "enabled", { isSignedByTenant: true });
      for (const success of [here.openPage(), here.getMe(), event]) {
        const { status, headers } = await success;
        expect([200, 204]).toContain(status);
        expect(headers).not.toHaveProperty("x-acpt");
      }
    },
  ],
  [
    "it remembered tokens to act as a user by that user's key alone, for whichever tenant",
    "a token is for one tenant, one installation of it, one account and one scope",
    triedIn(
      "tests/known-weaknesses/gateways.test.ts",
      "is shown to its own tenant only, and is for one installation, one account and one scope",
    ),
  ],
  [
    "AC_OPTS=no-auth switched authentication off, in production too",
    "production doesn't start with it",
    triedIn("tests/process.test.ts", "stops the start, and nothing is made: %j in %j"),
  ],
  [
    "AC_OPTS=no-auth switched authentication off wherever it was set",
    "these attempts all run with it, and without a token nothing opens",
    async (here) => {
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
    async (here) => {
      const descriptor = (await here.get("/atlassian-connect.json")).expect(200).body;
      expect(descriptor).toMatchObject({ key: APP_KEY, baseUrl: here.world.appUrl });
    },
  ],
  [
    "install keys were fetched without a timeout",
    "after seconds the event is neither taken nor refused",
    triedIn("tests/outages-install-keys.test.ts", "A server of install keys that"),
  ],
  [
    "one server that hung was waited for without an end",
    "it is one of the rows that servers of keys are tried with",
    triedIn("tests/outages.fixture.ts", "never answers"),
  ],
  [
    "install keys were fetched without a look at the status: whatever came with it was the key",
    "a key that comes with another status than 200 is none",
    async (here) => {
      const { installKeys } = here.world.parts;
      for (const [status, code] of [
        [404, "connect_jwt_invalid"],
        [403, "keys_unavailable"],
        [500, "keys_unavailable"],
        [206, "keys_unavailable"],
      ] as const) {
        await installKeys.rotate();
        const pem = installKeys.signingKey.key.export({ type: "spki", format: "pem" }).toString();
        installKeys.server.routes.unshift(["GET", /./, () => text(status, pem)]);
        const event = await here.tenants.expectNothingStored(() =>
          here.tenants.sendEvent(senderOf(here.victim), "disabled"),
        );
        installKeys.server.routes.shift();
        expectProblem(event, code);
      }
      // One that nobody has asked for yet: the last was looked up in vain.
      await installKeys.rotate();
      (await here.tenants.sendEvent(senderOf(here.victim), "enabled")).expect(204);
    },
  ],
  [
    "the second server of install keys was asked for its list, without the kid",
    "both are asked for the key by its name",
    triedIn("src/connect/install-keys.test.ts", "asks the second server when the first %s"),
  ],
  [
    "install keys were fetched for every event",
    "a key is fetched once an hour, and one that is unknown once a minute",
    triedIn("tests/lifecycle.test.ts", "are fetched once, however many events come"),
  ],
  [
    "a kid led the request for a key anywhere",
    "a kid that isn't one is refused, and nobody is asked",
    async (here) => {
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
    async (here) => {
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
    async (here) => {
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
    async (here) => {
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
    async (here) => {
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
    async (here) => {
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
    triedIn(
      "tests/process-logs.test.ts",
      "leaves no secret, token, code or address in the output of a full run, and no secret in its database",
    ),
  ],
  [
    "it swallowed every unhandled rejection of the process",
    "one ends the process, with a line in the log",
    triedIn("tests/process.test.ts", "ends the process with code 1 and a line in the log: %s"),
  ],
  [
    "a route for everything else hid /installed, which was there a moment later",
    "it is there for the first bytes after the app listens",
    async () => {
      const [answer] = await sendFirst(
        `${request("POST /installed HTTP/1.1", JSON_TYPE, "Content-Length: 2", "Connection: close")}{}`,
      );
      expect(answer?.status).toBe(401);
      expect(JSON.parse(answer?.body ?? "")).toMatchObject({ code: "connect_jwt_missing" });
    },
  ],
  [
    "xdm_e from the query was put into the page of whoever asked",
    "nothing from the query is in a page or its headers",
    async (here) => {
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
    async (here) => {
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
    async (here) => {
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
      const file = await readFile(new URL("../../package-lock.json", import.meta.url), "utf8");
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

describeWeaknesses("atlassian-connect-express", ACE);
