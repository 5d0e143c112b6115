import type { Product } from "../tenants/tenant.js";

/** As `node:http` names them: lower case, one value or several. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;
export type SentHeaders = Readonly<Record<string, string | readonly string[]>>;

// Security rule 15: what isn't here stays behind. Not even its name in another case or with another separator gets by.
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding", // The answer isn't unpacked on its way.
  "accept-language",
  "content-encoding", // Nor is the body packed.
  "content-language",
  "content-length",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "prefer",
  "range",
  "x-atlassian-token", // "no-check", which uploads need; browsers, whom it guards from forgeries, are refused.
  "x-experimentalapi",
  "x-force-accept-language",
]);

const ANSWER_HEADERS: ReadonlySet<string> = new Set([
  "accept-ranges",
  "allow",
  "atl-request-id",
  "atl-traceid",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-type",
  "deprecation",
  "etag",
  "last-modified",
  "link",
  "retry-after",
  "sunset",
  "warning",
  "x-arequestid",
  "x-failure-category",
  "x-seraph-loginreason",
]);
const ANSWER_PREFIXES = ["ratelimit", "x-ratelimit", "beta-ratelimit"];

/**
 * Says whose answer it is: a 404 of Jira's own has it, one of the gateway's hasn't. Nobody upstream can set or hide it, as
 * only listed headers come through. Named like the app's other header, X-Request-Reference.
 */
export const UPSTREAM_HEADER = "X-Gateway-Upstream";

// Security rule 16: were it opened in a browser all the same, no script of it would run on the app's host.
const GATEWAY_POLICY = "sandbox; default-src 'none'";

/** The caller's headers that the product gets to see. */
export function selectRequestHeaders(headers: Headers): SentHeaders {
  const hopByHop = namedInConnection(headers);
  return pick(headers, (name) => REQUEST_HEADERS.has(name) && !hopByHop.has(name));
}

/** The product's headers that the caller gets to see; `Location` is judged apart, in redirects.ts. */
export function selectAnswerHeaders(headers: Headers): SentHeaders {
  const hopByHop = namedInConnection(headers);
  const passes = (name: string) =>
    ANSWER_HEADERS.has(name) || ANSWER_PREFIXES.some((prefix) => name.startsWith(prefix));
  return pick(headers, (name) => passes(name) && !hopByHop.has(name));
}

/** What every answer of the gateway carries, whether it is the product's or a refusal. */
export const GATEWAY_HEADERS: SentHeaders = {
  "Content-Security-Policy": GATEWAY_POLICY,
  "X-Content-Type-Options": "nosniff",
};

/** What marks an answer as the product's own. */
export function upstreamHeaders(product: Product): SentHeaders {
  return { [UPSTREAM_HEADER]: product };
}

function pick(headers: Headers, passes: (name: string) => boolean): SentHeaders {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && passes(name.toLowerCase()) ? [[name.toLowerCase(), value]] : [],
    ),
  );
}

/** RFC 9110 §7.6.1: what `Connection` names is for the next neighbour only. */
function namedInConnection({ connection }: Headers): ReadonlySet<string> {
  const names = [connection ?? []].flat().flatMap((value) => value.split(","));
  return new Set(names.map((name) => name.trim().toLowerCase()));
}
