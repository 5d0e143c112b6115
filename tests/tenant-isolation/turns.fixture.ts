import type { PersonName, TenantName } from "./cast.fixture.js";
import type { Actor, KeyChoice, TokenChoice } from "./choices.fixture.js";
import { HEADS } from "./heads.fixture.js";
import type { Caller } from "./known.fixture.js";
import type { Step } from "./step.fixture.js";
import { ADMIN_DEEDS, PUBLIC_PATHS } from "./steps-of-tenants.fixture.js";
import { KINDS, type KindName } from "./steps.fixture.js";

const { asks, atOnce, begins, changesLink, changesState, installs, linksByToken, linksElsewhere } = KINDS;
const { acts, asserts, assertsForOwner, changesKeys, confirms, decides, looksBack, readsKeys, unproves } =
  KINDS;
const { linksInPopup, lists, looksAtOneself, opens, redeems, saves, takesBack, visits } = KINDS;

const JIRA = "acme's Jira";
const CONFLUENCE = "acme's Confluence";
const GLOBEX = "globex's Jira";

function somebody(person: PersonName, tenant: TenantName = JIRA): Caller {
  return { person, tenant, signature: "own" };
}

function newToken(changes: Partial<TokenChoice> = {}): TokenChoice {
  return { person: "right", team: "right", audience: "right", isNew: true, ...changes };
}

function actor(changes: Partial<Actor> = {}): Actor {
  return { person: "the right person", tenant: "the right tenant", signature: "own", ...changes };
}

const GRACE_LINKS = linksByToken.tell({ who: somebody("Grace"), token: newToken() });
const GRACE_BEGINS = begins.tell(somebody("Grace"));
const OPENS = opens.tell(0);
const REDEEMS = redeems.tell({ count: 0, actor: actor(), codeOf: null });

type Visit = Parameters<typeof visits.tell>[0];

function visitsAs(person: TokenChoice["person"], deed: Visit["deed"] = "links"): Step {
  return visits.tell({ count: 0, token: newToken({ person }), deed, cookieOf: "its own" });
}

type Change = Parameters<typeof changesLink.tell>[0]["change"];

function changes(change: Change, by: Partial<Actor> = {}, isRemoved = false): Step {
  return changesLink.tell({ actor: actor(by), target: { count: 0, isRemoved }, change });
}

const ADMIN_REMOVES = changes("removes as an admin");

function asksInJira(token: TokenChoice, method: "GET" | "HEAD" = "GET", key: KeyChoice = "its own"): Step {
  return asks.tell({ count: 0, token, site: "its", product: "jira", audience: null, method, key });
}

const USUAL = {
  ...({ team: "red", services: "usual", allowedEmailDomains: [], paused: false } as const),
  ...({ pausedService: null, versionOf: null, idsOf: "its own" } as const),
};

const ADA_ENTRY = { who: somebody("Ada"), ...USUAL };
const ADA_SAVES = saves.tell(ADA_ENTRY);

const ACTS = {
  ...({ count: 0, token: newToken(), site: "its", product: "its" } as const),
  ...({ deed: "reads", key: "its own", hasAgreed: true } as const),
};
const WRITES = acts.tell({ ...ACTS, deed: "writes" });

/** In the usual list. */
const TOOL = { of: "its", index: 1 } as const;
const AGREES = decides.tell({ who: somebody("Grace"), service: TOOL, decision: "agrees to" });
const BY_ADMIN = { actor: actor(), name: JIRA, service: TOOL } as const;
const MAKES_KEY = changesKeys.tell({ ...BY_ADMIN, change: "makes" });
const ASSERTS = assertsForOwner.tell({ count: 0, actor: actor() });
const UNPROVES = unproves.tell(0);

function confirmsAs(by: Partial<Actor> = {}, isStale = false): Step {
  return confirms.tell({ count: 0, actor: actor(by), isPlanted: true, isStale });
}

