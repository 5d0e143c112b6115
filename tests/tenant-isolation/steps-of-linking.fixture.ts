import fc from "fast-check";

import { ADMIN_OF, PLACES, type TeamName } from "./cast.fixture.js";
import {
  actor,
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
  resolveActor,
  signToken,
  target,
  tenantOf,
  token,
} from "./choices.fixture.js";
import { identify } from "./hosts.fixture.js";
import { beginAttempt, linkWithToken, redeem } from "./linking.fixture.js";
import { claimInPopup, removeInPopup, showPopup, startPopup } from "./popup.fixture.js";
import { keyOf } from "./services.fixture.js";
import { saveSettings } from "./settings.fixture.js";
import { saves } from "./steps-of-tenants.fixture.js";
import { kind } from "./step.fixture.js";

/** How people come by links. */

const NO_CODE = "AAAAAAAAAA";

export const begins = kind(member, (who) => ({
  text: `${describeCaller(who)} begins an attempt`,
  play: (run) => beginAttempt(run, who),
}));

export const opens = kind(back, (count) => ({
  text: `the page opens the linking window of ${describeBack("attempt", count)}`,
  play: (run) => startPopup(run, findAttempt(run, count)),
}));

const VISITS = [
  "looks",
  "links",
  "asks for a code to type",
  "asks for the head",
  "removes the other link",
] as const;

export const visits = kind(
  fc.record({
    count: back,
    token,
    deed: fc.constantFrom(...VISITS),
    cookieOf: mostly<"its own" | "no" | number>("its own", "no", 0, 1),
  }),
  ({ count, token, deed, cookieOf }) => {
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
        if (deed === "asks for the head") return showPopup(run, visit, "HEAD");
        if (deed === "removes the other link") return removeInPopup(run, visit);
        return claimInPopup(run, visit, deed !== "links");
      },
    };
  },
);

export const redeems = kind(
  fc.record({ count: back, actor, codeOf: fc.option(back, { freq: 2 }) }),
  ({ count, actor, codeOf }) => ({
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
  }),
);

/** The whole way, with what others try before the code is sent. */
export const linksInPopup = kind(
  fc.record({
    who: member,
    token,
    meanwhile: fc.array(fc.oneof(visits.arbitrary, redeems.arbitrary, saves.arbitrary), { maxLength: 3 }),
  }),
  ({ who, token, meanwhile }) => ({
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
  }),
);

/** Somebody begins an attempt, and the holder of an identity that is linked already takes it back there. */
export const takesBack = kind(fc.record({ who: member, count: back, token }), ({ who, count, token }) => ({
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

export const linksByToken = kind(fc.record({ who: member, token }), ({ who, token }) => ({
  text: `${describeCaller(who)} links with ${describeToken(token)}`,
  play: async (run) => linkWithToken(run, who, await signToken(run, token, who, "link")),
}));

/** The same Access identity may be linked in every tenant, to another account in each. */
export const linksElsewhere = kind(fc.record({ target, who: member }), ({ target, who }) => ({
  text: `${describeCaller(who)} links with a new Access JWT of the holder of ${describeTarget(target)}, and a service asks who that is`,
  play: async (run) => {
    const holder = holderOf(findTarget(run, target));
    const choice = { person: holder, team: "right", audience: "right", isNew: true } as const;
    await linkWithToken(run, who, await signToken(run, choice, who, "link"));
    const question = { site: PLACES[who.tenant].site, product: null, audience: null };
    const signed = await signToken(run, choice, who, "identify");
    await identify(run, question, signed, keyOf(run, run.model.tenants.get(who.tenant), signed));
  },
}));

/** The same person is another Access identity in every team. */
export const changesTeam = kind(
  fc.record({ target, team: fc.constantFrom<TeamName>("red", "blue") }),
  ({ target, team }) => ({
    text: `where ${describeTarget(target)} was, the admin enters the ${team} team, and its holder links again`,
    play: async (run) => {
      const link = findTarget(run, target);
      const name = tenantOf(link);
      const entry = { team, services: "usual", allowedEmailDomains: [] } as const;
      const running = { paused: false, pausedService: null } as const;
      const admin = { person: ADMIN_OF[name], tenant: name, signature: "own" } as const;
      await saveSettings(run, admin, { ...entry, ...running, versionOf: name, idsOf: name });
      const choice = { person: "right", team: "right", audience: "right", isNew: true } as const;
      const signed = await signToken(run, choice, { person: holderOf(link), tenant: name }, "link");
      await linkWithToken(run, { person: ownerOf(link), tenant: name, signature: "own" }, signed);
    },
  }),
);
