import type { AcceptedRow, CommonRow, Making } from "./token-kind.fixture.js";

/** Names that no key can have: nobody is asked for them. */
export const IMPOSSIBLE_KIDS: readonly CommonRow[] = [
  ["no kid", { header: { kid: undefined } }, "untrusted"],
  ["an empty kid", { header: { kid: "" } }, "untrusted"],
  ["a kid of 5,000 characters", { header: { kid: "k".repeat(5_000) } }, "untrusted"],
  ["a kid above its folder", { header: { kid: "../../etc/passwd" } }, "untrusted"],
  ["a kid that leaves its folder and comes back", around((kid) => `a/../${kid}`), "untrusted"],
  ["a kid in its own folder", around((kid) => `./${kid}`), "untrusted"],
  ["a kid with an encoded slash", around((kid) => `a%2f..%2f${kid}`), "untrusted"],
  [
    "a kid that is encoded",
    around((kid) => kid.replace(/^./, (letter) => `%${letter.charCodeAt(0).toString(16)}`)),
    "untrusted",
  ],
  ["a kid with a slash in front", around((kid) => `/${kid}`), "untrusted"],
  ["a kid with a slash behind it", around((kid) => `${kid}/`), "untrusted"],
  ["a kid with a backslash", around((kid) => `a\\..\\${kid}`), "untrusted"],
  ["a kid with a query", around((kid) => `${kid}?x`), "untrusted"],
  ["a kid with a fragment", around((kid) => `${kid}#x`), "untrusted"],
  ["a kid with a NUL", around((kid) => `${kid}\0`), "untrusted"],
  ["a kid with a line break", around((kid) => `${kid}\r\nHost: evil.example`), "untrusted"],
  ["a kid with a space", around((kid) => ` ${kid}`), "untrusted"],
  [
    "a kid in wide letters",
    around((kid) => kid.replaceAll(/[0-9]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))),
    "untrusted",
  ],
  [
    "the URL of a stranger's key as kid",
    ({ attacker }) => ({ header: { kid: `${attacker.url}/key` } }),
    "untrusted",
  ],
  [
    "the host of a stranger's key as kid",
    ({ attacker }) => ({ header: { kid: `//${new URL(attacker.url).host}/key` } }),
    "untrusted",
  ],
  [
    "a host behind a name as kid",
    ({ attacker }) => ({ header: { kid: `@${new URL(attacker.url).host}/key` } }),
    "untrusted",
  ],
  ["SQL as kid", { header: { kid: "' OR '1'='1" } }, "untrusted"],
  ["more SQL as kid", { header: { kid: "x'; DROP TABLE tenants; --" } }, "untrusted"],
  ["a shell's words as kid", { header: { kid: "$(cat /etc/passwd)|" } }, "untrusted"],
  ["a wildcard as kid", { header: { kid: "*" } }, "untrusted"],
];

/** Names that a key could have, but none has: only whoever publishes the keys may be asked. */
export const UNKNOWN_KIDS: readonly CommonRow[] = [
  ["a kid that nobody publishes", { header: { kid: "made-up" } }, "untrusted"],
  ["its kid in other letters", around((kid) => kid.toUpperCase()), "untrusted"],
  ["the beginning of its kid", around((kid) => kid.slice(0, -1)), "untrusted"],
  ["its kid and more", around((kid) => `${kid}0`), "untrusted"],
  ["a kid that every object has: __proto__", { header: { kid: "__proto__" } }, "untrusted"],
  ["a kid that every object has: constructor", { header: { kid: "constructor" } }, "untrusted"],
];

/** A shared secret has no name: whatever stands there leads nowhere. */
export const KIDS_WITHOUT_MEANING: readonly AcceptedRow[] = [
  ["a kid that means nothing here", { header: { kid: "made-up" } }],
  ["a path as kid, which is never opened", { header: { kid: "../../dev/null" } }],
  ["a URL as kid, which is never fetched", ({ attacker }) => ({ header: { kid: `${attacker.url}/key` } })],
  ["SQL as kid, which is never asked", { header: { kid: "' UNION SELECT 'secret' --" } }],
];

function around(change: (kid: string) => string): Making {
  return ({ kind }) => ({ header: { kid: change(String(kind.header()["kid"])) } });
}
