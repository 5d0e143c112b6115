import fc, { type Arbitrary } from "fast-check";

import { PRODUCTS } from "../src/tenants/tenant.js";
import { openPage, readMe, removeOwn } from "./tenant-isolation-account.fixture.js";
import { listAudit, listLinks, removeAsAdmin, restore } from "./tenant-isolation-administration.fixture.js";
import {
  ADMIN_OF,
  AUDIENCE_NAMES,
  AUDIENCE_OF,
  PERSON,
  PLACES,
  SITE_NAMES,
  TEAM_NAMES,
  type AudienceName,
  type ServiceList,
  type SiteName,
  type TeamName,
  type TenantName,
} from "./tenant-isolation-cast.fixture.js";
import {
  actor,
  admin,
  back,
  describeActor,
  describeBack,
  describeCaller,
  describeTarget,
  describeToken,
  findAttempt,
  findLink,
  findTarget,
  holderOf,
  member,
  mostly,
  ownerOf,
  rarely,
  resolveActor,
  signToken,
  target,
  tenant,
  tenantOf,
  token,
} from "./tenant-isolation-choices.fixture.js";
import { identify, install, readInPublic, toggle, uninstall } from "./tenant-isolation-hosts.fixture.js";
import { beginAttempt, linkWithToken, redeem } from "./tenant-isolation-linking.fixture.js";
import { claimInPopup, removeInPopup, showPopup, startPopup } from "./tenant-isolation-popup.fixture.js";
import type { Run } from "./tenant-isolation-run.fixture.js";
import { checkPopup, checkTeam, readSettings, saveSettings } from "./tenant-isolation-settings.fixture.js";

/** One line of a story. */
export interface Step {
  readonly text: string;
  play(run: Run): Promise<void>;
}

const NO_LINK = "00000000-0000-4000-8000-000000000000";
const NO_CODE = "AAAAAAAAAA";

const installs = fc
  .record({ name: tenant, isElsewhere: fc.constantFrom(false, false, true) })
  .map(({ name, isElsewhere }): Step => {
    const { site } = PLACES[name];
    const host = SITE_NAMES.find((each) => (each !== site) === isElsewhere) ?? site;
    return {
      text: `${name} installs the app${isElsewhere ? `, and says that it is at ${host}` : ""}`,
      play: (run) => install(run, name, host),
    };
  });

const event = fc
  .record({
    name: tenant,
    change: fc.constantFrom("enabled" as const, "disabled" as const, "uninstalled" as const),
    signedBy: mostly<TenantName | "itself">("itself", "acme's Jira", "acme's Confluence", "globex's Jira"),
  })
  .map(({ name, change, signedBy }): Step => {
    const signer = signedBy === "itself" ? name : signedBy;
    return {
      text: `${name} is ${change}${signer === name ? "" : `, with ${signer}'s signature`}`,
      play: (run) =>
        change === "uninstalled" ? uninstall(run, name, signer) : toggle(run, name, change, signer),
    };
  });

const saves = fc
  .record({
    who: admin,
    team: fc.constantFrom<TeamName | null>("red", "red", "red", "blue", "blue", "blue", null),
    services: mostly<ServiceList>("usual", "swapped", "one for both", "no linking", "none"),
    allowedEmailDomains: mostly<readonly string[]>([], ["acme.example"], ["globex.example"]),
    paused: mostly(false, false, true),
    versionOf: rarely(tenant),
    idsOf: mostly<TenantName | "its own" | "no">("its own", "no", "acme's Jira", "globex's Jira"),
  })
  .map(({ who, idsOf, versionOf, ...entry }): Step => {
    const words = [
      `${entry.team ?? "no"} team`,
      `${entry.services} services`,
      `${idsOf} ids`,
      ...(versionOf ? [`version of ${versionOf}`] : []),
      ...entry.allowedEmailDomains.map((domain) => `only ${domain}`),
      ...(entry.paused ? ["paused"] : []),
    ];
    const from = {
      versionOf: versionOf ?? who.tenant,
      idsOf: idsOf === "its own" ? who.tenant : idsOf === "no" ? null : idsOf,
    };
    return {
      text: `${describeCaller(who)} saves: ${words.join(", ")}`,
      play: (run) => saveSettings(run, who, { ...entry, ...from }),
    };
  });

const begins = member.map((who): Step => ({
  text: `${describeCaller(who)} begins an attempt`,
  play: (run) => beginAttempt(run, who),
}));

const opens = back.map((count): Step => ({
  text: `the page opens the linking window of ${describeBack("attempt", count)}`,
  play: (run) => startPopup(run, findAttempt(run, count)),
}));