/** What the steps must lead to, which shows that stories by chance can get there too. */
export const TURNS: readonly (readonly [turn: string, ...steps: readonly Step[]])[] = [
  ["act: reads: 200", GRACE_LINKS, acts.tell(ACTS)],
  ["act: writes: 201", GRACE_LINKS, WRITES],
  [
    "act: writes: access_jwt_untrusted",
    GRACE_LINKS,
    acts.tell({ ...ACTS, deed: "writes", site: "nobody's" }),
  ],
  [
    "act: writes: account_inactive",
    linksByToken.tell({ who: somebody("Ada", GLOBEX), token: newToken() }),
    WRITES,
  ],
  ["act: reads: consent_required", GRACE_LINKS, acts.tell({ ...ACTS, hasAgreed: false })],
  ["act: reads: not_linked", GRACE_LINKS, acts.tell({ ...ACTS, product: "confluence" })],
  ["act: writes: paused", GRACE_LINKS, saves.tell({ ...ADA_ENTRY, pausedService: "tool" }), WRITES],
  ["act: writes: proof_required", GRACE_LINKS, UNPROVES, WRITES],
  ["act: deletes: request_not_allowed", GRACE_LINKS, acts.tell({ ...ACTS, deed: "deletes" })],
  [
    "act: writes: service_key_required",
    ...[GRACE_LINKS, MAKES_KEY, changesKeys.tell({ ...BY_ADMIN, name: GLOBEX, change: "makes" })],
    acts.tell({ ...ACTS, deed: "writes", key: "another's" }),
  ],
  ["agree: 204", AGREES],
  [
    "agree: not_found",
    decides.tell({ who: somebody("Grace"), service: { ...TOOL, of: GLOBEX }, decision: "agrees to" }),
  ],
  [
    "agree: consent_changed",
    decides.tell({ who: somebody("Grace"), service: TOOL, decision: "agrees to something else of" }),
  ],
  ["assert: 201", GRACE_LINKS, ASSERTS],
  ["assert: not_linked", asserts.tell({ who: somebody("Grace"), service: TOOL })],
  ["assert: not_found", asserts.tell({ who: somebody("Grace"), service: { ...TOOL, of: GLOBEX } })],
  ["assert: consent_required", GRACE_LINKS, asserts.tell({ who: somebody("Grace"), service: TOOL })],
  ["assert: proof_required", GRACE_LINKS, UNPROVES, ASSERTS],
  ["begin: 201", GRACE_BEGINS],
  ["begin: connect_jwt_invalid", begins.tell({ ...somebody("Grace"), signature: "another tenant's" })],
  ["begin: paused", installs.tell({ name: JIRA, isElsewhere: true }), GRACE_BEGINS],
  ["begin: purpose_not_allowed", saves.tell({ ...ADA_ENTRY, team: null }), GRACE_BEGINS],
  ["claim: 200", GRACE_BEGINS, OPENS, visitsAs("right")],
  ["claim: attempt_expired", GRACE_BEGINS, OPENS, visitsAs("right"), visitsAs("Gus")],
  ["confirm: 200", GRACE_LINKS, confirmsAs()],
  ["confirm: consent_changed", GRACE_LINKS, confirmsAs({}, true)],
  ["confirm: not_found", GRACE_LINKS, confirmsAs({ tenant: GLOBEX })],
  ["enabled: connect_jwt_invalid", changesState.tell({ name: JIRA, change: "enabled", signedBy: GLOBEX })],
  ["five wrong codes", GRACE_BEGINS, REDEEMS, REDEEMS, REDEEMS, REDEEMS, REDEEMS],
  ["identify with product: 200", GRACE_LINKS, asksInJira(newToken())],
  ["identify with product: access_jwt_untrusted", GRACE_LINKS, asksInJira(newToken({ team: "green" }))],
  ["identify with product: not_linked", GRACE_LINKS, asksInJira(newToken({ person: "Gus" }))],
  [
    "identify without product: ambiguous_site",
    GRACE_LINKS,
    linksElsewhere.tell({ target: { count: 0, isRemoved: false }, who: somebody("Ada", CONFLUENCE) }),
  ],
  [
    "identify with product: service_key_required",
    ...[GRACE_LINKS, MAKES_KEY, asksInJira(newToken(), "GET", "no")],
  ],
  ["install again: 204", installs.tell({ name: JIRA, isElsewhere: false })],
  [
    "link with a token that was used: already_linked",
    GRACE_LINKS,
    linksByToken.tell({ who: somebody("Grace", GLOBEX), token: newToken({ isNew: false }) }),
  ],
  ["link with token: 201", GRACE_LINKS],
  ["link with token again: 200", GRACE_LINKS, GRACE_LINKS],
  [
    "link with token: already_linked",
    GRACE_LINKS,
    linksByToken.tell({ who: somebody("Ada"), token: newToken({ person: "Grace" }) }),
  ],
  [
    "list activity: 200",
    ...[GRACE_LINKS, WRITES],
    looksBack.tell({
      ...{ who: somebody("Grace"), deed: "lists what was done for them" },
      ...{ limit: null, isFurther: false },
    }),
  ],
  [
    "list links: 200",
    GRACE_LINKS,
    lists.tell({
      ...{ who: somebody("Ada"), what: "links", filter: "" },
      page: { limit: null, cursorOf: null },
    }),
  ],
  ["make key: 201", MAKES_KEY],
  [
    "make key: not_found",
    changesKeys.tell({ ...BY_ADMIN, service: { ...TOOL, of: GLOBEX }, change: "makes" }),
  ],
  ["make key: validation_failed", MAKES_KEY, MAKES_KEY, MAKES_KEY],
  ["read keys: 200", GRACE_LINKS, ASSERTS],
  ["redeem: 201", linksInPopup.tell({ who: somebody("Grace"), token: newToken(), meanwhile: [] })],
  [
    "redeem: already_linked",
    GRACE_LINKS,
    linksInPopup.tell({ who: somebody("Ada"), token: newToken({ person: "Grace" }), meanwhile: [] }),
  ],
  [
    "redeem: attempt_expired",
    GRACE_BEGINS,
    OPENS,
    visitsAs("right"),
    redeems.tell({ count: 0, actor: actor({ person: "Ada" }), codeOf: null }),
  ],
  ["remove as admin: 204", GRACE_LINKS, ADMIN_REMOVES],
  ["remove as admin: not_admin", GRACE_LINKS, changes("removes as an admin", { person: "Cleo" })],
  ["remove as admin: not_found", GRACE_LINKS, changes("removes as an admin", { tenant: GLOBEX })],
  [
    "remove key: not_found",
    MAKES_KEY,
    changesKeys.tell({ ...BY_ADMIN, actor: actor({ tenant: GLOBEX }), change: 0 }),
  ],
  [
    "remove in popup a link: 204",
    linksByToken.tell({ who: somebody("Ada"), token: newToken({ person: "Grace" }) }),
    takesBack.tell({ who: somebody("Grace"), count: 0, token: newToken() }),
  ],
  ["remove own: 204", GRACE_LINKS, changes("removes as their own")],
  ["remove own: not_found", GRACE_LINKS, changes("removes as their own", { tenant: CONFLUENCE })],
  ["restore: 200", GRACE_LINKS, ADMIN_REMOVES, changes("restores", {}, true)],
  ["restore: not_found", GRACE_LINKS, ADMIN_REMOVES, changes("restores", { tenant: GLOBEX }, true)],
  ["save settings: version_conflict", ADA_SAVES, saves.tell({ ...ADA_ENTRY, versionOf: GLOBEX })],
  ["save settings with another's service: validation_failed", saves.tell({ ...ADA_ENTRY, idsOf: GLOBEX })],
  ["withdraw: 204", decides.tell({ who: somebody("Grace"), service: TOOL, decision: "withdraws" })],
  ["uninstall: 204", changesState.tell({ name: JIRA, change: "uninstalled", signedBy: "itself" })],
];

