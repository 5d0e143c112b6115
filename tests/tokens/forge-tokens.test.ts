import type { Reply } from "../../sandbox/http-client.js";
import { createForgeSender, createInstallationId, pageClaims } from "../../sandbox/forge-fit.js";
import { epochSeconds } from "../../sandbox/jwt.js";
import { ADA, GRACE } from "../../sandbox/people.js";
import { twice } from "../service-api.fixture.js";
import { AMBIGUOUS, ME, MISSING } from "./connect-kinds.fixture.js";
import { FORGE_INVALID, forgePageTokens, forgeTriggerTokens } from "./forge-kinds.fixture.js";
import { mint } from "./token-kind.fixture.js";
import {
  describeAccepted,
  describeAnswered,
  describeCommonRules,
  describeRequests,
  describeRules,
} from "./token-tables.fixture.js";
import { useTokenWorld } from "./use-token-world.fixture.js";

const at = useTokenWorld(undefined, { hasForge: true });

const PAGE = forgePageTokens(at);
/** Another site, where nobody has opened a page yet. */
const elsewhere = (siteUrl: string) =>
  pageClaims(
    createForgeSender({ ...at().forgeSite, cloudId: crypto.randomUUID(), siteUrl }),
    GRACE.accountId,
  );

describeCommonRules(PAGE, at);

for (const trigger of ["installed", "hourly", "uninstalled"] as const)
  describeCommonRules(forgeTriggerTokens(at, trigger), at);

describeAccepted(PAGE, at, "a Forge Invocation Token is good", [
  ["without the site's address, once it is known", { claims: { context: undefined } }],
  ["for five minutes, if Forge says so", () => ({ claims: { exp: epochSeconds() + 300 } })],
]);

describeRules(PAGE, at, "is refused for the account:", [
  ["no principal", { claims: { principal: undefined } }, ...FORGE_INVALID],
  ["null as principal", { claims: { principal: null } }, ...FORGE_INVALID],
  ["an empty principal", { claims: { principal: "" } }, ...FORGE_INVALID],
  ["a blank principal", { claims: { principal: " " } }, ...FORGE_INVALID],
  ["a principal of 129 characters", { claims: { principal: "x".repeat(129) } }, ...FORGE_INVALID],
  ["an account in sub only", { claims: { principal: undefined, sub: GRACE.accountId } }, ...FORGE_INVALID],
]);

describeRules(PAGE, at, "is refused for how long it is valid:", [
  ["301 seconds", () => ({ claims: { exp: epochSeconds() + 301 } }), ...FORGE_INVALID],
  ["iat in 1970", { claims: { iat: 0 } }, ...FORGE_INVALID],
]);

describeRules(PAGE, at, "is refused for its typ:", [
  ["an OAuth access token's", { header: { typ: "at+jwt" } }, ...FORGE_INVALID],
  ["null", { header: { typ: null } }, ...FORGE_INVALID],
]);

describeRules(PAGE, at, "is refused for its site:", [
  [
    "one that nobody knows, and the token doesn't tell",
    () => ({ claims: { ...elsewhere("https://acme.atlassian.net"), context: undefined } }),
    ...FORGE_INVALID,
  ],
  ...[
    "https://evil.example",
    "https://acme.atlassian.net.evil.example",
    "https://user@acme.atlassian.net",
    "https://acme.atlassian.net/path",
    "http://acme.atlassian.net",
    "acme.atlassian.net",
    "",
  ].map(
    (siteUrl) =>
      [`the address "${siteUrl}"`, () => ({ claims: elsewhere(siteUrl) }), ...FORGE_INVALID] as const,
  ),
  [
    "an installation of before",
    () => ({
      claims: {
        ...pageClaims({ ...at().forgeSite, installationId: createInstallationId() }, GRACE.accountId, {
          now: epochSeconds() - 20,
        }),
      },
    }),
    ...FORGE_INVALID,
  ],
]);

const good = () => mint(PAGE);
const ofAda = () => mint(PAGE, { claims: { principal: ADA.accountId } });
const send = (headers: Readonly<Record<string, string>>, query = ""): Promise<Reply> =>
  at().send("GET", `${ME}${query}`, headers);
const authorize = (authorization: string, query = "") => send({ authorization }, query);

describeAnswered("a Forge Invocation Token counts", 200, [
  ["after the word Bearer", () => authorize(`Bearer ${good()}`)],
  ["after the word in lower case", () => authorize(`bearer ${good()}`)],
  [
    "beside an Access JWT, which says nothing here",
    async () =>
      send({
        authorization: `Bearer ${good()}`,
        "cf-access-jwt-assertion": await at().acme.signAccessJwt(ADA, "x"),
      }),
  ],
  [
    "beside a system token, which says nothing here",
    () => send({ authorization: `Bearer ${good()}`, "x-forge-oauth-system": "planted" }),
  ],
  ["beside a cookie", () => send({ authorization: `Bearer ${good()}`, cookie: `jwt=${ofAda()}` })],
]);

describeRequests(at, "a Forge Invocation Token doesn't count", [
  ["as a Connect JWT", () => authorize(`JWT ${good()}`), 401, "connect_jwt_invalid"],
  ["in the query", () => send({}, `?jwt=${good()}`), ...MISSING],
  ["as Basic", () => authorize(`Basic ${good()}`), ...MISSING],
  ["without a scheme", () => authorize(good()), ...MISSING],
  ["before a second one", () => authorize(`Bearer ${good()} ${good()}`), ...MISSING],
  ["where there is the scheme alone", () => authorize("Bearer"), ...MISSING],
  ["in a header of Cloudflare's", () => send({ "cf-access-jwt-assertion": good() }), ...MISSING],
  ["in the header of a user's token", () => send({ "x-forge-oauth-user": good() }), ...MISSING],
]);

describeRequests(at, "a Forge Invocation Token isn't chosen from several:", [
  [
    "the same in the query",
    () => {
      const token = good();
      return authorize(`Bearer ${token}`, `?jwt=${token}`);
    },
    ...AMBIGUOUS,
  ],
  ["an empty one in the query", () => authorize(`Bearer ${good()}`, "?jwt="), ...AMBIGUOUS],
  ["the same in two headers", () => authorize(twice(`Bearer ${good()}`, `Bearer ${good()}`)), ...AMBIGUOUS],
  ["another account's", () => authorize(twice(`Bearer ${good()}`, `Bearer ${ofAda()}`)), ...AMBIGUOUS],
  ["a context JWT behind it", () => authorize(twice(`Bearer ${good()}`, "JWT x")), ...AMBIGUOUS],
  ["a context JWT before it", () => authorize(twice("JWT x", `Bearer ${good()}`)), ...AMBIGUOUS],
]);
