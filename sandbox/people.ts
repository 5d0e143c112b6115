import { createHash } from "node:crypto";

import { PRODUCTS, type Product } from "../src/tenants/tenant.js";

/** Somebody with two identities that no system connects: that is what the app is for. */
export interface Person {
  readonly name: string;
  /** How Access knows them. Only a label: `accessSubject` is who they are. */
  readonly email: string;
  /** The `sub` of their Access JWTs. */
  readonly accessSubject: string;
  /** Who they are in Jira and Confluence. */
  readonly accountId: string;
  readonly accountType: "atlassian" | "app" | "customer";
  readonly active: boolean;
  readonly administers: readonly Product[];
}

/** Access credentials of a machine. */
export interface ServiceToken {
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export function firstName({ name }: Pick<Person, "name">): string {
  return name.replace(/ .*/, "");
}

/** As e-mails and the site's `?as=` name somebody: the first name in lower case. */
export function nickname(person: Pick<Person, "name">): string {
  return firstName(person).toLowerCase();
}

/** The same name gives the same made-up identities, at an address that RFC 2606 keeps free of real people. */
export function createPerson(name: string, traits: Partial<Person> = {}): Person {
  return {
    name,
    email: `${nickname({ name })}@acme.example`,
    accessSubject: uuidOf(`Access ${name}`),
    accountId: `712020:${uuidOf(`Atlassian ${name}`)}`,
    accountType: "atlassian",
    active: true,
    administers: [],
    ...traits,
  };
}

export const ADA = createPerson("Ada Admin", { administers: PRODUCTS });
export const CLEO = createPerson("Cleo Confluence-Admin", { administers: ["confluence"] });
export const GRACE = createPerson("Grace Green");
export const LINUS = createPerson("Linus Lake");
export const DORA = createPerson("Dora Departed", { active: false });
export const OSCAR = createPerson("Oscar Outside", { email: "oscar@partner.example" });
export const BUILD_BOT = createPerson("Build Bot", { accountType: "app" });

export const PEOPLE: readonly Person[] = [ADA, CLEO, GRACE, LINUS, DORA, OSCAR, BUILD_BOT];

/** Those who are worth being when a tool is visited. */
export const VISITORS: readonly Person[] = [GRACE, LINUS, OSCAR, ADA];

export const NIGHTLY_BUILD: ServiceToken = {
  name: "nightly-build",
  clientId: "0f3c5d2b8e7a41d69c1b2a3f4e5d6c7b.access",
  clientSecret: createHash("sha256").update("nightly-build").digest("hex"),
};

function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
