import fc, { type Arbitrary } from "fast-check";
import { expect } from "vitest";

import { act, expectWritten } from "./acting.fixture.js";
import { readMe, removeOwn } from "./account.fixture.js";
import { listAudit, listLinks, removeAsAdmin, restore } from "./administration.fixture.js";
import { issueAssertion, readKeys, readNoKeys, rotateKeys } from "./assertions.fixture.js";
import {
  ADMIN_OF,
  PERSON,
  PERSON_NAMES,
  PLACES,
  SITE_NAMES,
  TENANT_NAMES,
  type PersonName,
  type TenantName,
} from "./cast.fixture.js";
import { mostly, ownerOf, signToken } from "./choices.fixture.js";
import { agree, confirm, listActivity, seeNews, withdraw } from "./decisions.fixture.js";
import { identify, install, toggle, uninstall } from "./hosts.fixture.js";
import {
  digestOf,
  isAsking,
  isAtHome,
  type Caller,
  type KnownTenant,
  type Question,
} from "./known.fixture.js";
import type { Run } from "./run.fixture.js";
import { linkWithToken } from "./linking.fixture.js";
import { startPopup } from "./popup.fixture.js";
import { keyOf, listServices, makeKey, removeKey } from "./services.fixture.js";
import { readSettings, saveSettings, type SettingsEntry } from "./settings.fixture.js";
import type { Step } from "./step.fixture.js";
import { step } from "./steps.fixture.js";

/** What happens, from the first installation to the last look. It prints as a list. */
export class Story {
  readonly #steps: readonly Step[];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  async play(run: Run): Promise<void> {
    for (const [index, step] of this.#steps.entries()) {
      try {
        await step.play(run);
      } catch (error) {
        throw new Error(`Step ${index + 1} went otherwise than it must: ${step.text}`, { cause: error });
      }
    }
  }

  toString(): string {
    return this.#steps.map(({ text }, index) => `\n  ${index + 1}. ${text}`).join("");
  }

  [fc.toStringMethod](): string {
    return this.toString();
  }
}

export function stories(maxLength: number): Arbitrary<Story> {
  return fc
    .tuple(beginning, fc.noBias(fc.array(step, { maxLength, size: "max" })))
    .map(([first, steps]) => new Story([...first, ...steps, ...EVERYBODY_LOOKS]));
}

const USUAL = {
  ...({ team: "red", allowedEmailDomains: [], paused: false, pausedService: null } as const),
  idsOf: null,
};

/** Every tenant has the app, and trusts the same team and the same services. */
export const EVERYBODY_IS_SET_UP: readonly Step[] = TENANT_NAMES.flatMap((name) => prepare(name, "set up"));

type Readiness = "set up" | "installed" | "absent";

const readiness = mostly<Readiness>("set up", "set up", "installed", "absent");

const beginning = fc
  .tuple(...TENANT_NAMES.map((name) => readiness.map((ready) => prepare(name, ready))))
  .map((steps) => steps.flat());

function prepare(name: TenantName, ready: Readiness): readonly Step[] {
  const settings: SettingsEntry = { ...USUAL, services: "usual", versionOf: name };
  const steps: readonly Step[] = [
    { text: `${name} has the app`, play: (run) => install(run, name, PLACES[name].site) },
    { text: `${name} is set up`, play: (run) => saveSettings(run, asAdmin(name), settings) },
  ];
  return steps.slice(0, { absent: 0, installed: 1, "set up": 2 }[ready]);
}

/** Everybody has what is theirs, and nobody anything else, whatever came before. */
const EVERYBODY_LOOKS: readonly Step[] = [
  { text: "in the end, a service asks where tenants only say that they are", play: askWhereTheyAreNot },
  { text: "in the end, the app is where it was, and enabled", play: comeHome },
  { text: "in the end, a service asks for everybody everywhere, and acts as them", play: askForEverybody },
  {
    text: "in the end, everybody reaches for the newest attempts and links of every tenant",
    play: reachForLinks,
  },
  { text: "in the end, services act as the same people everywhere", play: actAsTheSameEverywhere },
  { text: "in the end, everybody reaches for services of every tenant", play: reachForServices },
  { text: "in the end, all that was done is counted", play: (run) => run.waitForCounts() },
  ...TENANT_NAMES.map((name): Step => ({
    text: `in the end, everybody looks at what is theirs in ${name}`,
    play: (run) => lookAtTenant(run, name),
  })),
  {
    text: "in the end, a tenant says that it is where nobody knows it, and gets nothing there",
    play: moveAway,
  },
  { text: "in the end, services are taken off a list and put on it again", play: listAnew },
  { text: "in the end, the app is removed and installed again, in one tenant alone", play: startAnew },
  { text: "in the end, nothing else has changed", play: lookElsewhere },
];

