import { describe, expect } from "vitest";

import { ADA, GRACE } from "../sandbox/people.js";
import { AUDIENCES } from "../sandbox/world-parts.js";
import { SERVICES } from "../sandbox/world.js";
import { MAX_KEYS } from "../src/rate-limit.js";
import { expectedStatuses, findTarget, flood } from "./hostile-crowd.fixture.js";
import { it } from "./process-deployment.fixture.js";
import type { AppProcess } from "./process.fixture.js";

/**
 * Every address that refusals are counted for takes a place among MAX_KEYS, until these are full: growth up to there says
 * nothing. Twice as many requests, because not each one is counted.
 */
const WARM_UP = 2 * MAX_KEYS;
const REQUESTS = 100_000;
const MIB = 1024 * 1024;

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/**
 * Lets the process throw away what nothing needs any more, and say what is left. With a small young generation, so that
 * what is resident isn't mostly rubbish that nobody has needed room for yet.
 */
const TELLS_MEMORY = [
  "--expose-gc",
  "--max-semi-space-size=2",
  "--max-old-space-size=96",
  "--import",
  `data:text/javascript,process.on("SIGUSR2", () => { gc(); console.log("memory " + JSON.stringify(process.memoryUsage())); })`,
];

async function measure(app: AppProcess): Promise<Memory> {
  app.stdout = "";
  app.kill("SIGUSR2");
  const [, memory = ""] = await app.saw(/^memory (.+)$/m);
  return JSON.parse(memory) as Memory;
}

function inMebibytes(memory: Memory): string {
  const { rss, heapUsed, external } = memory;
  const [heap, buffers, resident] = [heapUsed, external, rss].map((bytes) => (bytes / MIB).toFixed(1));
  return `heap ${heap} MiB, buffers ${buffers} MiB, resident ${resident} MiB`;
}

// Half a minute on a machine of its own, where nothing else runs.
describe("the memory", { timeout: 900_000 }, () => {
  it("is flat under 100,000 hostile requests, and good ones are still answered", async ({ deployment }) => {
    const app = await deployment.startApp({ METRICS_TOKEN: "operator".repeat(4) }, ...TELLS_MEMORY);
    const { world } = deployment;
    await world.install("jira");
    await deployment.page(ADA).saveSettings({ teamDomain: world.team.domain, services: SERVICES });
    await world.link(GRACE);
    const target = await findTarget(world);

    await flood(app.port, target, WARM_UP);
    const before = await measure(app);
    const { seconds, answers } = await flood(app.port, target, REQUESTS);
    const after = await measure(app);

    console.info(`before: ${inMebibytes(before)}`);
    console.info(JSON.stringify(answers));
    console.info(`after ${REQUESTS} hostile requests in ${seconds.toFixed(0)} s: ${inMebibytes(after)}`);
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(5 * MIB);
    // Only so that a leak outside of both would show: how much stays resident is the allocator's and the kernel's choice.
    expect(after.rss - before.rss).toBeLessThan(100 * MIB);
    for (const [kind, statuses] of Object.entries(answers)) {
      const surprising = Object.keys(statuses).filter(
        (status) => !expectedStatuses(kind).includes(Number(status)),
      );
      expect(surprising, kind).toEqual([]);
    }
    const token = await world.team.signAccessJwt(GRACE, AUDIENCES.demo);
    (await world.identify(token)).expect(200);
    (await deployment.page(ADA).send("GET", "/api/v1/settings")).expect(200);
  });
});
