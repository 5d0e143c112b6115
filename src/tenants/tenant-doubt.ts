import { AppError } from "../errors.js";
import type { Tenant } from "./tenant.js";

/**
 * Security rule 4: an install event's secret is unsigned. Until its host has accepted it, whoever has sent another one
 * in it could speak for every account: link as them, see what they have linked, and take it away.
 */
export function findDoubt(tenant: Tenant): AppError | null {
  if (tenant.proven) return null;
  return new AppError(
    "paused",
    tenant.suspended
      ? "The app has moved to another host name; an admin must open its page there once."
      : "This site hasn't confirmed the app's new installation yet. Try again in a minute, or ask an admin to open the app's page.",
  );
}

/** Throws `paused`. */
export function requireNoDoubt(tenant: Tenant): void {
  const doubt = findDoubt(tenant);
  if (doubt) throw doubt;
}
