import type { IncomingMessage } from "node:http";

import { AppError } from "../errors.js";
import { parseSite } from "../tenants/site.js";
import { noteCallerKnown } from "./request-context.js";

/** Security rule 16: else whoever puts the whole host behind Access makes every cross-site form act as its victim. */
export function refuseBrowsers(req: IncomingMessage): void {
  const { origin, "sec-fetch-mode": mode, "sec-fetch-site": site = "none" } = req.headers;
  // Only what is known to be harmless: what came twice is joined, and what a later browser says isn't known.
  const isHarmless =
    origin === undefined && mode !== "navigate" && (site === "none" || site === "same-origin");
  if (!isHarmless) throw new AppError("browser_not_allowed");
}

/** `{site}` as a path has it. An impossible host is told apart from an unknown one no more than two unknown ones are. */
export function readSite(text: string): string {
  return parseSite(decodeComponent(text)) ?? "";
}

/** Passes an outcome on. Anything but a 401 is told only to whoever brings a token that counts here. */
export async function noteUnlessStranger<T>(req: IncomingMessage, outcome: Promise<T>): Promise<T> {
  return outcome.catch((error: unknown) => {
    if (error instanceof AppError && error.status !== 401) noteCallerKnown(req);
    throw error;
  });
}

function decodeComponent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new AppError("malformed_request", "The path has a damaged percent escape.", { cause: error });
  }
}
