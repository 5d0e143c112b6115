import type { Reply } from "../../sandbox/http-client.js";
import { epochSeconds } from "../../sandbox/jwt.js";
import { ADA, GRACE } from "../../sandbox/people.js";
import { APP_KEY, createSender, senderOf, type Sender } from "../lifecycle.fixture.js";
import { twice } from "../service-api.fixture.js";
import { LAST_SECOND_OF_9999 } from "./common-claims.fixture.js";
import {
  ACCOUNT_PAGE,
  AMBIGUOUS,
  INVALID,
  MISSING,
  contextTokens,
  ME,
  NOBODY_LISTENS,
  qshOf,
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

/** Installations that Grace's tenant is confused with: the app of the site's other product, and some that have ended. */
let confluence: Sender;
let disabled: Sender;
let uninstalled: Sender;
/** As it was before it was installed again. */
let formerly: Sender;
let unicode: Sender;

const at = useTokenWorld(async (world) => {
  const { tenants } = world;
  await world.world.install("confluence");
  confluence = senderOf(world.home, "confluence");
  const install = async (sender: Sender) => {
    (await tenants.sendEvent(sender, "installed")).expect(204);
    return sender;
  };
  disabled = await install(createSender(NOBODY_LISTENS));
  (await tenants.sendEvent(disabled, "disabled")).expect(204);
  uninstalled = await install(createSender(NOBODY_LISTENS));
  (await tenants.sendEvent(uninstalled, "uninstalled")).expect(204);
  formerly = await install(createSender(NOBODY_LISTENS));
  await install({ ...formerly, sharedSecret: "the secret that it has now" });
  unicode = await install(createSender({ ...NOBODY_LISTENS, sharedSecret: "Schlüssel-✓-🔑" }));
});

const CONTEXT = contextTokens(at);

describeCommonRules(CONTEXT, at);

describeAccepted(CONTEXT, at, "a context JWT is good with", [
  ["typ in mixed case", { header: { typ: "Jwt" } }],
  ["any text as aud", { claims: { aud: "https://another-app.example" } }],
  ["any texts as aud", { claims: { aud: ["x", "y"] } }],
  ["an empty list as aud", { claims: { aud: [] } }],
  [
    "another tenant's key as aud, which means nothing",
    () => ({ claims: { aud: [at().otherTenant.clientKey] } }),
  ],
  ["iat in 1970", { claims: { iat: 0 } }],
  ["exp in the year 9999", { claims: { exp: LAST_SECOND_OF_9999 } }],
  ["exp in milliseconds, which is far away", () => ({ claims: { exp: Date.now() } })],
]);

describeRules(CONTEXT, at, "is refused for whose it says it is:", [
  ["an empty iss", { claims: { iss: "" } }, ...INVALID],
  ["an unknown iss", { claims: { iss: "nobody-knows-me" } }, ...INVALID],
  [
    "an unknown iss, signed by an empty secret",
    { claims: { iss: "nobody-knows-me" }, sign: hmac("") },
    ...INVALID,
  ],
  ["the app's key as iss", { claims: { iss: APP_KEY } }, ...INVALID],
  ["the site's host as iss", () => ({ claims: { iss: at().home.host } }), ...INVALID],
  ["the product's base URL as iss", () => ({ claims: { iss: at().home.url } }), ...INVALID],
  ["its iss in other letters", () => ({ claims: { iss: at().tenant.clientKey.toUpperCase() } }), ...INVALID],
  ["a space behind its iss", () => ({ claims: { iss: `${at().tenant.clientKey} ` } }), ...INVALID],
  ["a NUL behind its iss", () => ({ claims: { iss: `${at().tenant.clientKey}\0` } }), ...INVALID],
  [
    "half a surrogate pair behind its iss",
    () => ({ claims: { iss: `${at().tenant.clientKey}\ud800` } }),
    ...INVALID,
  ],
  ["a wildcard as iss", { claims: { iss: "%" } }, ...INVALID],
  ["a pattern as iss", () => ({ claims: { iss: at().tenant.clientKey.replace(/.$/, "_") } }), ...INVALID],
  ["SQL as iss", { claims: { iss: "' OR 1=1 --" } }, ...INVALID],
  ["an iss of 256 characters", { claims: { iss: "x".repeat(256) } }, ...INVALID],
  ["another tenant as iss", () => ({ claims: { iss: at().otherTenant.clientKey } }), ...INVALID],
  [
    "its own tenant in aud and none as iss, as ACE's sessions have it",
    () => ({
      claims: { iss: APP_KEY, aud: [at().tenant.clientKey], qsh: undefined },
    }),
    ...INVALID,
  ],
]);

describeRules(CONTEXT, at, "is refused for the secret that signed it:", [
  ["another tenant's", () => ({ sign: hmac(at().otherTenant.sharedSecret) }), ...INVALID],
  ["that of the site's other product", () => ({ sign: hmac(confluence.sharedSecret) }), ...INVALID],
  ["its client key", () => ({ sign: hmac(at().tenant.clientKey) }), ...INVALID],
  ["the app's key", { sign: hmac(APP_KEY) }, ...INVALID],
  ["its own without the last letter", bySpelling((secret) => secret.slice(0, -1)), ...INVALID],
  ["its own in other letters", bySpelling((secret) => secret.toUpperCase()), ...INVALID],
  ["its own and a line end", bySpelling((secret) => `${secret}\n`), ...INVALID],
  ["its own, decoded", bySpelling((secret) => Buffer.from(secret, "base64url")), ...INVALID],
  ["its own in UTF-16", bySpelling((secret) => Buffer.from(secret, "utf16le")), ...INVALID],
  ["the word undefined", { sign: hmac("undefined") }, ...INVALID],
  ["the word null", { sign: hmac("null") }, ...INVALID],
  ["that of an installation that has been removed", () => by(uninstalled), ...INVALID],
  [
    "an empty one, for an installation that has been removed",
    () => by({ ...uninstalled, sharedSecret: "" }),
    ...INVALID,
  ],
  [
    "the word null, for an installation that has been removed",
    () => by({ ...uninstalled, sharedSecret: "null" }),
    ...INVALID,
  ],
  ["that of an installation that is disabled", () => by(disabled), ...INVALID],
  ["the one before the tenant was installed again", () => by(formerly), ...INVALID],
]);

describeRules(CONTEXT, at, "is refused for the account:", [
  ["no sub", { claims: { sub: undefined } }, ...INVALID],
  ["an empty sub", { claims: { sub: "" } }, ...INVALID],
  ["a blank sub", { claims: { sub: " " } }, ...INVALID],
  ["a space in front of the sub", { claims: { sub: ` ${GRACE.accountId}` } }, ...INVALID],
  ["a line break behind the sub", { claims: { sub: `${GRACE.accountId}\n` } }, ...INVALID],
  ["a NUL behind the sub", { claims: { sub: `${GRACE.accountId}\0` } }, ...INVALID],
  ["an invisible character in the sub", { claims: { sub: `${GRACE.accountId}\u200b` } }, ...INVALID],
  ["half a surrogate pair in the sub", { claims: { sub: `${GRACE.accountId}\udc00` } }, ...INVALID],
  ["a sub of 129 characters", { claims: { sub: "x".repeat(129) } }, ...INVALID],
  ["a sub of 2,000 characters", { claims: { sub: "x".repeat(2_000) } }, ...INVALID],
  [
    "an account in context.user only",
    { claims: { sub: undefined, context: { user: { accountId: GRACE.accountId } } } },
    ...INVALID,
  ],
]);

describeRules(CONTEXT, at, "is refused for its qsh:", [
  ["none", { claims: { qsh: undefined } }, ...INVALID],
  ["null", { claims: { qsh: null } }, ...INVALID],
  ["an empty one", { claims: { qsh: "" } }, ...INVALID],
  ["in other letters", { claims: { qsh: "Context-QSH" } }, ...INVALID],
  ["with a space behind it", { claims: { qsh: "context-qsh " } }, ...INVALID],
  ["in a list", { claims: { qsh: ["context-qsh"] } }, ...INVALID],
  ["in an object", { claims: { qsh: { 0: "context-qsh" } } }, ...INVALID],
  ["the hash of this very URL", () => ({ claims: { qsh: qshOf(at(), "GET", ME) } }), ...INVALID],
  [
    "the hash of the page that it calls from",
    () => ({ claims: { qsh: qshOf(at(), "GET", ACCOUNT_PAGE) } }),
    ...INVALID,
  ],
]);

describeRules(CONTEXT, at, "is refused for its typ:", [
  ["an OAuth access token's", { header: { typ: "at+jwt" } }, ...INVALID],
  ["an encrypted token's", { header: { typ: "JWE" } }, ...INVALID],
  ["with a space behind it", { header: { typ: "JWT " } }, ...INVALID],
  ["in a list", { header: { typ: ["JWT"] } }, ...INVALID],
  ["null", { header: { typ: null } }, ...INVALID],
]);

describeRules(CONTEXT, at, "isn't told to be expired with an exp long ago and", [
  [
    "another tenant's secret",
    () => ({ claims: { exp: 1 }, sign: hmac(at().otherTenant.sharedSecret) }),
    ...INVALID,
  ],
  ["an unknown iss", { claims: { exp: 1, iss: "nobody-knows-me" } }, ...INVALID],
  ["the qsh of a URL", () => ({ claims: { exp: 1, qsh: qshOf(at(), "GET", ME) } }), ...INVALID],
  ["no sub", { claims: { exp: 1, sub: undefined } }, ...INVALID],
  ["a disabled installation", () => by(disabled, { exp: 1 }), ...INVALID],
  ["the secret before the last", () => by(formerly, { exp: 1 }), ...INVALID],
]);

const good = () => mint(CONTEXT);
const ofAda = () => mint(CONTEXT, { claims: { sub: ADA.accountId } });
const ofAnotherTenant = () =>
  mint(CONTEXT, { claims: { iss: at().otherTenant.clientKey }, sign: hmac(at().otherTenant.sharedSecret) });
const send = (headers: Readonly<Record<string, string>>, query = ""): Promise<Reply> =>
  at().send("GET", `${ME}${query}`, headers);
const authorize = (authorization: string, query = "") => send({ authorization }, query);

describeAnswered("a context JWT counts", 200, [
  ["after the word JWT", () => authorize(`JWT ${good()}`)],
  ["after the word in lower case", () => authorize(`jwt ${good()}`)],
  ["after several spaces", () => authorize(`JWT   ${good()}`)],
  [
    "also when the same stands in the query",
    () => {
      const token = good();
      return authorize(`JWT ${token}`, `?jwt=${token}`);
    },
  ],
  [
    "beside an Access JWT, which says nothing here",
    async () =>
      send({
        authorization: `JWT ${good()}`,
        "cf-access-jwt-assertion": await at().acme.signAccessJwt(ADA, "x"),
      }),
  ],
  [
    "beside an e-mail that Access would have added",
    () => send({ authorization: `JWT ${good()}`, "cf-access-authenticated-user-email": ADA.email }),
  ],
  ["beside a cookie", () => send({ authorization: `JWT ${good()}`, cookie: `jwt=${ofAda()}` })],
  ["signed by a secret that isn't ASCII", () => authorize(`JWT ${mint(CONTEXT, by(unicode))}`)],
]);

describeRequests(at, "a context JWT doesn't count", [
  ["in the query only", () => send({}, `?jwt=${good()}`), ...MISSING],
  ["in ACE's parameter", () => send({}, `?acpt=${good()}`), ...MISSING],
  ["in the query, another scheme in the header", () => authorize("Basic eDp5", `?jwt=${good()}`), ...MISSING],
  ["as Bearer", () => authorize(`Bearer ${good()}`), ...MISSING],
  ["as Basic", () => authorize(`Basic ${good()}`), ...MISSING],
  ["without a scheme", () => authorize(good()), ...MISSING],
  ["without a space after the scheme", () => authorize(`JWT${good()}`), ...MISSING],
  ["after another scheme", () => authorize(`Bearer JWT ${good()}`), ...MISSING],
  ["before a second one", () => authorize(`JWT ${good()} ${good()}`), ...MISSING],
  ["before a second one in a list", () => authorize(`JWT ${good()}, JWT ${good()}`), ...MISSING],
  ["where there is the scheme alone", () => authorize("JWT"), ...MISSING],
  ["where the header is empty", () => authorize(""), ...MISSING],
  ["where there is nothing", () => send({}), ...MISSING],
  ["in a cookie", () => send({ cookie: `jwt=${good()}; CF_Authorization=${good()}` }), ...MISSING],
  ["in the header of ACE's sessions", () => send({ "x-acpt": good() }), ...MISSING],
  ["in a header of Cloudflare's", () => send({ "cf-access-jwt-assertion": good() }), ...MISSING],
  ["in a header for proxies", () => send({ "proxy-authorization": `JWT ${good()}` }), ...MISSING],
  ["in a header that ends alike", () => send({ "x-authorization": `JWT ${good()}` }), ...MISSING],
  ["in a JSON body", () => at().send("POST", `${ME}/link-attempts`, {}, { jwt: good() }), ...MISSING],
  [
    "in a form",
    () => at().send("POST", `${ME}/link-attempts`, {}, new URLSearchParams({ jwt: good() })),
    ...MISSING,
  ],
]);

describeRequests(at, "a context JWT isn't chosen from several:", [
  ["another account's in the query", () => authorize(`JWT ${good()}`, `?jwt=${ofAda()}`), ...AMBIGUOUS],
  [
    "another tenant's in the query",
    () => authorize(`JWT ${good()}`, `?jwt=${ofAnotherTenant()}`),
    ...AMBIGUOUS,
  ],
  [
    "the same, twice in the query",
    () => {
      const token = good();
      return authorize(`JWT ${token}`, `?jwt=${token}&jwt=${token}`);
    },
    ...AMBIGUOUS,
  ],
  ["an empty one in the query", () => authorize(`JWT ${good()}`, "?jwt="), ...AMBIGUOUS],
  ["the same in two headers", () => authorize(twice(`JWT ${good()}`, `JWT ${good()}`)), ...AMBIGUOUS],
  [
    "two of different tenants",
    () => authorize(twice(`JWT ${good()}`, `JWT ${ofAnotherTenant()}`)),
    ...AMBIGUOUS,
  ],
  ["a Bearer token behind it", () => authorize(twice(`JWT ${good()}`, "Bearer x")), ...AMBIGUOUS],
  ["a Bearer token before it", () => authorize(twice("Bearer x", `JWT ${good()}`)), ...AMBIGUOUS],
  ["two Bearer tokens", () => authorize(twice("Bearer x", "Bearer y")), ...MISSING],
]);

function bySpelling(spell: (secret: string) => string | Buffer): Making {
  return () => ({ sign: hmac(spell(at().tenant.sharedSecret)) });
}

/** As that installation's product would sign it. */
function by({ clientKey, sharedSecret }: Sender, claims: object = {}): Change {
  return { claims: { iss: clientKey, iat: epochSeconds(), ...claims }, sign: hmac(sharedSecret) };
}
