import fc from "fast-check";

import {
  AUDIENCE_NAMES,
  PERSON,
  PLACES,
  SITE_NAMES,
  TEAM_NAMES,
  type AudienceName,
  type ServiceList,
  type TeamName,
  type TenantName,
} from "./cast.fixture.js";
import { admin, describeCaller, member, mostly, rarely, tenant } from "./choices.fixture.js";
import { openPage, readMe } from "./account.fixture.js";
import { listAudit, listLinks } from "./administration.fixture.js";
import { rotateKeys } from "./assertions.fixture.js";
import { askForHead, HEADS } from "./heads.fixture.js";
import { install, readInPublic, toggle, uninstall } from "./hosts.fixture.js";
import type { Caller } from "./known.fixture.js";
import type { Run } from "./run.fixture.js";
import { listServices } from "./services.fixture.js";
import {
  checkPopup,
  checkTeam,
  findPredecessor,
  readSettings,
  saveSettings,
  takeOver,
} from "./settings.fixture.js";
import { kind } from "./step.fixture.js";

/** Where the app is installed, how it is set up there, and what can be looked at. */

export const installs = kind(
  fc.record({ name: tenant, isElsewhere: fc.constantFrom(false, false, true) }),
  ({ name, isElsewhere }) => {
    const { site } = PLACES[name];
    const host = SITE_NAMES.find((each) => (each !== site) === isElsewhere) ?? site;
    return {
      text: `${name} installs the app${isElsewhere ? `, and says that it is at ${host}` : ""}`,
      play: (run) => install(run, name, host),
    };
  },
);

export const changesState = kind(
  fc.record({
    name: tenant,
    change: fc.constantFrom("enabled" as const, "disabled" as const, "uninstalled" as const),
    signedBy: mostly<TenantName | "itself">("itself", "acme's Jira", "acme's Confluence", "globex's Jira"),
  }),
  ({ name, change, signedBy }) => {
    const signer = signedBy === "itself" ? name : signedBy;
    return {
      text: `${name} is ${change}${signer === name ? "" : `, with ${signer}'s signature`}`,
      play: (run) =>
        change === "uninstalled" ? uninstall(run, name, signer) : toggle(run, name, change, signer),
    };
  },
);

export const saves = kind(
  fc.record({
    who: admin,
    team: fc.constantFrom<TeamName | null>("red", "red", "red", "blue", "blue", "blue", null),
    services: mostly<ServiceList>("usual", "swapped", "one for both", "no linking", "none"),
    allowedEmailDomains: mostly<readonly string[]>([], ["acme.example"], ["globex.example"]),
    paused: mostly<boolean>(false, false, true),
    pausedService: mostly<AudienceName | null>(null, ...AUDIENCE_NAMES),
    versionOf: rarely(tenant),
    idsOf: mostly<TenantName | "its own" | "no">("its own", "no", "acme's Jira", "globex's Jira"),
  }),
  ({ who, idsOf, versionOf, ...entry }) => {
    const words = [
      `${entry.team ?? "no"} team`,
      `${entry.services} services`,
      `${idsOf} ids`,
      ...(versionOf ? [`version of ${versionOf}`] : []),
      ...entry.allowedEmailDomains.map((domain) => `only ${domain}`),
      ...(entry.paused ? ["paused"] : []),
      ...(entry.pausedService ? [`${entry.pausedService} paused`] : []),
    ];
    const from = {
      versionOf: versionOf ?? who.tenant,
      idsOf: idsOf === "its own" ? who.tenant : idsOf === "no" ? null : idsOf,
    };
    return {
      text: `${describeCaller(who)} saves: ${words.join(", ")}`,
      play: (run) => saveSettings(run, who, { ...entry, ...from }),
    };
  },
);

const page = fc.record({
  limit: fc.option(fc.constantFrom(1, 2), { freq: 2 }),
  cursorOf: fc.option(tenant, { freq: 2 }),
});

export const lists = kind(
  fc.record({
    who: admin,
    what: fc.constantFrom("links", "changes", "use"),
    page,
    filter: fc.constantFrom("", "", PERSON.Grace.email, PERSON.Gus.accountId),
  }),
  ({ who, what, page, filter }) => {
    const { limit, cursorOf } = page;
    const words = `${filter}${limit ? `, ${limit} at once` : ""}${cursorOf ? `, on from where ${cursorOf} stopped` : ""}`;
    return {
      text: `${describeCaller(who)} lists ${what}: ${words}`,
      play: (run) =>
        what === "links"
          ? listLinks(run, who, filter, page)
          : listAudit(run, who, { kind: what, actor: filter }, page),
    };
  },
);

const ADMINISTRATION = {
  "reads the settings": readSettings,
  "opens the admin page": (run, who) => openPage(run, who, "/admin"),
  "looks at services": (run, who) => listServices(run, who),
  "has new assertion keys made": rotateKeys,
  "looks for a predecessor": findPredecessor,
  "takes over": takeOver,
} as const satisfies Readonly<Record<string, (run: Run, who: Caller) => Promise<void>>>;
type AdminDeed = keyof typeof ADMINISTRATION;
export const ADMIN_DEEDS = Object.keys(ADMINISTRATION) as AdminDeed[];

export const administers = kind(
  fc.record({ who: admin, deed: fc.constantFrom(...ADMIN_DEEDS) }),
  ({ who, deed }) => ({
    text: `${describeCaller(who)} ${deed}`,
    play: (run) => ADMINISTRATION[deed](run, who),
  }),
);

export const checks = kind(
  fc.record({
    who: admin,
    what: fc.oneof(fc.constantFrom("the saved team", "the linking window"), fc.constantFrom(...TEAM_NAMES)),
  }),
  ({ who, what }) => ({
    text: `${describeCaller(who)} checks ${what}`,
    play: (run) => {
      const team = TEAM_NAMES.find((name) => name === what) ?? null;
      return what === "the linking window" ? checkPopup(run, who) : checkTeam(run, who, team);
    },
  }),
);

export const looksAtOneself = kind(
  fc.record({ who: member, deed: fc.constantFrom("looks at their links", "opens the account page") }),
  ({ who, deed }) => ({
    text: `${describeCaller(who)} ${deed}`,
    play: async (run) => {
      if (deed === "looks at their links") await readMe(run, who);
      else await openPage(run, who, "/account");
    },
  }),
);

export const asksForHead = kind(
  fc.record({ who: admin, path: fc.constantFrom(...HEADS) }),
  ({ who, path }) => ({
    text: `${describeCaller(who)} asks for the head of ${path}`,
    play: (run) => askForHead(run, who, path),
  }),
);

export const PUBLIC_PATHS = [
  "/atlassian-connect.json",
  "/healthz",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/problems",
];

export const strangerReads = kind(
  fc.record({
    path: fc.constantFrom(...PUBLIC_PATHS),
    method: fc.constantFrom("GET" as const, "HEAD" as const),
  }),
  ({ path, method }) => ({
    text: `a stranger sends ${method} ${path}`,
    play: (run) => readInPublic(run, path, method),
  }),
);
