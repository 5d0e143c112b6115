import { readFileSync } from "node:fs";
import path from "node:path";

import { REQUEST_PRESETS } from "../public/request-presets.js";
import type { Manifest, Page } from "./forge-manifest.fixture.js";

const DESCRIPTOR = path.resolve(import.meta.dirname, "../atlassian-connect.json");
const { name: APP_NAME } = JSON.parse(readFileSync(DESCRIPTOR, "utf8")) as { name: string };

const EVENTS = ["avi:forge:installed:app", "avi:forge:upgraded:app"];
/** The app obeys a trigger by its key or its endpoint's, at one route. */
const WAYS_OF_TRIGGERS = [
  "installations by on-installed to /forge/installed",
  "fresh-system-token by on-hour to /forge/hourly",
  "farewell by on-uninstall to /forge/uninstalled",
];
/** Shorter than the two hours for which a system token is good. */
const INTERVALS = ["fiveMinute", "hour"];

/** The scope that Atlassian's API asks for, for each request that a preset allows. */
export const SCOPE_OF_REQUEST: Readonly<Record<string, string>> = {
  "jira GET /rest/api/3/search/jql": "read:jira-work",
  "jira GET /rest/api/3/issue/*": "read:jira-work",
  "jira GET /rest/api/3/issue/*/comment": "read:jira-work",
  "jira POST /rest/api/3/issue/*/comment": "write:jira-work",
  "jira POST /rest/api/3/issue": "write:jira-work",
  "confluence GET /rest/api/search": "search:confluence",
  "confluence GET /api/v2/pages": "read:page:confluence",
  "confluence GET /api/v2/pages/*": "read:page:confluence",
};

/** Each request of each preset, as it stands in the table above. */
export function listPresetRequests(): string[] {
  return Object.entries(REQUEST_PRESETS).flatMap(([product, presets]) =>
    presets.flatMap(({ requests }) =>
      requests.flatMap(({ methods, path: route }) =>
        methods.map((method) => `${product} ${method} ${route}`),
      ),
    ),
  );
}

/** What is wrong with a manifest although Forge accepts it. */
export function findFaults(manifest: Manifest): string[] {
  return [
    ...findTokenFaults(manifest),
    ...findTriggerFaults(manifest),
    ...findPageFaults(manifest),
    ...findScopeFaults(manifest),
    ...findEgressFaults(manifest),
  ];
}

/** Pages bring their reader's token, triggers the app's own, and each needs its scope. */
function findTokenFaults({ modules, permissions: { scopes } }: Manifest): string[] {
  const ofPages = new Set(listPages(modules).map(([, { resolver }]) => resolver.endpoint));
  const asked = new Set<string>();
  const faults = modules.endpoint.flatMap(({ key, auth }) => {
    const wantsUser = auth?.appUserToken?.enabled === true;
    const wantsSystem = auth?.appSystemToken?.enabled === true;
    if (wantsUser) asked.add("read:app-user-token");
    if (wantsSystem) asked.add("read:app-system-token");
    return [
      ...(wantsUser && !ofPages.has(key) ? [`${key}: a user's token, with no user there`] : []),
      ...(wantsSystem && ofPages.has(key) ? [`${key}: the system's token, on a page`] : []),
    ];
  });
  const declared = Object.keys(scopes).filter((scope) => scope.startsWith("read:app-"));
  return [
    ...faults,
    ...[...asked].filter((scope) => !declared.includes(scope)).map((scope) => `scope ${scope} is missing`),
    ...declared.filter((scope) => !asked.has(scope)).map((scope) => `scope ${scope} is not used`),
  ];
}

function findTriggerFaults({ modules }: Manifest): string[] {
  const { trigger, scheduledTrigger, preUninstall, endpoint } = modules;
  const routes = new Map(endpoint.map(({ key, route }) => [key, route?.path ?? "none"]));
  const found = [...trigger, ...scheduledTrigger, ...preUninstall].map(
    ({ key, endpoint: to }) => `${key} by ${to} to ${routes.get(to) ?? "nowhere"}`,
  );
  return [
    ...found.filter((way) => !WAYS_OF_TRIGGERS.includes(way)),
    ...WAYS_OF_TRIGGERS.filter((way) => !found.includes(way)).map((way) => `no ${way}`),
    ...trigger
      .flatMap(({ events }) => events)
      .filter((event) => !EVENTS.includes(event))
      .map((event) => `event ${event} is unknown`),
    ...EVENTS.filter((event) => !trigger.some(({ events }) => events.includes(event))).map(
      (event) => `event ${event} is missing`,
    ),
    ...scheduledTrigger
      .filter(({ interval }) => !INTERVALS.includes(interval))
      .map(({ key, interval }) => `${key}: every ${interval}`),
  ];
}

/** The app takes the product from the key of the module, so that must tell the truth. */
function findPageFaults({ modules }: Manifest): string[] {
  return listPages(modules).flatMap(([type, { key, title, resolver }]) => [
    ...(key.startsWith(`${type.split(":")[0] ?? ""}-`) ? [] : [`${key}: not named for ${type}`]),
    ...(title === APP_NAME ? [] : [`${key}: called ${title}`]),
    ...(modules.endpoint.some((endpoint) => endpoint.key === resolver.endpoint && endpoint.route)
      ? [`${key}: its endpoint has a route`]
      : []),
  ]);
}

function findScopeFaults({ permissions: { scopes } }: Manifest): string[] {
  const needed = new Set(Object.values(SCOPE_OF_REQUEST));
  const acting = Object.entries(scopes)
    .filter(([, { allowImpersonation }]) => allowImpersonation)
    .map(([scope]) => scope);
  return [
    ...[...needed]
      .filter((scope) => !acting.includes(scope))
      .map((scope) => `${scope}: services can't act with it`),
    ...acting.filter((scope) => !needed.has(scope)).map((scope) => `${scope}: no preset needs it`),
  ];
}

function findEgressFaults({ remotes, permissions: { external } }: Manifest): string[] {
  const isOurs = JSON.stringify(external) === JSON.stringify({ fetch: { client: [{ remote: "app" }] } });
  return [
    ...(isOurs ? [] : ["egress to others than the app"]),
    ...remotes
      .filter(({ baseUrl }) => !URL.canParse(baseUrl) || new URL(baseUrl).origin !== baseUrl)
      .map(({ baseUrl }) => `remote ${baseUrl} is more than an origin`),
    ...remotes.filter(({ key }) => key !== "app").map(({ key }) => `remote ${key}`),
  ];
}

export function listPages(modules: Manifest["modules"]): [type: string, page: Page][] {
  return Object.entries(modules)
    .filter(([type]) => type.includes(":"))
    .flatMap(([type, pages]) => (pages as Page[]).map((page): [string, Page] => [type, page]));
}
