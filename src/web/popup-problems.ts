import type { ErrorRequestHandler, Request } from "express";

import type { AppContext } from "../app-context.js";
import { signOutUrlOfTeam } from "../team-domain.js";
import { wantsPage } from "./error-handler.js";
import { isAfterRemoval } from "./popup-after-removal.js";
import { advise } from "./popup-advice.js";
import { renderPopupProblem, type PopupRefusal } from "./popup-views.js";
import { endProblem, startProblem, type Problem } from "./problem-response.js";
import { findUnverifiedSight } from "./unverified-sight.js";

/** Every way in which the linking window says no, as a page of its own; programs get the problem as everywhere. */
export function showPopupProblem({ config }: AppContext): ErrorRequestHandler {
  return async (error: unknown, req, res, next) => {
    if (!wantsPage(req)) {
      next(error);
      return;
    }
    const problem = startProblem(res, req, error);
    if (problem === null) return;
    res.vary("Accept");
    const html = await renderPopupProblem(res, describe(problem, req, config));
    endProblem(res, req, "text/html; charset=utf-8", html);
  };
}

function describe(
  problem: Problem,
  req: Request,
  { baseUrl, accessOriginOverrides }: AppContext["config"],
): PopupRefusal {
  const words = advise(problem, `${new URL(baseUrl).host}${new URL(`${baseUrl}/access/*`).pathname}`);
  // Removing worked; only what came after it didn't.
  const advice = { ...words, nothingChanged: words.nothingChanged && !isAfterRemoval(req) };
  const sight = findUnverifiedSight(req.headersDistinct["cf-access-jwt-assertion"]?.[0]);
  const canSignOut = advice.offersSignOut && sight !== null && sight.teamDomain !== null;
  return {
    problem,
    advice,
    sight: advice.showsSight ? sight : null,
    email: canSignOut ? sight.email : null,
    signOutUrl: canSignOut ? signOutUrlOfTeam(sight.teamDomain, accessOriginOverrides) : null,
    retryUrl: advice.retryLabel === null ? null : `${req.baseUrl}${req.path}`,
  };
}
