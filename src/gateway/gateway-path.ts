import type { Product } from "../tenants/tenant.js";
import { findQueryRefusal } from "./gateway-query.js";
import type { GatewayTarget } from "./gateway-target.js";

// RFC 3986 §3.3: pchar, but for `;`, which servers cut path parameters off at. Everything else would be sent on
// differently from how it came, or read differently by whoever is next.
const RAW = /^(?:[\w.~!$&'()*+,=:@/-]|%[\da-f]{2})*$/i;

// What has a meaning in a path, written so that only some of those who read it see it.
const HIDDEN = /%(?:2e|2f|5c|3b|25)/i;
// C0, DEL and C1 as UTF-8 writes them.
const CONTROL = /\p{Cc}/u;

// What else Atlassian answers on the host of a site: Confluence, and its platform's own gateway, which leads to every
// product. Neither is Jira (security rule 3).
const NOT_JIRA: ReadonlySet<string> = new Set(["wiki", "gateway"]);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Security rule 15: why a path or a query can't be sent on exactly as it came, in a sentence for the caller, or null
 * when it can. Nothing is normalised: what two readers could read differently is refused.
 */
export function findTargetRefusal({ product, path, query }: GatewayTarget): string | null {
  return findPathRefusal(product, path) ?? (query === null ? null : findQueryRefusal(query));
}

function findPathRefusal(product: Product, path: string): string | null {
  if (!path.startsWith("/")) return "The path must start with a slash.";
  if (!RAW.test(path)) {
    return "The path has a character that must be percent-encoded, a semicolon, a backslash, or a damaged percent escape.";
  }
  if (HIDDEN.test(path)) {
    return "The path has a dot, slash, backslash, semicolon or percent sign that is percent-encoded.";
  }
  const segments = path.slice(1).split("/");
  if (segments.some((segment) => segment === "." || segment === "..")) return "The path has a dot segment.";
  if (segments.slice(0, -1).includes("")) return "The path has an empty segment.";
  const decoded = decodeUtf8(path);
  if (decoded === null) return "The path's percent escapes aren't UTF-8.";
  if (CONTROL.test(decoded)) return "The path has a control character.";
  const [, first = ""] = decoded.split("/");
  if (product === "jira" && NOT_JIRA.has(first.toLowerCase())) return "This path doesn't belong to Jira.";
  return null;
}

/** Null for bytes that aren't UTF-8, overlong forms among them (RFC 3629 §3). */
function decodeUtf8(ascii: string): string | null {
  const bytes = ascii.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  try {
    return utf8.decode(Buffer.from(bytes, "latin1"));
  } catch {
    return null;
  }
}
