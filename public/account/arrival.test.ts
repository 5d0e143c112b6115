import { expect, it } from "vitest";

import { LINK, SERVICE } from "./account-state.fixture.js";
import { findArrival, type Arrival } from "./arrival.js";

it.each<[query: string, arrival: Arrival | null]>([
  ["", null],
  ["service=", null],
  ["service=builds", { kind: "service", id: "builds", isThere: true }],
  ["service=other", { kind: "service", id: "other", isThere: false }],
  ["link=link", { kind: "link", id: "link", isThere: true }],
  ["link=builds", { kind: "link", id: "builds", isThere: false }],
  ["service=builds&link=link", { kind: "service", id: "builds", isThere: true }],
])("takes ?%s for %o", (query, arrival) => {
  expect(findArrival(new URLSearchParams(query), { services: [SERVICE], links: [LINK] })).toEqual(arrival);
});
