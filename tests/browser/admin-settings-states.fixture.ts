import type { Frame } from "playwright-core";

import { ADA, CLEO } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import {
  enterEmailDomains,
  openAdminPage,
  openSettings,
  OTHER_AUDIENCE,
  press,
} from "./admin-page.fixture.js";
import type { BrowserScene } from "./scene.fixture.js";
import type { State } from "./states.fixture.js";

const SETTINGS = "/api/v1/settings";

async function saveDomains(scene: BrowserScene, domains = "acme.example"): Promise<Frame> {
  const frame = await openSettings(scene);
  await enterEmailDomains(frame, domains);
  await press(frame, "Save");
  return frame;
}

export const ADMIN_SETTINGS_STATES: readonly State[] = [
  {
    name: "admin-loading",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.hold("GET", SETTINGS);
      return scene.findAppFrame(await scene.openHostPage(ADA, { module: "admin" }));
    },
    expects: ["Loading the settings …", { role: "heading", name: "Cloudflare Access" }],
  },
  {
    name: "admin-load-failed",
    arrange: async (scene) => {
      await scene.prepare();
      scene.api.cut("GET", SETTINGS);
      return openAdminPage(scene);
    },
    expects: ["The app can’t be reached", { role: "button", name: "Try again" }],
  },
  {
    name: "admin-host-script-blocked",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.blockHostScript();
      return openAdminPage(scene);
    },
    expects: ["A script of the product didn’t load"],
  },
  {
    name: "admin-settings",
    arrange: openSettings,
    expects: [
      { role: "heading", name: "Trusted services" },
      { role: "group", name: "Demo service" },
      /The linking window is behind Access/,
      { role: "button", name: "Pause" },
    ],
  },
  {
    name: "admin-settings-linked",
    arrange: async (scene) => {
      await scene.prepare();
      await scene.link(ADA);
      return openAdminPage(scene);
    },
    expects: [/Your own account is linked with ada@acme\.example/],
  },
  {
    name: "admin-settings-linking",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      await scene.openPopup(frame, "Link my own account");
      return frame;
    },
    expects: ["Go on in the window that opened", { role: "button", name: "Cancel" }],
  },
  {
    name: "admin-settings-dirty",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      await enterEmailDomains(frame, "acme.example\n*.acme.example");
      await press(frame, "Remove Demo service");
      await press(frame, "Add a service");
      return frame;
    },
    expects: [
      "Unsaved changes",
      "Demo service will be removed when you save.",
      { role: "button", name: /^Undo/ },
    ],
  },
  {
    name: "admin-settings-link-service-removed",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      await press(frame, "Remove This app");
      return frame;
    },
    expects: ["This app will be removed when you save. Nobody can link after that."],
  },
  {
    name: "admin-settings-no-link-service",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      await press(frame, "Remove This app");
      await press(frame, "Save");
      await frame.getByText("nobody can link: no trusted service").waitFor();
      await frame.getByRole("button", { name: "Link my own account" }).waitFor({ state: "detached" });
      return frame;
    },
    expects: [/tick Link at it, and save/, { role: "button", name: "Check again" }],
  },
  {
    name: "admin-settings-saving",
    arrange: async (scene) => {
      scene.api.hold("PUT", SETTINGS);
      return saveDomains(scene);
    },
    expects: ["Saving …"],
  },
  {
    name: "admin-settings-saved",
    arrange: (scene) => saveDomains(scene),
    expects: [/Saved at [\d:]+\. The team answered with 2 signing keys\./],
  },
  {
    name: "admin-settings-saved-team-silent",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      await frame.getByLabel("Team domain").fill("nobody.cloudflareaccess.com");
      await press(frame, "Save");
      return frame;
    },
    world: { env: { ACCESS_ORIGIN_OVERRIDES: "nobody.cloudflareaccess.com=http://127.0.0.1:9" } },
    expects: [/Saved at [\d:]+\. The team’s keys can’t be fetched/],
  },
  {
    name: "admin-settings-refused",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      scene.errors.allowStatus(422);
      await enterEmailDomains(frame, "com\nacme.example\nco.uk");
      const service = frame.getByRole("group", { name: "Demo service" });
      await service.getByLabel("AUD tag").fill("1234");
      await service.getByLabel("Identify").uncheck();
      await press(frame, "Save");
      return frame;
    },
    expects: [
      "4 things need to be corrected",
      { role: "link", name: "Demo service, AUD tag" },
      /“com”: Must be a domain.*“co\.uk”: Must be a domain/,
      { role: "link", name: "Allowed e-mail domains" },
      "Name at least one purpose.",
    ],
  },
  {
    name: "admin-settings-network-down",
    arrange: async (scene) => {
      scene.api.cut("PUT", SETTINGS);
      return saveDomains(scene);
    },
    expects: ["The app can’t be reached", "Unsaved changes"],
  },
  {
    name: "admin-settings-too-often",
    arrange: async (scene) => {
      scene.api.refuse("PUT", SETTINGS, "rate_limited", { retryAfterSeconds: 40 });
      return saveDomains(scene);
    },
    expects: ["Too many requests", "Nothing was changed. Try again in 40 seconds.", "Unsaved changes"],
  },
  {
    name: "admin-settings-no-longer-admin",
    arrange: async (scene) => {
      scene.api.refuse("PUT", SETTINGS, "not_admin");
      return saveDomains(scene);
    },
    expects: ["You don’t administer Jira", "Unsaved changes"],
  },
  {
    name: "admin-settings-paused",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      await press(frame, "Pause the app");
      return frame;
    },
    expects: ["Paused in Jira", { role: "button", name: "Resume" }],
  },
  {
    name: "admin-settings-pause-failed",
    arrange: async (scene) => {
      scene.api.refuse("PUT", SETTINGS, "store_unavailable");
      const frame = await openSettings(scene);
      await press(frame, "Pause the app");
      return frame;
    },
    expects: ["The database can't be used right now", { role: "button", name: "Pause" }],
  },
  {
    name: "admin-settings-conflict",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      scene.errors.allowStatus(409);
      scene.site.accounts.set(CLEO.accountId, { ...CLEO, administers: ["jira", "confluence"] });
      const { services } = await scene.client(CLEO).getSettings();
      await scene.client(CLEO).saveSettings({
        allowedEmailDomains: ["acme.example"],
        services: services.map((service) =>
          service.audience === AUDIENCES.demo ? { ...service, label: "Demo (Cleo)" } : service,
        ),
      });
      await enterEmailDomains(frame, "*.acme.example");
      const service = frame.getByRole("group", { name: "Demo service" });
      await service.getByLabel("AUD tag").fill(OTHER_AUDIENCE);
      await service.getByLabel("Name").fill("Demo (Ada)");
      await press(frame, "Save");
      return frame;
    },
    expects: [
      { role: "heading", name: "Somebody else saved while you were editing" },
      /Cleo Confluence-Admin saved on/,
      "You both changed this.",
      "Only they changed this.",
      { role: "button", name: "Save this" },
    ],
  },
];
