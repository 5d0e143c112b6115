import type { News } from "../../public/types.js";
import { ADA, GRACE } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import {
  ACTIVITY,
  BUILDS,
  CONFIRM,
  CONSENT,
  deed,
  limit,
  LONG_AGO,
  ME,
  openPretended,
  prepareTools,
  pretend,
  readMe,
  RELEASE_NOTES,
  VERSIONS,
  YESTERDAY,
} from "./account-services.fixture.js";
import { prepareUse } from "./acting.fixture.js";
import { openAccount } from "./linking.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import type { State } from "./states.fixture.js";

const AGREE = { role: "button", name: "Agree for Builds" } as const;
const WITHDRAW = { role: "button", name: "Withdraw consent for Builds" } as const;

async function clickAgree(scene: BrowserScene) {
  const frame = await openAccount(scene);
  await frame.getByRole("button", { name: "Agree for Builds" }).click();
  return frame;
}

async function openUnconfirmed(scene: BrowserScene) {
  await prepareTools(scene);
  const link = { method: "admin", standing: "unconfirmed" } as const;
  return { frame: await openPretended(scene, { link }), link };
}

export const ACCOUNT_SERVICES_STATES: readonly State[] = [
  {
    name: "account-tools",
    arrange: async (scene) => {
      await prepareTools(scene, [BUILDS, RELEASE_NOTES]);
      return openAccount(scene);
    },
    expects: [
      { role: "heading", name: "Tools that act for you" },
      "Asks for your consent",
      "It can do nothing for you until you agree.",
      "Comment on issues",
      "Up to 24 hours after you sign in to Access",
      AGREE,
      "An admin gave consent for everybody.",
      "Up to 1 hour after you sign in to Access",
      { role: "button", name: "Withdraw consent for Release notes" },
    ],
  },
  {
    name: "account-tools-in-full",
    arrange: async (scene) => {
      await prepareTools(scene, [RELEASE_NOTES]);
      const frame = await openAccount(scene);
      await frame.getByText("The requests in full").click();
      return frame;
    },
    expects: ["Read and write everything below /rest/api/3/version", "GET, PUT /rest/api/3/version/**"],
  },
  {
    name: "account-tools-none",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      return openAccount(scene);
    },
    expects: ["No tools", "it stands here and asks for your consent", "Nothing yet. Whatever a tool does"],
  },
  {
    name: "account-tools-not-linked",
    arrange: async (scene) => {
      await prepareTools(scene, [BUILDS], { isLinked: false });
      return openAccount(scene);
    },
    expects: ["Link your Access identity first", AGREE],
  },
  {
    name: "account-tools-agreeing",
    arrange: async (scene) => {
      await prepareTools(scene);
      scene.api.hold("PUT", CONSENT);
      return clickAgree(scene);
    },
    expects: [{ role: "button", name: "Agreeing …" }],
  },
  {
    name: "account-tools-agreed",
    arrange: async (scene) => {
      await prepareTools(scene);
      return clickAgree(scene);
    },
    expects: ["Allowed", "You agreed on", "Not since the app was installed", WITHDRAW],
  },
  {
    name: "account-tools-used",
    arrange: async (scene) => {
      await prepareTools(scene);
      const used = { standing: "agreed", decidedAt: LONG_AGO, lastActedAt: YESTERDAY, calls: 1204 } as const;
      return openPretended(scene, { service: used });
    },
    expects: ["You agreed on 2 Mar 2026", "21 Nov 2026, 15:40, 1,204 times since the app was installed"],
  },
  {
    name: "account-tools-withdrawn",
    arrange: async (scene) => {
      await prepareTools(scene);
      const frame = await clickAgree(scene);
      await frame.getByRole("button", { name: "Withdraw consent for Builds" }).click();
      return frame;
    },
    expects: ["Not allowed", "You withdrew your consent on", AGREE],
  },
  {
    name: "account-tools-changed",
    arrange: async (scene) => {
      await prepareTools(scene);
      return openPretended(scene, { service: { standing: "changed", decidedAt: LONG_AGO } });
    },
    expects: [
      "Asks you again",
      "It may do something else now than what you agreed to on 2 Mar 2026",
      { role: "button", name: "Agree again for Builds" },
      WITHDRAW,
    ],
  },
  {
    name: "account-tools-changed-meanwhile",
    arrange: async (scene) => {
      await prepareTools(scene);
      const frame = await openAccount(scene);
      const { services } = await scene.client(ADA).getSettings();
      await scene.client(ADA).saveSettings({
        services: services.map((service) =>
          service.label === "Builds" ? { ...service, limits: limit({ requests: VERSIONS }) } : service,
        ),
      });
      scene.errors.allowStatus(409);
      await frame.getByRole("button", { name: "Agree for Builds" }).click();
      return frame;
    },
    expects: [
      "An admin has just changed what it may do",
      "You have agreed to nothing yet.",
      "Read and write everything below /rest/api/3/version New",
      "Comment on issues No longer",
      AGREE,
    ],
  },
  {
    name: "account-tools-gone-meanwhile",
    arrange: async (scene) => {
      await prepareTools(scene);
      const frame = await openAccount(scene);
      await scene.client(ADA).saveSettings({ services: [SERVICES[0]] });
      scene.errors.allowStatus(404);
      await frame.getByRole("button", { name: "Agree for Builds" }).click();
      return frame;
    },
    expects: ["This tool was taken off the list", "No tools"],
  },
  {
    name: "account-tools-failed",
    arrange: async (scene) => {
      await prepareTools(scene);
      scene.api.refuse("PUT", CONSENT, "store_unavailable");
      return clickAgree(scene);
    },
    expects: ["The database can't be used right now", AGREE],
  },
  {
    name: "account-tools-paused",
    arrange: async (scene) => {
      await prepareTools(scene, [{ ...BUILDS, paused: true }]);
      return openAccount(scene);
    },
    expects: ["Paused", "An admin has paused this tool", AGREE],
  },
  {
    name: "account-tools-all-paused",
    arrange: async (scene) => {
      await prepareTools(scene);
      await scene.client(ADA).saveSettings({ paused: true });
      return openAccount(scene);
    },
    expects: ["No tool can act right now", "An admin has paused the app in Jira.", AGREE],
  },
  {
    name: "account-tools-unproven",
    arrange: async (scene) => {
      await prepareTools(scene);
      const linking = {
        available: false,
        methods: [],
        reason: "The app has moved to another host name; an admin must open its page there once.",
      };
      return openPretended(scene, { me: { links: [], services: [], linking } });
    },
    expects: ["You can’t link right now", "The app has moved to another host name", "No tools right now"],
  },
  {
    name: "account-tools-assert",
    arrange: async (scene) => {
      await prepareTools(scene);
      return openPretended(scene, { service: { purposes: ["assert"], requests: [] } });
    },
    expects: ["Be told who you are by pages in Jira that you look at", "Last used"],
  },
  {
    name: "account-arrival-tool",
    arrange: async (scene) => {
      await prepareTools(scene, [RELEASE_NOTES, BUILDS]);
      const asking = (await readMe(scene)).services[1];
      return openAccount(scene, GRACE, { query: { "ac.service": asking?.serviceId ?? "" } });
    },
    expects: ["You were sent here to decide about this tool.", AGREE],
  },
  {
    name: "account-arrival-tool-gone",
    arrange: async (scene) => {
      await prepareTools(scene);
      return openAccount(scene, GRACE, { query: { "ac.service": "gone" } });
    },
    expects: ["The tool that you were sent here for is no longer on the list", AGREE],
  },
  {
    name: "account-arrival-link",
    arrange: async (scene) => {
      await prepareTools(scene);
      const { links } = await pretend(scene, { link: { method: "admin", standing: "unconfirmed" } });
      return openAccount(scene, GRACE, { query: { "ac.link": links[0]?.id ?? "" } });
    },
    expects: ["You were sent here because of this link.", `Is ${GRACE.email} you?`],
  },
  {
    name: "account-arrival-link-gone",
    arrange: async (scene) => {
      await prepareTools(scene, [BUILDS], { isLinked: false });
      return openAccount(scene, GRACE, { query: { "ac.link": "gone" } });
    },
    expects: ["The link that you were sent here for is no longer there"],
  },
  {
    name: "account-link-unconfirmed",
    arrange: async (scene) => (await openUnconfirmed(scene)).frame,
    expects: [
      `Is ${GRACE.email} you?`,
      "An admin, for you",
      { role: "button", name: `Yes, this is me (${GRACE.email})` },
      { role: "button", name: "Unlink" },
      "No tool can act for you yet",
    ],
  },
  {
    name: "account-link-confirmed",
    arrange: async (scene) => {
      const { frame, link } = await openUnconfirmed(scene);
      const [shown] = (await readMe(scene)).links;
      const confirmed = { ...shown, ...link, standing: "confirmed", confirmedAt: YESTERDAY };
      scene.api.reply("POST", CONFIRM, confirmed);
      await frame.getByRole("button", { name: /^Yes, this is me/ }).click();
      return frame;
    },
    expects: ["Confirmed by you 21 Nov 2026, 15:40"],
  },
  {
    name: "account-link-confirm-failed",
    arrange: async (scene) => {
      const { frame } = await openUnconfirmed(scene);
      scene.api.refuse("POST", CONFIRM, "store_unavailable");
      await frame.getByRole("button", { name: /^Yes, this is me/ }).click();
      return frame;
    },
    expects: ["The database can't be used right now", { role: "button", name: /^Yes, this is me/ }],
  },
  {
    name: "account-link-lapsed",
    arrange: async (scene) => {
      await prepareTools(scene);
      return openPretended(scene, { link: { standing: "lapsed", linkedAt: LONG_AGO } });
    },
    expects: [
      "Prove this link again.",
      { role: "button", name: "Prove it again" },
      "No tool can act for you yet",
    ],
  },
  {
    name: "account-link-confirm-again",
    arrange: async (scene) => {
      await prepareTools(scene);
      const link = { method: "admin", standing: "lapsed", linkedAt: LONG_AGO } as const;
      return openPretended(scene, { link });
    },
    expects: [`Is ${GRACE.email} still you?`, { role: "button", name: /^Yes, this is me/ }],
  },
  {
    name: "account-news",
    arrange: async (scene) => {
      await prepareTools(scene);
      const news: News[] = [
        { type: "acted", at: YESTERDAY, serviceId: "builds", label: "Builds" },
        { type: "linked", at: LONG_AGO, linkId: "link", email: GRACE.email },
      ];
      scene.api.reply("POST", `${ME}/news/seen`, null);
      return openPretended(scene, { me: { news } });
    },
    expects: [
      { role: "heading", name: "New since your last visit" },
      "Builds did something in Jira as you for the first time.",
      `${GRACE.email} in Cloudflare Access was linked to your account.`,
    ],
  },
  {
    name: "account-activity",
    arrange: async (scene) => {
      await prepareTools(scene);
      scene.api.reply("GET", ACTIVITY, {
        items: [
          deed(),
          deed({ method: "GET", path: "/rest/api/3/issue/*", status: 404, milliseconds: 41 }),
          deed({ method: "GET", path: "/rest/api/3/search/jql", status: 504, code: "upstream_timeout" }),
          deed({ status: null, code: "caller_left", milliseconds: 2600 }),
          deed({ label: "Release notes", method: "PUT", path: "/rest/api/3/version/**", status: 200 }),
        ],
        nextCursor: "more",
      });
      return openAccount(scene);
    },
    expects: [
      { role: "heading", name: "What was done in your name" },
      "Builds: Comment on issues",
      "Read issues Jira refused it",
      /\S\. Atlassian or Access took too long\. GET \/rest\/api\/3\/search\/jql · 504 · 184 ms/,
      /\S\. The tool left before the end\. POST \S+ · no answer · 2600 ms/,
      "Release notes: Write everything below /rest/api/3/version",
      { role: "button", name: "Show more" },
    ],
  },
  {
    name: "account-activity-real",
    arrange: async (scene) => {
      await prepareUse(scene);
      return openAccount(scene);
    },
    expects: [
      /Demo service: Read issues Failed [^·]+\. Atlassian or Access gave no answer[^·]* · 502 · \d+ ms/,
      /Demo service: Comment on issues [^·]+ · 201 · \d+ ms/,
      "Read issues Jira refused it",
      "4 times since the app was installed",
      "once since the app was installed",
    ],
  },
  {
    name: "account-activity-failed",
    arrange: async (scene) => {
      await prepareTools(scene);
      scene.api.refuse("GET", ACTIVITY, "store_unavailable");
      return openAccount(scene);
    },
    expects: ["The database can't be used right now", { role: "button", name: "Try again" }],
  },
];
