import { AUDIENCES } from "../sandbox/world-parts.js";

export const TEAM = "acme.cloudflareaccess.com";

/** Settings as they are before anybody has saved. */
export const FRESH = {
  teamDomain: null,
  services: [],
  allowedEmailDomains: [],
  matching: "proof",
  paused: false,
  version: 0,
};

/** Services as an admin enters them. */
export const APP = { label: "This app", audience: AUDIENCES.app, purposes: ["link"] };
export const DEMO = { label: "Demo", audience: AUDIENCES.demo, purposes: ["identify"] };

/** What can't be saved, and what the refusal names. */
export interface RefusedSettings {
  readonly name: string;
  /** Laid over settings that could be saved. */
  readonly changes: object;
  readonly field: string;
  readonly pointer: string;
}

const service = (changes: object) => ({ services: [{ ...DEMO, ...changes }] });
const limits = (changes: object) => service({ limits: changes });
const request = (changes: object) => limits({ requests: [{ methods: ["GET"], path: "/x", ...changes }] });
const services = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ ...DEMO, audience: n.toString(16).padStart(64, "0") }));

/** One field, at its pointer, with the values that it can't have; `undefined` leaves it out. */
function refuse(
  field: string,
  pointer: string,
  give: (value: unknown) => object,
  values: readonly unknown[],
): RefusedSettings[] {
  return values.map((value) => {
    const text = JSON.stringify(value) as string | undefined;
    return { name: `${field} as ${text?.slice(0, 70) ?? "nothing"}`, changes: give(value), field, pointer };
  });
}

