import { PassThrough } from "node:stream";

import type { SceneGroup } from "./scene.js";
import { COMMENTING } from "./scene-site.js";

export const REQUEST_SCENES: SceneGroup = {
  title: "The request itself",
  scenes: [
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
