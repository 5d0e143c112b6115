import type { Call, Reply } from "../../sandbox/http-client.js";
import { epochSeconds, type Claims } from "../../sandbox/jwt.js";
import { createSender, type Sender } from "../lifecycle.fixture.js";
import { twice } from "../service-api.fixture.js";
import {
  AMBIGUOUS,
  INVALID,
  lifecycleTokens,
  MISSING,
  NOBODY_LISTENS,
  qshOf,
  type LifecycleKind,
} from "./connect-kinds.fixture.js";
import { hmac, rsa } from "./signers.fixture.js";
import { PLAIN_FILE, PLAIN_KEY, STRANGE_INSTALL_KEYS } from "./strange-install-keys.fixture.js";
import { mint, type Change, type Row } from "./token-kind.fixture.js";
import {
  describeAccepted,
  describeAnswered,
  describeCommonRules,
  describeRequests,
  describeRules,
} from "./token-tables.fixture.js";
import { useTokenWorld } from "./use-token-world.fixture.js";

/** Installed now, and disabled and enabled again in the same second. */
let settled: Sender;
/** As it was before it was installed again. */
let formerly: Sender;
let uninstalled: Sender;

const at = useTokenWorld(async (world) => {
  const { tenants } = world;
  [settled, formerly, uninstalled] = [0, 1, 2].map(() => createSender(NOBODY_LISTENS)) as [
    Sender,
    Sender,
    Sender,
  ];
  for (const sender of [settled, formerly, uninstalled])
    (await tenants.sendEvent(sender, "installed")).expect(204);
  for (const event of ["disabled", "enabled"] as const) (await tenants.sendEvent(settled, event)).expect(204);
  (await tenants.sendEvent({ ...formerly, sharedSecret: "the secret that it has now" }, "installed")).expect(
    204,
  );
  (await tenants.sendEvent(uninstalled, "uninstalled")).expect(204);
  for (const kind of ALL) {
    await kind.prepare?.();
    const call = await kind.buildCall(mint(kind));
    (await tenants.send(call)).expect(204);
    spent.set(kind, call);
    await kind.prepare?.();
  }
  publishStrangeKeys();
});

const [INSTALLED, UNINSTALLED, ENABLED, DISABLED] = (
  ["installed", "uninstalled", "enabled", "disabled"] as const
).map((event) => lifecycleTokens(at, event, "RS256")) as [
  LifecycleKind,
  LifecycleKind,
  LifecycleKind,
  LifecycleKind,
];
const BY_ATLASSIAN = [INSTALLED, UNINSTALLED, ENABLED, DISABLED];
const BY_THE_TENANT = (["enabled", "disabled"] as const).map((event) => lifecycleTokens(at, event, "HS256"));
const ALL = [...BY_ATLASSIAN, ...BY_THE_TENANT];

/** Used once already. */
const spent = new Map<LifecycleKind, Call>();

for (const kind of ALL) describeCommonRules(kind, at);

