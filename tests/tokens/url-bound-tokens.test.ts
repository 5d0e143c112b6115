import type { Reply } from "../../sandbox/http-client.js";
import { ADA, GRACE } from "../../sandbox/people.js";
import { createSender, senderOf, type Sender } from "../lifecycle.fixture.js";
import { twice } from "../service-api.fixture.js";
import {
  ACCOUNT_PAGE,
  AMBIGUOUS,
  INVALID,
  MISSING,
  NOBODY_LISTENS,
  qshOf,
  urlBoundTokens,
} from "./connect-kinds.fixture.js";
import { hmac } from "./signers.fixture.js";
import { mint, type Change, type Making } from "./token-kind.fixture.js";
import {
  describeAccepted,
  describeAnswered,
  describeCommonRules,
  describeRequests,
  describeRules,
} from "./token-tables.fixture.js";
import { useTokenWorld } from "./use-token-world.fixture.js";

let confluence: Sender;
let disabled: Sender;
let uninstalled: Sender;

const at = useTokenWorld(async (world) => {
  const { tenants } = world;
  await world.world.install("confluence");
  confluence = senderOf(world.home, "confluence");
  [disabled, uninstalled] = [createSender(NOBODY_LISTENS), createSender(NOBODY_LISTENS)];
  for (const sender of [disabled, uninstalled]) (await tenants.sendEvent(sender, "installed")).expect(204);
  (await tenants.sendEvent(disabled, "disabled")).expect(204);
  (await tenants.sendEvent(uninstalled, "uninstalled")).expect(204);
});

const URL_BOUND = urlBoundTokens(at);

describeCommonRules(URL_BOUND, at);

describeAccepted(URL_BOUND, at, "a URL-bound JWT is good with", [
  ["any text as aud", { claims: { aud: "https://another-app.example" } }],
  ["an empty list as aud", { claims: { aud: [] } }],
  ["iat in 1970", { claims: { iat: 0 } }],
]);

describeRules(URL_BOUND, at, "is refused for its qsh:", [
  ["none", { claims: { qsh: undefined } }, ...INVALID],
  ["null", { claims: { qsh: null } }, ...INVALID],
  ["an empty one", { claims: { qsh: "" } }, ...INVALID],
  ["a list of the right one", ({ kind }) => ({ claims: { qsh: [kind.claims()["qsh"]] } }), ...INVALID],
  [
    "the right one in capitals",
    ({ kind }) => ({ claims: { qsh: String(kind.claims()["qsh"]).toUpperCase() } }),
    ...INVALID,
  ],
  [
    "the beginning of the right one",
    ({ kind }) => ({ claims: { qsh: String(kind.claims()["qsh"]).slice(0, 32) } }),
    ...INVALID,
  ],
  ["the literal one of context JWTs", { claims: { qsh: "context-qsh" } }, ...INVALID],
  ["that of another method", madeFor("POST", ACCOUNT_PAGE), ...INVALID],
  ["that of HEAD", madeFor("HEAD", ACCOUNT_PAGE), ...INVALID],
  ["that of the other page", madeFor("GET", ACCOUNT_PAGE.replace("/account", "/admin")), ...INVALID],
  ["that of the page without parameters", madeFor("GET", "/account"), ...INVALID],
  [
    "that of the page with one parameter fewer",
    madeFor("GET", ACCOUNT_PAGE.replace("&lic=none", "")),
    ...INVALID,
  ],
  ["that of the page with one parameter more", madeFor("GET", `${ACCOUNT_PAGE}&a=1`), ...INVALID],
  ["that of the API", madeFor("GET", "/api/v1/me"), ...INVALID],
  ["that of the app's root", madeFor("GET", "/"), ...INVALID],
]);

