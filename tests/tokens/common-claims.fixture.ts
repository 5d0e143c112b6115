import { epochSeconds, type Claims } from "../../sandbox/jwt.js";
import type { AcceptedRow, CommonRow, Making } from "./token-kind.fixture.js";

export const LAST_SECOND_OF_9999 = 253_402_300_799;

const TIMES = ["exp", "iat", "nbf"] as const;

/** Every claim is of its type before any of them is used. */
export const CLAIM_TYPES: readonly CommonRow[] = [
  ["no iss", { claims: { iss: undefined } }, "unreadable"],
  ["null as iss", { claims: { iss: null } }, "unreadable"],
  ["true as iss", { claims: { iss: true } }, "unreadable"],
  ["a number as iss", { claims: { iss: 1 } }, "unreadable"],
  ["its iss in a list", withClaim("iss", (iss) => [iss]), "unreadable"],
  ["its iss in a list of two", withClaim("iss", (iss) => [iss, "another"]), "unreadable"],
  ["its iss in an object", withClaim("iss", (iss) => ({ toString: iss })), "unreadable"],
  ["null as sub", { claims: { sub: null } }, "unreadable"],
  ["a number as sub", { claims: { sub: 1 } }, "unreadable"],
  ["false as sub", { claims: { sub: false } }, "unreadable"],
  ["a list as sub", { claims: { sub: ["somebody"] } }, "unreadable"],
  ["an object as sub", { claims: { sub: { accountId: "somebody" } } }, "unreadable"],
  ["null as aud", { claims: { aud: null } }, "unreadable"],
  ["a number as aud", { claims: { aud: 1 } }, "unreadable"],
  ["true as aud", { claims: { aud: true } }, "unreadable"],
  ["its aud in an object", withClaim("aud", (aud) => ({ 0: aud })), "unreadable"],
  ["its aud in a list within a list", withClaim("aud", (aud) => [[aud].flat()]), "unreadable"],
  ["its aud beside a number", withClaim("aud", (aud) => [...[aud].flat(), 123]), "unreadable"],
  ["its aud beside null", withClaim("aud", (aud) => [...[aud].flat(), null]), "unreadable"],
  ["no exp", { claims: { exp: undefined } }, "unreadable"],
  ["no iat", { claims: { iat: undefined } }, "unreadable"],
  ...TIMES.flatMap((claim): CommonRow[] => [
    [`null as ${claim}`, { claims: { [claim]: null } }, "unreadable"],
    [`true as ${claim}`, { claims: { [claim]: true } }, "unreadable"],
    [`an empty text as ${claim}`, { claims: { [claim]: "" } }, "unreadable"],
    [`a word as ${claim}`, { claims: { [claim]: "now" } }, "unreadable"],
    [`digits in a text as ${claim}`, () => ({ claims: { [claim]: String(epochSeconds()) } }), "unreadable"],
    [`a date in a text as ${claim}`, () => ({ claims: { [claim]: new Date().toISOString() } }), "unreadable"],
    [`a list as ${claim}`, () => ({ claims: { [claim]: [epochSeconds()] } }), "unreadable"],
    [`an empty list as ${claim}`, { claims: { [claim]: [] } }, "unreadable"],
    [`an object as ${claim}`, () => ({ claims: { [claim]: { value: epochSeconds() } } }), "unreadable"],
    [`a fraction as ${claim}`, () => ({ claims: { [claim]: epochSeconds() + 0.5 } }), "unreadable"],
    [`a negative ${claim}`, { claims: { [claim]: -1 } }, "unreadable"],
    [`an ${claim} that isn't exact any more`, { claims: { [claim]: 2 ** 53 } }, "unreadable"],
    [`a huge ${claim}`, { claims: { [claim]: 1e300 } }, "unreadable"],
    [`an ${claim} beyond all numbers`, withNumber(claim, "1e999"), "unreadable"],
    [`an ${claim} below all numbers`, withNumber(claim, "-1e999"), "unreadable"],
  ]),
];

/** Thirty seconds of tolerance, and not one more. Expiry is told last, to those who are right in all else. */
export const TIME_EDGES: readonly CommonRow[] = [
  ["exp thirty seconds ago", () => ({ claims: { exp: epochSeconds() - 30 } }), "expired"],
  ["exp an hour ago", () => ({ claims: { exp: epochSeconds() - 3600 } }), "expired"],
  ["exp in 1970", { claims: { exp: 0 } }, "expired"],
  ["iat in 31 seconds", () => ({ claims: { iat: epochSeconds() + 31 } }), "untrusted"],
  [
    "iat tomorrow",
    () => ({ claims: { iat: epochSeconds() + 86_400, exp: epochSeconds() + 90_000 } }),
    "untrusted",
  ],
  ["iat in the year 9999", { claims: { iat: LAST_SECOND_OF_9999 } }, "untrusted"],
  ["nbf in 31 seconds", () => ({ claims: { nbf: epochSeconds() + 31 } }), "untrusted"],
  ["nbf in the year 9999", { claims: { nbf: LAST_SECOND_OF_9999 } }, "untrusted"],
  [
    "an exp long ago and another's signature",
    { claims: { exp: 1 }, signature: (bytes) => bytes.reverse() },
    "untrusted",
  ],
  ["an exp long ago and alg none", { claims: { exp: 1 }, header: { alg: "none" } }, "untrusted"],
  ["an exp long ago and crit", { claims: { exp: 1 }, header: { crit: ["exp"] } }, "untrusted"],
  ["an exp long ago and a claim of the wrong type", { claims: { exp: 1, sub: 1 } }, "unreadable"],
];

export const GOOD_CLAIMS: readonly AcceptedRow[] = [
  ["exp 29 seconds ago", () => ({ claims: { exp: epochSeconds() - 29 } })],
  ["iat in thirty seconds", () => ({ claims: { iat: epochSeconds() + 30 } })],
  ["nbf in thirty seconds", () => ({ claims: { nbf: epochSeconds() + 30 } })],
  ["nbf in 1970", { claims: { nbf: 0 } }],
  ["no nbf", { claims: { nbf: undefined } }],
  [
    "claims that nobody knows",
    { claims: { context: { user: {} }, extra: [1, { a: null }], jwk: {}, crit: ["exp"] } },
  ],
  [
    "the names of claims within other claims",
    {
      claims: { context: { exp: 1, iss: "x", list: [{ exp: 1 }, "exp", '"exp":', "}]{"] } },
    },
  ],
  ["a claim of 9,000 characters", { claims: { padding: "x".repeat(9_000) } }],
];

function withClaim(name: string, change: (value: unknown) => unknown): Making {
  return ({ kind }) => ({ claims: { [name]: change(kind.claims()[name] ?? "somebody") } });
}

/** As JSON writes it, for numbers that JSON.stringify can't write. */
function withNumber(claim: string, number: string): Making {
  return {
    claims: (json) =>
      JSON.stringify({ ...(JSON.parse(json) as Claims), [claim]: "?" }).replace('"?"', number),
  };
}
