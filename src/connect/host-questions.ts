import { z } from "zod";

import type { AccountStanding, HostAccount } from "../tenants/host-directory.js";
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
      .object({
        accountId: z.string().optional(),
        operations: z.array(z.object({ operation: z.string(), targetType: z.string() })),
      })
      .transform(
        (user) =>
          (user.accountId ?? accountId) === accountId &&
          user.operations.some(
            ({ operation, targetType }) => operation === "administer" && targetType === "application",
          ),
      ),
  };
}

const userSchema = z.object({
  accountId: z.string(),
  accountType: z.string().optional(),
  displayName: z.string().optional(),
  /** Jira. */
  active: z.boolean().optional(),
  /** Confluence: `active`, `inactive`, `closed` or `unknown`. */
  accountStatus: z.string().optional(),
});

export const UNKNOWN_ACCOUNT: HostAccount = { standing: "unknown", displayName: null };

export function accountQuestion(product: Product, accountId: string): HostQuestion<HostAccount> {
  const resource = product === "jira" ? "/rest/api/3/user" : "/rest/api/user";
  return {
    request: { method: "get", path: `${resource}?accountId=${encodeURIComponent(accountId)}` },
    answer: userSchema.transform((user) =>
      user.accountId === accountId
        ? { standing: judgeStanding(user), displayName: findName(user.displayName) }
        : UNKNOWN_ACCOUNT,
    ),
  };
}

export function acceptsInstallationQuestion(appKey: string): HostQuestion<true> {
  return {
    request: { method: "get", path: `/rest/atlassian-connect/1/addons/${encodeURIComponent(appKey)}` },
    answer: z.object({ key: z.literal(appKey) }).transform(() => true as const),
  };
}

const MAX_NAME_CHARACTERS = 200;

/** A name is shown to people: nothing in it may hide, turn around or cover the text beside it. */
function findName(displayName: string | undefined): string | null {
  const name = (displayName ?? "")
    .replace(/\s+/gu, " ")
    // Controls, marks of direction, halves of surrogate pairs, and what has no shape of its own, such as fillers.
    .replace(/[\p{C}\p{Default_Ignorable_Code_Point}]/gu, "")
    .normalize("NFC")
    .replace(/(?<=\p{M}{2})\p{M}+/gu, "")
    .replace(/(?<=^|\s)\p{M}+/gu, "")
    .trim();
  if (!/[\p{L}\p{N}]/u.test(name)) return null;
  return Array.from(name).slice(0, MAX_NAME_CHARACTERS).join("").trim();
}

function judgeStanding({ accountType, active, accountStatus }: z.output<typeof userSchema>): AccountStanding {
  if (active === false || accountStatus === "inactive" || accountStatus === "closed") return "inactive";
  switch (accountType) {
    case "atlassian":
      return "person";
    case undefined:
    case "":
    case "unknown":
      return "unknown";
    default:
      return "not_a_person";
  }
}