async function askWhereTheyAreNot(run: Run): Promise<void> {
  for (const { name, host } of [...run.model.tenants.values()].filter((known) => !isAtHome(known))) {
    for (const person of PERSON_NAMES) {
      await askAs(run, person, name, { site: host });
      await useAllOfOneself(run, { person, tenant: name, signature: "own" });
    }
  }
}

/** Settings and audit log outlive everything. */
async function comeHome(run: Run): Promise<void> {
  for (const known of run.model.tenants.values()) await comeHomeTo(run, known);
}

async function comeHomeTo(run: Run, known: KnownTenant): Promise<void> {
  const { name } = known;
  if (known.state === "uninstalled" || !isAtHome(known)) await install(run, name, PLACES[name].site);
  if (known.state === "disabled") await toggle(run, name, "enabled", name);
}

async function lookAtTenant(run: Run, name: TenantName): Promise<void> {
  if (!run.model.tenants.has(name)) return;
  const admin = asAdmin(name);
  const all = { limit: null, cursorOf: null };
  await readSettings(run, admin);
  for (const filter of ["", PERSON.Grace.email]) await listLinks(run, admin, filter, all);
  for (const kind of ["changes", "use"] as const) {
    for (const actor of ["", PERSON.Grace.accountId]) await listAudit(run, admin, { kind, actor }, all);
  }
  for (const cursorOf of [null, name]) {
    await listLinks(run, admin, "", { limit: 1, cursorOf });
    await listAudit(run, admin, { kind: "changes", actor: "" }, { limit: 1, cursorOf });
  }
  await listServices(run, admin, true);
  await readKeys(run, name, "GET");
  for (const person of PERSON_NAMES) {
    await readMe(run, { ...admin, person }, true);
    await listActivity(run, { ...admin, person }, { limit: null, isFurther: false });
  }
}

async function lookElsewhere(run: Run): Promise<void> {
  for (const site of SITE_NAMES) expectWritten(run, site);
  const { stored, planted } = await run.stage.lookElsewhere();
  expect(stored).toEqual(planted);
}

/** New services have the audiences of those that are gone, and what people took back from these. */
async function listAnew(run: Run): Promise<void> {
  const name = "globex's Jira";
  if (!run.model.tenants.has(name)) return;
  for (const services of ["none", "usual"] as const) {
    await saveSettings(run, asAdmin(name), { ...USUAL, services, versionOf: name });
  }
}

/** All has been stored by now, and nothing of it is left but what outlives an installation. */
async function startAnew(run: Run): Promise<void> {
  const [name] = run.model.tenants.keys();
  if (!name) return;
  await uninstall(run, name, name);
  await install(run, name, PLACES[name].site);
  for (const each of run.model.tenants.keys()) {
    await listServices(run, asAdmin(each), true);
    await readKeys(run, each, "GET");
    for (const person of ["Grace", "Gus"] as const) await readMe(run, { ...asAdmin(each), person }, true);
  }
}

/** With keys and links of its own, if it has any. */
async function moveAway(run: Run): Promise<void> {
  const name = "acme's Confluence";
  if (!run.model.tenants.has(name)) return;
  await install(run, name, "globex");
  await askWhereTheyAreNot(run);
  await readNoKeys(run, "globex", "confluence");
}

