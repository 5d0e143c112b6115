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
      : "This site hasn't confirmed this installation of the app yet, or another one is still in use here. Try again in a minute; if that doesn't help, an admin has to open the app's page and take the settings over.",
  );
}

/** Throws `paused`. */
export function requireNoDoubt(tenant: Tenant): void {
  const doubt = findDoubt(tenant);
  if (doubt) throw doubt;
}
