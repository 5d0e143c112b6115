import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import { PROBLEMS } from "../src/errors.js";
import type { Reply } from "./http-client.js";
import { acceptRecords, refuseRecords } from "./scene-database.js";
import type { SceneGroup } from "./scene.js";
import type { SceneRun } from "./scene-run.js";
import { COMMENTING } from "./scene-site.js";

/** The record is written a moment after the answer. */
async function callUntil(run: SceneRun, status: number): Promise<Reply> {
  for (let calls = 0; calls < 50; calls += 1) {
    const reply = await run.call();
    if (reply.status === status) return reply;
    await sleep(100);
  }
  throw new Error(`No call is answered with ${status}.`);
}

export const REQUEST_SCENES: SceneGroup = {
  title: "The request itself",
  scenes: [
    {
      id: "no-record",
      title: "What services do can't be recorded",
      about:
        "The app's database takes no more entries of what services did, as if the disk were full. The call that meets this first has been answered by then, and its entry waits. After it, nothing is done until entries are taken again.",
      ending: { code: "store_unavailable" },
      play: async (run) => {
        await run.setOut();
        await refuseRecords(run.scene.world, run.site.host);
        run.afterwards(async () => {
          await acceptRecords(run.scene.world);
          await callUntil(run, 200);
        });
        return callUntil(run, PROBLEMS.store_unavailable.status);
      },
    },
    {
      id: "nothing-there",
      title: "The app's own 404",
      about: "The path is none of the app's. Compare with Jira's own 404 at the end of this page.",
      ending: { code: "not_found" },
      play: async (run) => run.send(`/api/v1/sites/${run.site.host}/visitor`, {}),
    },
    {
      id: "damaged-path",
      title: "A path that can't be read",
      about: "The site's name ends in the middle of a percent escape.",
      ending: { code: "malformed_request" },
      play: async (run) => run.send("/api/v1/sites/%E0/jira/rest/api/3/myself", {}),
    },
    {
      id: "wrong-query",
      title: "A question with a mistake",
      about: "The service asks who its visitor is in a product that isn't there.",
      ending: { code: "validation_failed" },
      play: async (run) => run.identifyReports({ product: "bitbucket" }),
    },
    {
      id: "stalled-body",
      title: "A body that stops half-way",
      about: "The service begins to send a comment and doesn't go on. The app waits for half a minute.",
      ending: { code: "request_timeout" },
      seconds: 30,
      play: async (run) => {
        await run.setOut({ limits: { requests: COMMENTING } });
        const body = new PassThrough();
        run.afterwards(() => body.destroy());
        body.write('{"body": ');
        const headers = { "content-type": "application/json", "content-length": "100" };
        return run.call({ method: "POST", path: "/rest/api/3/issue/SAND-1/comment", headers, body });
      },
    },
  ],
};