/** Whose service it is decides; everybody else is told that there is no such thing. */
async function reachForServices(run: Run): Promise<void> {
  for (const name of TENANT_NAMES) {
    const service = run.model.settingsOf(name).services.find(isAsking);
    if (!service) continue;
    for (const tenant of TENANT_NAMES) {
      const who = { person: "Grace", tenant, signature: "own" } as const;
      await agree(run, who, service.id, digestOf(service));
      await issueAssertion(run, who, service.id);
      if (tenant === name) continue;
      await withdraw(run, who, service.id);
      await makeKey(run, asAdmin(tenant), service.id);
    }
  }
  // After all of them have signed something.
  await rotateKeys(run, asAdmin("globex's Jira"));
  for (const { tenant: owner, serviceId, id } of run.model.everyKey.slice(-1)) {
    for (const tenant of TENANT_NAMES) {
      if (tenant !== owner) await removeKey(run, asAdmin(tenant), serviceId, id);
    }
  }
}

/** Whoever has a say in one tenant has none in the others; an admin brings back what was removed, if it is still theirs. */
async function reachForLinks(run: Run): Promise<void> {
  const { attempts, everyLink, everyRemoval } = run.model;
  for (const attempt of attempts.slice(-3)) await startPopup(run, attempt);
  for (const link of [...everyLink.slice(-2), ...everyRemoval.slice(-2)]) {
    for (const tenant of TENANT_NAMES) {
      if (tenant === link.tenant) continue;
      await removeOwn(run, { person: ownerOf(link), tenant, signature: "own" }, link.id);
      await removeAsAdmin(run, asAdmin(tenant), link.id);
      await restore(run, asAdmin(tenant), link.id);
    }
  }
  for (const link of everyRemoval.slice(-2)) await restore(run, asAdmin(link.tenant), link.id);
}

async function askForEverybody(run: Run): Promise<void> {
  for (const person of PERSON_NAMES) {
    for (const tenant of TENANT_NAMES) {
      await askAs(run, person, tenant);
      await actAs(run, person, tenant);
    }
    await askAs(run, person, "acme's Jira", { product: null });
  }
}

async function actAs(run: Run, person: PersonName, tenant: TenantName): Promise<void> {
  const choice = { person, team: "right", audience: "right", isNew: false } as const;
  const token = await signToken(run, choice, { person, tenant }, "act");
  const key = keyOf(run, run.model.tenants.get(tenant), token);
  const deed = PLACES[tenant].product === "jira" ? "writes" : "reads";
  await act(run, { ...PLACES[tenant], deed }, token, key);
}

/** Those whom both sites know, so that what is kept for one of them in one tenant would do in another. */
async function actAsTheSameEverywhere(run: Run): Promise<void> {
  for (const person of ["Grace", "Gus"] as const) {
    for (const tenant of run.model.tenants.keys()) {
      const who = { person, tenant, signature: "own" } as const;
      const choice = { person, team: "right", audience: "right", isNew: true } as const;
      await linkWithToken(run, who, await signToken(run, choice, who, "link"));
      for (const service of run.model.settingsOf(tenant).services.filter(isAsking)) {
        await agree(run, who, service.id, digestOf(service));
      }
      if (person === "Grace") await seeNews(run, who);
      await actAs(run, person, tenant);
    }
  }
}

/** All that people can do about services, and about what others wrote. */
async function useAllOfOneself(run: Run, who: Caller): Promise<void> {
  const service = run.model.settingsOf(who.tenant).services.find(isAsking);
  await readMe(run, who);
  await listActivity(run, who, { limit: null, isFurther: false });
  await seeNews(run, who);
  const { accountId } = PERSON[who.person];
  const link = run.model.get(who.tenant).links.find((each) => each.accountId === accountId);
  if (link) await confirm(run, who, link.id, link.email);
  if (!service) return;
  await withdraw(run, who, service.id);
  await agree(run, who, service.id, digestOf(service));
  await issueAssertion(run, who, service.id);
}

/** With what the tenant trusts. */
async function askAs(
  run: Run,
  person: PersonName,
  tenant: TenantName,
  changes: Partial<Question> = {},
): Promise<void> {
  const choice = { person, team: "right", audience: "right", isNew: false } as const;
  const token = await signToken(run, choice, { person, tenant }, "identify");
  const key = keyOf(run, run.model.tenants.get(tenant), token);
  await identify(run, { ...PLACES[tenant], audience: null, ...changes }, token, key);
}

function asAdmin(tenant: TenantName): Caller {
  return { person: ADMIN_OF[tenant], tenant, signature: "own" };
}
