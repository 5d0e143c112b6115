import { z } from "zod";

import type { AccountStanding, HostAccount } from "./host-directory.js";

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

/** What Jira and Confluence say of an account; of another one than was asked for, nothing is known. */
export function accountAnswer(accountId: string): z.ZodType<HostAccount> {
  return userSchema.transform((user) =>
    user.accountId === accountId
      ? { standing: judgeStanding(user), displayName: findName(user.displayName) }
      : UNKNOWN_ACCOUNT,
  );
}

/** `operations` of a user of Confluence: whether one of them is to administer the product. */
export const administersConfluence = z
  .array(z.object({ operation: z.string(), targetType: z.string() }))
  .transform((operations) =>
    operations.some(
      ({ operation, targetType }) => operation === "administer" && targetType === "application",
    ),
  );

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
