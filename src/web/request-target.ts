import type { IncomingMessage } from "node:http";

import { AppError } from "../errors.js";

/**
 * The request's target as path and query. Absolute form is accepted, as RFC 9112 §3.2.2 demands; nothing in the path is
 * normalised, so that what is matched is what was sent. Throws AppError `malformed_request`.
 */
export function requireTarget(req: IncomingMessage): string {
  // RFC 9112 §3.2. Node's own check would answer without a body and without our headers.
  if (req.headers.host === undefined && req.httpVersion === "1.1") {
    throw new AppError("malformed_request", "The request has no Host header.");
  }
  const target = toOriginForm(req.url ?? "");
  // RFC 3986: anything but ASCII travels percent-encoded, and a fragment stays with the client.
  if (target !== null && /^[\x21\x22\x24-\x7e]+$/.test(target)) return target;
  throw new AppError("malformed_request", "The request's target isn't a path of this app.");
}

export function pathOf(target: string): string {
  return target.split("?", 1)[0] ?? "";
}

function toOriginForm(url: string): string | null {
  if (url.startsWith("/")) return url;
  const [matched, rest = ""] = /^https?:\/\/[^/?]+(.*)$/i.exec(url) ?? [];
  if (matched === undefined) return null;
  return rest.startsWith("/") ? rest : `/${rest}`;
}
