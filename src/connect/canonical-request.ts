import { parse } from "node:querystring";

import { sha256Hex } from "../identifiers.js";

interface CanonicalRequestInput {
  readonly method: string;
  /** Path and query as they stand on the request line: `/base/config?b=2&jwt=…`. */
  readonly target: string;
  /** Path of the app's (or the product's) base URL, which the signer leaves out: `` or `/base`. */
  readonly basePath: string;
}

/**
 * How the names of parameters are sorted: `a[b]` stands before `a0` as encoded (`a%5Bb%5D`), and behind it as decoded.
 * Atlassian's description and its products sort them encoded, its library for Node and whatever is built on that decoded.
 */
type NameOrder = "encoded" | "decoded";

/**
 * What a Connect JWT's `qsh` is the hash of: `METHOD&path&query`.
 * https://developer.atlassian.com/cloud/bitbucket/query-string-hash/
 */
export function createCanonicalRequest(
  { method, target, basePath }: CanonicalRequestInput,
  order: NameOrder = "encoded",
): string {
  const queryStart = target.indexOf("?");
  const path = queryStart < 0 ? target : target.slice(0, queryStart);
  const query = queryStart < 0 ? "" : target.slice(queryStart + 1);
  return `${method.toUpperCase()}&${canonicalPath(path, basePath)}&${canonicalQuery(query, order)}`;
}

/** The `qsh` of a request: hex SHA-256. */
export function hashCanonicalRequest(request: CanonicalRequestInput, order?: NameOrder): string {
  return sha256Hex(createCanonicalRequest(request, order));
}

/** Whether a `qsh` is this request's. Either order will do: each stands for the same parameters, and for no others. */
export function isHashOfRequest(qsh: string, request: CanonicalRequestInput): boolean {
  return qsh === hashCanonicalRequest(request, "encoded") || qsh === hashCanonicalRequest(request, "decoded");
}

function canonicalPath(path: string, basePath: string): string {
  const isUnderBase = path === basePath || path.startsWith(`${basePath}/`);
  const relative = isUnderBase ? path.slice(basePath.length) : path;
  if (relative === "" || relative === "/") return "/";
  // An & in the path would read like the separator before the query.
  const escaped = relative.replaceAll("&", "%26");
  return escaped.endsWith("/") ? escaped.slice(0, -1) : escaped;
}

function canonicalQuery(query: string, order: NameOrder): string {
  // By default parse() drops everything after the thousandth parameter, which would then be unsigned. Its result has
  // no prototype, so `__proto__` and `constructor` are parameters like any other.
  const parameters = parse(query, "&", "=", { maxKeys: 0 });
  return Object.keys(parameters)
    .filter((name) => name !== "jwt")
    .map((name) => ({ decoded: name, encoded: encodeRfc3986(name) }))
    .sort((one, other) => (one[order] < other[order] ? -1 : 1))
    .map(({ decoded, encoded }) => `${encoded}=${canonicalValue(parameters[decoded])}`)
    .join("&");
}

function canonicalValue(value: string | string[] | undefined): string {
  return [value ?? ""].flat().sort().map(encodeRfc3986).join(",");
}

/** RFC 3986 §2.3: everything but letters, digits, `-`, `.`, `_` and `~` is escaped. */
function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