for (const kind of BY_ATLASSIAN) {
  describeAccepted(kind, at, `${kind.name}, is good with`, [
    ["the app's base URL as its only aud", () => ({ claims: { aud: at().appUrl } })],
    [
      "the app's base URL among others in aud",
      () => ({ claims: { aud: ["https://other.example", at().appUrl] } }),
    ],
    ["any sub", { claims: { sub: "" } }],
    ["a lifetime of a day", () => ({ claims: { exp: epochSeconds() + 86_400 } })],
  ]);

  describeRules(kind, at, "is refused for its aud:", [
    ["none", { claims: { aud: undefined } }, ...INVALID],
    ["an empty list", { claims: { aud: [] } }, ...INVALID],
    ["an empty text", { claims: { aud: "" } }, ...INVALID],
    ["another app's base URL", { claims: { aud: ["https://other.example"] } }, ...INVALID],
    ["a longer host", () => ({ claims: { aud: [`${at().appUrl}.evil.example`] } }), ...INVALID],
    ["a part of the base URL", () => ({ claims: { aud: at().appUrl.slice(0, -1) } }), ...INVALID],
    ["the base URL with a slash", () => ({ claims: { aud: [`${at().appUrl}/`] } }), ...INVALID],
    [
      "the base URL by another scheme",
      () => ({ claims: { aud: [at().appUrl.replace("http:", "https:")] } }),
      ...INVALID,
    ],
    ["the base URL in capitals", () => ({ claims: { aud: [at().appUrl.toUpperCase()] } }), ...INVALID],
    [
      "the base URL and more in one text",
      () => ({ claims: { aud: `${at().appUrl} https://other.example` } }),
      ...INVALID,
    ],
    ["the client key", () => ({ claims: { aud: [kind.sender().clientKey] } }), ...INVALID],
  ]);

  describeRules(kind, at, "is refused for its lifetime:", [
    ["a second more than a day", () => ({ claims: { exp: epochSeconds() + 86_401 } }), ...INVALID],
    [
      "a week, until when it would have to be remembered",
      () => ({ claims: { exp: epochSeconds() + 604_800 } }),
      ...INVALID,
    ],
    ["for ever", { claims: { exp: Number.MAX_SAFE_INTEGER } }, ...INVALID],
  ]);

  describeRules(kind, at, "isn't told to be expired with an exp long ago and", [
    ["another app's aud", { claims: { exp: 1, aud: ["https://other.example"] } }, ...INVALID],
    ["the qsh of pages", { claims: { exp: 1, qsh: "context-qsh" } }, ...INVALID],
    ["no kid", { claims: { exp: 1 }, header: { kid: undefined } }, ...INVALID],
  ]);

  describeRules(kind, at, "is refused for who signed it:", [
    ["the tenant, as if it were Atlassian", asAtlassian(() => kind.sender().sharedSecret), ...INVALID],
    ["a stranger's key", ({ attacker }) => ({ sign: rsa(attacker.rsa.privateKey) }), ...INVALID],
    ["Access's key", () => ({ sign: rsa(at().acme.signingKey.privateKey) }), ...INVALID],
  ]);
}

// For these, a signature by the tenant's secret is never enough.
for (const kind of [INSTALLED, UNINSTALLED]) {
  describeRules(kind, at, "is refused for being signed by the tenant's secret:", [
    ["under a kid of Atlassian's", () => byTenant(kind), ...INVALID],
    ["without a kid", () => ({ ...byTenant(kind), header: { alg: "HS256", kid: undefined } }), ...INVALID],
    ["without aud", () => ({ ...byTenant(kind), claims: { aud: undefined } }), ...INVALID],
  ]);
}

for (const kind of BY_THE_TENANT) {
  describeAccepted(kind, at, `${kind.name}, is good with`, [
    ["any aud", { claims: { aud: ["https://other.example"] } }],
    ["any sub", { claims: { sub: "" } }],
  ]);

  describeRules(kind, at, "is refused for whose secret signed it:", [
    ["another tenant's", () => ({ sign: hmac(at().tenant.sharedSecret) }), ...INVALID],
    ["an empty one", { sign: hmac("") }, ...INVALID],
    ["the client key", () => ({ sign: hmac(kind.sender().clientKey) }), ...INVALID],
    ["that of nobody", { claims: { iss: "nobody-knows-me" } }, ...INVALID],
    ["the one before the tenant was installed again", () => by(formerly), ...INVALID],
    ["that of an installation that has been removed", () => by(uninstalled), ...INVALID],
    [
      "an empty one, for an installation that has been removed",
      () => by({ ...uninstalled, sharedSecret: "" }),
      ...INVALID,
    ],
    ["another tenant's, who signs for itself", () => by(at().tenant), ...INVALID],
    ["for longer than a day", () => ({ claims: { exp: epochSeconds() + 86_401 } }), ...INVALID],
  ]);
}

