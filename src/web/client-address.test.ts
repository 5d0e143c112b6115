import { IncomingMessage, type IncomingHttpHeaders } from "node:http";
import { Socket } from "node:net";

import { describe, expect, it } from "vitest";

import { createClientAddressReader, isForwardedHeader, type ClientAddress } from "./client-address.js";
import type { TrustProxy } from "../config/trust-proxy.js";
import { captureLogger, type LogLine } from "./http-server.fixture.js";

const hops = (count: number): TrustProxy => ({ kind: "hops", hops: count });
const addresses = (...list: readonly string[]): TrustProxy => ({ kind: "addresses", addresses: list });

function buildRequest(remoteAddress: string | undefined, headers: IncomingHttpHeaders): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: remoteAddress });
  return Object.assign(new IncomingMessage(socket), { headers });
}

function read(
  trustProxy: TrustProxy,
  peer: string | undefined,
  headers: IncomingHttpHeaders,
  lines: LogLine[] = [],
): ClientAddress {
  return createClientAddressReader({ trustProxy, logger: captureLogger(lines) })(buildRequest(peer, headers));
}

const known = (ip: string): ClientAddress => ({ ip, isForwarded: false });
const doubtful = (ip: string | null): ClientAddress => ({ ip, isForwarded: true });
const chain = (value: string): IncomingHttpHeaders => ({ "x-forwarded-for": value });

describe("a client's address", () => {
  it.each<[string, TrustProxy, string, IncomingHttpHeaders, ClientAddress]>([
    ["nobody trusted, no header", hops(0), "203.0.113.9", {}, known("203.0.113.9")],
    ["nobody trusted, spoofed", hops(0), "203.0.113.9", chain("127.0.0.1"), doubtful("203.0.113.9")],
    ["nobody trusted, Forwarded", hops(0), "::1", { forwarded: "for=1.2.3.4" }, doubtful("::1")],
    ["nobody trusted, Cloudflare", hops(0), "::1", { "cf-ray": "1" }, doubtful("::1")],
    ["nobody trusted, X-Real-IP", hops(0), "::1", { "x-real-ip": "1.2.3.4" }, doubtful("::1")],
    [
      "the credential of a service",
      hops(0),
      "203.0.113.9",
      { "cf-access-jwt-assertion": "e30" },
      known("203.0.113.9"),
    ],
    ["one hop", hops(1), "10.0.0.1", chain("6.6.6.6, 203.0.113.9"), known("203.0.113.9")],
    ["two hops", hops(2), "10.0.0.1", chain("6.6.6.6, 203.0.113.9, 10.0.0.2"), known("203.0.113.9")],
    ["more hops than entries", hops(3), "10.0.0.1", chain("203.0.113.9"), known("203.0.113.9")],
    [
      "one hop that names nobody",
      hops(1),
      "10.0.0.1",
      { "x-forwarded-proto": "https" },
      doubtful("10.0.0.1"),
    ],
    ["one hop that names rubbish", hops(1), "10.0.0.1", chain("203.0.113.9, unknown"), doubtful("10.0.0.1")],
    ["an empty list", hops(1), "10.0.0.1", chain(""), doubtful("10.0.0.1")],
    ["a trusted network", addresses("10.0.0.0/8"), "10.1.2.3", chain("203.0.113.9"), known("203.0.113.9")],
    [
      "a chain of trusted proxies",
      addresses("10.0.0.0/8", "192.0.2.1"),
      "10.1.2.3",
      chain("6.6.6.6, 203.0.113.9, 192.0.2.1, 10.9.9.9"),
      known("203.0.113.9"),
    ],
    [
      "all of it trusted",
      addresses("10.0.0.0/8"),
      "10.1.2.3",
      chain("10.0.0.7, 10.0.0.8"),
      known("10.0.0.7"),
    ],
    [
      "a peer outside the trusted network",
      addresses("10.0.0.0/8"),
      "11.1.2.3",
      chain("203.0.113.9"),
      doubtful("11.1.2.3"),
    ],
    [
      "a trusted peer, mapped into IPv6",
      addresses("10.0.0.0/8"),
      "::ffff:10.1.2.3",
      chain("203.0.113.9"),
      known("203.0.113.9"),
    ],
    [
      "a trusted IPv6 network",
      addresses("2001:db8::/32"),
      "2001:db8::5",
      chain("2001:DB8:1:0::7"),
      known("2001:db8:1::7"),
    ],
    ["a mapped entry", hops(1), "10.0.0.1", chain("::ffff:cb00:7109"), known("203.0.113.9")],
    ["an entry with a port", hops(1), "10.0.0.1", chain("203.0.113.9:4711"), known("203.0.113.9")],
    ["an IPv6 entry with a port", hops(1), "10.0.0.1", chain("[2001:db8::7]:4711"), known("2001:db8::7")],
    ["an IPv6 entry in brackets", hops(1), "10.0.0.1", chain("[2001:db8::7]"), known("2001:db8::7")],
    ["a zone", hops(0), "fe80::1%eth0", {}, known("fe80::1")],
    ["a mapped peer", hops(0), "::ffff:203.0.113.9", {}, known("203.0.113.9")],
  ])("is found with %s", (_name, trustProxy, peer, headers, expected) => {
    expect(read(trustProxy, peer, headers)).toEqual(expected);
  });

  it("is unknown once the connection is gone", () => {
    expect(read(hops(0), undefined, {})).toEqual({ ip: null, isForwarded: false });
    expect(read(hops(1), undefined, chain("203.0.113.9"))).toEqual(doubtful(null));
  });

  it("is doubted aloud once, however often an untrusted peer sends forwarded headers", () => {
    const lines: LogLine[] = [];
    const readAddress = createClientAddressReader({ trustProxy: hops(0), logger: captureLogger(lines) });
    for (const header of ["x-forwarded-for", "x-forwarded-for", "cf-ray"]) {
      readAddress(buildRequest("203.0.113.9", { [header]: "1.2.3.4" }));
    }

    expect(lines).toMatchObject([
      { level: "warn", fields: { header: "x-forwarded-for", peer: "203.0.113.9" } },
    ]);
  });
});

describe("a forwarded header", () => {
  it.each(["x-forwarded-for", "x-forwarded-host", "x-forwarded", "forwarded", "cf-ray", "cf-connecting-ip"])(
    "is one: %s",
    (name) => {
      expect(isForwardedHeader(name)).toBe(true);
    },
  );

  it.each(["host", "cfoo", "forwarded-by-hand", "x-request-id"])("is none: %s", (name) => {
    expect(isForwardedHeader(name)).toBe(false);
  });
});
