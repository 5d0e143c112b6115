import type { z } from "zod";

import { parseNetwork } from "../ip-network.js";

/** Whose forwarded headers count. */
export type TrustProxy =
  | { readonly kind: "hops"; readonly hops: number }
  | { readonly kind: "addresses"; readonly addresses: readonly string[] };

/** A zod transform: `2`, or `10.0.0.0/8, 2001:db8::/32, 127.0.0.1`. */
export function parseTrustProxy(text: string, context: z.RefinementCtx): TrustProxy {
  const trimmed = text.trim();
  if (/^\d{1,2}$/.test(trimmed)) return { kind: "hops", hops: Number(trimmed) };
  const addresses = trimmed.split(",").flatMap((part) => {
    const network = parseNetwork(part);
    if (network !== null) return [network];
    context.addIssue(
      `must be a number of hops, or a comma list of IP addresses and networks; "${part.trim()}" is neither.`,
    );
    return [];
  });
  return { kind: "addresses", addresses };
}
