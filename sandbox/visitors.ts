import type { Incoming } from "./http-server.js";
import type { Person } from "./people.js";

/** Those who can sign in. */
export function listVisitors(accounts: ReadonlyMap<string, Person>): Person[] {
  return [...accounts.values()].filter(({ accountType, active }) => accountType === "atlassian" && active);
}

/** Whose page of the site makes this request. A page of another origin can't send the header. */
export function findVisitor(people: readonly Person[], { headers }: Incoming): Person | null {
  return people.find(({ accountId }) => accountId === headers["x-sandbox-person"]) ?? null;
}
