import { beforeEach, expect, it } from "vitest";

import { TestClock } from "../connect/clock.fixture.js";
import { buildInstallation } from "../connect/installation.fixture.js";
import { ForgeUserTokens } from "./forge-user-tokens.js";

const { tenant } = buildInstallation();
let clock: TestClock;
let tokens: ForgeUserTokens;

beforeEach(() => {
  clock = new TestClock();
  tokens = new ForgeUserTokens(clock);
});

function inSeconds(seconds: number): Date {
  return new Date(clock.now().getTime() + seconds * 1000);
}

it("keeps a token for a minute", () => {
  tokens.note(tenant, "grace", "a.b-c", inSeconds(7200));
  clock.advanceSeconds(59);
  expect(tokens.find(tenant, "grace")).toBe("a.b-c");
  clock.advanceSeconds(2);
  expect(tokens.find(tenant, "grace")).toBeNull();
});

it("keeps none for longer than it is good", () => {
  tokens.note(tenant, "grace", "short", inSeconds(10));
  clock.advanceSeconds(9);
  expect(tokens.find(tenant, "grace")).toBe("short");
  clock.advanceSeconds(2);
  expect(tokens.find(tenant, "grace")).toBeNull();
});

it("keeps it for one account of one installation of one tenant", () => {
  tokens.note(tenant, "grace", "hers", inSeconds(7200));
  expect(tokens.find(tenant, "linus")).toBeNull();
  expect(tokens.find({ ...tenant, id: "another" }, "grace")).toBeNull();
  expect(tokens.find({ ...tenant, generation: tenant.generation + 1 }, "grace")).toBeNull();
});

it.each<[what: string, token: string, seconds: number]>([
  ["has expired", "late", 0],
  ["expired long ago", "late", -3600],
  ["is no token", "", 7200],
  ["would be another header", "a\r\nx-b: c", 7200],
  ["is two", "a, b", 7200],
  ["is longer than any", "a".repeat(16 * 1024 + 1), 7200],
])("forgets the last one, too, when the newest %s", (_what, token, seconds) => {
  tokens.note(tenant, "grace", "before", inSeconds(7200));
  tokens.note(tenant, "grace", token, inSeconds(seconds));
  expect(tokens.find(tenant, "grace")).toBeNull();
});

it("keeps none with an end that is no time", () => {
  tokens.note(tenant, "grace", "a", new Date(NaN));
  expect(tokens.find(tenant, "grace")).toBeNull();
});

it("keeps none for nobody", () => {
  tokens.note(tenant, "", "a", inSeconds(7200));
  expect(tokens.find(tenant, "")).toBeNull();
});
