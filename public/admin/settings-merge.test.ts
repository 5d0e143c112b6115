import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NO_LIMITS } from "./limits-draft.js";
import { findDifferences, mergeSettings } from "./settings-merge.js";
import { FRESH_SETTINGS } from "../../src/services/settings.js";
import type { Limits, Settings } from "../types.js";

type TrustedService = Settings["services"][number];

const ONE = service({ id: "one", label: "One", audience: "1".repeat(64), purposes: ["link"] });
const TWO = service({ id: "two", label: "Two", audience: "2".repeat(64) });
const BASE = settings({
  teamDomain: "acme.cloudflareaccess.com",
  services: [ONE, TWO],
  allowedEmailDomains: ["acme.example"],
  version: 7,
});
const NO_CHOICES = new Map();
const LIMITS: Limits = {
  requests: [{ methods: ["GET"], path: "/rest/api/3/**" }],
  maxTokenAgeSeconds: 3600,
  ipAddresses: ["203.0.113.0/24"],
  consent: "given",
  liveCheckSeconds: 60,
};

function service(traits: Partial<TrustedService>): TrustedService {
  return {
    id: "id",
    label: "",
    audience: "",
    purposes: ["identify"],
    limits: null,
    paused: false,
    ...traits,
  };
}

function settings(traits: Partial<Settings>): Settings {
  return { ...FRESH_SETTINGS, ...traits };
}

/** The base with changes, as somebody else saved it. */
function saved(changes: Partial<Settings>): Settings {
  return { ...BASE, ...changes, version: 8 };
}

function mine(changes: Partial<Settings>): Settings {
  return { ...BASE, ...changes };
}

/** What a new service looks like before it is saved. */
function withoutId({ label, audience, purposes, limits, paused }: TrustedService) {
  return { label, audience, purposes, limits, paused };
}

