import { setTimeout as sleep } from "node:timers/promises";

import { tooMany } from "./atlassian-oauth.js";
import { json } from "./http-server.js";
import type { SceneGroup } from "./scene.js";
import type { SceneRun } from "./scene-run.js";

const ANSWER_SECONDS = 11;

function trouble(
  run: SceneRun,
  answer: Parameters<typeof run.scene.world.parts.oauth.troubles.set>[1],
): void {
  const { troubles } = run.scene.world.parts.oauth;
  troubles.set(run.site, answer);
  run.afterwards(() => troubles.delete(run.site));
}

export const ATLASSIAN_SCENES: SceneGroup = {
  title: "What Atlassian refuses",
  scenes: [
    {
      id: "inactive-account",
      title: "The account is deactivated",
      about: "The person has left: Atlassian lets nobody act as them, whatever they agreed to.",
      ending: { code: "account_inactive" },
      play: async (run) => {
        await run.setOut();
        run.site.accounts.set(run.person.accountId, { ...run.person, active: false });
        return run.call();
      },
    },
    {
      id: "scope",
      title: "The app may not write here",
      about: "No admin of the site has agreed yet that the app may write for people. It can still read.",
      ending: { code: "scope_not_granted" },
      play: async (run) => {
        await run.setOut({ limits: { requests: [{ methods: ["POST"], path: "/rest/**" }] } });
        run.changeInstallation((app) => app && { ...app, scopes: ["READ", "ACT_AS_USER"] });
        const body = { body: { type: "doc", version: 1, content: [] } };
        return run.call({ method: "POST", path: "/rest/api/3/issue/SAND-1/comment", body });
      },
    },
    {
      id: "installation",
      title: "Atlassian no longer knows the installation",
      about: "The app was uninstalled, and the event never arrived.",
      ending: { code: "installation_expired" },
      play: async (run) => {
        await run.setOut();
        run.changeInstallation(() => null);
        return run.call();
      },
    },
    {
      id: "rate-limited",
      title: "Atlassian wants to be left alone",
      about:
        "Its authorization server answers 429. The app passes on how long to wait, and doesn't ask again before.",
      ending: { code: "rate_limited" },
      play: async (run) => {
        await run.setOut();
        run.afterwards(() => sleep(1_000));
        trouble(run, () => tooMany(1));
        return run.call();
      },
    },
    {
      id: "jira-away",
      title: "Jira can't be reached",
      about: "Every connection to Jira is cut.",
      ending: { code: "upstream_failed" },
      play: async (run) => {
        await run.setOut();
        (await run.call()).expect(200);
        const { behaviour } = run.site;
        run.afterwards(() => (behaviour.off = false));
        behaviour.off = true;
        return run.call();
      },
    },
    {
      id: "authorization-fails",
      title: "Atlassian's authorization server is out of order",
      about: "It answers 500 to the question for the person's token.",
      ending: { code: "upstream_failed" },
      play: async (run) => {
        await run.setOut();
        trouble(run, () => json(500, {}));
        return run.call();
      },
    },
    {
      id: "authorization-slow",
      title: "Atlassian takes too long",
      about: "Its authorization server doesn't answer. The app gives up after ten seconds.",
      ending: { code: "upstream_timeout" },
      seconds: 10,
      play: async (run) => {
        await run.setOut();
        trouble(run, async () => {
          await sleep(ANSWER_SECONDS * 1000, undefined, { ref: false });
          return json(500, {});
        });
        return run.call();
      },
    },
  ],
};
