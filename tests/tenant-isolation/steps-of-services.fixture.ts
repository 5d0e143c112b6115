import fc from "fast-check";

import { PRODUCTS } from "../../src/tenants/tenant.js";
import { act, type Deed } from "./acting.fixture.js";
import { issueAssertion, readKeys } from "./assertions.fixture.js";
import { ADMIN_OF, PLACES, TENANT_NAMES, type SiteName, type TenantName } from "./cast.fixture.js";
import {
  actor,
  back,
  describeActor,
  describeBack,
  describeKey,
  describeToken,
  findKey,
  findLink,
  findServiceKey,
  holderOf,
  keyChoice,
  member,
  describeCaller,
  mostly,
  ownerOf,
  resolveActor,
  signToken,
  tenant,
  tenantOf,
  token,
} from "./choices.fixture.js";
import { agree, confirm, listActivity, seeNews, withdraw } from "./decisions.fixture.js";
import { install, uninstall } from "./hosts.fixture.js";
import { digestOf } from "./known.fixture.js";
import type { Run } from "./run.fixture.js";
import { makeKey, removeKey } from "./services.fixture.js";
import { kind } from "./step.fixture.js";

/** What services may do for people, and do. */

const NOTHING = "00000000-0000-4000-8000-000000000000";

export const acts = kind(
  fc.record({
    count: back,
    token,
    site: mostly<SiteName | "nobody's" | "its">("its", "acme", "globex", "nobody's"),
    product: mostly<(typeof PRODUCTS)[number] | "its">("its", ...PRODUCTS),
    deed: fc.constantFrom<Deed>("reads", "reads", "writes", "writes", "deletes"),
    key: keyChoice,
    hasAgreed: fc.boolean(),
  }),
  ({ count, token, site, product, deed, key, hasAgreed }) => ({
    text: `${hasAgreed ? "after its owner has agreed, " : ""}a service ${deed} at ${site} site, in ${product} product, as the holder of ${describeBack("link", count)}, with ${describeToken(token)} and ${describeKey(key)}`,
    play: async (run) => {
      const link = findLink(run, count);
      const place = PLACES[tenantOf(link)];
      const question = {
        site: site === "its" ? place.site : site,
        product: product === "its" ? place.product : product,
        deed,
      };
      const name = TENANT_NAMES.find(
        (each) => PLACES[each].site === question.site && PLACES[each].product === question.product,
      );
      const right = { person: holderOf(link), tenant: name ?? tenantOf(link) };
      const signed = await signToken(run, token, right, "act");
      if (hasAgreed) await agreeToActing(run, right.tenant, ownerOf(link));
      await act(run, question, signed, findKey(run, key, right.tenant, signed));
    },
  }),
);

/** What isn't stored yet of what was done is nobody's any more. */
export const startsAnew = kind(back, (count) => ({
  text: `where ${describeBack("link", count)} is, a service acts as its owner, who looks at the news everywhere, and at once the app is removed and installed again`,
  play: async (run) => {
    const link = findLink(run, count);
    const name = tenantOf(link);
    const choice = { person: "right", team: "right", audience: "right", isNew: true } as const;
    const signed = await signToken(run, choice, { person: holderOf(link), tenant: name }, "act");
    await agreeToActing(run, name, ownerOf(link));
    await act(run, { ...PLACES[name], deed: "reads" }, signed, findKey(run, "its own", name, signed));
    for (const each of run.model.tenants.keys()) {
      await seeNews(run, { person: ownerOf(link), tenant: each, signature: "own" });
    }
    await uninstall(run, name, name);
    if (run.model.tenants.has(name)) await install(run, name, PLACES[name].site);
  },
}));

async function agreeToActing(run: Run, name: TenantName, person: ReturnType<typeof ownerOf>): Promise<void> {
  const [service] = run.model.settingsOf(name).services.filter(({ purposes }) => purposes.includes("act"));
  if (service) await agree(run, { person, tenant: name, signature: "own" }, service.id, digestOf(service));
}

const serviceOf = fc.record({
  of: mostly<TenantName | "its">("its", ...TENANT_NAMES),
  index: fc.nat({ max: 2 }),
});
type ServiceChoice = typeof serviceOf extends fc.Arbitrary<infer T> ? T : never;

function findService({ model }: Run, { of, index }: ServiceChoice, name: TenantName) {
  const { services } = model.settingsOf(of === "its" ? name : of);
  return services.length === 0 ? null : (services[index % services.length] ?? null);
}

function describeService({ of, index }: ServiceChoice): string {
  return `service ${index + 1} of ${of === "its" ? "that tenant" : of}`;
}

