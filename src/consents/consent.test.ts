import { describe, expect, it } from "vitest";

import type { ServiceLimits, TrustedService } from "../services/settings.js";
import { digestOfService, isAgreed, type Consent } from "./consent.js";

const LIMITS: ServiceLimits = {
  requests: [
    { methods: ["GET", "HEAD"], path: "/rest/api/3/issue/*" },
    { methods: ["POST"], path: "/rest/api/3/issue/*/comment" },
  ],
  maxTokenAgeSeconds: null,
  ipAddresses: [],
  consent: "required",
  liveCheckSeconds: null,
};

const SERVICE: TrustedService = {
  id: "service-1",
  label: "Builds",
  audience: "ab".repeat(32),
  purposes: ["identify", "act"],
  limits: LIMITS,
  paused: false,
  keys: [],
};

const limited = (changes: Partial<ServiceLimits>): TrustedService => ({
  ...SERVICE,
  limits: { ...LIMITS, ...changes },
});

describe("the digest of what is shown", () => {
  it.each<[what: string, service: TrustedService]>([
    ["the label", { ...SERVICE, label: "Builds and releases" }],
    ["the order of purposes", { ...SERVICE, purposes: ["act", "identify"] }],
    ["the order of requests", limited({ requests: [...LIMITS.requests].reverse() })],
    ["a request that is listed twice", limited({ requests: [...LIMITS.requests, LIMITS.requests[0]!] })],
    [
      "the order of methods",
      limited({
        requests: [{ methods: ["HEAD", "GET", "GET"], path: "/rest/api/3/issue/*" }, LIMITS.requests[1]!],
      }),
    ],
    [
      "who else is kept out",
      { ...limited({ ipAddresses: ["203.0.113.0/24"], liveCheckSeconds: 60 }), paused: true },
    ],
    ["the way in which the usual age of tokens is said", limited({ maxTokenAgeSeconds: 24 * 3600 })],
  ])("stays the same whatever %s", (_what, service) => {
    expect(digestOfService(service)).toBe(digestOfService(SERVICE));
  });

  it.each<[what: string, service: TrustedService]>([
    ["another application gets it", { ...SERVICE, audience: "cd".repeat(32) }],
    ["a purpose is added", { ...SERVICE, purposes: ["identify", "act", "assert"] }],
    ["a purpose is taken away", { ...SERVICE, purposes: ["act"] }],
    ["a request is added", limited({ requests: [...LIMITS.requests, { methods: ["GET"], path: "/" }] })],
    ["a request is taken away", limited({ requests: LIMITS.requests.slice(1) })],
    [
      "a method is added",
      limited({ requests: [LIMITS.requests[0]!, { ...LIMITS.requests[1]!, methods: ["POST", "PUT"] }] }),
    ],
    [
      "a path gets wider",
      limited({ requests: [LIMITS.requests[0]!, { ...LIMITS.requests[1]!, path: "/rest/api/3/**" }] }),
    ],
    [
      "methods change places",
      limited({
        requests: LIMITS.requests.map(({ path }, nth) => ({
          path,
          methods: LIMITS.requests[1 - nth]!.methods,
        })),
      }),
    ],
    ["older tokens will do", limited({ maxTokenAgeSeconds: 24 * 3600 + 1 })],
    ["limits are gone", { ...SERVICE, limits: null }],
  ])("changes when %s", (_what, service) => {
    expect(digestOfService(service)).not.toBe(digestOfService(SERVICE));
  });

  it("takes no path for two", () => {
    const [one, two] = [
      limited({ requests: [{ methods: ["GET"], path: '/a",["GET"]],["/b' }] }),
      limited({
        requests: [
          { methods: ["GET"], path: "/a" },
          { methods: ["GET"], path: "/b" },
        ],
      }),
    ];
    expect(digestOfService(one)).not.toBe(digestOfService(two));
  });
});

describe("somebody has agreed", () => {
  const given = limited({ consent: "given" });
  const decided = (state: Consent["state"], digest = digestOfService(SERVICE)): Consent => ({
    ...{ tenantId: "tenant-1", accountId: "account-1", serviceId: SERVICE.id },
    ...{ digest, state, decidedAt: new Date(0) },
  });

  it.each<[isIt: boolean, when: string, service: TrustedService, consent: Consent | null]>([
    [false, "nothing was decided", SERVICE, null],
    [true, "they agreed to what was shown", SERVICE, decided("agreed")],
    [false, "they agreed to something else", SERVICE, decided("agreed", "0".repeat(64))],
    [false, "they took it back", SERVICE, decided("withdrawn")],
    [true, "an admin gave consent", given, null],
    [
      true,
      "an admin gave consent, and what they agreed to has changed",
      given,
      decided("agreed", "0".repeat(64)),
    ],
    [false, "an admin gave consent and they took it back", given, decided("withdrawn")],
    [
      false,
      "they took back something else, which an admin gave",
      given,
      decided("withdrawn", "0".repeat(64)),
    ],
    [false, "there are no limits to give consent in", { ...SERVICE, limits: null }, null],
  ])("%s: %s", (isIt, _when, service, consent) => {
    expect(isAgreed(service, consent)).toBe(isIt);
  });
});
