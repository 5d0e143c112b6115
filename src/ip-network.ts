import { BlockList, isIP, isIPv4 } from "node:net";

/** An IPv4 or IPv6 address or network in CIDR notation, lower case; null when it is neither. */
export function parseNetwork(text: string): string | null {
  const trimmed = text.trim().toLowerCase();
  const [address = "", prefix, ...rest] = trimmed.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes("%")) return null;
  if (prefix === undefined) return trimmed;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128) ? trimmed : null;
}

/** Whether an address is one of these, or in one of these networks: as `parseNetwork` left them. */
export function createNetworkList(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    if (prefix === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (address) => list.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

/** How much of an IPv6 address is counted: the /64 that one connection has, or the /48 that one customer may get. */
type CountedBits = 64 | 48;

/**
 * What a canonical address is counted as: itself, or the network of an IPv6 address, within which whoever has it may
 * change its address (RFC 6177 §2).
 */
export function countedNetwork(address: string, bits: CountedBits): string {
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const [first, last] = [head, tail].map((groups) => (groups === "" ? [] : groups.split(":"))) as [
    string[],
    string[],
  ];
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last].slice(0, bits / 16).join(":");
}

/** A host, as URLs name it, that can only be this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."))
  );
}
