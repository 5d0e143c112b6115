import { expect } from "vitest";

import type { AccessTeam } from "../../sandbox/access-team.js";
import type { Reply } from "../../sandbox/http-client.js";
import { epochSeconds, type Claims } from "../../sandbox/jwt.js";
import { ADA, GRACE, LINUS } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import { twice } from "../service-api.fixture.js";
import {
  actingTokens,
  identifyingTokens,
  linkingTokens,
  MALFORMED,
  popupTokens,
  PURPOSE,
  UNTRUSTED,
} from "./access-kinds.fixture.js";
import { LAST_SECOND_OF_9999 } from "./common-claims.fixture.js";
import { AMBIGUOUS } from "./connect-kinds.fixture.js";
import { hmac, rsa } from "./signers.fixture.js";
import { PLAIN_KEY, STRANGE_TEAM_KEYS } from "./strange-team-keys.fixture.js";
import { mint, type Change, type Making, type Row } from "./token-kind.fixture.js";
import {
  describeAccepted,
  describeAnswered,
  describeCommonRules,
  describeRequests,
  describeRules,
} from "./token-tables.fixture.js";
import { useTokenWorld } from "./use-token-world.fixture.js";

let attempt: string;

const at = useTokenWorld(async (world) => {
  const page = world.world.page(GRACE);
  attempt = (await page.beginLink()).id;
  world.acme.strangeKeys.push(...STRANGE_TEAM_KEYS.flatMap(([, published]) => published));
  const admin = world.world.page(ADA);
  const check = (await admin.send("POST", "/api/v1/settings/check", {})).expect(200).body;
  expect(check).toMatchObject({ ok: true, kids: expect.arrayContaining(["plain"]) as unknown });
});

const IDENTIFYING = identifyingTokens(at);
const ACTING = actingTokens(at);
const POPUP = popupTokens(at, () => attempt);
const LINKING = linkingTokens(at);

const MISSING = [401, "access_jwt_missing"] as const;
const SERVICE_TOKEN = [403, "service_token"] as const;
const INVALID_BODY = [422, "validation_failed"] as const;

