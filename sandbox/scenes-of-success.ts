import { GRACE } from "./people.js";
import type { SceneGroup } from "./scene.js";
import { documentOf } from "./site-content.js";
import { COMMENTING, READING, REPORTS } from "./scene-site.js";

const MY_OPEN_ISSUES = `/rest/api/3/search/jql?${new URLSearchParams({
  jql: "assignee = currentUser() AND statusCategory != Done",
  fields: "summary,status",
}).toString()}`;

export const SUCCESS_SCENES: SceneGroup = {
  title: "What gets through",
  scenes: [
    {
      id: "identify",
      title: "Who is my visitor?",
      about: "The service asks who Grace is in Jira. That needs no agreement.",
      ending: { status: 200 },
      play: async (run) => run.identifyReports({ product: "jira" }, GRACE),
    },
    {
      id: "my-issues",
      title: "Read my issues",
      about:
        "The service finds Grace's open issues, as Grace: it sees what she may see, and no more. The answer is Jira's own, with Jira's rate-limit headers.",
      ending: { status: 200 },
      play: async (run) => {
        await run.trust();
        return run.call({ holder: GRACE, path: MY_OPEN_ISSUES });
      },
    },
    {
      id: "comment",
      title: "Comment as Grace",
      about: "The comment stays: see it in Jira, in Grace's name.",
      ending: { status: 201 },
      seen: { text: "See it in Jira, as Grace Green", path: "/issues?as=grace#SAND-1" },
      play: async (run) => {
        await run.trust({ limits: { requests: COMMENTING } });
        const at = new Date().toISOString().slice(11, 19);
        const body = { body: documentOf(`Watered at ${at} UTC, says a service in my name.`) };
        return run.call({ holder: GRACE, method: "POST", path: "/rest/api/3/issue/SAND-1/comment", body });
      },
    },
    {
      id: "agree",
      title: "Refused, agreed, let through",
      about: "Somebody new is asked, agrees with one click on the account page, and the same call works.",
      ending: { status: 200 },
      play: async (run) => {
        await run.joinLinked();
        (await run.callReports()).expect(403);
        await run.agree(run.person);
        return run.callReports();
      },
    },
    {
      id: "withdraw",
      title: "Let through, withdrawn, refused",
      about: "It counts from the next call on, whatever is cached.",
      ending: { code: "consent_required" },
      play: async (run) => {
        await run.joinLinked();
        await run.agree(run.person);
        (await run.callReports()).expect(200);
        await run.scene.page(run.person).withdraw(REPORTS.label);
        return run.callReports();
      },
    },
    {
      id: "with-key",
      title: "The service shows its key",
      about: "A person's token says who the person is; the key says that it really is the service.",
      ending: { status: 200 },
      play: async (run) => {
        const key = await run.makeKey(await run.setOut());
        return run.call({ headers: { "x-service-key": key } });
      },
    },
    {
      id: "jira-404",
      title: "Jira's own 404",
      about:
        "The issue is there, but not for this person. The header X-Gateway-Upstream says that it is Jira who says no.",
      ending: { status: 404 },
      play: async (run) => {
        await run.setOut({ limits: { requests: READING } });
        return run.call({ path: "/rest/api/3/issue/SAND-4" });
      },
    },
    {
      id: "redirect",
      title: "A redirect within Jira",
      about:
        "Jira leads on to another of its paths. The service is led there through the app, and nobody follows it with the person's token.",
      ending: { status: 302 },
      play: async (run) => {
        await run.setOut();
        const headers = { location: "/rest/api/3/issue/SAND-1" };
        run.answer(run.site.server, /^\/rest\/api\/3\/issue\/OLD-1$/, { status: 302, headers });
        return run.call({ path: "/rest/api/3/issue/OLD-1" });
      },
    },
    {
      id: "jira-429",
      title: "Jira's own limit",
      about: "Jira says how long to wait, and the service hears it as it was said.",
      ending: { status: 429 },
      play: async (run) => {
        await run.setOut();
        const headers = { "retry-after": "7", "x-ratelimit-limit": "350", "x-ratelimit-remaining": "0" };
        run.answer(run.site.server, /^\/rest\/api\/3\/issue\/BUSY-1$/, { status: 429, headers });
        return run.call({ path: "/rest/api/3/issue/BUSY-1" });
      },
    },
  ],
};