const OPPOSITES = {
  installed: "uninstalled",
  uninstalled: "installed",
  enabled: "disabled",
  disabled: "enabled",
} as const;

for (const kind of ALL) {
  const { event } = kind;
  const opposite = OPPOSITES[event];

  describeRules(kind, at, "is refused for its qsh:", [
    ["none", { claims: { qsh: undefined } }, ...INVALID],
    ["null", { claims: { qsh: null } }, ...INVALID],
    ["an empty one", { claims: { qsh: "" } }, ...INVALID],
    ["a list", () => ({ claims: { qsh: [qshOf(at(), "POST", `/${event}`)] } }), ...INVALID],
    ["that of pages", { claims: { qsh: "context-qsh" } }, ...INVALID],
    [
      "that of the opposite event",
      () => ({ claims: { qsh: qshOf(at(), "POST", `/${opposite}`) } }),
      ...INVALID,
    ],
    ["that of another method", () => ({ claims: { qsh: qshOf(at(), "GET", `/${event}`) } }), ...INVALID],
    ["that of a query", () => ({ claims: { qsh: qshOf(at(), "POST", `/${event}?a=1`) } }), ...INVALID],
  ]);

  describeRules(kind, at, "is refused for whose it says it is:", [
    ["an empty iss", { claims: { iss: "" } }, ...INVALID],
    [
      "another tenant as iss, and not in the body",
      () => ({ claims: { iss: at().tenant.clientKey } }),
      ...INVALID,
    ],
    [
      "its iss in other letters",
      () => ({ claims: { iss: kind.sender().clientKey.toUpperCase() } }),
      ...INVALID,
    ],
    ["a NUL behind its iss", () => ({ claims: { iss: `${kind.sender().clientKey}\0` } }), ...INVALID],
    ["an iss of 256 characters", { claims: { iss: "x".repeat(256) } }, ...INVALID],
    ["an OAuth access token's typ", { header: { typ: "at+jwt" } }, ...INVALID],
  ]);

  const build = () => kind.buildCall(mint(kind));
  const sendChanged = async (change: (call: Call, token: string) => Partial<Call>): Promise<Reply> => {
    const call = await build();
    const token = String(call.headers?.["authorization"]).slice("JWT ".length);
    return at().tenants.send({ ...call, ...change(call, token) });
  };
  const withHeaders = (headers: (token: string) => Record<string, string>) =>
    sendChanged((_call, token) => ({ headers: { accept: "application/json", ...headers(token) } }));

  describeRequests(at, `${kind.name}, doesn't count`, [
    ["where there is none", () => withHeaders(() => ({})), ...MISSING],
    ["as Bearer", () => withHeaders((token) => ({ authorization: `Bearer ${token}` })), ...MISSING],
    ["in a cookie", () => withHeaders((token) => ({ cookie: `jwt=${token}` })), ...MISSING],
    [
      "in the query",
      () =>
        sendChanged(({ url }, token) => ({
          url: `${url}?jwt=${token}`,
          headers: { accept: "application/json" },
        })),
      ...MISSING,
    ],
    [
      "in the body",
      () =>
        sendChanged(({ body }, token) => ({
          body: { ...(body as Claims), jwt: token },
          headers: { accept: "application/json" },
        })),
      ...MISSING,
    ],
    [
      "beside another in the query",
      () => sendChanged(({ url }) => ({ url: `${url}?jwt=another` })),
      ...AMBIGUOUS,
    ],
    [
      "beside itself in a second header",
      () => withHeaders((token) => ({ authorization: twice(`JWT ${token}`, `JWT ${token}`) })),
      ...AMBIGUOUS,
    ],
    [
      "beside a Bearer token",
      () => withHeaders((token) => ({ authorization: twice(`JWT ${token}`, "Bearer x") })),
      ...AMBIGUOUS,
    ],
    [
      "with a query that it isn't bound to",
      () => sendChanged(({ url }) => ({ url: `${url}?a=1` })),
      ...INVALID,
    ],
    [
      "for another tenant in the body",
      () => sendChanged(({ body }) => ({ body: { ...(body as Claims), clientKey: at().tenant.clientKey } })),
      ...INVALID,
    ],
  ]);

  const replay = (change: Claims) => {
    const call = spent.get(kind)!;
    return at().tenants.send({ ...call, body: { ...(call.body as Claims), ...change } });
  };
  describeRequests(at, `${kind.name}, counts with one body only, not with`, [
    ["another secret", () => replay({ sharedSecret: "the attacker's" }), ...INVALID],
    ["another host", () => replay({ baseUrl: "https://evil.atlassian.net" }), ...INVALID],
    [
      "another product",
      () => replay({ productType: "confluence", baseUrl: "https://evil.atlassian.net/wiki" }),
      ...INVALID,
    ],
    ["another OAuth client", () => replay({ oauthClientId: "evil" }), ...INVALID],
    ["one member more", () => replay({ capabilitySet: "x" }), ...INVALID],
    ["one member less", () => replay({ eventType: undefined }), ...INVALID],
  ]);

  describeAnswered(`${kind.name}, is answered again`, 204, [["with the same body", () => replay({})]]);
}

