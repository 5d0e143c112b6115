import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { findFaults, listPresetRequests, SCOPE_OF_REQUEST } from "./forge-manifest-faults.fixture.js";
import { changeManifest, lintManifest, MANIFEST, parseManifest } from "./forge-manifest.fixture.js";

type Row = readonly [what: string, text: string, said: string];

const BROKEN: readonly Row[] = [
  ["a scope that there isn't", changeManifest("read:jira-user", "read:nonsense"), "read:nonsense"],
  [
    "no scope of a product",
    changeManifest(/^ {4}(?!read:app-)\S+:(?: \{\}|\n {6}allowImp.*)\n/gm, ""),
    "Missing app scopes",
  ],
  ["no permissions", changeManifest(/^permissions:[^]*/gm, ""), "Missing app scopes"],
  [
    "a misspelt permission to act",
    changeManifest("allowImpersonation:", "allowImpersonations:"),
    "additional property 'allowImpersonations'",
  ],
  [
    "pages without an endpoint",
    changeManifest("endpoint: pages", "endpoint: nowhere"),
    "jira:adminPage references undefined endpoint module with key 'nowhere'",
  ],
  [
    "a trigger without an endpoint",
    changeManifest("endpoint: on-installed", "endpoint: nowhere"),
    "trigger references undefined endpoint module with key 'nowhere'",
  ],
  [
    "an endpoint without a remote",
    changeManifest(/remote: app\n {6}route/g, "remote: nobody\n      route"),
    "remote property 'nobody' was not found",
  ],
  [
    "a user's token for a trigger",
    changeManifest("appSystemToken", "appUserToken"),
    "only supports appSystemToken",
  ],
  ["an interval that there isn't", changeManifest("interval: hour", "interval: minute"), "interval 'minute'"],
  [
    "pages that nobody built",
    changeManifest("static/account", "static/nothing"),
    "missing resource 'static/nothing'",
  ],
  ["two modules of one key", changeManifest("jira-account", "jira-admin"), "duplicate module key"],
  [
    "two pages behind Configure",
    changeManifest("key: jira-admin", "key: jira-admin\n      useAsConfig: true"),
    "only have a single entry that includes the useAsConfig property",
  ],
  [
    "storage that says nothing of people's data",
    changeManifest(/ {4}storage:\n.*\n/g, ""),
    "storage.inScopeEUD is required",
  ],
  ["a remote without TLS", changeManifest("default: https:", "default: http:"), "'external.fetch.client'"],
  [
    "pages that may call anybody",
    changeManifest("- remote: app", '- address: "*"'),
    "Global URL usage detected for 'external.fetch.client'",
  ],
  [
    "two products that both come first",
    changeManifest("required: false", "required: true"),
    "Only one context",
  ],
  [
    "the key of a Connect app",
    changeManifest("  compatibility:", "  connect:\n    key: a\n  compatibility:"),
    "connect to forge upgrades",
  ],
  ["no runtime", changeManifest(/ {2}runtime:\n.*\n/g, ""), "must have required property 'runtime'"],
];

