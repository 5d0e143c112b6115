import type { Frame } from "playwright-core";

import { audienceOf } from "../../sandbox/access-team.js";
import type { NewService } from "../../sandbox/app-page.js";
import { GRACE } from "../../sandbox/people.js";
import { SERVICES } from "../../sandbox/world.js";
import type { Deed, Link, Me, Service } from "../../public/types.js";
import { REQUEST_PRESETS } from "../../public/request-presets.js";
import type { ServiceLimits } from "../../src/services/settings.js";
import { openAccount } from "./linking.fixture.js";
import type { BrowserScene, HostPageOptions } from "./scene.fixture.js";

export const ME = "/api/v1/me";
export const CONSENT = /^\/api\/v1\/me\/consents\//;
export const CONFIRM = /^\/api\/v1\/me\/links\/[^/]+\/confirm$/;
export const ACTIVITY = "/api/v1/me/activity";
export const LONG_AGO = "2026-03-02T08:15:00.000Z";
export const YESTERDAY = "2026-11-21T15:40:00.000Z";

const [READ_ISSUES, COMMENT] = REQUEST_PRESETS.jira.map(({ requests }) => requests);

export const VERSIONS: ServiceLimits["requests"] = [
  { methods: ["GET", "PUT"], path: "/rest/api/3/version/**" },
];

/** Tools as an admin enters them: one asks everybody, the other has its consent from the admin. */
export const BUILDS = tool("Builds", { requests: [...(READ_ISSUES ?? []), ...(COMMENT ?? [])] });
export const RELEASE_NOTES = tool("Release notes", {
  requests: VERSIONS,
  maxTokenAgeSeconds: 3600,
  consent: "given",
});

function tool(label: string, limits: Partial<ServiceLimits>): NewService {
  return { label, audience: audienceOf(label), purposes: ["identify", "act"], limits: limit(limits) };
}

export function limit(changes: Partial<ServiceLimits>): ServiceLimits {
  return {
    requests: [],
    maxTokenAgeSeconds: null,
    ipAddresses: [],
    consent: "required",
    liveCheckSeconds: null,
    ...changes,
  };
}

export async function prepareTools(
  scene: BrowserScene,
  tools: readonly NewService[] = [BUILDS],
  { isLinked = true } = {},
): Promise<void> {
  await scene.prepare({ settings: { services: [SERVICES[0], ...tools] } });
  if (isLinked) await scene.link(GRACE);
}

export async function readMe(scene: BrowserScene): Promise<Me> {
  return (await scene.client(GRACE).send("GET", ME)).expect(200).body as Me;
}

interface Overlay {
  readonly me?: Partial<Me>;
  /** Laid over every link, and over every service. */
  readonly link?: Partial<Link>;
  readonly service?: Partial<Service>;
}

/** The page is told what only time or other people would bring about. */
export async function pretend(scene: BrowserScene, { me = {}, link, service }: Overlay): Promise<Me> {
  const real = await readMe(scene);
  const pretended: Me = {
    ...real,
    links: real.links.map((each) => ({ ...each, ...link })),
    services: real.services.map((each) => ({ ...each, ...service })),
    ...me,
  };
  scene.api.reply("GET", ME, pretended);
  return pretended;
}

export async function openPretended(
  scene: BrowserScene,
  overlay: Overlay,
  options: HostPageOptions = {},
): Promise<Frame> {
  await pretend(scene, overlay);
  return openAccount(scene, GRACE, options);
}

export function deed(changes: Partial<Deed> = {}): Deed {
  return {
    at: YESTERDAY,
    serviceId: "builds",
    label: "Builds",
    method: "POST",
    path: "/rest/api/3/issue/*/comment",
    status: 201,
    milliseconds: 184,
    code: null,
    ...changes,
  };
}
