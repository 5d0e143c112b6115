import { createHash } from "node:crypto";

import { CompactEncrypt } from "jose";

import type { Claims } from "../../sandbox/jwt.js";
import {
  mint,
  type AcceptedRow,
  type Change,
  type CommonRow,
  type Scene,
  type TokenKind,
} from "./token-kind.fixture.js";

type Rewrite = (json: string) => string | Buffer;

/** JSON that another parser might read in another way. The issuer itself has signed it. */
const STRANGE_JSON: readonly (readonly [what: string, rewrite: Rewrite])[] = [
  ["a list", (json) => `[${json}]`],
  ["null", () => "null"],
  ["a number", () => "1"],
  ["a text", (json) => JSON.stringify(json)],
  ["words", () => "let me in"],
  ["a byte order mark in front", (json) => `\ufeff${json}`],
  ["something behind it", (json) => `${json}x`],
  ["a second object behind it", (json) => `${json}${json}`],
  ["a NUL behind it", (json) => `${json}\0`],
  ["half of it", (json) => json.slice(0, -1)],
  ["a comma too many", (json) => json.replace(/}$/, ",}")],
  ["a comment", (json) => json.replace("{", "{/* */")],
  ["single quotes", (json) => json.replaceAll('"', "'")],
  ["names without quotes", (json) => json.replaceAll(/"(\w+)":/g, "$1:")],
  ["a line end in a text", (json) => json.replace("{", '{"a":"\n",')],
  ["a number that begins with 0", (json) => json.replace("{", '{"a":01,')],
  ["NaN", (json) => json.replace("{", '{"a":NaN,')],
  ["UTF-16", (json) => Buffer.from(json, "utf16le")],
  ["a byte that UTF-8 doesn't have", (json) => spliceBytes(json, [0xff])],
  ["a slash that is written too long", (json) => spliceBytes(json, [0xc0, 0xaf])],
  ["half a surrogate pair in UTF-8", (json) => spliceBytes(json, [0xed, 0xa0, 0x80])],
  ["17 levels", (json) => nested(json, 17)],
  ["a thousand levels", (json) => nested(json, 1000)],
  ["a member twice", (json) => json.replace("{", '{"a":1,"a":1,')],
  ["a member twice, once escaped", (json) => json.replace("{", '{"a":1,"\\u0061":1,')],
];

export const JSON_TEXT: readonly CommonRow[] = [
  ...STRANGE_JSON.map(([what, header]): CommonRow => [`${what} as the header`, { header }, "unreadable"]),
  ...STRANGE_JSON.map(([what, claims]): CommonRow => [`${what} as the claims`, { claims }, "unreadable"]),
  ...["iss", "sub", "aud", "exp", "iat"].flatMap((claim): CommonRow[] => [
    [
      `${claim} twice, the good one last`,
      { claims: (json) => before(withAll(json), `"${claim}":"x"`) },
      "unreadable",
    ],
    [
      `${claim} twice, the good one first`,
      { claims: (json) => after(withAll(json), `"${claim}":"x"`) },
      "unreadable",
    ],
    [
      `${claim} twice, once escaped`,
      { claims: (json) => before(withAll(json), `"${escaped(claim)}":"x"`) },
      "unreadable",
    ],
  ]),
  ["all of them behind __proto__ as the claims", { claims: behindPrototype }, "unreadable"],
  ["all of it behind __proto__ as the header", { header: behindPrototype }, "untrusted"],
  ["alg twice, the good one last", { header: (json) => before(json, '"alg":"none"') }, "unreadable"],
  ["alg twice, the good one first", { header: (json) => after(json, '"alg":"none"') }, "unreadable"],
  ["alg twice, once escaped", { header: (json) => before(json, `"${escaped("alg")}":"none"`) }, "unreadable"],
  ["typ twice", { header: (json) => before(json, '"typ":"x"') }, "unreadable"],
];

