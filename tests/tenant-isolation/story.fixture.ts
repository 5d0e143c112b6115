import fc, { type Arbitrary } from "fast-check";

import { readMe, removeOwn } from "./account.fixture.js";
import { listAudit, listLinks, removeAsAdmin, restore } from "./administration.fixture.js";
import {
  ADMIN_OF,
  PERSON,
  PERSON_NAMES,
  PLACES,
  TENANT_NAMES,
  type PersonName,
  type TenantName,
} from "./cast.fixture.js";
import { mostly, ownerOf, signToken } from "./choices.fixture.js";
import { identify, install, toggle } from "./hosts.fixture.js";
import { isAtHome, type Caller, type Question } from "./model.fixture.js";
import type { Run } from "./run.fixture.js";
import { startPopup } from "./popup.fixture.js";
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

/** Every tenant has the app, and trusts the same team and the same services. */
export const EVERYBODY_IS_SET_UP: readonly Step[] = TENANT_NAMES.flatMap((name) => prepare(name, "set up"));

type Readiness = "set up" | "installed" | "absent";

const readiness = mostly<Readiness>("set up", "set up", "installed", "absent");

const beginning = fc
  .tuple(...TENANT_NAMES.map((name) => readiness.map((ready) => prepare(name, ready))))
  .map((steps) => steps.flat());

function prepare(name: TenantName, ready: Readiness): readonly Step[] {
  const settings: SettingsEntry = {
    ...{ team: "red", services: "usual", allowedEmailDomains: [], paused: false },
    ...{ versionOf: name, idsOf: null },
  };
  const steps: readonly Step[] = [
    { text: `${name} has the app`, play: (run) => install(run, name, PLACES[name].site) },
    { text: `${name} is set up`, play: (run) => saveSettings(run, asAdmin(name), settings) },
  ];
  return steps.slice(0, { absent: 0, installed: 1, "set up": 2 }[ready]);
}

/** Everybody has what is theirs, and nobody anything else, whatever came before. */
const EVERYBODY_LOOKS: readonly Step[] = [
  { text: "in the end, a service asks where tenants only say that they are", play: askWhereTheyAreNot },
  ...TENANT_NAMES.map((name): Step => ({
    text: `in the end, everybody looks at what is theirs in ${name}`,
    play: (run) => lookAtTenant(run, name),
  })),
  {
    text: "in the end, everybody reaches for the newest attempts and links of every tenant",
    play: reachForLinks,
  },
  { text: "in the end, a service asks for everybody everywhere", play: askForEverybody },
];

async function askWhereTheyAreNot(run: Run): Promise<void> {
  for (const { name, host } of [...run.model.tenants.values()].filter((known) => !isAtHome(known))) {
    for (const person of PERSON_NAMES) await askAs(run, person, name, { site: host });
  }
}

/** Once it is at home and enabled again: settings and audit log outlive everything. */
async function lookAtTenant(run: Run, name: TenantName): Promise<void> {
  const known = run.model.tenants.get(name);
  if (!known) return;
  if (known.state === "uninstalled" || !isAtHome(known)) await install(run, name, PLACES[name].site);
  if (known.state === "disabled") await toggle(run, name, "enabled", name);
  const admin = asAdmin(name);
  const all = { limit: null, cursorOf: null };
  await readSettings(run, admin);
  for (const filter of ["", PERSON.Grace.email]) await listLinks(run, admin, filter, all);
  for (const actor of ["", PERSON.Grace.accountId]) await listAudit(run, admin, actor, all);
  for (const cursorOf of [null, name]) {
    await listLinks(run, admin, "", { limit: 1, cursorOf });
    await listAudit(run, admin, "", { limit: 1, cursorOf });
  }
  for (const person of PERSON_NAMES) await readMe(run, { ...admin, person });
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
    for (const tenant of TENANT_NAMES) await askAs(run, person, tenant);
    await askAs(run, person, "acme's Jira", { product: null });
  }
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
  await identify(run, { ...PLACES[tenant], audience: null, ...changes }, token);
}

function asAdmin(tenant: TenantName): Caller {
  return { person: ADMIN_OF[tenant], tenant, signature: "own" };
}
