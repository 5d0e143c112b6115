import { describe, expect, it } from "vitest";

import {
  endOfPrevious,
  findSigningKey,
  isNextDue,
  isPublished,
  secondsAfter,
  type PublishedKey,
} from "./assertion-key.js";

const NOW = new Date("2026-11-22T10:00:00.123Z");
const DAYS = 86_400;
const after = (seconds: number) => secondsAfter(NOW, seconds);

function buildKey(
  kid: string,
  signsAfterSeconds: number,
  overrides: Partial<PublishedKey> = {},
): PublishedKey {
  return {
    kid,
    publicKey: { kty: "EC", crv: "P-256", x: "x", y: "y" },
    createdAt: NOW,
    signsFrom: after(signsAfterSeconds),
    expiresAt: null,
    ...overrides,
  };
}

describe("the key that signs", () => {
  it.each<[what: string, signsAfterSeconds: readonly number[], kid: string | null]>([
    ["is none where there is none", [], null],
    ["is the only one", [-5], "key-0"],
    ["is the last one whose time has come", [-30, -20, 10], "key-1"],
    ["is the next one from that very moment", [-30, 0], "key-1"],
    ["is the first one, by a clock that is behind", [1, 3600], "key-0"],
  ])("%s", (_what, signsAfterSeconds, kid) => {
    const keys = signsAfterSeconds.map((seconds, nth) => buildKey(`key-${nth}`, seconds));
    expect(findSigningKey(keys, NOW)?.kid ?? null).toBe(kid);
  });
});

describe("the next key is due", () => {
  it.each<[isIt: boolean, when: string, signsAfterSeconds: readonly number[]]>([
    [true, "where there is none", []],
    [false, "not in the first thirty days but for an hour", [-30 * DAYS + 3601]],
    [true, "an hour before the thirty days are over", [-30 * DAYS + 3600]],
    [true, "long after", [-400 * DAYS]],
    [false, "not where it is there", [-30 * DAYS, 3600]],
  ])("%s: %s", (isIt, _when, signsAfterSeconds) => {
    expect(
      isNextDue(
        signsAfterSeconds.map((seconds) => buildKey("key", seconds)),
        NOW,
      ),
    ).toBe(isIt);
  });
});

describe("a key is published", () => {
  it("before it signs, and until ten minutes after the next one does", () => {
    expect(isPublished(buildKey("next", 3600), NOW)).toBe(true);
    const last = buildKey("last", -30 * DAYS, { expiresAt: endOfPrevious(NOW) });
    expect(isPublished(last, after(599.999))).toBe(true);
    expect(isPublished(last, after(600))).toBe(false);
  });
});
