import { z } from "zod";

import { accountAnswer, administersConfluence } from "../tenants/account-answer.js";
import type { HostAccount } from "../tenants/host-directory.js";
import type { Product } from "../tenants/tenant.js";
import type { HostRequest } from "./host-client.js";

/** A request to a product, and what a 200 to it means. */
export interface HostQuestion<T> {
  readonly request: HostRequest;
  readonly answer: z.ZodType<T>;
}

/** https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-permissions/ and …/confluence/rest/v1/api-group-users/ */
export function isAdminQuestion(product: Product, accountId: string): HostQuestion<boolean> {
  if (product === "jira") {
    return {
      request: {
        method: "post",
        path: "/rest/api/3/permissions/check",
        body: { globalPermissions: ["ADMINISTER"], accountId },
      },
      answer: z
        .object({ globalPermissions: z.array(z.string()) })
        .transform(({ globalPermissions }) => globalPermissions.includes("ADMINISTER")),
    };
  }
  return {
    request: {
      method: "get",
      path: `/rest/api/user?accountId=${encodeURIComponent(accountId)}&expand=operations`,
    },
    answer: z
      .object({ accountId: z.string().optional(), operations: administersConfluence })
      .transform((user) => (user.accountId ?? accountId) === accountId && user.operations),
  };
}

export function accountQuestion(product: Product, accountId: string): HostQuestion<HostAccount> {
  const resource = product === "jira" ? "/rest/api/3/user" : "/rest/api/user";
  return {
    request: { method: "get", path: `${resource}?accountId=${encodeURIComponent(accountId)}` },
    answer: accountAnswer(accountId),
  };
}

export function acceptsInstallationQuestion(appKey: string): HostQuestion<true> {
  return {
    request: { method: "get", path: `/rest/atlassian-connect/1/addons/${encodeURIComponent(appKey)}` },
    answer: z.object({ key: z.literal(appKey) }).transform(() => true as const),
  };
}
