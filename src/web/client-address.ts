import type { IncomingMessage } from "node:http";
import { isIP, SocketAddress, type Socket } from "node:net";

import type { TrustProxy } from "../config/trust-proxy.js";
import { createNetworkList } from "../ip-network.js";
import type { Logger } from "../logger.js";

export interface ClientAddress {
  /**
   * As far as TRUST_PROXY lets it be known. Canonical, IPv4 also where it arrived mapped into IPv6; null when the
   * connection is already gone.
   */
  readonly ip: string | null;
  /** The request was passed on, and nobody trusted vouches for `ip`: no rule may match it (security rule 20). */
  readonly isForwarded: boolean;
}

export type ClientAddressReader = (req: IncomingMessage) => ClientAddress;

const FORWARDED_HEADER = /^(?:x-forwarded(?:-.*)?|forwarded|x-real-ip|true-client-ip|cf-.*)$/;

// A service sends this one itself, as its visitor's credential: it says nothing about who passed the request on.
const SENT_BY_SERVICES = "cf-access-jwt-assertion";

export function isForwardedHeader(name: string): boolean {
  return FORWARDED_HEADER.test(name);
}

/** Who is at the other end of the connection, whatever any header says; null when it is already gone. */
export function findPeerAddress(socket: Socket): string | null {
  return parseAddress(socket.remoteAddress ?? "");
}

export function createClientAddressReader(options: {
  readonly trustProxy: TrustProxy;
  readonly logger: Logger;
}): ClientAddressReader {
  const isTrusted = createTrust(options.trustProxy);
  let hasWarned = false;

  return (req) => {
    const peer = findPeerAddress(req.socket);
    const header = Object.keys(req.headers).find(
      (name) => isForwardedHeader(name) && name !== SENT_BY_SERVICES,
    );
    if (header === undefined) return { ip: peer, isForwarded: false };
    if (peer !== null && isTrusted(peer, 0)) return followForwardedFor(req, peer, isTrusted);
    if (!hasWarned) {
      hasWarned = true;
      options.logger.warn(
        { header, peer },
        "A forwarded header arrived from a peer that TRUST_PROXY doesn't trust, and was ignored.",
      );
    }
    return { ip: peer, isForwarded: true };
  };
}

type Trust = (address: string, hop: number) => boolean;

function createTrust(trustProxy: TrustProxy): Trust {
  if (trustProxy.kind === "hops") return (_address, hop) => hop < trustProxy.hops;
  return createNetworkList(trustProxy.addresses);
}

/** Each proxy appends whom it heard from, so the list is read from its end, as far as the trust reaches. */
function followForwardedFor(req: IncomingMessage, peer: string, isTrusted: Trust): ClientAddress {
  const header = req.headers["x-forwarded-for"];
  // A trusted proxy that names nobody (or only in another header) leaves the client unknown.
  if (header === undefined) return { ip: peer, isForwarded: true };
  const entries = (typeof header === "string" ? header : header.join(",")).split(",").reverse();
  let ip = peer;
  for (const [hop, entry] of entries.entries()) {
    if (!isTrusted(ip, hop)) break;
    const address = parseAddress(withoutPort(entry.trim()));
    if (address === null) return { ip, isForwarded: true };
    ip = address;
  }
  return { ip, isForwarded: false };
}

function withoutPort(text: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}

function parseAddress(text: string): string | null {
  const [address = ""] = text.split("%"); // RFC 4007 §11: a zone means something only on the machine it was seen on.
  if (isIP(address) !== 6) return isIP(address) === 4 ? address : null;
  const canonical = new SocketAddress({ address, family: "ipv6" }).address;
  return /^::ffff:([\d.]+)$/.exec(canonical)?.[1] ?? canonical;
}