const visits = fc
  .record({
    count: back,
    token,
    deed: fc.constantFrom("looks", "links", "asks for a code to type", "removes the other link"),
    cookieOf: mostly<"its own" | "no" | number>("its own", "no", 0, 1),
  })
  .map(({ count, token, deed, cookieOf }): Step => {
    const cookie = typeof cookieOf === "number" ? describeBack("attempt", cookieOf) : cookieOf;
    return {
      text: `the linking window of ${describeBack("attempt", count)}, with ${describeToken(token)} and the cookie of ${cookie}: ${deed}`,
      play: async (run) => {
        const attempt = findAttempt(run, count);
        const visit = {
          attempt,
          token: await signToken(run, token, { person: ownerOf(attempt), tenant: tenantOf(attempt) }, "link"),
          cookieOf:
            typeof cookieOf === "number" ? findAttempt(run, cookieOf) : cookieOf === "no" ? null : attempt,
        };
        if (deed === "looks") return showPopup(run, visit);
        if (deed === "removes the other link") return removeInPopup(run, visit);
        return claimInPopup(run, visit, deed !== "links");
      },
    };
  });

const redeems = fc
  .record({ count: back, actor, codeOf: fc.option(back, { freq: 2 }) })
  .map(({ count, actor, codeOf }): Step => ({
    text: `${describeActor(actor)} redeems ${describeBack("attempt", count)}${codeOf === null ? "" : ` with the code of ${describeBack("attempt", codeOf)}`}`,
    play: (run) => {
      const attempt = findAttempt(run, count);
      const code = findAttempt(run, codeOf ?? count)?.codes[0] ?? NO_CODE;
      return redeem(
        run,
        resolveActor(actor, attempt, () => ownerOf(attempt)),
        attempt,
        code,
      );
    },
  }));

/** The whole way, with what others try before the code is sent. */
const linksInPopup = fc
  .record({ who: member, token, meanwhile: fc.array(fc.oneof(visits, redeems, saves), { maxLength: 3 }) })
  .map(({ who, token, meanwhile }): Step => ({
    text: `${describeCaller(who)} links through the linking window, with ${describeToken(token)}${meanwhile.map(({ text }) => `\n       meanwhile: ${text}`).join("")}`,
    play: async (run) => {
      await beginAttempt(run, who);
      const attempt = findAttempt(run, 0);
      await startPopup(run, attempt);
      const signed = await signToken(run, token, who, "link");
      await claimInPopup(run, { attempt, token: signed, cookieOf: attempt }, false);
      for (const step of meanwhile) await step.play(run);
      await redeem(run, who, attempt, attempt?.codes[0] ?? NO_CODE);
    },
  }));

/** Somebody begins an attempt, and the holder of an identity that is linked already takes it back there. */
const takesBack = fc.record({ who: member, count: back, token }).map(({ who, count, token }): Step => ({
  text: `the holder of ${describeBack("link", count)} takes it back in a linking window of ${who.person}, with ${describeToken(token)}`,
  play: async (run) => {
    const link = findLink(run, count);
    const holder = { person: holderOf(link), tenant: tenantOf(link) };
    await beginAttempt(run, { ...who, tenant: holder.tenant });
    const attempt = findAttempt(run, 0);
    await startPopup(run, attempt);
    const visit = { attempt, token: await signToken(run, token, holder, "link"), cookieOf: attempt };
    await showPopup(run, visit);
    await removeInPopup(run, visit);
  },
}));

const linksByToken = fc.record({ who: member, token }).map(({ who, token }): Step => ({
  text: `${describeCaller(who)} links with ${describeToken(token)}`,
  play: async (run) => linkWithToken(run, who, await signToken(run, token, who, "link")),
}));

/** The same Access identity may be linked in every tenant, to another account in each. */
const linksElsewhere = fc.record({ target, who: member }).map(({ target, who }): Step => ({
  text: `${describeCaller(who)} links with a new Access JWT of the holder of ${describeTarget(target)}, and a service asks who that is`,
  play: async (run) => {
    const holder = holderOf(findTarget(run, target));
    const choice = { person: holder, team: "right", audience: "right", isNew: true } as const;
    await linkWithToken(run, who, await signToken(run, choice, who, "link"));
    const question = { site: PLACES[who.tenant].site, product: null, audience: null };
    await identify(run, question, await signToken(run, choice, who, "identify"));
  },
}));

/** The same person is another Access identity in every team. */
const changesTeam = fc
  .record({ target, team: fc.constantFrom<TeamName>("red", "blue") })
  .map(({ target, team }): Step => ({
    text: `where ${describeTarget(target)} was, the admin enters the ${team} team, and its holder links again`,
    play: async (run) => {
      const link = findTarget(run, target);
      const name = tenantOf(link);
      const entry = { team, services: "usual", allowedEmailDomains: [], paused: false } as const;
      const admin = { person: ADMIN_OF[name], tenant: name, signature: "own" } as const;
      await saveSettings(run, admin, { ...entry, versionOf: name, idsOf: name });
      const choice = { person: "right", team: "right", audience: "right", isNew: true } as const;
      const signed = await signToken(run, choice, { person: holderOf(link), tenant: name }, "link");
      await linkWithToken(run, { person: ownerOf(link), tenant: name, signature: "own" }, signed);
    },
  }));