export const REFUSED_SETTINGS: readonly RefusedSettings[] = [
  ...refuse("version", "#/version", (version) => ({ version }), [undefined, "1", 1.5, null]),

  ...refuse("teamDomain", "#/teamDomain", (teamDomain) => ({ teamDomain }), [
    ...[undefined, 1, true, {}, [TEAM], "", " ", "acme", "cloudflareaccess.com", "evil.example"],
    ...["evilcloudflareaccess.com", `${TEAM}.evil.example`, `${TEAM}:8443`, `${TEAM}@evil.example`],
    ...[`evil.example#.${TEAM}`, `evil.example/x.${TEAM}`, `evil.example?x=.${TEAM}`],
    ...["%61cme.cloudflareaccess.com", "ac me.cloudflareaccess.com", "\uff41cme.cloudflareaccess.com"],
    ...[`http://${TEAM}`, `ftp://${TEAM}`, "127.0.0.1", "x".repeat(5000)],
  ]),

  ...refuse("services", "#/services", (value) => ({ services: value }), [
    ...[undefined, null, {}, { 0: DEMO }, "x", services(101)],
  ]),
  ...refuse("services[1]", "#/services/1", (value) => ({ services: [APP, value] }), [null, "x", 1, []]),
  ...refuse("services[0].id", "#/services/0/id", (id) => service({ id }), ["unknown", "", 1, ["x"], {}]),
  ...refuse("services[0].label", "#/services/0/label", (label) => service({ label }), [
    ...[undefined, null, 1, {}, ["x"], "", " \t", "x".repeat(101)],
  ]),
  ...refuse("services[0].audience", "#/services/0/audience", (audience) => service({ audience }), [
    ...[undefined, null, 1, {}, [AUDIENCES.app], "", "a".repeat(63), "a".repeat(65), "g".repeat(64)],
    `${AUDIENCES.app} ${AUDIENCES.demo}`,
  ]),
  ...refuse(
    "services[1].audience",
    "#/services/1/audience",
    (audience) => ({ services: [DEMO, { ...APP, audience }] }),
    [DEMO.audience, ` ${DEMO.audience.toUpperCase()}`],
  ),
  ...refuse("services[0].purposes", "#/services/0/purposes", (purposes) => service({ purposes }), [
    ...[undefined, null, "identify", {}, []],
    ...[
      ["link", "act"],
      ["link", "identify", "act"],
    ],
  ]),
  ...refuse("services[0].purposes[1]", "#/services/0/purposes/1", (x) => service({ purposes: ["link", x] }), [
    ...["admin", "Link", "", 1, null, ["link"]],
  ]),
  {
    name: "a second service that links",
    changes: { services: [APP, { ...DEMO, purposes: ["identify", "link"] }] },
    field: "services[1].purposes",
    pointer: "#/services/1/purposes",
  },

  ...refuse("allowedEmailDomains", "#/allowedEmailDomains", (value) => ({ allowedEmailDomains: value }), [
    ...["acme.com", null, {}, Array.from({ length: 101 }, (_, n) => `d${n}.example.com`)],
  ]),
  ...refuse(
    "allowedEmailDomains[1]",
    "#/allowedEmailDomains/1",
    (domain) => ({ allowedEmailDomains: ["acme.com", domain] }),
    [
      ...[null, 1, {}, "", "*", "com", "*.com", "*.co.uk", "co.uk", "acme", "*acme.com", "acme.*", "a.*.com"],
      ...["ada@acme.com", "acme.com, b.com", "https://acme.com", "-acme.com", "acme..com", "*.*.acme.com"],
    ],
  ),
  // The second isn't built yet.
  ...refuse("matching", "#/matching", (matching) => ({ matching }), ["name", "email", null, true]),
  ...refuse("paused", "#/paused", (paused) => ({ paused }), ["true", 0, null, []]),

  ...refuse("services[0].limits", "#/services/0/limits", (value) => service({ limits: value }), ["x", [], 1]),
  ...refuse(
    "services[0].limits.requests",
    "#/services/0/limits/requests",
    (requests) => limits({ requests }),
    [null, {}, "GET /", Array.from({ length: 101 }, () => ({ methods: ["GET"], path: "/" }))],
  ),
  ...refuse(
    "services[0].limits.requests[0].methods",
    "#/services/0/limits/requests/0/methods",
    (methods) => request({ methods }),
    [undefined, null, "GET", []],
  ),
  ...refuse(
    "services[0].limits.requests[0].methods[1]",
    "#/services/0/limits/requests/0/methods/1",
    (method) => request({ methods: ["GET", method] }),
    ["post", "TRACE", "CONNECT", "*", "", 1],
  ),
  ...refuse(
    "services[0].limits.requests[0].path",
    "#/services/0/limits/requests/0/path",
    (path) => request({ path }),
    [
      ...[undefined, null, 1, "", "rest", "//", "/a//b", "/a/", "/a/../b", "/a/./b", "/a/%2e%2e/b", "/a%2fb"],
      ...["/**/b", "/a**", "/a*b", "/a?b", "/a#b", "/a;b", "/a\\b", "/a b", "/a\nb", "https://evil.example/"],
      ...[
        "/caf\u00e9",
        "/\u7559\u8a00",
        "/a\u00adb",
        '/"a"',
        "/a|b",
        "/{key}",
        "/<a>",
        "/a^b",
        "/`a`",
        "/a\u0001",
      ],
      `/${"x".repeat(512)}`,
    ],
  ),
  ...refuse(
    "services[0].limits.maxTokenAgeSeconds",
    "#/services/0/limits/maxTokenAgeSeconds",
    (maxTokenAgeSeconds) => limits({ maxTokenAgeSeconds }),
    [59, 0, -1, 60.5, 2_678_401, "3600", true],
  ),
  ...refuse(
    "services[0].limits.ipAddresses[0]",
    "#/services/0/limits/ipAddresses/0",
    (network) => limits({ ipAddresses: [network] }),
    [
      ...[null, 1, "", "*", "localhost", "203.0.113", "203.0.113.256", "0127.0.0.1", "203.0.113.0/33"],
      ...["203.0.113.0/", "203.0.113.0/24/8", "203.0.113.0/-1", "203.0.113.0/0x8", "2001:db8::/129"],
      "fe80::1%eth0",
    ],
  ),
  ...refuse(
    "services[0].limits.liveCheckSeconds",
    "#/services/0/limits/liveCheckSeconds",
    (liveCheckSeconds) => limits({ liveCheckSeconds }),
    [9, 0, -1, 10.5, 3601, "60", true],
  ),
  ...refuse("services[0].paused", "#/services/0/paused", (paused) => service({ paused }), [
    "true",
    0,
    null,
    [],
  ]),
  ...refuse("services[0].limits.consent", "#/services/0/limits/consent", (consent) => limits({ consent }), [
    "assumed",
    null,
    true,
  ]),

  ...[
    { field: "admins", pointer: "#/admins", changes: { admins: [] } },
    {
      field: "__proto__",
      pointer: "#/__proto__",
      changes: JSON.parse('{"__proto__":{"paused":true}}') as object,
    },
    { field: "a/b~c", pointer: "#/a~1b~0c", changes: { "a/b~c": 1 } },
    { field: "a.b", pointer: "#/a.b", changes: { "a.b": 1 } },
    { field: "services[0].secret", pointer: "#/services/0/secret", changes: service({ secret: "x" }) },
    { field: "services[0].keys", pointer: "#/services/0/keys", changes: service({ keys: [] }) },
    { field: "services[0].limits.rate", pointer: "#/services/0/limits/rate", changes: limits({ rate: 1 }) },
    {
      field: "services[0].limits.requests[0].body",
      pointer: "#/services/0/limits/requests/0/body",
      changes: request({ body: "x" }),
    },
  ].map((unknown) => ({ name: `${unknown.field}, which is no field`, ...unknown })),
];
