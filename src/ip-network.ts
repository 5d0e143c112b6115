import { isIP, isIPv4 } from "node:net";

/** An IPv4 or IPv6 address or network in CIDR notation, lower case; null when it is neither. */
export function parseNetwork(text: string): string | null {
  const trimmed = text.trim().toLowerCase();
  const [address = "", prefix, ...rest] = trimmed.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes("%")) return null;
  if (prefix === undefined) return trimmed;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128) ? trimmed : null;
}

/** A host, as URLs name it, that can only be this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."))
  );
}
