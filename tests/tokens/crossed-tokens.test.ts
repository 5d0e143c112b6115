import { createHash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";

import { epochSeconds, signJwt } from "../../sandbox/jwt.js";
import { ADA, GRACE } from "../../sandbox/people.js";
import { audienceOf } from "../../sandbox/access-team.js";
import type { LifecycleEvent } from "../../sandbox/atlassian-site.js";
import {
  actingTokens,
  identifyingTokens,
  linkingTokens,
  MALFORMED,
  popupTokens,
  PURPOSE,
  UNTRUSTED,
} from "./access-kinds.fixture.js";
import {
  AMBIGUOUS,
  contextTokens,
  INVALID,
  lifecycleTokens,
  urlBoundTokens,
} from "./connect-kinds.fixture.js";
import { FORGE_INVALID, forgePageTokens, forgeTriggerTokens } from "./forge-kinds.fixture.js";
import { mint, type Refusal, type TokenKind } from "./token-kind.fixture.js";
import { describeRequests } from "./token-tables.fixture.js";
import { ACTOR, type TokenWorld } from "./token-world.fixture.js";
import { useTokenWorld } from "./use-token-world.fixture.js";

/** May do all that there is to do with a key. */
const KEYED = { ...ACTOR, label: "Service with a key", audience: audienceOf("Service with a key") };

let attempt: string;
let serviceKey: string;
let assertion: string;

const at = useTokenWorld(
  async (world) => {
    attempt = (await world.world.page(GRACE).beginLink()).id;
    serviceKey = await createKey(world);
    assertion = await getAssertion(world);
  },
  { hasForge: true },
);

async function createKey({ world }: TokenWorld): Promise<string> {
  const page = world.page(ADA);
  const { services } = await page.getSettings();
  await page.saveSettings({ services: [...services, KEYED] });
  const path = `/api/v1/services/${await idOf(world, KEYED.audience)}/keys`;
  return ((await page.send("POST", path)).expect(201).body as { key: string }).key;
}

async function getAssertion({ world, tenants }: TokenWorld): Promise<string> {
  const serviceId = await idOf(world, ACTOR.audience);
  const reply = await world.page(GRACE).send("POST", "/api/v1/me/assertions", { serviceId });
  await vi.waitFor(async () => {
    const sql = "SELECT id FROM audit_events WHERE action = 'assertion.issued'";
    expect(await tenants.database.select(sql)).toHaveLength(1);
  }, 5_000);
  return (reply.expect(201).body as { assertion: string }).assertion;
}

async function idOf(world: TokenWorld["world"], audience: string): Promise<string> {
  const { services } = await world.page(ADA).getSettings();
  return services.find((service) => service.audience === audience)?.id ?? "";
}

const event = (name: LifecycleEvent, algorithm: TokenKind["algorithm"]) =>
  lifecycleTokens(at, name, algorithm, { of: () => at().tenant });

const IDENTIFYING = identifyingTokens(at);
const ACTING = actingTokens(at);
const LINKING = linkingTokens(at);
const POPUP = popupTokens(at, () => attempt);

/** By the application that they are made for. */
const ACCESS = [[IDENTIFYING], [ACTING], [LINKING, POPUP]];
/** By the place where they count: a place may take two kinds. */
const CONNECT = [
  [contextTokens(at)],
  [urlBoundTokens(at)],
  [event("installed", "RS256")],
  [event("uninstalled", "RS256")],
  [event("enabled", "RS256"), event("enabled", "HS256")],
  [event("disabled", "RS256"), event("disabled", "HS256")],
];

/** All of the installation through the second door. */
const FORGE_TRIGGERS = (["installed", "hourly", "uninstalled"] as const).map((trigger) =>
  forgeTriggerTokens(at, trigger, { of: () => at().forgeSite }),
);
const FORGE = [forgePageTokens(at), ...FORGE_TRIGGERS];

// All of one person and one installation, so that nothing but the kind is wrong.
for (const there of CONNECT) {
  const [place] = there as [TokenKind];
  const others = [...CONNECT.filter((kinds) => kinds !== there).flat(), ...ACCESS.flat(), ...FORGE];
  describeCrossed(
    place,
    others.map((kind) => [kind, INVALID]),
  );
}

for (const place of FORGE) {
  const others = [...CONNECT.flat(), ...ACCESS.flat(), ...FORGE.filter((kind) => kind !== place)];
  describeCrossed(
    place,
    others.map((kind) => [kind, FORGE_INVALID]),
  );
}

for (const place of ACCESS.flat()) {
  describeCrossed(place, [
    // Atlassian's own tokens have an audience, so that they can be read as Access JWTs; the others have none.
    ...[...CONNECT.flat(), ...FORGE].map(
      (kind) => [kind, kind.algorithm === "RS256" ? UNTRUSTED : MALFORMED] as const,
    ),
    ...ACCESS.filter((kinds) => !kinds.includes(place)).flatMap((kinds) =>
      kinds.map((kind) => [kind, PURPOSE] as const),
    ),
  ]);
}

/** What else goes from here to there and lets somebody in, and how a place for Access JWTs refuses it. */
const OTHERS: readonly (readonly [what: string, make: () => string | Promise<string>, refusal: Refusal])[] = [
  ["an assertion of the app's own", () => assertion, UNTRUSTED],
  ["a service's key", () => serviceKey, MALFORMED],
  ["a token with which the app acts", getUserToken, MALFORMED],
  ["what the app shows Atlassian to get one", signGrant, UNTRUSTED],
];

for (const place of [...CONNECT.flatMap((kinds) => kinds.slice(0, 1)), ...ACCESS.flat(), ...FORGE]) {
  const isForAccess = ACCESS.flat().includes(place);
  const otherwise = FORGE.includes(place) ? FORGE_INVALID : INVALID;
  describe(`instead of ${place.name}`, () => {
    for (const [what, make, refusal] of OTHERS) {
      it(`${what} is refused`, async () => {
        const token = await make();
        await at().expectRefusal(() => place.send(token), isForAccess ? refusal : otherwise);
      });
    }
  });
}

/** As the product gets it. */
async function getUserToken(): Promise<string> {
  const { server } = at().home;
  let token = "";
  server.routes.unshift([
    "GET",
    /^\/rest\/api\/3\/myself$/,
    ({ headers }) => {
      token = (headers.authorization ?? "").replace(/^Bearer /, "");
      return { status: 200, headers: { "content-type": "application/json" }, body: "{}" };
    },
  ]);
  (await at().act(bearer(mint(ACTING)))).expect(200);
  server.routes.shift();
  expect(token).toMatch(/^[\w-]{40,}$/);
  return token;
}

/** RFC 7523, with the secret of the installation. */
async function signGrant(): Promise<string> {
  const { sharedSecret, oauthClientId } = at().home.getInstallation("jira");
  const claims = {
    iss: `urn:atlassian:connect:clientid:${oauthClientId}`,
    sub: `urn:atlassian:connect:useraccountid:${GRACE.accountId}`,
    tnt: at().home.url,
    aud: at().world.parts.oauth.url,
    iat: epochSeconds(),
    exp: epochSeconds() + 60,
  };
  return signJwt({}, claims, sharedSecret);
}

const visit = (headers: Readonly<Record<string, string>>, query = "") => at().act(headers, query);
const visitor = () => mint(ACTING, { claims: { aud: [KEYED.audience] } });
const KEY_REQUIRED = [403, "service_key_required"] as const;

it("a service's key counts beside its visitor's token", async () => {
  (await visit({ ...bearer(visitor()), "x-service-key": serviceKey })).expect(200);
});

describeRequests(at, "instead of a service's key", [
  [
    "its visitor's token is refused",
    () => visit({ ...bearer(visitor()), "x-service-key": visitor() }),
    ...KEY_REQUIRED,
  ],
  [
    "an assertion is refused",
    () => visit({ ...bearer(visitor()), "x-service-key": assertion }),
    ...KEY_REQUIRED,
  ],
  [
    "the hash that the database has of it is refused",
    () =>
      visit({ ...bearer(visitor()), "x-service-key": createHash("sha256").update(serviceKey).digest("hex") }),
    ...KEY_REQUIRED,
  ],
  [
    "the key itself is refused after a scheme",
    () => visit({ ...bearer(visitor()), "x-service-key": `Bearer ${serviceKey}` }),
    ...KEY_REQUIRED,
  ],
  [
    "the key itself is refused in a cookie",
    () => visit({ ...bearer(visitor()), cookie: `X-Service-Key=${serviceKey}` }),
    ...KEY_REQUIRED,
  ],
  [
    "the key itself is refused in the query",
    () => visit(bearer(visitor()), `?X-Service-Key=${serviceKey}`),
    ...KEY_REQUIRED,
  ],
  [
    "the key itself is refused where the token belongs",
    () => visit({ ...bearer(serviceKey), "x-service-key": visitor() }),
    ...MALFORMED,
  ],
  [
    "the key itself is refused as a second token",
    () => visit({ ...bearer(serviceKey), "cf-access-jwt-assertion": visitor(), "x-service-key": serviceKey }),
    ...AMBIGUOUS,
  ],
]);

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

function describeCrossed(place: TokenKind, rows: readonly (readonly [TokenKind, Refusal])[]): void {
  describe(`instead of ${place.name}`, () => {
    for (const [kind, refusal] of rows) {
      it(`${kind.name} is refused: ${refusal.join(" ")}`, async () => {
        const token = mint(kind);
        await at().expectRefusal(() => place.send(token), refusal);
      });
    }
  });
}
