import { expect, it } from "vitest";

import { createAnswerHeaders } from "./answer-headers.js";

const context = {
  target: { product: "confluence", path: "/rest/api/content/1", query: null },
  productUrls: ["https://acme.atlassian.net/wiki"],
  gatewayUrl: "https://app.example.com/gateway",
} as const;

it("are those that may pass, the mark, and what keeps them harmless", () => {
  const headers = {
    "content-type": "text/html",
    "content-security-policy": "script-src *",
    "x-gateway-upstream": "jira",
    "set-cookie": ["a=b"],
  };
  expect(createAnswerHeaders(headers, context)).toEqual({
    "content-type": "text/html",
    "X-Gateway-Upstream": "confluence",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
  });
});

it.each<[location: string | string[], expected: string | undefined]>([
  ["/wiki/rest/api/content/2", "https://app.example.com/gateway/rest/api/content/2"],
  ["https://api.media.atlassian.com/x", "https://api.media.atlassian.com/x"],
  ["javascript:alert(1)", undefined],
  [["/wiki/a", "https://evil.example/"], undefined],
])("have one Location, or none: %s", (location, expected) => {
  expect(createAnswerHeaders({ location }, context)["location"]).toBe(expected);
});
