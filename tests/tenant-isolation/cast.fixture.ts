import { audienceOf } from "../../sandbox/access-team.js";
import { createPerson, type Person } from "../../sandbox/people.js";
import { AUDIENCES } from "../../sandbox/world-parts.js";
import type { ListedService, Purpose, RequestPattern } from "../../src/services/settings.js";
import { PRODUCTS, type Product } from "../../src/tenants/tenant.js";

/** Two sites, one of them with both products: three tenants. */
export type SiteName = "acme" | "globex";
export const SITE_NAMES: readonly SiteName[] = ["acme", "globex"];

export type TenantName = "acme's Jira" | "acme's Confluence" | "globex's Jira";

export interface Place {
  readonly site: SiteName;
  readonly product: Product;
}

export const PLACES: Readonly<Record<TenantName, Place>> = {
  "acme's Jira": { site: "acme", product: "jira" },
  "acme's Confluence": { site: "acme", product: "confluence" },
  "globex's Jira": { site: "globex", product: "jira" },
};
export const TENANT_NAMES: readonly TenantName[] = ["acme's Jira", "acme's Confluence", "globex's Jira"];

/** No tenant ever names the last. */
export const TEAM_NAMES = ["red", "blue", "green"] as const;
export type TeamName = (typeof TEAM_NAMES)[number];

export function teamDomainOf(team: TeamName): string {
  return `${team}.cloudflareaccess.com`;
}

export const AUDIENCE_NAMES = ["app", "tool", "wiki"] as const;
export type AudienceName = (typeof AUDIENCE_NAMES)[number];

/** AUD tags and team names are public: every tenant may enter every one of them. */
export const AUDIENCE_OF: Readonly<Record<AudienceName, string>> = {
  app: AUDIENCES.app,
  tool: AUDIENCES.demo,
  wiki: audienceOf("Wiki tool"),
};

/** Known to one site or to both, and as somebody else's admin, member or stranger in each. */
export type PersonName = "Ada" | "Cleo" | "Grace" | "Gus";
export const PERSON_NAMES: readonly PersonName[] = ["Grace", "Ada", "Gus", "Cleo"];

export const PERSON: Readonly<Record<PersonName, Person>> = {
  Ada: createPerson("Ada of Acme"),
  Cleo: createPerson("Cleo of Acme"),
  Grace: createPerson("Grace of Both"),
  Gus: createPerson("Gus of Globex", { email: "gus@globex.example" }),
};

/** Each site calls them by another name, so that an answer shows which site was asked. */
export const PEOPLE_OF: Readonly<Record<SiteName, readonly Person[]>> = {
  acme: [
    { ...PERSON.Ada, administers: PRODUCTS },
    { ...PERSON.Cleo, administers: ["confluence"] },
    { ...PERSON.Grace, name: "Grace at Acme" },
    { ...PERSON.Gus, name: "Gus at Acme" },
  ],
  globex: [
    { ...PERSON.Gus, name: "Gus at Globex", administers: ["jira"] },
    { ...PERSON.Grace, name: "Grace at Globex" },
  ],
};

export const ADMIN_OF: Readonly<Record<TenantName, PersonName>> = {
  "acme's Jira": "Ada",
  "acme's Confluence": "Cleo",
  "globex's Jira": "Gus",
};

export function findAtSite(site: SiteName, person: PersonName): Person | null {
  return PEOPLE_OF[site].find(({ accountId }) => accountId === PERSON[person].accountId) ?? null;
}

type Consent = "required" | "given";

export const OWN_ACCOUNT: Readonly<Record<Product, string>> = {
  jira: "/rest/api/3/myself",
  confluence: "/rest/api/user/current",
};
export const NEW_ISSUE = "/rest/api/3/issue";

/** The same in both Jiras, so that what was agreed to in one looks like what is asked in the other. */
const REQUESTS_OF: Readonly<Record<Product, readonly RequestPattern[]>> = {
  jira: [
    { methods: ["GET"], path: OWN_ACCOUNT.jira },
    { methods: ["POST"], path: NEW_ISSUE },
  ],
  confluence: [{ methods: ["GET"], path: OWN_ACCOUNT.confluence }],
};

export type ServiceList = "usual" | "swapped" | "one for both" | "no linking" | "none";

/** What an admin of a tenant enters. Labels tell whose they are. */
export function servicesOf(
  tenant: TenantName,
  list: ServiceList,
): readonly Omit<ListedService, "id" | "paused">[] {
  const build = (audience: AudienceName, purposes: readonly Purpose[], consent: Consent = "required") => ({
    label: `The ${audience} of ${tenant}`,
    audience: AUDIENCE_OF[audience],
    purposes,
    limits: {
      ...{ requests: REQUESTS_OF[PLACES[tenant].product], consent },
      ...{ maxTokenAgeSeconds: null, ipAddresses: [], liveCheckSeconds: null },
    },
  });
  return {
    usual: [build("app", ["link"]), build("tool", ["identify", "act", "assert"])],
    swapped: [build("tool", ["link"]), build("app", ["identify", "act"], "given"), build("wiki", ["assert"])],
    "one for both": [build("wiki", ["link", "identify", "assert"])],
    "no linking": [build("tool", ["identify", "act"]), build("wiki", ["identify", "act"], "given")],
    none: [],
  }[list];
}
