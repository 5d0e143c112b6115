import fc from "fast-check";

import { act } from "./acting.fixture.js";
import { readMe, removeOwn } from "./account.fixture.js";
import { listAudit, listLinks, removeAsAdmin, restore } from "./administration.fixture.js";
import { issueAssertion } from "./assertions.fixture.js";
import {
  ADMIN_OF,
  PERSON_NAMES,
  PLACES,
  TEAM_NAMES,
  teamDomainOf,
  TENANT_NAMES,
  type PersonName,
  type TenantName,
} from "./cast.fixture.js";
import { ownerOf, signToken } from "./choices.fixture.js";
import { agree } from "./decisions.fixture.js";
import { identify, install, toggle } from "./hosts.fixture.js";
import { beginAttempt, linkWithToken } from "./linking.fixture.js";
import { digestOf, type Caller, type OwnedLink } from "./known.fixture.js";
import type { Run } from "./run.fixture.js";
import { keyOf, makeKey } from "./services.fixture.js";
import { saveSettings } from "./settings.fixture.js";
import { kind } from "./step.fixture.js";

/** What is sent to a tenant while others are sent theirs: what comes of it depends on that tenant alone. */
interface Request {
  readonly tenant: TenantName;
  readonly person: PersonName;
  readonly deed: keyof typeof DEEDS;
}

interface Sender {
  readonly tenant: TenantName;
  readonly person: PersonName;
  readonly asMember: Caller;
  readonly asAdmin: Caller;
}

const ALL = { limit: null, cursorOf: null };

const DEEDS = {
  begins: (run, { asMember }) => beginAttempt(run, asMember),
  links: async (run, { asMember, tenant, person }) =>
    linkWithToken(run, asMember, await signToken(run, newTokenOf(person), { person, tenant }, "link")),
  "looks at their links": async (run, { asMember }) => {
    await readMe(run, asMember);
  },
  "lets the newest link go": (run, { asMember, tenant }) =>
    changeNewest(run.model.everyLink, tenant, (link) =>
      removeOwn(run, { ...asMember, person: ownerOf(link) }, link.id),
    ),
  "has the newest link removed": (run, { asAdmin, tenant }) =>
    changeNewest(run.model.everyLink, tenant, ({ id }) => removeAsAdmin(run, asAdmin, id)),
  "has the newest removed link restored": (run, { asAdmin, tenant }) =>
    changeNewest(run.model.everyRemoval, tenant, ({ id }) => restore(run, asAdmin, id)),
  "has links listed": (run, { asAdmin }) => listLinks(run, asAdmin, "", ALL),
  "has the audit log listed": (run, { asAdmin }) =>
    listAudit(run, asAdmin, { kind: "changes", actor: "" }, ALL),
  "has other services entered": (run, { asAdmin, tenant }) => {
    const { services, teamDomain } = run.model.settingsOf(tenant);
    const team = TEAM_NAMES.find((name) => teamDomainOf(name) === teamDomain) ?? "red";
    const entry = {
      team,
      services: services.length === 1 ? "usual" : "one for both",
      ...{ paused: false, pausedService: null },
    } as const;
    return saveSettings(run, asAdmin, {
      ...entry,
      allowedEmailDomains: [],
      versionOf: tenant,
      idsOf: tenant,
    });
  },
  // Not for the first time: in which order two tenants of a site came would be open.
  "has the app installed again": async (run, { tenant }) => {
    if (run.model.tenants.has(tenant)) await install(run, tenant, PLACES[tenant].site);
  },
  "has the app switched off, or on again": (run, { tenant }) => {
    const isEnabled = run.model.tenants.get(tenant)?.state === "enabled";
    return toggle(run, tenant, isEnabled ? "disabled" : "enabled", tenant);
  },
  "is asked for by a service": async (run, { tenant, person }) => {
    const token = await signToken(run, newTokenOf(person), { person, tenant }, "identify");
    const key = keyOf(run, run.model.tenants.get(tenant), token);
    await identify(run, { ...PLACES[tenant], audience: null }, token, key);
  },
  "is acted as by a service": async (run, { tenant, person }) => {
    const token = await signToken(run, newTokenOf(person), { person, tenant }, "act");
    const key = keyOf(run, run.model.tenants.get(tenant), token);
    await act(run, { ...PLACES[tenant], deed: "writes" }, token, key);
  },
  "agrees and has an assertion made": async (run, { tenant, asMember }) => {
    const { services } = run.model.settingsOf(tenant);
    const service = services.find(({ purposes }) => purposes.includes("assert"));
    if (!service) return;
    await agree(run, asMember, service.id, digestOf(service));
    await issueAssertion(run, asMember, service.id);
  },
  "has a service given a key": async (run, { asAdmin, tenant }) => {
    const [service] = run.model.settingsOf(tenant).services;
    if (service) await makeKey(run, asAdmin, service.id);
  },
} as const satisfies Readonly<Record<string, (run: Run, sender: Sender) => Promise<void>>>;

const DEED_NAMES = Object.keys(DEEDS) as Request["deed"][];

const deed = fc.constantFrom(...DEED_NAMES);

const requests = fc
  .record({
    tenants: fc.shuffledSubarray([...TENANT_NAMES], { minLength: 2 }),
    people: fc.tuple(...TENANT_NAMES.map(() => fc.constantFrom(...PERSON_NAMES))),
    // Often the same for all: what one route mixes up shows only there.
    deeds: fc.oneof(
      deed.map((same) => TENANT_NAMES.map(() => same)),
      fc.tuple(...TENANT_NAMES.map(() => deed)),
    ),
  })
  .map(({ tenants, people, deeds }) =>
    tenants.map((tenant, index): Request => {
      const [person = "Grace", deed = "begins"] = [people[index], deeds[index]];
      return { tenant, person, deed };
    }),
  );

/** To each tenant once. */
export const atOnce = kind<readonly Request[]>(requests, (all) => ({
  text: `at once: ${all.map(({ person, tenant, deed }) => `${person} in ${tenant} ${deed}`).join("; ")}`,
  play: (run) => playTogether(all.map((each) => send(run, each))),
}));

async function send(run: Run, { tenant, person, deed }: Request): Promise<void> {
  const asMember = { person, tenant, signature: "own" } as const;
  await DEEDS[deed](run, { tenant, person, asMember, asAdmin: { ...asMember, person: ADMIN_OF[tenant] } });
}

/** Waits for all of them also when one fails: what comes after has the app to itself. */
async function playTogether(all: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(all);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

async function changeNewest(
  links: readonly OwnedLink[],
  tenant: TenantName,
  change: (link: OwnedLink) => Promise<void>,
): Promise<void> {
  const link = links.findLast((each) => each.tenant === tenant);
  if (link) await change(link);
}

/** New, so that no other tenant has it too. */
function newTokenOf(person: PersonName) {
  return { person, team: "right", audience: "right", isNew: true } as const;
}
