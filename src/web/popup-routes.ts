import { parseCookie, stringifySetCookie } from "cookie";
import type { Request, Response, Router } from "express";
import { z } from "zod";

import type { AppContext } from "../app-context.js";
import { AppError } from "../errors.js";
import { parseWith } from "../field-errors.js";
import { sha256Hex } from "../identifiers.js";
import { ATTEMPT_TTL_SECONDS, type PopupVisit } from "../links/link-attempt-service.js";
import { findTeamDomain, signOutUrlOfTeam } from "../team-domain.js";
import { requireAccessAssertion } from "./access-credentials.js";
import { createInitiator } from "./create-initiator.js";
import { createRouter } from "./create-router.js";
import { formBody } from "./form-body.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { presentPopupCodes } from "./presenters.js";
import { AFTER_REMOVAL, isAfterRemoval } from "./popup-after-removal.js";
import { showPopupProblem } from "./popup-problems.js";
import { presentOtherLink, renderPopupCode, renderPopupConfirm, type PopupSides } from "./popup-views.js";
import { productName } from "./product-name.js";
import { requireSameOrigin } from "./same-origin.js";

export const popupRequest = z.strictObject(
  {
    action: z.enum(["link", "remove"], "Must be link or remove.").default("link"),
    /** A code to type is made only for an opener that did not answer (security rule 7). */
    typed: z.union([z.boolean(), z.stringbool()], "Must be true or false.").default(false),
  },
  "Must be an object.",
);

const ONLY_TIED_REMOVES =
  "A link can be removed here only in a window that the app's own page in Jira or Confluence has opened in this browser.";

/** The popup of a linking attempt: plain pages that work without a script, and the same as JSON. */
export function createPopupRoutes(ctx: AppContext): Router {
  const router = createRouter();

  router
    .route("/link/start/:attempt")
    // Express would answer HEAD like GET, and starting changes something.
    .head(methodNotAllowed("GET"))
    .get(async (req, res) => {
      // security rule 6: only our own page starts an attempt; a link somebody was lured into does not.
      if (req.headers["sec-fetch-site"] !== "same-origin") throw new AppError("browser_not_allowed");
      const { attempt } = req.params;
      res.append("Set-Cookie", createOpenerCookie(attempt, await ctx.attempts.start(attempt)));
      res.redirect(303, popupPath(ctx, attempt));
    })
    .all(methodNotAllowed("GET"));

  router
    .route("/access/link/:attempt")
    .get(async (req, res) => {
      const { attempt } = req.params;
      const visit = await visitPopup(ctx, req, res, attempt);
      res.send(
        await renderPopupConfirm(res, {
          ...(await describe(ctx, visit, attempt)),
          isTiedToOpener: visit.isTiedToOpener,
          isClaimed: visit.attempt.identity !== null,
          otherLink: visit.otherLink && presentOtherLink(visit.otherLink),
          // A window that isn't tied has removed nothing, whatever its address says.
          isAfterRemoval: visit.isTiedToOpener && visit.otherLink === null && isAfterRemoval(req),
        }),
      );
    })
    .post(formBody(), async (req, res) => {
      requireSameOrigin(req, ctx.config.baseUrl);
      const { action, typed } = parseWith(popupRequest, req.body);
      const { attempt } = req.params;
      const visit = await visitPopup(ctx, req, res, attempt);
      const wantsJson = req.accepts(["html", "json"]) === "json";
      if (action === "remove") {
        // Else whoever sends the address to somebody takes their good link away with one click of theirs.
        if (!visit.isTiedToOpener) throw new AppError("browser_not_allowed", ONLY_TIED_REMOVES);
        await ctx.attempts.removeOtherLink(visit, createInitiator(req, { type: "user", accountId: null }));
        if (wantsJson) res.sendStatus(204);
        else res.redirect(303, `${popupPath(ctx, attempt)}?${AFTER_REMOVAL}`);
        return;
      }
      // Without a script nobody can ask the opener, so a page carries both codes.
      const codes = await ctx.attempts.claim(visit, typed || !wantsJson);
      if (wantsJson) res.json(presentPopupCodes(attempt, visit, codes));
      else res.send(await renderPopupCode(res, { ...(await describe(ctx, visit, attempt)), ...codes }));
    })
    .all(methodNotAllowed("GET", "HEAD", "POST"));

  router.use(showPopupProblem(ctx));
  return router;
}

function popupPath({ config }: AppContext, attempt: string): string {
  return `${config.basePath}/access/link/${encodeURIComponent(attempt)}`;
}

async function visitPopup(
  ctx: AppContext,
  req: Request,
  res: Response,
  attempt: string,
): Promise<PopupVisit> {
  const token = requireAccessAssertion(req);
  const visit = await ctx.attempts.visit(attempt, token, findOpenerCookie(req, attempt));
  // Whoever opened this window isn't our page: it must not be able to close it or lead it elsewhere. A window of our
  // own must never get this header, nor the stricter `same-origin`: it couldn't hand over its code any more.
  if (!visit.isTiedToOpener) res.setHeader("Cross-Origin-Opener-Policy", "same-origin-allow-popups");
  return visit;
}

async function describe(
  { host, config }: AppContext,
  { attempt: { accountId }, tenant, identity }: PopupVisit,
  attempt: string,
): Promise<PopupSides> {
  const { displayName } = await host.findAccount(tenant, accountId);
  const teamDomain = findTeamDomain(identity.issuer) ?? "";
  return {
    attempt,
    email: identity.email,
    teamDomain,
    signOutUrl: signOutUrlOfTeam(teamDomain, config.accessOriginOverrides),
    site: tenant.site,
    product: productName(tenant.product),
    // Names aren't unique: somebody may call themselves what the reader is called.
    account: displayName ?? `account ${accountId}`,
    accountId,
  };
}

/** One cookie per attempt, so that two popups at once don't undo each other. It authenticates nobody. */
function openerCookieName(attempt: string): string {
  return `__Host-link-${sha256Hex(attempt).slice(0, 16)}`;
}

function createOpenerCookie(attempt: string, value: string): string {
  return stringifySetCookie({
    name: openerCookieName(attempt),
    value,
    maxAge: ATTEMPT_TTL_SECONDS,
    path: "/",
    httpOnly: true,
    secure: true,
    sameSite: "lax",
  });
}

function findOpenerCookie(req: Request, attempt: string): string | null {
  return parseCookie(req.headers.cookie ?? "")[openerCookieName(attempt)] ?? null;
}