/** Each token has one spelling. */
export const SPELLINGS: readonly CommonRow[] = [
  ["nothing", { token: () => "" }, "absent"],
  ["words instead of a token", { token: () => "let-me-in" }, "unreadable"],
  ["dots", { token: () => ".." }, "unreadable"],
  ["its claims alone", { token: (token) => token.split(".")[1] ?? "" }, "unreadable"],
  ["two parts", { token: (token) => token.split(".").slice(0, 2).join(".") }, "unreadable"],
  ["four parts", { token: (token) => `${token}.AAAA` }, "unreadable"],
  ["a dot in front", { token: (token) => `.${token}` }, "unreadable"],
  ["a dot behind it", { token: (token) => `${token}.` }, "unreadable"],
  ["an empty header", { encoded: (_, claims) => ["", claims] }, "unreadable"],
  ["empty claims", { encoded: (header) => [header, ""] }, "unreadable"],
  ["five parts, as encrypted tokens have", { token: (token) => `${token}.AAAA.AAAA` }, "unreadable"],
  ["the token encrypted for the app (JWE)", encrypted, "unreadable"],
  ["the flattened JSON serialisation", { token: (token) => JSON.stringify(flattened(token)) }, "unreadable"],
  ["the general JSON serialisation", { token: (token) => JSON.stringify(general(token)) }, "unreadable"],
  ["a second token behind it", ({ kind }) => ({ token: (token) => `${token}.${mint(kind)}` }), "unreadable"],
  [
    "a second token behind a comma",
    ({ kind }) => ({ token: (token) => `${token},${mint(kind)}` }),
    "unreadable",
  ],
  ["the token within a token's claims", ({ kind }) => ({ claims: () => mint(kind) }), "unreadable"],
  ["quotes around it", { token: (token) => `"${token}"` }, "unreadable"],
  ["a space within", { token: (token) => token.replace(".", ". ") }, "spaced"],
  ["a tab within", { token: (token) => token.replace(".", ".\t") }, "spaced"],
  [
    "a space, signed, in its header",
    { encoded: (header, claims) => [`${header.slice(0, 4)} ${header.slice(4)}`, claims] },
    "spaced",
  ],
  ["percent escapes", { token: (token) => token.replaceAll(".", "%2E") }, "unreadable"],
  ["padding behind the signature", { token: (token) => `${token}=` }, "unreadable"],
  [
    "padding, signed, behind the header",
    { header: (json) => ofLength(json, 1), encoded: (header, claims) => [`${header}==`, claims] },
    "unreadable",
  ],
  [
    "padding, signed, behind the claims",
    { claims: (json) => ofLength(json, 1), encoded: (header, claims) => [header, `${claims}==`] },
    "unreadable",
  ],
  [
    "base64, signed, as the claims",
    { claims: withPlusAndSlash, encoded: (header, claims) => [header, toBase64(claims)] },
    "unreadable",
  ],
  [
    "unused bits, signed, behind the header",
    { header: (json) => ofLength(json, 1), encoded: (header, claims) => [withUnusedBits(header), claims] },
    "unreadable",
  ],
  [
    "unused bits, signed, behind the claims",
    { claims: (json) => ofLength(json, 2), encoded: (header, claims) => [header, withUnusedBits(claims)] },
    "unreadable",
  ],
  [
    "a letter too many, signed, behind the claims",
    { claims: (json) => ofLength(json, 0), encoded: (header, claims) => [header, `${claims}A`] },
    "unreadable",
  ],
  ["a letter that base64url doesn't have", { token: (token) => token.replace(/.$/, "*") }, "unreadable"],
  ["unused bits behind the signature", { token: withUnusedBits }, "unreadable"],
  ["more than 16 KiB", { claims: { padding: "x".repeat(13_000) } }, "oversized"],
];

export const GOOD_SPELLINGS: readonly AcceptedRow[] = [
  ["everything as its issuer writes it", {}],
  ["no typ", { header: { typ: undefined } }],
  ["typ in lower case", { header: { typ: "jwt" } }],
  ["header members that nobody knows", { header: { x5t: "abc", extra: { jwk: {}, crit: [] } } }],
  ["spaces and line ends in its JSON", { header: spaced, claims: spaced }],
  ["16 levels in its claims", { claims: (json) => nested(json, 16) }],
  ["16 levels in its header", { header: (json) => nested(json, 16) }],
  ["a claim that is called __proto__", { claims: (json) => before(json, '"__proto__":{"iss":"x","exp":1}') }],
  ["the name of a claim escaped", { claims: (json) => json.replace('"exp"', `"${escaped("exp")}"`) }],
  ["letters of every script in a claim", { claims: { name: "Ærøskøbing 東京 🙂" } }],
  ["plus and slash, as base64url writes them", { claims: withPlusAndSlash }],
];

function before(json: string, member: string): string {
  return json.replace("{", `{${member},`);
}

function behindPrototype(json: string): string {
  return `{"__proto__":${json}}`;
}

function after(json: string, member: string): string {
  return json.replace(/}$/, `,${member}}`);
}

/** With a sub and an aud also where the kind needs none, so that a second one is one too many. */
function withAll(json: string): string {
  return JSON.stringify({ sub: "somebody", aud: ["somewhere"], ...(JSON.parse(json) as Claims) });
}

function escaped(name: string): string {
  return `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
}

function spliceBytes(json: string, bytes: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from(json.replace("{", '",'))]);
}

/** The object itself is the first level. */
function nested(json: string, levels: number): string {
  return before(json, `"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}`);
}

function spaced(json: string): string {
  return `\r\n${JSON.stringify(JSON.parse(json), null, "\t")} \n`;
}

/** Longer by spaces, until its length leaves this remainder when it is divided by three. */
function ofLength(json: string, remainder: number): string {
  const bytes = Buffer.byteLength(json);
  return json + " ".repeat((((remainder - bytes) % 3) + 3) % 3);
}

function withPlusAndSlash(json: string): string {
  return before(json, '"a":"???>>>~~~","b":"x???>>>~~~","c":"xx???>>>~~~"');
}

function toBase64(encoded: string): string {
  return encoded.replaceAll("-", "+").replaceAll("_", "/");
}

/** Decodes to the same bytes: only the bits that base64url leaves unused differ. */
function withUnusedBits(encoded: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return encoded.slice(0, -1) + alphabet.charAt(alphabet.indexOf(encoded.at(-1) ?? "") ^ 1);
}

function flattened(token: string): object {
  const [header, payload, signature] = token.split(".");
  return { protected: header, payload, signature };
}

function general(token: string): object {
  const [header, payload, signature] = token.split(".");
  return { payload, signatures: [{ protected: header, signature }] };
}

async function encrypted({ kind }: Scene): Promise<Change> {
  const jwe = await encrypt(kind, mint(kind));
  return { token: () => jwe };
}

async function encrypt(kind: TokenKind, token: string): Promise<string> {
  const key = kind.key();
  const [alg, recipient] =
    typeof key === "string"
      ? (["A256KW", createHash("sha256").update(key).digest()] as const)
      : (["RSA-OAEP-256", kind.publicKey().key] as const);
  return new CompactEncrypt(Buffer.from(token))
    .setProtectedHeader({ alg, enc: "A256GCM", cty: "JWT" })
    .encrypt(recipient);
}