export const decides = kind(
  fc.record({
    who: member,
    service: serviceOf,
    decision: fc.constantFrom("agrees to", "agrees to", "withdraws", "agrees to something else of" as const),
  }),
  ({ who, service, decision }) => ({
    text: `${describeCaller(who)} ${decision} ${describeService(service)}`,
    play: async (run) => {
      const found = findService(run, service, who.tenant);
      const id = found?.id ?? NOTHING;
      if (decision === "withdraws") return withdraw(run, who, id);
      const isElse = decision !== "agrees to" || !found;
      return agree(run, who, id, isElse ? "0".repeat(64) : digestOf(found));
    },
  }),
);

export const asserts = kind(fc.record({ who: member, service: serviceOf }), ({ who, service }) => ({
  text: `a page that ${describeCaller(who)} looks at asks for an assertion for ${describeService(service)}`,
  play: (run) => issueAssertion(run, who, findService(run, service, who.tenant)?.id ?? NOTHING),
}));

/** Whoever has a link in a tenant agrees there, and a page tells a service who they are. */
export const assertsForOwner = kind(fc.record({ count: back, actor }), ({ count, actor }) => ({
  text: `${describeActor(actor)} agrees, and their page asks for an assertion: the owner of ${describeBack("link", count)}`,
  play: async (run) => {
    const link = findLink(run, count);
    const who = resolveActor(actor, link, () => ownerOf(link));
    const { services } = run.model.settingsOf(who.tenant);
    const service = services.find(({ purposes }) => purposes.includes("assert"));
    if (service) await agree(run, who, service.id, digestOf(service));
    await issueAssertion(run, who, service?.id ?? NOTHING);
  },
}));

export const changesKeys = kind(
  fc.record({
    actor,
    name: tenant,
    service: serviceOf,
    change: fc.oneof({ arbitrary: fc.constant("makes" as const), weight: 1 }, { arbitrary: back, weight: 1 }),
  }),
  ({ actor, name, service, change }) => {
    const what = change === "makes" ? "makes a key" : `removes ${describeBack("key", change)}`;
    return {
      text: `${describeActor(actor)} (${name}) ${what}: ${describeService(service)}`,
      play: (run) => {
        const key = change === "makes" ? null : findServiceKey(run, change);
        const owned = { accountId: "", tenant: key?.tenant ?? name };
        const who = resolveActor(actor, owned, (each) => ADMIN_OF[each]);
        if (change !== "makes") return removeKey(run, who, key?.serviceId ?? NOTHING, key?.id ?? NOTHING);
        return makeKey(run, who, findService(run, service, owned.tenant)?.id ?? NOTHING);
      },
    };
  },
);

/** Somebody else had written a link; its owner confirms it, or others try. */
export const confirms = kind(
  fc.record({
    count: back,
    actor,
    isPlanted: mostly<boolean>(true, false),
    isStale: mostly<boolean>(false, true),
  }),
  ({ count, actor, isPlanted, isStale }) => ({
    text: `${isPlanted ? "written by an import: " : ""}${describeBack("link", count)}, and ${describeActor(actor)} confirms ${isStale ? "another e-mail" : "it"}`,
    play: async (run) => {
      const link = findLink(run, count);
      if (isPlanted && link) await unprove(run, link.tenant, link.id);
      const who = resolveActor(actor, link, () => ownerOf(link));
      const email = link && !isStale ? link.email : "somebody@else.example";
      await confirm(run, who, link?.id ?? NOTHING, email);
    },
  }),
);

export const unproves = kind(back, (count) => ({
  text: `${describeBack("link", count)} is as an import would have written it`,
  play: async (run) => {
    const link = findLink(run, count);
    if (link) await unprove(run, link.tenant, link.id);
  },
}));

async function unprove(run: Run, name: TenantName, linkId: string): Promise<void> {
  const known = run.model.get(name);
  if (!known.links.some(({ id }) => id === linkId)) return;
  await run.stage.unprove(linkId);
  known.links = known.links.map((link) =>
    link.id === linkId ? { ...link, method: "admin", isConfirmed: false } : link,
  );
}

export const looksBack = kind(
  fc.record({
    who: member,
    deed: fc.constantFrom("lists what was done for them", "has seen the news"),
    limit: fc.option(fc.constantFrom(1, 2), { freq: 1 }),
    isFurther: fc.boolean(),
  }),
  ({ who, deed, limit, isFurther }) => ({
    text: `${describeCaller(who)} ${deed}${limit === null ? "" : `, ${limit} at once`}${isFurther ? ", further on" : ""}`,
    play: (run) =>
      deed === "has seen the news" ? seeNews(run, who) : listActivity(run, who, { limit, isFurther }),
  }),
);

export const readsKeys = kind(
  fc.record({ name: tenant, method: mostly<"GET" | "HEAD">("GET", "HEAD") }),
  ({ name, method }) => ({
    text: `somebody sends ${method} for the keys of ${name}`,
    play: (run) => readKeys(run, name, method),
  }),
);
