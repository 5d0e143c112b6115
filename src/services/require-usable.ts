import { AppError } from "../errors.js";
import type { Purpose, Settings, TrustedService } from "./settings.js";

/** Says that an admin has paused all of it; null while it runs. */
export function findPause({ paused }: Settings): AppError | null {
  return paused ? new AppError("paused", "An admin has paused the app on this site.") : null;
}

/** Throws `paused`. */
export function requireRunning(settings: Settings): void {
  const pause = findPause(settings);
  if (pause) throw pause;
}

/**
 * Of the services that may be meant, those that may be used so now; one at least. Throws the contract's refusals in
 * the contract's order: `paused`, then `purpose_not_allowed`.
 */
export function requireUsable(
  services: readonly TrustedService[],
  purpose: Purpose,
): readonly TrustedService[] {
  const suited = services.filter(({ purposes }) => purposes.includes(purpose));
  if ((suited.length > 0 ? suited : services).every(({ paused }) => paused)) {
    throw new AppError("paused", "An admin has paused this service. Ask an admin to resume it.");
  }
  if (suited.length === 0) throw new AppError("purpose_not_allowed");
  return suited.filter(({ paused }) => !paused);
}