for (const kind of [IDENTIFYING, ACTING, POPUP, LINKING]) {
  const otherAudience = kind === IDENTIFYING ? AUDIENCES.app : AUDIENCES.demo;

  describeCommonRules(kind, at);

  describeAccepted(kind, at, `${kind.name}, is good with`, [
    ["its aud as one text", () => ({ claims: { aud: [kind.claims()["aud"]].flat()[0] } })],
    ["its aud among others", () => ({ claims: { aud: ["0".repeat(64), ...[kind.claims()["aud"]].flat()] } })],
    ["its aud twice", () => ({ claims: { aud: [kind.claims()["aud"], kind.claims()["aud"]].flat() } })],
    ["any typ", { header: { typ: "at+jwt" } }],
    ["an empty common_name", { claims: { common_name: "" } }],
    ["claims of the identity provider", { claims: { custom: { groups: ["a", "a"], sub: 1, email: null } } }],
    ["exp in the last minute of the year 9999", { claims: { exp: LAST_SECOND_OF_9999 - 30 } }],
    ["another key of its team", { header: { kid: "plain" }, sign: rsa(PLAIN_KEY) }],
  ]);

  describeRules(kind, at, "is refused for its issuer:", [
    ["an empty one", { claims: { iss: "" } }, ...UNTRUSTED],
    ["with a slash", issuer((iss) => `${iss}/`), ...UNTRUSTED],
    ["with a path", issuer((iss) => `${iss}/cdn-cgi/access`), ...UNTRUSTED],
    ["of its ID tokens", issuer((iss) => `${iss}/cdn-cgi/access/sso/oidc/0123`), ...UNTRUSTED],
    ["with a query", issuer((iss) => `${iss}?x`), ...UNTRUSTED],
    ["with a fragment", issuer((iss) => `${iss}#x`), ...UNTRUSTED],
    ["with a port", issuer((iss) => `${iss}:443`), ...UNTRUSTED],
    ["with a dot behind it", issuer((iss) => `${iss}.`), ...UNTRUSTED],
    ["with a user", issuer((iss) => iss.replace("://", "://acme@")), ...UNTRUSTED],
    ["with a space", issuer((iss) => `${iss} `), ...UNTRUSTED],
    ["with a NUL", issuer((iss) => `${iss}\0`), ...UNTRUSTED],
    ["in capitals", issuer((iss) => iss.toUpperCase()), ...UNTRUSTED],
    ["by http", issuer((iss) => iss.replace("https", "http")), ...UNTRUSTED],
    ["by its domain alone", issuer((iss) => iss.replace("https://", "")), ...UNTRUSTED],
    ["by where its keys are", () => ({ claims: { iss: at().acme.url } }), ...UNTRUSTED],
    ["of a domain that ends alike", { claims: { iss: "https://evilcloudflareaccess.com" } }, ...UNTRUSTED],
    ["of a team within a team", issuer((iss) => iss.replace("acme", "evil.acme")), ...UNTRUSTED],
    ["of its federal namesake", issuer((iss) => iss.replace(".cloud", ".fed.cloud")), ...UNTRUSTED],
    ["of somebody else", { claims: { iss: "https://evil.example" } }, ...UNTRUSTED],
    [
      "of somebody else who looks like a team",
      { claims: { iss: "https://evil.example#.cloudflareaccess.com" } },
      ...UNTRUSTED,
    ],
  ]);

  describeRules(kind, at, "is refused for its team:", [
    ["one that another site trusts", () => signedBy(at().globex), ...UNTRUSTED],
    ["one that nobody trusts", () => signedBy(at().strangers), ...UNTRUSTED],
    [
      "one that another site trusts, in our team's name",
      () => ({ ...signedBy(at().globex), claims: {} }),
      ...UNTRUSTED,
    ],
    [
      "one that another site trusts, in our team's name and key's",
      () => ({ sign: rsa(at().globex.signingKey.privateKey) }),
      ...UNTRUSTED,
    ],
    [
      "ours, in the name of one that another site trusts",
      () => ({ claims: { iss: at().globex.issuer } }),
      ...UNTRUSTED,
    ],
    [
      "ours, in the name of one that nobody trusts",
      () => ({ claims: { iss: at().strangers.issuer } }),
      ...UNTRUSTED,
    ],
    ["ours, by the key of another name", { header: { kid: "plain" } }, ...UNTRUSTED],
    ["Atlassian", () => ({ sign: rsa(at().world.parts.installKeys.signingKey.privateKey) }), ...UNTRUSTED],
    [
      "the tenant's secret",
      () => ({ header: { alg: "HS256" }, sign: hmac(at().tenant.sharedSecret) }),
      ...UNTRUSTED,
    ],
  ]);

  describeRules(kind, at, "is refused for its aud:", [
    ["none", { claims: { aud: undefined } }, ...MALFORMED],
    ["an empty list", { claims: { aud: [] } }, ...MALFORMED],
    ["an empty text", { claims: { aud: "" } }, ...MALFORMED],
    [
      "an empty text beside the right one",
      () => ({ claims: { aud: [...[kind.claims()["aud"]].flat(), ""] } }),
      ...MALFORMED,
    ],
    ["that of an application that isn't listed", { claims: { aud: ["0".repeat(64)] } }, ...UNTRUSTED],
    ["that of an application that may do something else", { claims: { aud: [otherAudience] } }, ...PURPOSE],
    ["the right one in capitals", audience((aud) => aud.toUpperCase()), ...UNTRUSTED],
    ["the right one within a longer text", audience((aud) => `${aud} ${"0".repeat(64)}`), ...UNTRUSTED],
    ["the right one and a comma", audience((aud) => `${aud},`), ...UNTRUSTED],
    ["a space before the right one", audience((aud) => ` ${aud}`), ...UNTRUSTED],
    ["the beginning of the right one", audience((aud) => aud.slice(0, -1)), ...UNTRUSTED],
    ["a wildcard", { claims: { aud: ["*"] } }, ...UNTRUSTED],
    ["the app's URL", () => ({ claims: { aud: [at().appUrl] } }), ...UNTRUSTED],
  ]);

  describeRules(kind, at, "is refused for its type:", [
    ["that of the team's own session", { claims: { type: "org" } }, ...UNTRUSTED],
    ["in other letters", { claims: { type: "App" } }, ...UNTRUSTED],
    ["an empty one", { claims: { type: "" } }, ...UNTRUSTED],
    ["none", { claims: { type: undefined } }, ...UNTRUSTED],
    ["null", { claims: { type: null } }, ...MALFORMED],
    ["a list", { claims: { type: ["app"] } }, ...MALFORMED],
  ]);

  describeRules(kind, at, "is refused for its holder:", [
    ["no sub", { claims: { sub: undefined } }, ...UNTRUSTED],
    ["an empty sub", { claims: { sub: "" } }, ...UNTRUSTED],
    ["a NUL in the sub", { claims: { sub: `${GRACE.accessSubject}\0` } }, ...UNTRUSTED],
    ["half a surrogate pair in the sub", { claims: { sub: "\ud800" } }, ...UNTRUSTED],
    ["a sub longer than can be kept", { claims: { sub: "x".repeat(256) } }, ...UNTRUSTED],
    ["no e-mail", { claims: { email: undefined } }, ...UNTRUSTED],
    ["an empty e-mail", { claims: { email: "" } }, ...UNTRUSTED],
    ["null as e-mail", { claims: { email: null } }, ...MALFORMED],
    ["e-mails in a list", { claims: { email: [GRACE.email] } }, ...MALFORMED],
    ["an e-mail in an object", { claims: { email: { address: GRACE.email } } }, ...MALFORMED],
    ["a line end in the e-mail", { claims: { email: `${GRACE.email}\n` } }, ...UNTRUSTED],
    ["a change of direction in the e-mail", { claims: { email: `\u202e${GRACE.email}` } }, ...UNTRUSTED],
    ["an invisible character in the e-mail", { claims: { email: `gr\u200bace@acme.example` } }, ...UNTRUSTED],
    ["a line separator in the e-mail", { claims: { email: `grace\u2028@acme.example` } }, ...UNTRUSTED],
    [
      "an e-mail longer than any",
      { claims: { email: `${"x".repeat(321 - "@acme.example".length)}@acme.example` } },
      ...UNTRUSTED,
    ],
    [
      "a machine",
      { claims: { common_name: "nightly.access", sub: "", email: undefined, nbf: undefined } },
      ...SERVICE_TOKEN,
    ],
    ["a machine that names a person", { claims: { common_name: "nightly.access" } }, ...SERVICE_TOKEN],
    ["a number as common_name", { claims: { common_name: 1 } }, ...MALFORMED],
    ["null as common_name", { claims: { common_name: null } }, ...MALFORMED],
    ["an object as common_name", { claims: { common_name: {} } }, ...MALFORMED],
  ]);

  describeRules(kind, at, "is refused for its times:", [
    ["exp after the year 9999", { claims: { exp: LAST_SECOND_OF_9999 + 1 } }, ...MALFORMED],
    ["iat after the year 9999", { claims: { iat: LAST_SECOND_OF_9999 + 1 } }, ...MALFORMED],
    ["nbf after the year 9999", { claims: { nbf: LAST_SECOND_OF_9999 + 1 } }, ...MALFORMED],
    ["exp in milliseconds", () => ({ claims: { exp: Date.now() } }), ...MALFORMED],
    ["iat in milliseconds", () => ({ claims: { iat: Date.now() } }), ...MALFORMED],
  ]);

  describeRules(kind, at, "isn't told to be expired with an exp long ago and", [
    ["another team", () => signedBy(at().globex, { exp: 1 }), ...UNTRUSTED],
    ["an application that isn't listed", { claims: { exp: 1, aud: ["0".repeat(64)] } }, ...UNTRUSTED],
    ["the type of the team's own session", { claims: { exp: 1, type: "org" } }, ...UNTRUSTED],
    ["an unknown key", { claims: { exp: 1 }, header: { kid: "made-up" } }, ...UNTRUSTED],
  ]);
}

