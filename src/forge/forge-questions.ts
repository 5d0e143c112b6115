import { z } from "zod";

import { accountAnswer, administersConfluence } from "../tenants/account-answer.js";
import type { HostAccount } from "../tenants/host-directory.js";
import type { Product } from "../tenants/tenant.js";

/** What is GET from a product, and what a 200 to it means. */
export interface ForgeQuestion<T> {
  /** Below the product's base URL, with its query. */
  readonly path: string;
  readonly answer: z.ZodType<T>;
}

/** Of whoever's token it is asked with. */
const SELF: Readonly<Record<Product, string>> = {
  jira: "/rest/api/3/myself",
  confluence: "/rest/api/user/current",
};

/** Whose the token is: an account's, or the app's own. */
export function whoseTokenQuestion(product: Product): ForgeQuestion<string> {
  return {
    path: SELF[product],
    answer: z.object({ accountId: z.string().min(1) }).transform(({ accountId }) => accountId),
  };
}

/** Whoever asks about themselves needs nobody's permission. */
export function ownAccountQuestion(product: Product, accountId: string): ForgeQuestion<HostAccount> {
  return { path: SELF[product], answer: accountAnswer(accountId) };
}

export function accountQuestion(product: Product, accountId: string): ForgeQuestion<HostAccount> {
  const resource = product === "jira" ? "/rest/api/3/user" : "/rest/api/user";
  return { path: `${resource}?accountId=${encodeURIComponent(accountId)}`, answer: accountAnswer(accountId) };
}

/**
 * Whether it is an admin's token. Nobody but Connect's apps is told about another account, and Jira doesn't say in the
 * same answer whose permissions these are.
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-permissions/
 */
export const jiraAdminQuestion: ForgeQuestion<boolean> = {
  path: "/rest/api/3/mypermissions?permissions=ADMINISTER",
  answer: z
    .object({ permissions: z.object({ ADMINISTER: z.object({ havePermission: z.literal(true) }) }) })
    .transform(() => true),
};

/** Whose token it is, and whether that is an admin. */
export const confluenceAdminQuestion: ForgeQuestion<{
  readonly accountId: string;
  readonly isAdmin: boolean;
}> = {
  path: `${SELF.confluence}?expand=operations`,
  answer: z
    .object({ accountId: z.string().min(1), operations: administersConfluence })
    .transform(({ accountId, operations }) => ({ accountId, isAdmin: operations })),
};
