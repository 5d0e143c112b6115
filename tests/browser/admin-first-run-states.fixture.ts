import type { Frame } from "playwright-core";

import { ADA } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import type { PopupCheck } from "../../src/services/popup-front.js";
import { openAdminPage, openFirstRun, OTHER_AUDIENCE, press } from "./admin-page.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import type { State } from "./states.fixture.js";

const POPUP_CHECK = "/api/v1/settings/popup-check";

/** The last step, with the finding in front of the linking window as given. */
async function tryIt(scene: BrowserScene, finding: Partial<PopupCheck>): Promise<Frame> {
  await scene.install("jira");
  await enterTeam(scene);
  scene.api.reply("POST", POPUP_CHECK, {
    ok: false,
    url: "https://access.example.com/access/",
    finding: "unclear",
    teamDomain: null,
    audience: null,
    detail: "",
    ...finding,
  });
  const frame = await openAdminPage(scene);
  await frame.getByLabel("AUD tag of this application").fill(AUDIENCES.app);
  await press(frame, "Save and go on");
  await frame.getByRole("button", { name: "Check again" }).waitFor();
  return frame;
}

async function enterTeam(scene: BrowserScene) {
  return scene.client(ADA).saveSettings({ teamDomain: scene.world.team.domain });
}

export const ADMIN_FIRST_RUN_STATES: readonly State[] = [
  {
    name: "admin-first-run-team",
    arrange: openFirstRun,
    expects: [
      { role: "heading", name: "Step 1 of 3: Your Access team" },
      /Zero Trust \(Cloudflare One\) > Settings/,
      { role: "button", name: "Save and go on" },
    ],
  },
  {
    name: "admin-first-run-team-found",
    arrange: async (scene) => {
      const frame = await openFirstRun(scene);
      await frame.getByRole("button", { name: "Use it" }).waitFor();
      return frame;
    },
    expects: ["Stands there now: acme.cloudflareaccess.com"],
  },
  {
    name: "admin-first-run-team-checked",
    arrange: async (scene) => {
      const frame = await openFirstRun(scene);
      await frame.getByLabel("Team domain").fill(`https://${scene.world.team.domain.toUpperCase()}/`);
      await press(frame, "Check");
      return frame;
    },
    expects: [/acme\.cloudflareaccess\.com answered with 2 signing keys in \d+ ms\./],
  },
  {
    name: "admin-first-run-team-silent",
    arrange: async (scene) => {
      scene.world.team.behaviour.failing = true;
      const frame = await openFirstRun(scene);
      await frame.getByLabel("Team domain").fill(scene.world.team.domain);
      await press(frame, "Save and go on");
      await frame.getByRole("button", { name: "Go on all the same" }).waitFor();
      return frame;
    },
    world: {},
    expects: [
      { role: "heading", name: "Step 1 of 3: Your Access team" },
      "The team domain is saved, but nobody can be signed in with it like this.",
    ],
  },
  {
    name: "admin-first-run-team-missing",
    arrange: async (scene) => {
      const frame = await openFirstRun(scene);
      await press(frame, "Save and go on");
      return frame;
    },
    expects: ["Enter your team domain."],
  },
  {
    name: "admin-first-run-team-refused",
    arrange: async (scene) => {
      const frame = await openFirstRun(scene);
      scene.errors.allowStatus(422);
      await frame.getByLabel("Team domain").fill("acme.example.com");
      await press(frame, "Save and go on");
      return frame;
    },
    expects: [/Must be the team domain from Cloudflare/, "One thing needs to be corrected"],
  },
  {
    name: "admin-first-run-application",
    arrange: async (scene) => {
      await scene.install("jira");
      await enterTeam(scene);
      return openAdminPage(scene);
    },
    expects: [
      { role: "heading", name: "Step 1 of 3, done: Your Access team" },
      { role: "heading", name: "Step 2 of 3: The Access application" },
      "access/*",
      `Stands there now: ${AUDIENCES.app}`,
      /Application Audience \(AUD\) Tag/,
      /Add an application > Self-hosted/,
      "if it isn’t yours, ask whoever runs this app",
    ],
  },
  {
    name: "admin-first-run-application-refused",
    arrange: async (scene) => {
      await scene.install("jira");
      await enterTeam(scene);
      const frame = await openAdminPage(scene);
      scene.errors.allowStatus(422);
      await frame.getByLabel("AUD tag of this application").fill("not a tag");
      await frame.getByLabel("Name of the tool").fill("Wiki search");
      await frame.getByLabel("AUD tag of the tool").fill("1234");
      await press(frame, "Save and go on");
      return frame;
    },
    expects: ["2 things need to be corrected", /64 characters from 0-9 and a-f\./],
  },
  {
    name: "admin-first-run-try-it",
    arrange: async (scene) => {
      await scene.install("jira");
      await enterTeam(scene);
      const frame = await openAdminPage(scene);
      const { app } = AUDIENCES;
      await frame.getByLabel("AUD tag of this application").fill(app);
      await press(frame, "Save and go on");
      return frame;
    },
    expects: [
      { role: "heading", name: "Step 3 of 3: Try it" },
      /The linking window is behind Access/,
      { role: "button", name: "Link my own account" },
      { role: "button", name: "Finish without linking" },
    ],
  },
  {
    name: "admin-popup-open",
    arrange: (scene) =>
      tryIt(scene, {
        finding: "open",
        detail: "The linking window is not behind Access: the app answered without a sign-in.",
      }),
    expects: [/not behind Access/, /Bypass is not enough/],
  },
  {
    name: "admin-popup-other-team",
    arrange: (scene) =>
      tryIt(scene, {
        finding: "other_team",
        teamDomain: "other.cloudflareaccess.com",
        detail: "The linking window is behind another Access team, other.cloudflareaccess.com.",
      }),
    expects: ["Team found", "other.cloudflareaccess.com", "Team entered"],
  },
  {
    name: "admin-popup-other-application",
    arrange: (scene) =>
      tryIt(scene, {
        finding: "other_application",
        teamDomain: scene.world.team.domain,
        audience: OTHER_AUDIENCE,
        detail: "The linking window is behind another Access application than the one entered here.",
      }),
    expects: ["AUD tag found", OTHER_AUDIENCE, "AUD tag entered"],
  },
  {
    name: "admin-popup-unreachable",
    arrange: (scene) =>
      tryIt(scene, {
        finding: "unreachable",
        detail:
          "The app could not reach its own public address to look: connection refused. Link your own account to see whether it works.",
      }),
    expects: [/could not reach its own public address/, "https://access.example.com/access/"],
  },
];
