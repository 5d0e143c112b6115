import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  GATEWAY_HEADERS,
  selectAnswerHeaders,
  selectRequestHeaders,
  UPSTREAM_HEADER,
  upstreamHeaders,
} from "./header-policy.js";

describe("a request's headers", () => {
  it("go through as they are, whatever the case of their names", () => {
    expect(selectRequestHeaders({ Accept: "a, b", "if-match": ["1", "2"], range: undefined })).toEqual({
      accept: "a, b",
      "if-match": ["1", "2"],
    });
  });

  it.each([
    // Who somebody is: the gateway says it, nobody else.
    "authorization",
    "proxy-authorization",
    "cookie",
    "cf-access-jwt-assertion",
    "cf-access-token",
    "cf-access-client-id",
    "cf-access-client-secret",
    "cf-access-authenticated-user-email",
    "cf-connecting-ip",
    "cf-ray",
    "x-acpt",
    "x-ausername",
    "x-atlassian-force-account-id",
    "x-service-key",
    // Where a request came from.
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "host",
    "origin",
    "referer",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-ch-ua",
    "user-agent",
    "traceparent",
    // What else it should be than it is.
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-host",
    "content-range",
    "content-location",
    // What is between two neighbours.
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "http2-settings",
    "max-forwards",
    // Neighbours of what goes through.
    "accept_language",
    "x-atlassian-token2",
    "",
  ])("%s stays behind", (name) => {
    expect(selectRequestHeaders({ [name]: "x" })).toEqual({});
  });

  it("stay behind when they are of a family that says who somebody is, or where a request came from", () => {
    const families = fc.constantFrom(
      "cf-",
      "x-forwarded-",
      "x-original-",
      "proxy-",
      "sec-",
      "x-acpt",
      "cookie",
    );
    fc.assert(
      fc.property(families, fc.stringMatching(/^[a-z-]{0,12}$/), (family, rest) => {
        expect(selectRequestHeaders({ [`${family}${rest}`]: "x" })).toEqual({});
      }),
    );
  });

  it("stay behind when Connection names them", () => {
    const headers = {
      connection: "close, If-Match ,range",
      "if-match": "1",
      range: "bytes=0-",
      accept: "*/*",
    };
    expect(selectRequestHeaders(headers)).toEqual({ accept: "*/*" });
  });
});

describe("an answer's headers", () => {
  it("come through as they are", () => {
    expect(selectAnswerHeaders({ ETag: "1", link: ["a", "b"] })).toEqual({ etag: "1", link: ["a", "b"] });
  });

  it.each([
    "ratelimit",
    "ratelimit-policy",
    "beta-ratelimit",
    "x-ratelimit-nearlimit",
    "x-ratelimit-of-tomorrow",
  ])("%s comes through, like all that says how much more may be asked", (name) => {
    expect(selectAnswerHeaders({ [name]: "1" })).toEqual({ [name]: "1" });
  });

  it.each([
    // What would work on the app's host in a browser, and count for all of the app.
    "set-cookie",
    "set-cookie2",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "timing-allow-origin",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-location",
    "cross-origin-resource-policy",
    "clear-site-data",
    "strict-transport-security",
    "public-key-pins",
    "expect-ct",
    "nel",
    "report-to",
    "reporting-endpoints",
    "permissions-policy",
    "referrer-policy",
    "x-frame-options",
    "x-content-type-options",
    "x-xss-protection",
    "refresh",
    // Judged apart, in redirects.ts.
    "location",
    // What would ask the service for credentials, or tell it of the gateway's own.
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    // What is said of one connection, or of one server, and would be false of the app's.
    "server",
    "server-timing",
    "via",
    "date",
    "age",
    "alt-svc",
    // The gateway lets nothing be cached.
    "cache-control",
    "expires",
    "pragma",
    "vary",
    // What products and proxies tell each other.
    "x-aaccountid",
    "x-acpt",
    "x-accel-redirect",
    // The app says these itself.
    "x-request-reference",
    UPSTREAM_HEADER.toLowerCase(),
    // What is between two neighbours.
    "connection",
    "keep-alive",
    "proxy-connection",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // A neighbour of what comes through.
    "x-rate-limit",
  ])("%s doesn't", (name) => {
    expect(selectAnswerHeaders({ [name]: "x" })).toEqual({});
  });

  it("don't when they are of a family that a browser would obey", () => {
    const families = fc.constantFrom(
      "set-cookie",
      "access-control-",
      "content-security-",
      "cross-origin-",
      "x-frame-",
    );
    fc.assert(
      fc.property(families, fc.stringMatching(/^[a-z-]{0,12}$/), (family, rest) => {
        expect(selectAnswerHeaders({ [`${family}${rest}`]: "x" })).toEqual({});
      }),
    );
  });

  it("don't when Connection names them", () => {
    expect(selectAnswerHeaders({ connection: "ETag", etag: "1", "content-type": "a/b" })).toEqual({
      "content-type": "a/b",
    });
  });

  it("are marked as the product's own, and harmless in a browser", () => {
    expect(upstreamHeaders("confluence")).toEqual({ "X-Gateway-Upstream": "confluence" });
    expect(GATEWAY_HEADERS).toEqual({
      "Content-Security-Policy": "sandbox; default-src 'none'",
      "X-Content-Type-Options": "nosniff",
    });
  });
});
