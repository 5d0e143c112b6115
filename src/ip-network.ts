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

/**
 * What a canonical address is counted as: itself, or the /64 of an IPv6 address. That much one customer of a network has,
 * and may change its address within.
 */
export function countedNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const [first, last] = [head, tail].map((groups) => (groups === "" ? [] : groups.split(":"))) as [
    string[],
    string[],
  ];
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last].slice(0, 4).join(":");
}

/** A host, as URLs name it, that can only be this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."))
  );
}
