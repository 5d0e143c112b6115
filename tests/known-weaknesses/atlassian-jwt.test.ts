import { expect } from "vitest";

import { queryStringHash, type Claims } from "../../sandbox/jwt.js";
import { describeQsh } from "../../src/connect/request-meaning.fixture.js";
import { expectProblem, senderOf } from "../lifecycle.fixture.js";
import { describeWeaknesses, triedIn, type Weakness } from "./weaknesses.fixture.js";

const ATLASSIAN_JWT: readonly Weakness[] = [
  [
    "__proto__ wasn't signed",
    "it is a parameter like any other",
    async (here) => {
      expectProblem(
        await here.openPage({ query: "a=1&__proto__=x", signedQuery: "a=1" }),
        "connect_jwt_invalid",
      );
    },
  ],
  [
    "what came after the thousandth parameter wasn't signed, as Express didn't read it",
    "it is signed and read",
    async (here) => {
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
      "verifies for any query that a browser or Atlassian can send, wherever in it the token stands",
    ),
  ],
  [
    "it sorted names before escaping them, unlike the products",
    "both orders verify",
    triedIn(
      "src/connect/canonical-request.test.ts",
      "sorts %s as the products do, and takes the order of Atlassian's library too",
    ),
  ],
  [
    "the body of an install event wasn't signed",
    "a token comes with one body only, and only for the tenant and the app that both name",
    async (here) => {
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

describeWeaknesses("atlassian-jwt and Connect itself", ATLASSIAN_JWT);
