import { z } from "zod";

import type { Tenant } from "../tenants/tenant.js";

/** What a user's token may be used for; each includes the ones before it. */
export type Scope = "READ" | "WRITE" | "DELETE";

export interface UserTokenRequest {
  readonly tenant: Tenant;
  readonly accountId: string;
  readonly scope: Scope;
}

/**
 * Why Atlassian makes out no token: the account is deactivated or unknown; no admin has agreed to the scope; the
 * installation isn't known; or it is the account or the installation, and Atlassian doesn't say which.
 */
export type GrantRefusal = "account" | "scope" | "installation" | "account_or_installation";

export type GrantOutcome =
  { readonly token: string; readonly expiresInSeconds: number } | { readonly refusal: GrantRefusal };

/** Where tokens of users come from. */
export interface UserTokenGrant {
  /** Throws AppError `upstream_failed`, `upstream_timeout` or `rate_limited` when Atlassian neither grants nor refuses. */
  request(request: UserTokenRequest): Promise<GrantOutcome>;
}

/** It becomes a header: nothing but what RFC 6750 §2.1 lets a token consist of. */
export const bearerTokenSchema = z
  .string()
  .max(16 * 1024)
  .regex(/^[\w.~+/-]+=*$/);

/** When Atlassian wants to be left alone and doesn't say for how long. */
const RETRY_SECONDS = 60;

/** RFC 9110 §10.2.3; a date is rare enough to be taken for the usual wait. */
export function parseRetryAfter(text: string | null): number {
  return text !== null && /^\d{1,6}$/.test(text) ? Math.max(1, Number(text)) : RETRY_SECONDS;
}

/** Null for a method that the gateway doesn't know. */
export function findScope(method: string): Scope | null {
  switch (method) {
    case "GET":
    case "HEAD":
      return "READ";
    case "POST":
    case "PUT":
    case "PATCH":
      return "WRITE";
    case "DELETE":
      return "DELETE";
    default:
      return null;
  }
}
