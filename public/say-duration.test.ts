import { expect, it } from "vitest";

import { sayDuration } from "./say-duration.js";

it.each([
  [1, "1 second"],
  [90, "90 seconds"],
  [60, "1 minute"],
  [1_800, "30 minutes"],
  [3_600, "1 hour"],
  [5_400, "90 minutes"],
  [28_800, "8 hours"],
  [86_400, "24 hours"],
  [172_800, "2 days"],
  [90_000, "25 hours"],
])("says %d seconds as %s", (seconds, words) => {
  expect(sayDuration(seconds)).toBe(words);
});