// security rule 9: what links without a window must have been made just now.
describeAccepted(LINKING, at, "an Access JWT links", [
  ["when it was issued ten minutes ago", () => ({ claims: { iat: epochSeconds() - 600, nbf: undefined } })],
]);
describeRules(LINKING, at, "is refused for its age:", [
  ["a second more than ten minutes", () => ({ claims: { iat: epochSeconds() - 601 } }), 403, "token_too_old"],
  ["since 1970", { claims: { iat: 0 } }, 403, "token_too_old"],
]);
// Security rule 13: a day, unless an admin says something else.
describeAccepted(ACTING, at, "an Access JWT acts", [
  ["when it was issued a day ago", () => ({ claims: { iat: epochSeconds() - 86_400, nbf: undefined } })],
]);
describeRules(ACTING, at, "is refused for its age:", [
  ["a second more than a day", () => ({ claims: { iat: epochSeconds() - 86_401 } }), 403, "token_too_old"],
  ["since 1970", { claims: { iat: 0 } }, 403, "token_too_old"],
]);
describeRules(ACTING, at, "is refused for who its holder is:", [
  ["somebody new with a linked person's e-mail", { claims: { sub: "somebody-new" } }, 404, "not_linked"],
  [
    "a linked person's id in other letters",
    { claims: { sub: GRACE.accessSubject.toUpperCase() } },
    404,
    "not_linked",
  ],
]);
describeAccepted(IDENTIFYING, at, "an Access JWT identifies", [
  ["when it was issued in 1970 and hasn't expired", { claims: { iat: 0, nbf: 0 } }],
  ["whatever e-mail its holder has by now", { claims: { email: "grace@married.example" } }],
]);
describeRules(IDENTIFYING, at, "is refused for who its holder is:", [
  ["somebody new with a linked person's e-mail", { claims: { sub: "somebody-new" } }, 404, "not_linked"],
  [
    "a linked person's id in other letters",
    { claims: { sub: GRACE.accessSubject.toUpperCase() } },
    404,
    "not_linked",
  ],
]);