describe("findDifferences", () => {
  it("finds none where both say the same", () => {
    const versions = { base: BASE, mine: mine({ paused: true }), theirs: saved({ paused: true }) };
    expect(findDifferences(versions)).toEqual([]);
  });

  it.each([
    ["me", { teamDomain: "mine.cloudflareaccess.com" }, {}, "mine"],
    ["them", {}, { teamDomain: "theirs.cloudflareaccess.com" }, "theirs"],
    [
      "both",
      { teamDomain: "mine.cloudflareaccess.com" },
      { teamDomain: "theirs.cloudflareaccess.com" },
      "mine",
    ],
  ])("says what was changed by %s and suggests whose counts", (changedBy, my, their, suggestion) => {
    const versions = { base: BASE, mine: mine(my), theirs: saved(their) };
    expect(findDifferences(versions)).toMatchObject([{ field: "teamDomain", changedBy, suggestion }]);
  });

  it("takes no offence at the forms in which people paste", () => {
    const pasted = mine({
      teamDomain: " https://ACME.cloudflareaccess.com/ ",
      services: [{ ...ONE, audience: ` ${ONE.audience.toUpperCase()} ` }, TWO],
      allowedEmailDomains: ["@Acme.example"],
    });
    expect(findDifferences({ base: BASE, mine: pasted, theirs: saved({}) })).toEqual([]);
  });

  it("takes no offence at the order of purposes", () => {
    const [first, second] = [
      ["link", "identify"],
      ["identify", "link"],
    ] as const;
    const versions = {
      base: BASE,
      mine: mine({ services: [{ ...ONE, purposes: first }, TWO] }),
      theirs: saved({ services: [{ ...ONE, purposes: second }, TWO] }),
    };
    expect(findDifferences(versions)).toEqual([]);
  });

  it("tells the fields of one service apart", () => {
    const versions = {
      base: BASE,
      mine: mine({ services: [ONE, { ...TWO, label: "Mine" }] }),
      theirs: saved({ services: [ONE, { ...TWO, audience: "3".repeat(64) }] }),
    };
    expect(findDifferences(versions)).toMatchObject([
      { field: "label", changedBy: "me", mine: "Mine", theirs: "Two" },
      { field: "audience", changedBy: "them", mine: "2".repeat(64), theirs: "3".repeat(64) },
    ]);
  });

  it("tells the limits of one service apart, and a pause", () => {
    const limited = (limits: Limits | null, paused = false) => ({
      services: [ONE, { ...TWO, limits, paused }],
    });
    const versions = {
      base: { ...BASE, ...limited(LIMITS) },
      mine: mine(limited({ ...LIMITS, requests: [] })),
      theirs: saved(limited({ ...LIMITS, consent: "required" }, true)),
    };
    expect(findDifferences(versions)).toMatchObject([
      { field: "requests", subject: "Two", changedBy: "me", mine: [], theirs: LIMITS.requests },
      { field: "consent", changedBy: "them", mine: "given", theirs: "required" },
      { field: "paused", subject: "Two", changedBy: "them", suggestion: "theirs" },
    ]);
    expect(mergeSettings(versions, NO_CHOICES).services[1]).toMatchObject({
      limits: { ...LIMITS, requests: [], consent: "required" },
      paused: true,
    });
  });

  it("takes no offence at limits that nobody entered, nor at how requests are written", () => {
    const [get, put] = ["GET", "PUT"].map((method) => ({ methods: [method], path: "/x" }));
    const together = [{ methods: ["PUT", "GET"], path: "/x" }];
    const services = (one: Limits | null, two: Limits["requests"]) => ({
      services: [
        { ...ONE, limits: one },
        { ...TWO, limits: { ...LIMITS, requests: two, ipAddresses: [" 2001:DB8::/32 "] } },
      ],
    });
    const versions = {
      base: BASE,
      mine: mine(services(NO_LIMITS, together)),
      theirs: saved({
        services: [
          ONE,
          { ...TWO, limits: { ...LIMITS, requests: [get!, put!], ipAddresses: ["2001:db8::/32"] } },
        ],
      }),
    };
    expect(findDifferences(versions)).toEqual([]);
    expect(mergeSettings(versions, NO_CHOICES).services).toEqual(versions.theirs.services);
  });

  it("takes a service that both added for one service", () => {
    const added = service({ id: "three", label: "Theirs", audience: "3".repeat(64) });
    const versions = {
      base: BASE,
      mine: { ...BASE, services: [ONE, TWO, withoutId({ ...added, label: "Mine" })] },
      theirs: saved({ services: [ONE, TWO, added] }),
    };
    expect(findDifferences(versions)).toMatchObject([{ field: "label", mine: "Mine", theirs: "Theirs" }]);
  });
});

describe("two admins who both set up linking", () => {
  const fresh = { ...BASE, services: [] };
  const their = service({
    id: "link",
    label: "Linking window",
    audience: "4".repeat(64),
    purposes: ["link"],
  });
  const my = withoutId({ ...their, audience: "5".repeat(64) });

  it("differ in the AUD tag of one service", () => {
    const versions = {
      base: fresh,
      mine: { ...fresh, services: [my] },
      theirs: saved({ services: [their] }),
    };
    expect(findDifferences(versions)).toMatchObject([
      { field: "audience", changedBy: "both", mine: my.audience, theirs: their.audience },
    ]);
    expect(mergeSettings(versions, NO_CHOICES).services).toEqual([{ ...their, audience: my.audience }]);
  });

  it("still have one, where mine has the AUD tag of a tool of theirs", () => {
    const tool = service({ id: "tool", label: "Tool", audience: my.audience });
    const versions = {
      base: fresh,
      mine: { ...fresh, services: [my] },
      theirs: saved({ services: [tool, their] }),
    };
    const { services } = mergeSettings(versions, NO_CHOICES);
    expect(services.filter(({ purposes }) => purposes.includes("link"))).toHaveLength(1);
  });
});

