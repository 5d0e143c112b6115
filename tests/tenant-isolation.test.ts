import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { TEAM_NAMES, teamDomainOf } from "./tenant-isolation-cast.fixture.js";
import { Run, type Tally } from "./tenant-isolation-run.fixture.js";
import { stories } from "./tenant-isolation-story.fixture.js";
import { useLinkingWorld } from "./use-linking-world.fixture.js";

const linking = useLinkingWorld({ teamDomains: TEAM_NAMES.map(teamDomainOf) as [string, ...string[]] });

const STORIES_PER_TEST = 12;
/** An end to looking for the shortest story that fails. */
const LIMITS = { interruptAfterTimeLimit: 100_000 };
const TIMEOUT_MILLISECONDS = 150_000;

/** What must have happened in stories for them to prove anything. */
const TURNS = [
  "begin: 201",
  "claim: attempt_expired",
  "identify with product: 200",
  "identify with product: access_jwt_untrusted",
  "identify without product: ambiguous_site",
  "install again: 204",
  "link with a token that was used: already_linked",
  "link with token: 201",
  "link with token: already_linked",
  "list links: 200",
  "redeem: 201",
  "redeem: already_linked",
  "redeem: attempt_expired",
  "remove as admin: 204",
  "remove as admin: not_found",
  "remove in popup a link: 204",
  "remove own: 204",
  "restore: 200",
  "restore: not_found",
  "save settings with another's service: validation_failed",
  "uninstall: 204",
];

/** Fails with the seed and the shortest story that goes wrong, as a list of what happens in it. */
async function tellStories(seed: { readonly seed?: number } = {}): Promise<Tally> {
  const tally: Tally = new Map();
  await fc.assert(
    fc.asyncProperty(stories(80), async (story) => {
      const run = await Run.start(linking, tally);
      try {
        await story.play(run);
      } finally {
        await run.close();
      }
    }),
    { numRuns: STORIES_PER_TEST, ...LIMITS, ...seed },
  );
  return tally;
}

describe("whatever two sites, two products and two teams do, in whatever order, everybody gets what is theirs alone", () => {
  // The same for everybody, so that a change that breaks something fails at once and not on somebody else's day.
  it(
    "in stories that are the same every time",
    async () => {
      const tally = await tellStories({ seed: 6 });
      expect(TURNS.filter((turn) => !tally.has(turn))).toEqual([]);
    },
    TIMEOUT_MILLISECONDS,
  );

  // Others every time, so that what none of those stories tells is found some day.
  it(
    "in stories that nobody has heard yet",
    async () => {
      await tellStories();
    },
    TIMEOUT_MILLISECONDS,
  );
});