export const ALL_LINK_AT_ONCE = atOnce.tell([
  { tenant: JIRA, person: "Grace", deed: "links" },
  { tenant: CONFLUENCE, person: "Cleo", deed: "links" },
  { tenant: GLOBEX, person: "Gus", deed: "links" },
]);

/** One after the other, in a world where every tenant is set up: between them they use everything that there is. */
export const ONE_OF_EACH_KIND: Readonly<Record<KindName, readonly Step[]>> = {
  saves: [ADA_SAVES],
  acts: [
    GRACE_LINKS,
    acts.tell(ACTS),
    acts.tell({ ...ACTS, deed: "writes" }),
    linksByToken.tell({ who: somebody("Ada", CONFLUENCE), token: newToken() }),
    acts.tell(ACTS),
  ],
  unproves: [unproves.tell(0)],
  confirms: [confirms.tell({ count: 0, actor: actor(), isPlanted: true, isStale: false })],
  begins: [GRACE_BEGINS],
  opens: [OPENS],
  visits: [visitsAs("right", "looks"), visitsAs("right", "asks for the head"), visitsAs("right")],
  redeems: [REDEEMS],
  linksByToken: [linksByToken.tell({ who: somebody("Cleo"), token: newToken() })],
  linksInPopup: [linksInPopup.tell({ who: somebody("Ada"), token: newToken(), meanwhile: [] })],
  linksElsewhere: [
    linksElsewhere.tell({ target: { count: 0, isRemoved: false }, who: somebody("Gus", GLOBEX) }),
  ],
  takesBack: [takesBack.tell({ who: somebody("Grace", GLOBEX), count: 0, token: newToken() })],
  changesTeam: [KINDS.changesTeam.tell({ target: { count: 1, isRemoved: false }, team: "red" })],
  atOnce: [ALL_LINK_AT_ONCE],
  asks: [asksInJira(newToken()), asksInJira(newToken(), "HEAD")],
  lists: (["links", "changes", "use"] as const).map((what) =>
    lists.tell({ who: somebody("Ada"), what, filter: "", page: { limit: null, cursorOf: null } }),
  ),
  administers: ADMIN_DEEDS.map((deed) => KINDS.administers.tell({ who: somebody("Ada"), deed })),
  checks: (["the saved team", "the linking window"] as const).map((what) =>
    KINDS.checks.tell({ who: somebody("Ada"), what }),
  ),
  looksAtOneself: (["looks at their links", "opens the account page"] as const).map((deed) =>
    looksAtOneself.tell({ who: somebody("Grace"), deed }),
  ),
  asksForHead: HEADS.map((path) => KINDS.asksForHead.tell({ who: somebody("Ada"), path })),
  strangerReads: PUBLIC_PATHS.flatMap((path) => [
    KINDS.strangerReads.tell({ path, method: "GET" }),
    KINDS.strangerReads.tell({ path, method: "HEAD" }),
  ]),
  changesLink: [ADMIN_REMOVES, changes("restores", {}, true), changes("removes as their own")],
  installs: [installs.tell({ name: JIRA, isElsewhere: false })],
  decides: [AGREES, decides.tell({ who: somebody("Grace"), service: TOOL, decision: "withdraws" })],
  asserts: [asserts.tell({ who: somebody("Ada", CONFLUENCE), service: TOOL })],
  assertsForOwner: [assertsForOwner.tell({ count: 0, actor: actor() })],
  changesKeys: [MAKES_KEY, changesKeys.tell({ ...BY_ADMIN, change: 0 })],
  looksBack: (["lists what was done for them", "has seen the news"] as const).map((deed) =>
    looksBack.tell({ who: somebody("Grace"), deed, limit: null, isFurther: false }),
  ),
  readsKeys: ([JIRA, CONFLUENCE] as const).flatMap((name) =>
    (["GET", "HEAD"] as const).map((method) => readsKeys.tell({ name, method })),
  ),
  startsAnew: [KINDS.startsAnew.tell(0)],
  changesState: (["disabled", "enabled", "uninstalled"] as const).map((change) =>
    changesState.tell({ name: JIRA, change, signedBy: "itself" }),
  ),
};