describeRules(
  IDENTIFYING,
  at,
  "is refused for what its team publishes under the name of its key:",
  STRANGE_TEAM_KEYS.map(([what, , change]): Row => [what, change, ...UNTRUSTED]),
);

const good = () => mint(IDENTIFYING);
const ofLinus = () => mint(IDENTIFYING, { claims: { sub: LINUS.accessSubject, email: LINUS.email } });
const ask = (headers: Readonly<Record<string, string>>, query = ""): Promise<Reply> =>
  at().send("GET", `/api/v1/sites/${at().home.host}/identity${query}`, headers);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const assertion = (token: string) => ({ "cf-access-jwt-assertion": token });

describeAnswered("an Access JWT that a service forwards counts", 200, [
  ["as Access sends it", () => ask(assertion(good()))],
  ["as Bearer", () => ask(bearer(good()))],
  ["as bearer", () => ask({ authorization: `bearer ${good()}` })],
  ["after several spaces", () => ask({ authorization: `Bearer   ${good()}` })],
  [
    "in both headers, the same",
    () => {
      const token = good();
      return ask({ ...assertion(token), ...bearer(token) });
    },
  ],
  [
    "in two lines of one header, the same",
    () => {
      const token = good();
      return ask({ "cf-access-jwt-assertion": twice(token, token) });
    },
  ],
  ["beside an empty header", () => ask({ ...assertion(""), ...bearer(good()) })],
  ["beside other credentials", () => ask({ ...assertion(good()), authorization: "Basic eDp5" })],
  [
    "beside a Connect JWT",
    async () =>
      ask({
        ...assertion(good()),
        authorization: `JWT ${await at().home.contextJwt("jira", ADA.accountId)}`,
      }),
  ],
  [
    "beside somebody else's e-mail",
    () => ask({ ...bearer(good()), "cf-access-authenticated-user-email": LINUS.email }),
  ],
  [
    "beside somebody else's cookie",
    () => ask({ ...bearer(good()), cookie: `CF_Authorization=${ofLinus()}` }),
  ],
  [
    "beside somebody else's in the query",
    () => ask(bearer(good()), `?jwt=${ofLinus()}&access_token=${ofLinus()}`),
  ],
]);