// Of two events of one second either may come first; one of a second earlier is late.
describeRequests(at, "an event doesn't count that is older than the last of its tenant:", [
  ["installed", () => sendOld(INSTALLED, 1), ...INVALID],
  ["uninstalled", () => sendOld(UNINSTALLED, 1), ...INVALID],
  ["enabled, by Atlassian", () => sendOld(ENABLED, 1), ...INVALID],
  ["disabled, by Atlassian", () => sendOld(DISABLED, 1), ...INVALID],
  ...BY_THE_TENANT.map(
    (kind) => [`${kind.event}, by the tenant`, () => sendOld(kind, 1), ...INVALID] as const,
  ),
]);

function publishStrangeKeys(): void {
  for (const [index, [, file]] of STRANGE_INSTALL_KEYS.entries())
    at().world.parts.installKeys.strangeFiles.set(`strange-${index}`, file);
  at().world.parts.installKeys.strangeFiles.set("plain", PLAIN_FILE);
}

const ASKS_FOR_THE_KEY = /GET \/strange-\d+ → 200$/;

for (const kind of [INSTALLED, ENABLED]) {
  describeAccepted(kind, at, `${kind.name}, is good with`, [
    ["any other key of Atlassian's", { header: { kid: "plain" }, sign: rsa(PLAIN_KEY) }],
  ]);

  describeRules(
    kind,
    at,
    "is refused for what is published under the name of its key:",
    STRANGE_INSTALL_KEYS.map(([what, , alg, sign, status, code], index): Row => [
      what,
      { header: { alg, kid: `strange-${index}` }, sign },
      status,
      code,
    ]),
    ASKS_FOR_THE_KEY,
  );
}

async function sendOld(kind: LifecycleKind, seconds: number): Promise<Reply> {
  const { clientKey: iss, sharedSecret } = settled;
  const isByTenant = kind.algorithm === "HS256";
  const claims = { iss, iat: epochSeconds() - seconds };
  const token = mint(kind, { claims, ...(isByTenant && { sign: hmac(sharedSecret) }) });
  const call = await at().tenants.buildEvent(settled, kind.event, { sign: () => token });
  return at().tenants.send({ ...call, headers: { accept: "application/json", ...call.headers } });
}

function byTenant(kind: LifecycleKind): Change {
  return { header: { alg: "HS256" }, sign: hmac(kind.sender().sharedSecret) };
}

function asAtlassian(secret: () => string): () => Change {
  return () => ({ sign: hmac(secret()) });
}

function by({ clientKey, sharedSecret }: Sender): Change {
  return { claims: { iss: clientKey }, sign: hmac(sharedSecret) };
}
