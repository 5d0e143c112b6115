import fc from "fast-check";

import { atOnce } from "./at-once.fixture.js";
import { asks, changesLink } from "./steps-of-links.fixture.js";
import {
  acts,
  asserts,
  assertsForOwner,
  changesKeys,
  confirms,
  decides,
  looksBack,
  readsKeys,
  startsAnew,
  unproves,
} from "./steps-of-services.fixture.js";
import {
  begins,
  changesTeam,
  linksByToken,
  linksElsewhere,
  linksInPopup,
  opens,
  redeems,
  takesBack,
  visits,
} from "./steps-of-linking.fixture.js";
import {
  administers,
  asksForHead,
  changesState,
  checks,
  installs,
  lists,
  looksAtOneself,
  saves,
  strangerReads,
} from "./steps-of-tenants.fixture.js";

export const KINDS = {
  acts,
  asserts,
  assertsForOwner,
  changesKeys,
  confirms,
  decides,
  looksBack,
  readsKeys,
  startsAnew,
  unproves,
  administers,
  asks,
  asksForHead,
  atOnce,
  begins,
  changesLink,
  changesState,
  changesTeam,
  checks,
  installs,
  linksByToken,
  linksElsewhere,
  linksInPopup,
  lists,
  looksAtOneself,
  opens,
  redeems,
  saves,
  strangerReads,
  takesBack,
  visits,
};
export type KindName = keyof typeof KINDS;

/** How often each kind comes, against the others: what needs others before it more often. */
const WEIGHTS: Readonly<Record<KindName, number>> = {
  ...{ asks: 7, changesLink: 9, linksByToken: 4, linksInPopup: 5, visits: 5, redeems: 4, atOnce: 4 },
  ...{ saves: 3, looksAtOneself: 3, linksElsewhere: 3, installs: 3, changesState: 3 },
  ...{ takesBack: 2, changesTeam: 2, begins: 2, opens: 2, lists: 2, administers: 2 },
  ...{ acts: 12, decides: 4, asserts: 3, assertsForOwner: 4, changesKeys: 4, confirms: 3 },
  ...{ looksBack: 3, unproves: 2, startsAnew: 2, readsKeys: 1 },
  ...{ checks: 1, strangerReads: 1, asksForHead: 1 },
};

export const step = fc.oneof(
  ...Object.entries(WEIGHTS).map(([name, weight]) => ({
    weight,
    arbitrary: KINDS[name as KindName].arbitrary,
  })),
);