describeRules(URL_BOUND, at, "is refused for who signed it, and for whom:", [
  ["an empty iss", { claims: { iss: "" } }, ...INVALID],
  ["an unknown iss", { claims: { iss: "nobody-knows-me" } }, ...INVALID],
  ["another tenant as iss", () => ({ claims: { iss: at().otherTenant.clientKey } }), ...INVALID],
  ["another tenant's secret", () => ({ sign: hmac(at().otherTenant.sharedSecret) }), ...INVALID],
  ["the secret of the site's other product", () => ({ sign: hmac(confluence.sharedSecret) }), ...INVALID],
  ["an installation that is disabled", () => by(disabled), ...INVALID],
  ["an installation that has been removed", () => by(uninstalled), ...INVALID],
  [
    "an empty secret, for one that has been removed",
    () => by({ ...uninstalled, sharedSecret: "" }),
    ...INVALID,
  ],
  ["no sub: nobody is signed in", { claims: { sub: undefined } }, ...INVALID],
  ["an empty sub", { claims: { sub: "" } }, ...INVALID],
  ["a blank sub", { claims: { sub: "\t" } }, ...INVALID],
  ["a space in the sub", { claims: { sub: `${GRACE.accountId} ` } }, ...INVALID],
  ["an invisible character in the sub", { claims: { sub: `\u2060${GRACE.accountId}` } }, ...INVALID],
  ["a sub of 129 characters", { claims: { sub: "x".repeat(129) } }, ...INVALID],
]);

describeRules(URL_BOUND, at, "isn't told to be expired with an exp long ago and", [
  [
    "another tenant's secret",
    () => ({ claims: { exp: 1 }, sign: hmac(at().otherTenant.sharedSecret) }),
    ...INVALID,
  ],
  ["the qsh of another URL", () => ({ claims: { exp: 1, qsh: qshOf(at(), "GET", "/admin") } }), ...INVALID],
  ["a sub that is none", { claims: { exp: 1, sub: "" } }, ...INVALID],
  ["a disabled installation", () => by(disabled, { exp: 1 }), ...INVALID],
]);

