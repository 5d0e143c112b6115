import { describe, expect, it } from "vitest";

import type { Call, Reply } from "../../sandbox/http-client.js";
import { ROUTES } from "../hostile-input.fixture.js";
import { useLinkingWorld } from "../use-linking-world.fixture.js";
import { NEW_ISSUE, OWN_ACCOUNT, TEAM_NAMES, teamDomainOf } from "./cast.fixture.js";
import { Run, type Tally } from "./run.fixture.js";
import type { Step } from "./step.fixture.js";
import { EVERYBODY_IS_SET_UP, Story } from "./story.fixture.js";
import { ALL_LINK_AT_ONCE, ONE_OF_EACH_KIND, TURNS } from "./turns.fixture.js";

/** The gateway's are some of many. */
const CALLS: readonly { readonly path: string; readonly allow: string }[] = [
  ...ROUTES,
  { path: `/api/v1/sites/:site/jira${OWN_ACCOUNT.jira}`, allow: "GET" },
  { path: `/api/v1/sites/:site/jira${NEW_ISSUE}`, allow: "POST" },
  { path: `/api/v1/sites/:site/confluence${OWN_ACCOUNT.confluence}`, allow: "GET" },
];

const linking = useLinkingWorld({ teamDomains: TEAM_NAMES.map(teamDomainOf) as [string, ...string[]] });

/** What came of the steps, without what makes them possible. */
async function tell(steps: readonly Step[]): Promise<Tally> {
  const tally: Tally = new Map();
  const run = await Run.start(linking, tally);
  try {
    await new Story(EVERYBODY_IS_SET_UP).play(run);
    tally.clear();
    await new Story(steps).play(run);
    return tally;
  } finally {
    await run.close();
  }
}

async function watch(
  observer: { called?(call: Call): void; answered?(call: Call, reply: Reply | null): void },
  act: () => Promise<unknown>,
): Promise<void> {
  const { client } = linking.world.parts;
  client.observer = { called: () => undefined, answered: () => undefined, ...observer };
  try {
    await act();
  } finally {
    client.observer = null;
  }
}

function findRoute({ method, url }: Call): string | undefined {
  const path = new URL(url).pathname;
  const route = CALLS.find((each) => toPattern(each.path).test(path));
  return route && `${method} ${route.path}`;
}

function toPattern(path: string): RegExp {
  const segments = path.split("/").map((part) => (/^(?::.*|x)$/.test(part) ? "[^/]+" : part));
  return new RegExp(`^${segments.join("/").replaceAll(".", "\\.")}$`);
}

describe("steps that stories are made of can lead to", () => {
  it.each(TURNS.map(([turn, ...steps]) => ({ turn, steps })))("$turn", async ({ turn, steps }) => {
    expect([...(await tell(steps)).keys()]).toContain(turn);
  });
});

it("steps of every kind, one after the other, are let in by every method of every route", async () => {
  const reached = new Set<string | undefined>();
  const answered = (call: Call, reply: Reply | null) => {
    const isApp = call.url.startsWith(linking.world.appUrl);
    if (isApp && reply && reply.status < 400) reached.add(findRoute(call));
  };
  // Only what came through the second door lets anybody in there: tests/forge-succession.test.ts.
  const calls = CALLS.filter(({ path }) => !path.endsWith("/take-over"));
  const all = calls.flatMap(({ path, allow }) => allow.split(", ").map((method) => `${method} ${path}`));
  await watch({ answered }, () => tell(Object.values(ONE_OF_EACH_KIND).flat()));
  expect(all.filter((route) => !reached.has(route))).toEqual([]);
});

it("what is said to happen at once is under way together", async () => {
  let [underWay, most] = [0, 0];
  const called = ({ method }: Call) => {
    underWay += method === "POST" ? 1 : 0;
    most = Math.max(most, underWay);
  };
  const answered = ({ method }: Call) => {
    underWay -= method === "POST" ? 1 : 0;
  };
  await watch({ called, answered }, () => tell([ALL_LINK_AT_ONCE]));
  expect(most).toBe(3);
});
