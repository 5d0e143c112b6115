import type { IncomingMessage } from "node:http";

import { AppError } from "../errors.js";

/** A click on one of our own pages: no other site's page or form can make this request (security rule 6). */
export function requireSameOrigin(req: IncomingMessage, baseUrl: string): void {
  const { origin, "sec-fetch-site": fetchSite } = req.headers;
  const isOurOrigin = origin === undefined || origin === new URL(baseUrl).origin;
  const isOurFetch = fetchSite === undefined || fetchSite === "same-origin";
  // Every browser sends at least one of them with a POST; a request with neither proves nothing.
  const isFromAPage = origin !== undefined || fetchSite !== undefined;
  if (!isOurOrigin || !isOurFetch || !isFromAPage) throw new AppError("browser_not_allowed");
}