describeRequests(at, "an Access JWT that a service forwards doesn't count", [
  ["where there is none", () => ask({}), ...MISSING],
  ["where the header is empty", () => ask(assertion("")), ...MISSING],
  ["where there is the scheme alone", () => ask({ authorization: "Bearer" }), ...MISSING],
  ["as JWT", () => ask({ authorization: `JWT ${good()}` }), ...MISSING],
  ["as Basic", () => ask({ authorization: `Basic ${good()}` }), ...MISSING],
  ["without a scheme", () => ask({ authorization: good() }), ...MISSING],
  ["without a space after the scheme", () => ask({ authorization: `Bearer${good()}` }), ...MISSING],
  ["in a cookie", () => ask({ cookie: `CF_Authorization=${good()}` }), ...MISSING],
  ["in the query", () => ask({}, `?jwt=${good()}&access_token=${good()}`), ...MISSING],
  ["in a header for service tokens", () => ask({ "cf-access-token": good() }), ...MISSING],
  ["in a header for proxies", () => ask({ "proxy-authorization": `Bearer ${good()}` }), ...MISSING],
  [
    "where there is only an e-mail",
    () => ask({ "cf-access-authenticated-user-email": GRACE.email }),
    ...MISSING,
  ],
  ["as two in one line", () => ask(assertion(`${good()}, ${good()}`)), ...MALFORMED],
  ["as two in one line, after one scheme", () => ask(bearer(`${good()} ${good()}`)), ...MALFORMED],
  ["after two schemes", () => ask(bearer(`Bearer ${good()}`)), ...MALFORMED],
  [
    "beside another's in the other header",
    () => ask({ ...assertion(good()), ...bearer(ofLinus()) }),
    ...AMBIGUOUS,
  ],
  ["beside another of the same person", () => ask({ ...assertion(good()), ...bearer(good()) }), ...AMBIGUOUS],
  [
    "beside another spelling of itself",
    () => {
      const token = good();
      return ask({ ...assertion(token), ...bearer(`${token}=`) });
    },
    ...AMBIGUOUS,
  ],
  ["beside something that is no token", () => ask({ ...assertion(good()), ...bearer("x") }), ...AMBIGUOUS],
  ["as two of one header", () => ask({ "cf-access-jwt-assertion": twice(good(), ofLinus()) }), ...AMBIGUOUS],
  [
    "as two Bearer tokens",
    () => ask({ authorization: twice(`Bearer ${good()}`, `Bearer ${ofLinus()}`) }),
    ...AMBIGUOUS,
  ],
]);

const open = (headers: Readonly<Record<string, string>>, query = ""): Promise<Reply> =>
  at().send("GET", `/access/link/${attempt}${query}`, headers);
const forPopup = () => mint(POPUP);

describeRequests(at, "an Access JWT at the popup counts only where Access puts it, not", [
  ["as Bearer", () => open(bearer(forPopup())), ...MISSING],
  ["as JWT", () => open({ authorization: `JWT ${forPopup()}` }), ...MISSING],
  ["in a cookie", () => open({ cookie: `CF_Authorization=${forPopup()}` }), ...MISSING],
  ["in the query", () => open({}, `?jwt=${forPopup()}`), ...MISSING],
  [
    "where there is only an e-mail",
    () => open({ "cf-access-authenticated-user-email": GRACE.email }),
    ...MISSING,
  ],
  [
    "beside another of its header",
    () => open({ "cf-access-jwt-assertion": twice(forPopup(), forPopup()) }),
    ...AMBIGUOUS,
  ],
]);

const link = async (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> => {
  const contextJwt = await at().home.contextJwt("jira", GRACE.accountId);
  return at().send("POST", "/api/v1/me/links", { authorization: `JWT ${contextJwt}`, ...headers }, body);
};

describeRequests(at, "an Access JWT links only as a text in the body, not", [
  ["in a header", () => link({}, assertion(mint(LINKING))), ...INVALID_BODY],
  ["in a cookie", () => link({}, { cookie: `CF_Authorization=${mint(LINKING)}` }), ...INVALID_BODY],
  ["under another name", () => link({ accessJWT: mint(LINKING) }), ...INVALID_BODY],
  ["in a list", () => link({ accessJwt: [mint(LINKING)] }), ...INVALID_BODY],
  ["in an object", () => link({ accessJwt: { token: mint(LINKING) } }), ...INVALID_BODY],
  [
    "beside an attempt and a code",
    () => link({ accessJwt: mint(LINKING), attempt, code: "x" }),
    ...INVALID_BODY,
  ],
  ["with a line end behind it", () => link({ accessJwt: `${mint(LINKING)}\n` }), ...MALFORMED],
  ["with a space before it", () => link({ accessJwt: ` ${mint(LINKING)}` }), ...MALFORMED],
  ["after a scheme", () => link({ accessJwt: `Bearer ${mint(LINKING)}` }), ...MALFORMED],
]);

function issuer(change: (iss: string) => string): Making {
  return () => ({ claims: { iss: change(at().acme.issuer) } });
}

function audience(change: (aud: string) => string): Making {
  return ({ kind }) => ({
    claims: { aud: [kind.claims()["aud"]].flat().map((aud) => change(String(aud))) },
  });
}

/** As that team would make it. */
function signedBy({ issuer: iss, signingKey: { kid, privateKey } }: AccessTeam, claims: Claims = {}): Change {
  return { header: { kid }, claims: { iss, ...claims }, sign: rsa(privateKey) };
}
