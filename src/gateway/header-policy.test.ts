import { describe, expect, it } from "vitest";

import {
  GATEWAY_HEADERS,
  selectAnswerHeaders,
  selectRequestHeaders,
  UPSTREAM_HEADER,
  upstreamHeaders,
} from "./header-policy.js";

describe("a request's headers", () => {
  it.each([
    "accept",
    "accept-encoding",
    "accept-language",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "prefer",
    "range",
    "x-atlassian-token",
    "x-experimentalapi",
    "x-force-accept-language",
  ])("%s goes through as it is", (name) => {
    expect(selectRequestHeaders({ [name]: "a, b" })).toEqual({ [name]: "a, b" });
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
  it.each([
    "accept-ranges",
    "allow",
    "atl-request-id",
    "atl-traceid",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
    "deprecation",
    "etag",
    "last-modified",
    "link",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-reset",
    "beta-ratelimit",
    "retry-after",
    "sunset",
    "warning",
    "x-arequestid",
    "x-failure-category",
    "x-ratelimit-limit",
    "x-ratelimit-nearlimit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-seraph-loginreason",
  ])("%s comes through", (name) => {
    expect(selectAnswerHeaders({ [name]: ["a", "b"] })).toEqual({ [name]: ["a", "b"] });
  });

  it.each([
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
    "location",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "server",
    "server-timing",
    "via",
    "date",
    "age",
    "alt-svc",
    "cache-control",
    "expires",
    "pragma",
    "vary",
    "x-aaccountid",
    "x-acpt",
    "x-accel-redirect",
    "x-request-reference",
    UPSTREAM_HEADER.toLowerCase(),
    "connection",
    "keep-alive",
    "proxy-connection",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-rate-limit",
  ])("%s doesn't", (name) => {
    expect(selectAnswerHeaders({ [name]: "x" })).toEqual({});
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