describe("mergeSettings", () => {
  it("joins what two people changed in different places", () => {
    const added = service({ id: "three", label: "Three", audience: "3".repeat(64) });
    const versions = {
      base: BASE,
      mine: mine({ allowedEmailDomains: ["acme.example", "mine.example"], services: [ONE] }),
      theirs: saved({
        allowedEmailDomains: ["acme.example", "theirs.example"],
        services: [{ ...ONE, label: "Renamed" }, TWO, added],
        paused: true,
      }),
    };
    expect(mergeSettings(versions, NO_CHOICES)).toEqual({
      ...BASE,
      allowedEmailDomains: ["acme.example", "theirs.example", "mine.example"],
      services: [{ ...ONE, label: "Renamed" }, added],
      paused: true,
      version: 8,
    });
  });

  it("keeps what I changed of a service that they removed, as a new one", () => {
    const renamed = { ...TWO, label: "Still needed" };
    const versions = {
      base: BASE,
      mine: mine({ services: [ONE, renamed] }),
      theirs: saved({ services: [ONE] }),
    };
    expect(findDifferences(versions)).toMatchObject([
      { field: "service", changedBy: "both", suggestion: "mine", theirs: null },
    ]);
    expect(mergeSettings(versions, NO_CHOICES).services).toEqual([ONE, withoutId(renamed)]);
  });

  it("lets a service go that they removed and I left alone", () => {
    const versions = { base: BASE, mine: mine({ paused: true }), theirs: saved({ services: [ONE] }) };
    expect(mergeSettings(versions, NO_CHOICES).services).toEqual([ONE]);
  });

  it("does what was chosen", () => {
    const versions = {
      base: BASE,
      mine: mine({ paused: true, services: [ONE] }),
      theirs: saved({ teamDomain: "theirs.cloudflareaccess.com" }),
    };
    const all = (side: "mine" | "theirs") =>
      mergeSettings(versions, new Map(findDifferences(versions).map(({ key }) => [key, side])));
    expect(all("theirs")).toEqual(versions.theirs);
    expect(all("mine")).toEqual({ ...versions.mine, version: 8 });
  });

  it("never loses a change of either side without showing it", () => {
    fc.assert(
      fc.property(anySettings, anySettings, anySettings, (base, my, their) => {
        const versions = { base, mine: my, theirs: { ...their, version: base.version + 1 } };
        const differences = findDifferences(versions);
        const all = (side: "mine" | "theirs") =>
          normal(mergeSettings(versions, new Map(differences.map(({ key }) => [key, side]))));
        expect(all("mine")).toEqual(normal(my));
        expect(all("theirs")).toEqual(normal(their));
        expect(new Set(differences.map(({ key }) => key)).size).toBe(differences.length);
      }),
    );
  });
});

const anySettings = fc.record({
  teamDomain: fc.constantFrom(null, "a.cloudflareaccess.com", "b.cloudflareaccess.com"),
  services: fc.subarray(["1", "2", "3", "4"]).chain((digits) =>
    fc.tuple(
      ...digits.map((digit) =>
        fc.record({
          id: fc.constant(`id ${digit}`),
          label: fc.constantFrom("A", "B"),
          audience: fc.constant(digit.repeat(64)),
          purposes: fc.subarray(["link", "identify", "act"] as const, { minLength: 1 }),
          limits: fc.constantFrom(null, NO_LIMITS, LIMITS, { ...LIMITS, requests: [] }),
          paused: fc.boolean(),
        }),
      ),
    ),
  ),
  allowedEmailDomains: fc.subarray(["a.example", "b.example", "*.c.example"]),
  matching: fc.constant("proof" as const),
  paused: fc.boolean(),
  version: fc.constant(7),
});

/** Without what is of no account: ids, which a service that is kept against a removal loses, order and version. */
function normal({ services, allowedEmailDomains, ...rest }: ReturnType<typeof mergeSettings>) {
  return {
    ...rest,
    version: null,
    allowedEmailDomains: [...allowedEmailDomains].sort(),
    services: services
      .map(({ label, audience, purposes, limits, paused }) => ({
        ...{ label, audience, paused },
        purposes: [...purposes].sort(),
        limits: limits ?? NO_LIMITS,
      }))
      .sort((one, other) => (one.audience < other.audience ? -1 : 1)),
  };
}
