import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findTargetRefusal } from "./gateway-path.js";
import { rewriteLocation } from "./redirects.js";

const SITE = "https://acme.atlassian.net";
const GATEWAY = "https://app.example.com/api/v1/sites/acme.atlassian.net";

const API = "https://api.atlassian.com/ex";
const CLOUD_ID = "4c822e2f-510f-48b9-b8d0-8419d0932949";

const inJiraAt = (location: string, ...productUrls: [string, ...string[]]) =>
  rewriteLocation(location, {
    target: { product: "jira", path: "/rest/api/3/issue/SAND-1", query: "a=1" },
    productUrls,
    gatewayUrl: `${GATEWAY}/jira`,
  });
const inConfluenceAt = (location: string, ...productUrls: [string, ...string[]]) =>
  rewriteLocation(location, {
    target: { product: "confluence", path: "/rest/api/content/1", query: null },
    productUrls,
    gatewayUrl: `${GATEWAY}/confluence`,
  });

/** A product may be asked behind another address than its site's: what is said about it is the same. */
const inJira = (location: string) =>
  sameForAll([inJiraAt(location, SITE), inJiraAt(location, `${API}/jira/${CLOUD_ID}`, SITE)]);
const inConfluence = (location: string) =>
  sameForAll([
    inConfluenceAt(location, `${SITE}/wiki`),
    inConfluenceAt(location, `${API}/confluence/${CLOUD_ID}/wiki`, `${SITE}/wiki`),
  ]);

function sameForAll([first = null, ...others]: (string | null)[]): string | null {
  for (const other of others) expect(other).toBe(first);
  return first;
}

it.each([
  [`${SITE}/rest/api/3/issue/SAND-2`, "/jira/rest/api/3/issue/SAND-2"],
  ["https://ACME.atlassian.net:443/rest/api/3/x?b=2#part", "/jira/rest/api/3/x?b=2#part"],
  ["/rest/api/3/task/1", "/jira/rest/api/3/task/1"],
  ["SAND-2", "/jira/rest/api/3/issue/SAND-2"],
  ["?a=2", "/jira/rest/api/3/issue/SAND-1?a=2"],
  ["../../../secure/attachment/1/a%20b.png", "/jira/rest/secure/attachment/1/a%20b.png"],
  [`${SITE}/`, "/jira/"],
])("leads %s back to the gateway", (location, expected) => {
  expect(inJira(location)).toBe(`${GATEWAY}${expected}`);
});

it.each([
  [`${SITE}/wiki/rest/api/content/2`, "/confluence/rest/api/content/2"],
  ["/wiki/download/attachments/1/a.png?version=1", "/confluence/download/attachments/1/a.png?version=1"],
  ["2", "/confluence/rest/api/content/2"],
])("knows where Confluence lives: %s", (location, expected) => {
  expect(inConfluence(location)).toBe(`${GATEWAY}${expected}`);
});

it.each([
  [
    "another host",
    "https://api.media.atlassian.com/file/1?token=x",
    "https://api.media.atlassian.com/file/1?token=x",
  ],
  ["another port", `${SITE}:8443/rest`, `${SITE}:8443/rest`],
  ["another scheme", "http://acme.atlassian.net/rest", "http://acme.atlassian.net/rest"],
  [
    "a host behind ours",
    "https://acme.atlassian.net.evil.example/",
    "https://acme.atlassian.net.evil.example/",
  ],
  [
    "ours as a user name",
    "https://acme.atlassian.net@evil.example/",
    "https://acme.atlassian.net@evil.example/",
  ],
  ["a user name", "https://a:b@acme.atlassian.net/rest", "https://a:b@acme.atlassian.net/rest"],
  ["a host after two slashes", "//evil.example/rest", "https://evil.example/rest"],
  ["a host after backslashes", "\\\\evil.example/rest", "https://evil.example/rest"],
  ["the other product", "/wiki/rest/api/content/1", `${SITE}/wiki/rest/api/content/1`],
  ["the platform's own gateway", "/gateway/api/graphql", `${SITE}/gateway/api/graphql`],
  ["credentials in the query", "/login?os_destination=x", `${SITE}/login?os_destination=x`],
  ["a path that can't be sent on", "/rest/a%2fb", `${SITE}/rest/a%2fb`],
])("leaves %s to the caller, in full", (_what, location, expected) => {
  expect(inJira(location)).toBe(expected);
});

