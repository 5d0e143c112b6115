import { expect } from "vitest";

import { GRACE } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { expectProblem } from "../lifecycle.fixture.js";
import { describeWeaknesses, triedIn, type Weakness } from "./weaknesses.fixture.js";

const PLUGIN: readonly Weakness[] = [
  [
    "it tried the first key only: after a rotation nobody got in",
    "the old and the new key both count",
    async (here) => {
      const old = await here.accessJwt();
      await here.rotate();
      (await here.identify(await here.accessJwt())).expect(200);
      (await here.identify(old)).expect(200);
    },
  ],
  [
    "it kept keys for ever",
    "a key that its team has withdrawn no longer counts",
    (here) => here.expectWithdrawnKeyRefused(),
  ],
  [
    "it fetched keys for every made-up kid",
    "it asks once a minute",
    async (here) => {
      here.travelOn(61);
      const before = here.acme.server.requests.length;
      for (let count = 0; count < 50; count += 1) {
        const token = await here.acme.signAccessJwt(GRACE, AUDIENCES.demo, {
          header: { kid: `made-up-${count}` },
        });
        expectProblem(await here.identify(token), "access_jwt_untrusted");
      }
      expect(here.acme.server.requests.length - before).toBeLessThanOrEqual(2);
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
    async (here) => {
      const known = await here.accessJwt();
      await here.rotate();
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
    triedIn(
      "tests/process-logs.test.ts",
      "leaves no secret, token, code or address in the output of a full run, and no secret in its database",
    ),
  ],
  [
    "its error page said what the query told it to say",
    "nothing of a query is in a page",
    async (here) => {
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
      page.expect(403);
      expect(page.text).not.toContain("MARK");
    },
  ],
];

describeWeaknesses("the self-hosted plugin", PLUGIN);
