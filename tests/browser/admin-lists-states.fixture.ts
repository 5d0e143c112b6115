import { GRACE, LINUS } from "../../sandbox/people.js";
import { makeLinkOld, makeLinkUnproved } from "../../sandbox/scene-database.js";
import { prepareUse } from "./acting.fixture.js";
import { openAdminPage, openLinks, openSection, press } from "./admin-page.fixture.js";
import type { State } from "./states.fixture.js";

const LINKS = "/api/v1/links";
const ONE_LINK = /^\/api\/v1\/links\/[^/]+$/;
const RESTORE = /^\/api\/v1\/links\/[^/]+\/restore$/;
const AUDIT = "/api/v1/audit";

export const ADMIN_LISTS_STATES: readonly State[] = [
  {
    name: "admin-links",
    arrange: openLinks,
    expects: [
      GRACE.name,
      GRACE.email,
      LINUS.name,
      "Proved by the person",
      { role: "button", name: /^Unlink/ },
    ],
  },
  {
    name: "admin-links-standings",
    world: {},
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      await makeLinkUnproved(scene.world, GRACE);
      await scene.link(LINUS);
      await makeLinkOld(scene.world, LINUS);
      return openSection(scene, "Links");
    },
    expects: ["Entered by an admin Not confirmed", "Proved by the person Not used for 90 days"],
  },
  {
    name: "admin-links-loading",
    arrange: async (scene) => {
      await scene.prepare();
      const frame = await openAdminPage(scene);
      scene.api.hold("GET", LINKS);
      await press(frame, "Links");
      return frame;
    },
    expects: ["Loading the links …"],
  },
  {
    name: "admin-links-empty",
    arrange: async (scene) => {
      await scene.prepare();
      return openSection(scene, "Links");
    },
    expects: ["Nobody has linked yet"],
  },
  {
    name: "admin-links-no-hits",
    arrange: async (scene) => {
      const frame = await openLinks(scene);
      await frame.getByLabel("Search by e-mail or account id").fill("nobody");
      return frame;
    },
    expects: ["No link matches “nobody”", /Names can’t be searched/],
  },
  {
    name: "admin-links-failed",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.refuse("GET", LINKS, "store_unavailable");
      return openSection(scene, "Links");
    },
    expects: ["The database can't be used right now", { role: "button", name: "Try again" }],
  },
  {
    name: "admin-links-blocked",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.blockLaterParts();
      return openSection(scene, "Links");
    },
    expects: ["The app can’t be reached", { role: "button", name: "Try again" }],
  },
  {
    name: "admin-links-asking",
    arrange: async (scene) => {
      const frame = await openLinks(scene);
      await press(frame, `Unlink ${GRACE.email}`);
      return frame;
    },
    expects: [/Services will no longer know this person in Jira/, { role: "button", name: "Keep it linked" }],
  },
  {
    name: "admin-links-unlink-failed",
    arrange: async (scene) => {
      scene.api.refuse("DELETE", ONE_LINK, "store_unavailable");
      const frame = await openLinks(scene);
      await press(frame, `Unlink ${GRACE.email}`);
      await frame.getByRole("button", { name: "Unlink", exact: true }).click();
      return frame;
    },
    expects: [/The database can't be used right now/, { role: "button", name: "Keep it linked" }],
  },
  {
    name: "admin-links-unlinked",
    arrange: async (scene) => {
      const frame = await openLinks(scene);
      await press(frame, `Unlink ${GRACE.email}`);
      await frame.getByRole("button", { name: "Unlink", exact: true }).click();
      return frame;
    },
    expects: [/Unlinked grace@acme\.example/, { role: "button", name: "Undo" }],
  },
  {
    name: "admin-links-undo-refused",
    arrange: async (scene) => {
      scene.api.refuse("POST", RESTORE, "already_linked");
      const frame = await openLinks(scene);
      await press(frame, `Unlink ${GRACE.email}`);
      await frame.getByRole("button", { name: "Unlink", exact: true }).click();
      await press(frame, "Undo");
      return frame;
    },
    expects: ["This Access identity has been linked again meanwhile."],
  },
  {
    name: "admin-audit",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(GRACE);
      await scene.client(GRACE).unlinkAll();
      return openSection(scene, "Audit log");
    },
    expects: [
      /Grace Green \S+ unlinked grace@acme\.example\./,
      /Ada Admin \S+ changed the team domain and added “This app” and “Demo service”\./,
      "Atlassian installed the app.",
    ],
  },
  {
    name: "admin-audit-use",
    arrange: async (scene) => {
      await prepareUse(scene);
      const frame = await openSection(scene, "Audit log");
      await frame.getByLabel("What").selectOption("What services did");
      await frame.getByText("was vouched for").waitFor();
      await frame.getByText("Details").nth(1).click();
      return frame;
    },
    expects: [
      /Grace Green \S+ was vouched for to “Release planner”\./,
      /Somebody with a token for “Demo service” acted for Grace Green \S+: GET \/rest\/api\/3\/issue\/\* failed\. Atlassian or Access gave no answer/,
      /POST \/rest\/api\/3\/issue\/\*\/comment was answered with 201\./,
      /GET \/rest\/api\/3\/issue\/\* was answered with 404\./,
      { role: "button", name: "Only what was done as Grace Green" },
    ],
  },
  {
    name: "admin-audit-details",
    arrange: async (scene) => {
      await scene.prepare();
      const frame = await openSection(scene, "Audit log");
      await frame.getByText("Details").first().click();
      return frame;
    },
    expects: [
      "settings.changed",
      "Address",
      "Reference",
      "Before",
      { role: "button", name: "Only what Ada Admin did" },
    ],
  },
  {
    name: "admin-audit-no-hits",
    arrange: async (scene) => {
      await scene.prepare();
      const frame = await openSection(scene, "Audit log");
      await frame.getByLabel("What").selectOption("link_attempt.failed");
      return frame;
    },
    expects: ["Nothing happened that fits the filter", { role: "button", name: "Show everything" }],
  },
  {
    name: "admin-audit-failed",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.cut("GET", AUDIT);
      return openSection(scene, "Audit log");
    },
    expects: ["The app can’t be reached", { role: "button", name: "Try again" }],
  },
];
