import { createHash } from "node:crypto";

import fc from "fast-check";

/**
 * A second opinion on canonical requests, written from Atlassian's description and on another parser than the app's.
 * Atlassian's library for Node can't give it alone: it leaves `__proto__` out, and sorts by names that aren't encoded.
 * https://developer.atlassian.com/cloud/bitbucket/query-string-hash/
 */
export function describeCanonicalRequest(method: string, target: string, basePath: string): string {
  const values = new Map<string, string[]>();
  for (const [name, value] of parametersOf(target)) {
    if (name !== "jwt") values.set(name, [...(values.get(name) ?? []), value]);
  }
  const query = [...values]
    .map(([name, all]) => [escape(name), all.sort().map(escape).join(",")] as const)
    .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .map((parameter) => parameter.join("="));
  return `${method}&${relativePathOf(target, basePath)}&${query.join("&")}`;
}

export function describeQsh(method: string, target: string, basePath: string): string {
  return createHash("sha256")
    .update(describeCanonicalRequest(method, target, basePath))
    .digest("hex");
}

/** Equal for requests that one token may be used for: the same path and the same parameters, in any order. */
export function meaningOf(target: string, basePath: string): string {
  const parameters = parametersOf(target).filter(([name]) => name !== "jwt");
  return JSON.stringify([
    relativePathOf(target, basePath),
    ...parameters.map((pair) => pair.join("=\n")).sort(),
  ]);
}

/** Decoded, as a browser understands them. */
export function parametersOf(target: string): [name: string, value: string][] {
  const [, ...query] = target.split("?");
  // URLSearchParams takes one question mark off.
  return [...new URLSearchParams(`?${query.join("?")}`)];
}

function relativePathOf(target: string, basePath: string): string {
  const [path = ""] = target.split("?");
  const segments = path.split("/");
  const base = basePath.split("/");
  const relative = base.every((segment, index) => segment === segments[index])
    ? segments.slice(base.length)
    : segments.slice(1);
  if (relative.at(-1) === "") relative.pop();
  return `/${relative.join("/").replaceAll("&", "%26")}`;
}

const UNRESERVED = /[A-Za-z0-9\-._~]/;

function escape(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

const SEPARATORS = ["&", "&", "&", "=", "=", "=", "+"];
const ESCAPES = [
  "%20",
  "%2B",
  "%2b",
  "%26",
  "%3D",
  "%25",
  "%2C",
  "%5B",
  "%00",
  "%0A",
  "%C3%A9",
  "%c3%a9",
  "%F0%9F%98%80",
];
const DAMAGED_ESCAPES = ["%", "%z", "%zz", "%4", "%ff", "%FE", "%e2%82", "%ED%A0%80", "%EF%BB%BF", "%C0%AF"];
const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "length",
  "JWT",
  "jwt[]",
  "jwtt",
  "xdm_e",
  "ac.x",
];
const REPEATED = ["rep=", "&rep=", "&rep=a", "&rep", "&rep[]=b", "&rep[a]=c", "&rep[a][b]=d"];
/** Every character that a request line can hold, `#` apart, which ends what a browser sends. */
const TARGET_CHARACTERS = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
  (character) => character !== "#",
);

/** Any query that can stand on a request line, in pieces that matter to parsers. */
export const anyQuery = fc
  .array(
    fc.constantFrom(
      ...SEPARATORS,
      ...ESCAPES,
      ...DAMAGED_ESCAPES,
      ...NAMES,
      ...REPEATED,
      ...TARGET_CHARACTERS,
    ),
    {
      maxLength: 30,
    },
  )
  .map((pieces) => pieces.join(""));

export interface Change {
  readonly kind: "replace" | "insert" | "delete";
  /** From 0 to 1: how far into the text. */
  readonly place: number;
  readonly character: string;
}

export const anyChange: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("replace", "insert", "delete"),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  // Those that structure a query more often than the others.
  character: fc.constantFrom(...TARGET_CHARACTERS, ...SEPARATORS, ...SEPARATORS, "%", "?", "/", "[", "]"),
});

export function applyChange(text: string, { kind, place, character }: Change): string {
  const index = Math.round(place * (kind === "insert" ? text.length : text.length - 1));
  return (
    text.slice(0, index) +
    (kind === "delete" ? "" : character) +
    text.slice(kind === "insert" ? index : index + 1)
  );
}