describe("a product that is asked behind another address", () => {
  it.each([
    [`${API}/jira/${CLOUD_ID}/rest/api/3/task/1`, "/jira/rest/api/3/task/1"],
    [`/ex/jira/${CLOUD_ID}/rest/api/3/task/1?a=1#part`, "/jira/rest/api/3/task/1?a=1#part"],
    [`${SITE}/rest/api/3/task/1`, "/jira/rest/api/3/task/1"],
    ["/rest/api/3/task/1", "/jira/rest/api/3/task/1"],
    ["SAND-2", "/jira/rest/api/3/issue/SAND-2"],
  ])("is led back to the gateway from there, too: %s", (location, expected) => {
    expect(inJiraAt(location, `${API}/jira/${CLOUD_ID}`, SITE)).toBe(`${GATEWAY}${expected}`);
  });

  it.each([
    ["another site's", `${API}/jira/3c1d8a1e-0000-4000-8000-8419d0932949/rest/api/3/task/1`],
    ["a longer name's", `${API}/jira/${CLOUD_ID}0/rest`],
    ["the other product's", `${API}/confluence/${CLOUD_ID}/wiki/rest/api/content/1`],
    ["the platform's own", "https://api.atlassian.com/graphql"],
    ["one that can't be sent on", `${API}/jira/${CLOUD_ID}/rest/a%2fb`],
  ])("leaves %s address behind it to the caller, in full", (_whose, location) => {
    expect(inJiraAt(location, `${API}/jira/${CLOUD_ID}`, SITE)).toBe(location);
  });
});

it.each([
  ["/login.jsp", `${SITE}/login.jsp`],
  ["/wikis/rest", `${SITE}/wikis/rest`],
  ["/wiki", `${SITE}/wiki`],
  ["../../../../rest/api/3/myself", `${SITE}/rest/api/3/myself`],
  ["/wiki/%2e%2e/rest/api/3/myself", `${SITE}/rest/api/3/myself`],
])("never takes what is outside of Confluence for a part of it: %s", (location, expected) => {
  expect(inConfluence(location)).toBe(expected);
});

it.each(["javascript:alert(1)", "data:text/html,x", "https://", "ftp://acme.atlassian.net/", "http://[::1"])(
  "drops what is no web address: %s",
  (location) => {
    expect(inJira(location)).toBeNull();
  },
);

it("only ever names a path of the gateway that the gateway would accept", () => {
  const piece = fc.constantFrom(
    ...[
      "/",
      "..",
      ".",
      "%2e",
      "%2f",
      "\\",
      "wiki",
      "rest",
      "?",
      "#",
      "jwt=1",
      "&",
      ";",
      "@",
      ":",
      "//",
      "a",
      "https:",
    ],
    ...["acme.atlassian.net", "evil.example"],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const location = pieces.join("");
      for (const rewritten of [
        inConfluenceAt(location, `${SITE}/wiki`),
        inConfluenceAt(location, `${API}/confluence/${CLOUD_ID}/wiki`, `${SITE}/wiki`),
      ]) {
        if (!rewritten?.startsWith(GATEWAY)) continue;
        const rest = rewritten.slice(`${GATEWAY}/confluence`.length).replace(/#.*/, "");
        const [path = "", query = null] = rest.split(/\?(.*)/s);
        expect(findTargetRefusal({ product: "confluence", path, query })).toBeNull();
      }
    }),
    { numRuns: 2000 },
  );
});
