import fc from "fast-check";
import { describe, it } from "vitest";

import { useLinkingWorld } from "../use-linking-world.fixture.js";
import { TEAM_NAMES, teamDomainOf } from "./cast.fixture.js";
import { Run } from "./run.fixture.js";
import { stories } from "./story.fixture.js";

const linking = useLinkingWorld({ teamDomains: TEAM_NAMES.map(teamDomainOf) as [string, ...string[]] });

const STORIES_PER_TEST = 6;
/** An end to looking for the shortest story that fails; whoever hasn't told all of them by then has failed too. */
const MOST_MILLISECONDS = 100_000;
const TIMEOUT_MILLISECONDS = 150_000;

/** Fails with the seed and the shortest story that goes wrong, as a list of what happens in it. */
async function tellStories(seed: { readonly seed?: number } = {}): Promise<void> {
  await fc.assert(
    fc.asyncProperty(stories(80), async (story) => {
      const run = await Run.start(linking, new Map());
      try {
        await story.play(run);
      } finally {
        await run.close();
      }
    }),
    {
      numRuns: STORIES_PER_TEST,
      plugins: [fc.interruptAfterTimeLimit(MOST_MILLISECONDS, { failOnInterrupt: true })],
      ...seed,
    },
  );
}

describe("whatever two sites, two products and two teams do, in whatever order, everybody gets what is theirs alone", () => {
  // The same until steps change, so that what breaks one of them fails at once and not on somebody else's day.
  it(
    "in stories that are the same every time",
    async () => {
      await tellStories({ seed: 6 });
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