const good = () => mint(URL_BOUND);
const open = (target: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  at().send("GET", target, headers);
const openWith = (change: (target: string) => string) => open(`${change(ACCOUNT_PAGE)}&jwt=${good()}`);

describeAnswered("a URL-bound JWT opens its page", 200, [
  [
    "as often as the browser asks",
    async () => {
      const target = `${ACCOUNT_PAGE}&jwt=${good()}`;
      await open(target);
      return open(target);
    },
  ],
  ["wherever it stands among the parameters", () => open(ACCOUNT_PAGE.replace("?", `?jwt=${good()}&`))],
  [
    "with the parameters in another order",
    () => openWith(() => "/account?xdm_e=https%3A%2F%2Facme.atlassian.net&lic=none&cp="),
  ],
  [
    "with small letters in escapes, which mean the same",
    () => openWith((target) => target.replaceAll("%3A", "%3a")),
  ],
  [
    "beside an e-mail that Access would have added",
    () => open(`${ACCOUNT_PAGE}&jwt=${good()}`, { "cf-access-authenticated-user-email": ADA.email }),
  ],
  ["beside a cookie", () => open(`${ACCOUNT_PAGE}&jwt=${good()}`, { cookie: "jwt=x" })],
]);

describeRequests(at, "a URL-bound JWT doesn't open", [
  ["the other page", () => openWith((target) => target.replace("/account", "/admin")), ...INVALID],
  ["its page without the parameters", () => open(`/account?jwt=${good()}`), ...INVALID],
  ["its page without one parameter", () => openWith((target) => target.replace("cp=&", "")), ...INVALID],
  [
    "its page with another value",
    () => openWith((target) => target.replace("lic=none", "lic=active")),
    ...INVALID,
  ],
  ["its page for another host", () => openWith((target) => target.replace("acme", "evil")), ...INVALID],
  ["its page with a parameter twice", () => openWith((target) => `${target}&lic=none`), ...INVALID],
  ["its page with a parameter more", () => openWith((target) => `${target}&a=1`), ...INVALID],
  ["its page with a parameter without a value", () => openWith((target) => `${target}&a`), ...INVALID],
  ["its page with a parameter without a name", () => openWith((target) => `${target}&=1`), ...INVALID],
  ["its page with __proto__", () => openWith((target) => `${target}&__proto__=1`), ...INVALID],
  [
    "its page with a parameter in other letters",
    () => openWith((target) => target.replace("lic", "LIC")),
    ...INVALID,
  ],
  [
    "its page with a parameter in a list",
    () => openWith((target) => target.replace("lic=", "lic[]=")),
    ...INVALID,
  ],
  ["its page with JWT in capitals beside it", () => openWith((target) => `${target}&JWT=x`), ...INVALID],
  ["the API", () => open("/api/v1/me", { authorization: `JWT ${good()}` }), ...INVALID],
  [
    "the API of its own method and URL",
    () => {
      const qsh = qshOf(at(), "GET", "/api/v1/me");
      return open("/api/v1/me", { authorization: `JWT ${mint(URL_BOUND, { claims: { qsh } })}` });
    },
    ...INVALID,
  ],
]);

describeRequests(at, "a URL-bound JWT doesn't count", [
  ["where there is none", () => open(ACCOUNT_PAGE), ...MISSING],
  ["where it is empty", () => open(`${ACCOUNT_PAGE}&jwt=`), ...MISSING],
  ["in another parameter", () => open(`${ACCOUNT_PAGE}&acpt=${good()}`), ...MISSING],
  ["in a parameter in capitals", () => open(`${ACCOUNT_PAGE}&JWT=${good()}`), ...MISSING],
  ["in a parameter with brackets", () => open(`${ACCOUNT_PAGE}&jwt[]=${good()}`), ...MISSING],
  ["in a cookie", () => open(ACCOUNT_PAGE, { cookie: `jwt=${good()}` }), ...MISSING],
  [
    "in the header of an Access JWT",
    () => open(ACCOUNT_PAGE, { "cf-access-jwt-assertion": good() }),
    ...MISSING,
  ],
  ["in the Authorization header", () => open(ACCOUNT_PAGE, { authorization: `JWT ${good()}` }), ...AMBIGUOUS],
  [
    "beside the same in the Authorization header",
    () => {
      const token = good();
      return open(`${ACCOUNT_PAGE}&jwt=${token}`, { authorization: `JWT ${token}` });
    },
    ...AMBIGUOUS,
  ],
  [
    "beside a Bearer token",
    () => open(`${ACCOUNT_PAGE}&jwt=${good()}`, { authorization: "Bearer x" }),
    ...AMBIGUOUS,
  ],
  [
    "beside two Authorization headers",
    () => open(`${ACCOUNT_PAGE}&jwt=${good()}`, { authorization: twice("Bearer x", "Bearer y") }),
    ...AMBIGUOUS,
  ],
  [
    "beside the same in the query",
    () => {
      const token = good();
      return open(`${ACCOUNT_PAGE}&jwt=${token}&jwt=${token}`);
    },
    ...AMBIGUOUS,
  ],
  [
    "beside another account's in the query",
    () => open(`${ACCOUNT_PAGE}&jwt=${good()}&jwt=${mint(URL_BOUND, { claims: { sub: ADA.accountId } })}`),
    ...AMBIGUOUS,
  ],
  ["beside an empty one in the query", () => open(`${ACCOUNT_PAGE}&jwt=&jwt=${good()}`), ...AMBIGUOUS],
]);

function madeFor(method: string, target: string): Making {
  return () => ({ claims: { qsh: qshOf(at(), method, target) } });
}

/** As that installation's product would sign it. */
function by({ clientKey, sharedSecret }: Sender, claims: object = {}): Change {
  return { claims: { iss: clientKey, ...claims }, sign: hmac(sharedSecret) };
}