const MISSED: readonly Row[] = [
  [
    "no scope for users' tokens",
    changeManifest("    read:app-user-token: {}\n", ""),
    "read:app-user-token is missing",
  ],
  [
    "no scope for system tokens",
    changeManifest("    read:app-system-token: {}\n", ""),
    "read:app-system-token is missing",
  ],
  [
    "a user's token by the clock",
    changeManifest(/hourly\n {6}auth:\n {8}appSystemToken/g, "hourly\n      auth:\n        appUserToken"),
    "on-hour: a user's token, with no user there",
  ],
  [
    "a user's token at the end",
    changeManifest(
      "/uninstalled",
      "/uninstalled\n      auth:\n        appUserToken:\n          enabled: true",
    ),
    "on-uninstall: a user's token, with no user there",
  ],
  [
    "the system's token on a page",
    changeManifest("appUserToken", "appSystemToken"),
    "pages: the system's token, on a page",
  ],
  [
    "a misspelt event",
    changeManifest("avi:forge:installed:app", "avi:forge:instaled:app"),
    "event avi:forge:installed:app is missing",
  ],
  [
    "an event that the app doesn't know",
    changeManifest("avi:forge:upgraded:app", "avi:forge:upgraded:app\n        - avi:jira:created:issue"),
    "event avi:jira:created:issue is unknown",
  ],
  [
    "a route that isn't the app's",
    changeManifest("/forge/hourly", "/forge/daily"),
    "fresh-system-token by on-hour to /forge/daily",
  ],
  [
    "a trigger at another's route",
    changeManifest("endpoint: on-hour", "endpoint: on-uninstall"),
    "fresh-system-token by on-uninstall to /forge/uninstalled",
  ],
  [
    "a trigger of another name",
    changeManifest("key: farewell", "key: goodbye"),
    "no farewell by on-uninstall",
  ],
  ["a token that ends before the next", changeManifest("interval: hour", "interval: day"), "every day"],
  [
    "pages below a route",
    changeManifest("key: pages\n", "key: pages\n      route:\n        path: /api\n"),
    "jira-admin: its endpoint has a route",
  ],
  [
    "a key that names the other product",
    changeManifest("key: confluence-account", "key: jira-space"),
    "jira-space: not named for confluence:globalPage",
  ],
  ["another name", changeManifest("title: Cloudflare Access", "title: Access"), "jira-admin: called Access"],
  [
    "a preset that can't be acted on",
    changeManifest(/search:confluence:\n.*\n/g, "search:confluence: {}\n"),
    "search:confluence: services can't act with it",
  ],
  [
    "acting with more than the presets need",
    changeManifest("read:jira-user: {}", "read:jira-user:\n      allowImpersonation: true"),
    "read:jira-user: no preset needs it",
  ],
  [
    "pages that may call others",
    changeManifest("- remote: app", "- remote: app\n        - address: cdn.example.com"),
    "egress to others than the app",
  ],
  [
    "every host of a domain",
    changeManifest("- remote: app", '- remote: app\n        - address: "*.example.com"'),
    "egress to others than the app",
  ],
  [
    "a remote with a path",
    changeManifest("https://access.example.com", "https://access.example.com/app"),
    "remote https://access.example.com/app is more than an origin",
  ],
];

beforeEach(() => {
  for (const name of ["FORGE_APP_ID", "APP_ORIGIN", "BASE_PATH"]) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("Forge's own schema and linter", () => {
  it("pass the manifest without a word", async () => {
    expect((await lintManifest(MANIFEST)).messages).toEqual([]);
  });

  it("pass it for an app below a path", async () => {
    vi.stubEnv("BASE_PATH", "/tools/access");
    const { messages, content } = await lintManifest(MANIFEST);
    expect(messages).toEqual([]);
    expect(parseManifest(content).modules.endpoint.flatMap(({ route }) => route?.path ?? [])).toEqual([
      "/tools/access/forge/installed",
      "/tools/access/forge/hourly",
      "/tools/access/forge/uninstalled",
    ]);
  });

  it.each(BROKEN)("see %s", async (_what, text, said) => {
    expect((await lintManifest(text)).messages.join("\n")).toContain(said);
  });
});

describe("what they miss", () => {
  it("isn't in the manifest", async () => {
    const { content } = await lintManifest(MANIFEST);
    expect(findFaults(parseManifest(content))).toEqual([]);
  });

  it.each(MISSED)("is found: %s", async (_what, text, fault) => {
    const { messages, content } = await lintManifest(text);
    expect(messages).toEqual([]);
    expect(findFaults(parseManifest(content)).join("\n")).toContain(fault);
  });

  it("names the scope of every request that a preset allows", () => {
    expect(Object.keys(SCOPE_OF_REQUEST).sort()).toEqual(listPresetRequests().sort());
  });
});
