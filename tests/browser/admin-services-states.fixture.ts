import { audienceOf } from "../../sandbox/access-team.js";
import { CLEO } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import { PLANNER } from "./acting.fixture.js";
import { openAdminPage, openSection, openSettings, press } from "./admin-page.fixture.js";
import {
  builds,
  BUSY,
  KEYS,
  NEW_KEY,
  OLD_KEY,
  openBuilds,
  openPretended,
  openServices,
  OVERVIEWS,
  prepareBuilds,
  pretendOverview,
  ROTATE,
  unfold,
} from "./admin-services.fixture.js";
import type { State } from "./states.fixture.js";

const GUARDED = builds({ ipAddresses: ["203.0.113.0/24"], maxTokenAgeSeconds: 5_400, liveCheckSeconds: 60 });

export const ADMIN_SERVICES_STATES: readonly State[] = [
  {
    name: "admin-services-acting",
    arrange: (scene) => openBuilds(scene),
    expects: [
      /Limits of Builds: Read issues and their comments, and search for issues; Comment on issues · tokens up to 24 hours · from anywhere · each person is asked/,
      "A token proves the person, not the service. Without a service key or a list of addresses, anybody",
      /Use of Builds: none in the last 30 days/,
    ],
  },
  {
    name: "admin-services-many",
    arrange: async (scene) => {
      const named = (label: string) => ({ label, audience: audienceOf(label) });
      const others = [builds({}, { ...named("Charts"), paused: true }), builds({}, named("Release notes"))];
      await scene.prepare({ settings: { services: [SERVICES[0], builds(), ...others] } });
      await pretendOverview(scene, { consents: 14, use: BUSY });
      const frame = await openAdminPage(scene);
      await frame.getByText("1,418 calls").first().waitFor();
      await press(frame, "Add a service");
      return frame;
    },
    expects: [
      "Builds Identify, Act 1,418 calls in the last 30 days, 13 others refused",
      "Charts Identify, Act Paused Not used in the last 30 days",
      { role: "group", name: "New service" },
    ],
  },
  {
    name: "admin-services-limits",
    arrange: async (scene) => {
      const frame = await openBuilds(scene, GUARDED);
      await unfold(frame, "Limits");
      return frame;
    },
    expects: [
      { role: "checkbox", name: /^Create issues/ },
      "GET /rest/api/3/issue/*",
      { role: "textbox", name: "Hours" },
      { role: "radio", name: /^An admin agrees for everybody/ },
    ],
  },
  {
    name: "admin-services-new",
    arrange: async (scene) => {
      const frame = await openSettings(scene);
      await press(frame, "Add a service");
      const service = frame.getByRole("group", { name: "New service" });
      await service.getByRole("checkbox", { name: /^Act\b/ }).check();
      return frame;
    },
    expects: [
      "Nothing is allowed yet, so every call would be refused.",
      "You can create a key once the service is saved.",
    ],
  },
  {
    name: "admin-services-limits-refused",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      scene.errors.allowStatus(422);
      await unfold(frame, "Limits");
      await frame.getByLabel("Other requests").fill("/rest/api/3/myself\nGET /rest/../secret");
      await frame.getByLabel("Addresses it may call from").fill("203.0.113.0/24\nthe office");
      await unfold(frame, "Limits");
      await press(frame, "Save");
      return frame;
    },
    expects: [
      "3 things need to be corrected",
      /“the office”: Must be an IP address/,
      /“GET \/rest\/\.\.\/secret”: May have/,
      "“/rest/api/3/myself”: Name a method.",
      { role: "textbox", name: "Other requests" },
    ],
  },
  {
    name: "admin-services-hours-refused",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      await unfold(frame, "Limits");
      await frame.getByLabel("How old a person’s token may be").selectOption("Another number of hours");
      await frame.getByLabel("Hours").fill("a day");
      await press(frame, "Save");
      return frame;
    },
    expects: ["One thing needs to be corrected", "Enter how many hours, such as 12 or 0.5"],
  },
  {
    name: "admin-services-changed",
    arrange: async (scene) => {
      const frame = await openPretended(scene, { consents: 12, keys: [OLD_KEY] });
      await unfold(frame, "Limits");
      await frame.getByLabel("Create issues").check();
      await unfold(frame, "Limits");
      return frame;
    },
    expects: ["12 people have agreed to what it may do now.", "Unsaved changes"],
  },
  {
    name: "admin-services-removed",
    arrange: async (scene) => {
      const frame = await openPretended(scene, { consents: 12, keys: [OLD_KEY] });
      await press(frame, "Remove Builds");
      return frame;
    },
    expects: ["Builds will be removed when you save. With it go the consent of 12 people and its key."],
  },
  {
    name: "admin-services-paused",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      await press(frame, "Pause Builds");
      return frame;
    },
    expects: ["Paused. Every call of this service is refused.", { role: "button", name: "Resume Builds" }],
  },
  {
    name: "admin-services-pause-failed",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      scene.api.refuse("PUT", "/api/v1/settings", "store_unavailable");
      await press(frame, "Pause Builds");
      return frame;
    },
    expects: ["The database can't be used right now", { role: "button", name: "Pause Builds" }],
  },
  {
    name: "admin-services-no-key",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      await unfold(frame, "Service key");
      return frame;
    },
    expects: [
      "A key shows that a call really comes from this service.",
      { role: "button", name: "Create a key for Builds" },
    ],
  },
  {
    name: "admin-services-new-key",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      await unfold(frame, "Service key");
      await press(frame, "Create a key");
      return frame;
    },
    expects: [
      { role: "textbox", name: "The new key" },
      "It is shown only now.",
      { role: "button", name: "I have stored it" },
    ],
  },
  {
    name: "admin-services-key-failed",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      scene.api.refuse("POST", KEYS, "store_unavailable");
      await unfold(frame, "Service key");
      await press(frame, "Create a key");
      return frame;
    },
    expects: ["The database can't be used right now", { role: "button", name: "Create a key for Builds" }],
  },
  {
    name: "admin-services-keys",
    arrange: async (scene) => {
      const frame = await openPretended(scene, { keys: [OLD_KEY, NEW_KEY] });
      await unfold(frame, "Service key");
      await press(frame, "Remove the key ending in x7_Q");
      return frame;
    },
    expects: [
      "Calls with this key are refused at once.",
      { role: "button", name: "Remove this key" },
      { role: "button", name: "Remove the key ending in Kd4a" },
    ],
  },
  {
    name: "admin-services-last-key",
    arrange: async (scene) => {
      const frame = await openPretended(scene, { keys: [OLD_KEY] });
      await unfold(frame, "Service key");
      await press(frame, "Remove the key ending in x7_Q");
      return frame;
    },
    expects: ["It is the only key.", { role: "button", name: "Keep it" }],
  },
  {
    name: "admin-services-use",
    arrange: async (scene) => {
      const frame = await openPretended(scene, { consents: 14, keys: [OLD_KEY], use: BUSY });
      await unfold(frame, "Use");
      return frame;
    },
    expects: [
      /Acted 214 times Vouched for 0 times For 12 people Agreed now 14 people Last used 21 Nov 2026, 15:40 Refused 13 times/,
      "The person hasn’t agreed: 9 times, last on 21 Nov 2026, 15:40",
      "From an address that isn’t allowed: 3 times",
    ],
  },
  {
    name: "admin-services-use-loading",
    arrange: async (scene) => {
      await prepareBuilds(scene);
      const recover = scene.api.refuse("GET", OVERVIEWS, "store_unavailable");
      const frame = await openAdminPage(scene);
      recover();
      scene.api.hold("GET", OVERVIEWS);
      await press(frame, "Try again");
      return frame;
    },
    expects: ["loading …", "A token proves the person, not the service."],
  },
  {
    name: "admin-services-use-late",
    arrange: async (scene) => {
      await prepareBuilds(scene);
      scene.api.hold("GET", OVERVIEWS);
      return openAdminPage(scene);
    },
    expects: [
      "How the services are used, and their keys, can’t be shown right now.",
      "The app takes too long to answer",
      { role: "button", name: "Pause Builds" },
    ],
  },
  {
    name: "admin-services-use-failed",
    arrange: async (scene) => {
      await prepareBuilds(scene);
      scene.api.refuse("GET", OVERVIEWS, "store_unavailable");
      return openAdminPage(scene);
    },
    expects: [
      "How the services are used, and their keys, can’t be shown right now.",
      { role: "button", name: "Try again" },
      "A token proves the person, not the service.",
    ],
  },
  {
    name: "admin-services-conflict",
    arrange: async (scene) => {
      const frame = await openBuilds(scene, GUARDED);
      scene.errors.allowStatus(409);
      scene.site.accounts.set(CLEO.accountId, { ...CLEO, administers: ["jira", "confluence"] });
      const { services } = await scene.client(CLEO).getSettings();
      await scene.client(CLEO).saveSettings({
        services: services.map((service) =>
          service.limits
            ? { ...service, paused: true, limits: { ...service.limits, maxTokenAgeSeconds: null } }
            : service,
        ),
      });
      await unfold(frame, "Limits");
      await frame.getByLabel("Comment on issues").uncheck();
      await frame.getByLabel("Hours").fill("1");
      await press(frame, "Save");
      return frame;
    },
    expects: [
      "Service “Builds”: what it may do",
      "Service “Builds”: age of the token from Access",
      "Service “Builds”: pause",
    ],
  },
  {
    name: "admin-services-assertions",
    arrange: async (scene) => {
      await prepareBuilds(scene, PLANNER);
      const frame = await openServices(scene);
      await press(frame, "Replace the keys");
      await press(frame, "Replace them now");
      return frame;
    },
    expects: [
      /Issuer http\S+\/sites\/\S+\/jira Keys http\S+\/jira\/jwks\.json/,
      /The key \S+ signs since \d+ \S+ \d+, \d\d:\d\d\./,
      { role: "button", name: "Replace the keys" },
    ],
  },
  {
    name: "admin-services-assertions-asking",
    arrange: async (scene) => {
      await prepareBuilds(scene, PLANNER);
      scene.api.refuse("POST", ROTATE, "store_unavailable");
      const frame = await openServices(scene);
      await press(frame, "Replace the keys");
      await press(frame, "Replace them now");
      return frame;
    },
    expects: ["The database can't be used right now", { role: "button", name: "Keep them" }],
  },
  {
    name: "admin-services-audit",
    arrange: async (scene) => {
      const frame = await openBuilds(scene);
      await press(frame, "Pause Builds");
      await frame.getByText("Paused. Every call").waitFor();
      await unfold(frame, "Service key");
      await press(frame, "Create a key");
      await frame.getByLabel("The new key").waitFor();
      return openSection(scene, "Audit log");
    },
    expects: [/Ada Admin \S+ made a key for “Builds”, ending in \S{4}\./, /Ada Admin \S+ paused “Builds”\./],
  },
];