const asks = fc
  .record({
    count: back,
    token,
    site: mostly<SiteName | "nobody's" | "its">("its", "acme", "globex", "nobody's"),
    product: fc.option(fc.constantFrom(...PRODUCTS), { freq: 2 }),
    audience: fc.option(mostly<AudienceName | "its own">("its own", ...AUDIENCE_NAMES), { freq: 2 }),
  })
  .map(({ count, token, site, product, audience }): Step => ({
    text: `a service asks ${site} site, ${product ?? "any product"}, ${audience ?? "any"} audience, for the holder of ${describeBack("link", count)}, with ${describeToken(token)}`,
    play: async (run) => {
      const link = findLink(run, count);
      const holder = { person: holderOf(link), tenant: tenantOf(link) };
      const signed = await signToken(run, token, holder, "identify");
      const question = {
        site: site === "its" ? PLACES[holder.tenant].site : site,
        product,
        audience: audience === "its own" ? signed.audience : audience && AUDIENCE_OF[audience],
      };
      await identify(run, question, signed);
    },
  }));

const page = fc.record({
  limit: fc.option(fc.constantFrom(1, 2), { freq: 2 }),
  cursorOf: fc.option(tenant, { freq: 2 }),
});

const looks = fc
  .record({ who: admin, page, filter: fc.constantFrom("", "", PERSON.Grace.email, PERSON.Gus.accountId) })
  .chain(({ who, page, filter }) => {
    const caller = describeCaller(who);
    const { limit, cursorOf } = page;
    const words = `${filter}${limit ? `, ${limit} at once` : ""}${cursorOf ? `, on from where ${cursorOf} stopped` : ""}`;
    return fc.constantFrom<Step>(
      { text: `${caller} lists links: ${words}`, play: (run) => listLinks(run, who, filter, page) },
      { text: `${caller} lists the audit log: ${words}`, play: (run) => listAudit(run, who, filter, page) },
      { text: `${caller} reads the settings`, play: (run) => readSettings(run, who) },
      { text: `${caller} opens the admin page`, play: (run) => openPage(run, who, "/admin") },
    );
  });

const checks = fc
  .record({ who: admin, team: fc.option(fc.constantFrom(...TEAM_NAMES)) })
  .chain(({ who, team }) =>
    fc.constantFrom<Step>(
      {
        text: `${describeCaller(who)} checks ${team ?? "the saved"} team`,
        play: (run) => checkTeam(run, who, team),
      },
      { text: `${describeCaller(who)} checks the linking window`, play: (run) => checkPopup(run, who) },
    ),
  );

const looksAtOneself = member.chain((who) =>
  fc.constantFrom<Step>(
    { text: `${describeCaller(who)} looks at their links`, play: (run) => readMe(run, who) },
    { text: `${describeCaller(who)} opens the account page`, play: (run) => openPage(run, who, "/account") },
  ),
);

const changesLink = fc.record({ actor, target }).chain(({ actor, target }) => {
  const [who, what] = [describeActor(actor), describeTarget(target)];
  const asAdmin = (tenant: TenantName) => ADMIN_OF[tenant];
  return fc.constantFrom<Step>(
    {
      text: `${who} removes ${what} as an admin`,
      play: (run) => {
        const link = findTarget(run, target);
        return removeAsAdmin(run, resolveActor(actor, link, asAdmin), link?.id ?? NO_LINK);
      },
    },
    {
      text: `${who} restores ${what}`,
      play: (run) => {
        const link = findTarget(run, target);
        return restore(run, resolveActor(actor, link, asAdmin), link?.id ?? NO_LINK);
      },
    },
    {
      text: `${who} removes ${what} as their own`,
      play: (run) => {
        const link = findTarget(run, target);
        return removeOwn(
          run,
          resolveActor(actor, link, () => ownerOf(link)),
          link?.id ?? NO_LINK,
        );
      },
    },
  );
});

const strangerReads = fc
  .constantFrom("/atlassian-connect.json", "/healthz", "/readyz", "/metrics", "/openapi.json", "/problems")
  .map((path): Step => ({ text: `a stranger reads ${path}`, play: (run) => readInPublic(run, path) }));

const WEIGHTS: readonly (readonly [weight: number, arbitrary: Arbitrary<Step>])[] = [
  [7, asks],
  [4, linksByToken],
  [5, linksInPopup],
  [5, visits],
  [4, redeems],
  [9, changesLink],
  [4, looks],
  [3, saves],
  [3, looksAtOneself],
  [2, takesBack],
  [2, changesTeam],
  [3, linksElsewhere],
  [2, begins],
  [2, opens],
  [3, installs],
  [3, event],
  [1, checks],
  [1, strangerReads],
];

export const step = fc.oneof(...WEIGHTS.map(([weight, arbitrary]) => ({ weight, arbitrary })));
