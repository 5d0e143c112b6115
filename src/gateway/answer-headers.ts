import {
  GATEWAY_HEADERS,
  selectAnswerHeaders,
  upstreamHeaders,
  type Headers,
  type SentHeaders,
} from "./header-policy.js";
import { rewriteLocation, type RedirectContext } from "./redirects.js";

/** All the headers that a product's answer has when the caller gets it. */
export function createAnswerHeaders(headers: Headers, context: RedirectContext): SentHeaders {
  const location = [headers["location"] ?? []].flat();
  // Two of them would leave it to the caller which one counts.
  const rewritten = location.length === 1 ? rewriteLocation(location[0] ?? "", context) : null;
  return {
    ...selectAnswerHeaders(headers),
    ...(rewritten !== null && { location: rewritten }),
    ...upstreamHeaders(context.target.product),
    ...GATEWAY_HEADERS,
  };
}
