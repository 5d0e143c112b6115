import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createLimitsDraft, findTokenAgeError, NO_LIMITS, toLimits, toRequests } from "./limits-draft.js";
import { isSameRequests, REQUEST_PRESETS } from "../request-presets.js";
import type { Limits } from "../types.js";

const [READ, COMMENT] = REQUEST_PRESETS.jira.map(({ requests }) => requests) as [Requests, Requests];
type Requests = Limits["requests"];

function limits(traits: Partial<Limits>): Limits {
  return { ...NO_LIMITS, ...traits };
}

describe("the draft of limits", () => {
  it("is sent back as it came, whatever the limits", () => {
    fc.assert(
      fc.property(anyLimits, (before) => {
        expect(toLimits(createLimitsDraft(before), before)).toEqual(before);
      }),
    );
  });

  it("allows what was allowed, also where it was never written", () => {
    fc.assert(
      fc.property(anyLimits, ({ requests }) => {
        expect(isSameRequests(toRequests(createLimitsDraft(limits({ requests }))), requests)).toBe(true);
      }),
    );
  });

  it("knows presets, and keeps the rest as lines", () => {
    const other = { methods: ["GET", "PUT"], path: "/rest/api/3/version/*" };
    const draft = createLimitsDraft(limits({ requests: [...READ, other] }));
    expect(draft).toMatchObject({
      presets: ["read-issues"],
      otherRequests: "GET, PUT /rest/api/3/version/*",
    });
    expect(toRequests({ ...draft, presets: ["comment-on-issues"] })).toEqual([...COMMENT, other]);
  });

  it.each([
    ["GET /x", [{ methods: ["GET"], path: "/x" }]],
    [" get,put  /x \n\n", [{ methods: ["GET", "PUT"], path: "/x" }]],
    ["GET PUT /x", [{ methods: ["GET", "PUT"], path: "/x" }]],
    ["GET /x\nPUT /x", [{ methods: ["GET", "PUT"], path: "/x" }]],
    ["/x", [{ methods: [], path: "/x" }]],
    ["what?", [{ methods: [], path: "what?" }]],
  ])("takes the lines %j for requests, and drops none", (otherRequests, expected) => {
    expect(toRequests({ ...createLimitsDraft(null), otherRequests })).toEqual(expected);
  });
});

describe("hours of one’s own", () => {
  const withHours = (maxTokenAgeHours: string) => ({ ...createLimitsDraft(null), maxTokenAgeHours });

  it.each([
    ["1.5", 5_400],
    ["0,5", 1_800],
    [" 744 ", 2_678_400],
  ])("takes %j for %i seconds", (hours, seconds) => {
    expect(findTokenAgeError(withHours(hours))).toBeNull();
    expect(toLimits(withHours(hours), null).maxTokenAgeSeconds).toBe(seconds);
  });

  it.each(["", "a day", "0", "-1", "745", "1e9", "Infinity"])(
    "refuses %j, and never means the usual",
    (hours) => {
      expect(findTokenAgeError(withHours(hours))).toContain("Enter how many hours");
      expect(toLimits(withHours(hours), null).maxTokenAgeSeconds).not.toBeNull();
    },
  );
});

const anyRequest = fc.oneof(
  fc.constantFrom(...READ, ...COMMENT),
  fc.record({
    methods: fc.uniqueArray(fc.constantFrom("GET", "HEAD", "POST", "DELETE"), { minLength: 1 }),
    path: fc.constantFrom("/**", "/rest/api/3/issue/*", "/rest/api/3/search/jql", "/a,b/*"),
  }),
);
const anyLimits: fc.Arbitrary<Limits> = fc.record({
  requests: fc.array(anyRequest, { maxLength: 5 }),
  maxTokenAgeSeconds: fc.option(fc.integer({ min: 60, max: 2_678_400 })),
  ipAddresses: fc.subarray(["203.0.113.0/24", "2001:db8::/32"]),
  consent: fc.constantFrom("required", "given"),
  liveCheckSeconds: fc.option(fc.integer({ min: 10, max: 3_600 })),
});
