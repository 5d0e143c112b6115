import { expect, it } from "vitest";

import { buildLink, buildSettings, buildTenant } from "../storage/builders.fixture.js";
import { doesLinkCount } from "./identity-link.js";

it.each([
  ["proof", "proof", true],
  ["proof", "email", true],
  ["admin", "proof", true],
  ["admin", "email", true],
  ["email", "email", true],
  ["email", "proof", false],
] as const)("a link of method %s counts where matching is %s: %s", (method, matching, counts) => {
  expect(doesLinkCount(buildLink(buildTenant(), { method }), buildSettings({ matching }))).toBe(counts);
});
