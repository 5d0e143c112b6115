import { isIP } from "node:net";
import type { z } from "zod";

/** Whose forwarded headers count. */
export type TrustProxy =
  | { readonly kind: "hops"; readonly hops: number }
  | { readonly kind: "addresses"; readonly addresses: readonly string[] };

/** A zod transform: `2`, or `10.0.0.0/8, 2001:db8::/32, 127.0.0.1`. */
export function parseTrustProxy(text: string, context: z.RefinementCtx): TrustProxy {
  const trimmed = text.trim();
  if (/^\d{1,2}$/.test(trimmed)) return { kind: "hops", hops: Number(trimmed) };
  const addresses = trimmed.split(",").map((part) => part.trim());
  const unusable = addresses.find((address) => !isAddressOrNetwork(address));
  if (unusable !== undefined) {
    context.addIssue(
      `must be a number of hops, or a comma list of IP addresses and networks; "${unusable}" is neither.`,
    );
  }
  return { kind: "addresses", addresses };
}

function isAddressOrNetwork(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}
