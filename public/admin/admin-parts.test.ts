import { expect, it } from "vitest";

import { sayWait } from "./admin-parts.js";

it.each([
  [1, "in a second"],
  [2, "in 2 seconds"],
  [119, "in 119 seconds"],
  [120, "in 2 minutes"],
  [121, "in 3 minutes"],
])("says of a wait of %d seconds: %s", (seconds, words) => {
  expect(sayWait(seconds)).toBe(words);
});
