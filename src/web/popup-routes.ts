import { parseCookie, stringifySetCookie } from "cookie";
import { Router, type Request } from "express";
import { z } from "zod";

import type { AppContext } from "../app-context.js";
import { AppError } from "../errors.js";
import { parseWith } from "../field-errors.js";
import { hashSecret } from "../identifiers.js";
import { ATTEMPT_TTL_SECONDS, type PopupVisit } from "../links/link-attempt-service.js";
import { requireAccessJwt } from "./access-credentials.js";
import { formBody } from "./form-body.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { getRequestContext } from "./request-context.js";
import { requireSameOrigin } from "./same-origin.js";

import { renderPopupCode, renderPopupConfirm } from "./popup-views.js";

export const popupRequest = z.strictObject({
  action: z.enum(["link", "remove"], "Must be link or remove.").default("link"),
  /** A code to type is made only for an opener that did not answer (security rule 7). */
  typed: z.union([z.boolean(), z.stringbool()], "Must be true or false.").default(false),
});

/** The popup of a linking attempt: plain pages that work without a script, and the same as JSON. */
export function createPopupRoutes(ctx: AppContext): Router {
  const router = Router();

  router
    .route("/link/start/:attempt")
    .get(async (req, res) => {
      // security rule 6: only our own page starts an attempt; a link somebody was lured into does not.
      if (req.headers["sec-fetch-site"] !== "same-origin") throw new AppError("browser_not_allowed");
      const { attempt } = req.params;
      const { cookie } = await ctx.attempts.start(attempt);
      res.append("Set-Cookie", createOpenerCookie(attempt, cookie));
      res.redirect(303, `${ctx.config.basePath}/access/link/${encodeURIComponent(attempt)}`);
    })
    .all(methodNotAllowed("GET"));

  router
    .route("/access/link/:attempt")
    .get(async (req, res) => {
      const visit = await visitPopup(ctx, req, req.params.attempt);
      const title = "Link Cloudflare Access";
      res.send(await renderPopupConfirm(res, { title, ...(await describe(ctx, visit)) }));
    })
    .post(formBody(), async (req, res) => {
      requireSameOrigin(req, ctx.config.baseUrl);
      const { action, typed } = parseWith(popupRequest, req.body);
      const visit = await visitPopup(ctx, req, req.params.attempt);
      const wantsJson = req.accepts(["html", "json"]) === "json";
      if (action === "remove") {
        const { ip, reference } = getRequestContext(req);
        await ctx.attempts.removeOtherLink(visit, {
          actor: { type: "user", accountId: null },
          ip,
          reference,
        });
        if (wantsJson) res.sendStatus(204);
        else
          res.redirect(303, `${ctx.config.basePath}/access/link/${encodeURIComponent(req.params.attempt)}`);
        return;
      }
      // Without a script nobody can ask the opener, so a page carries both codes.
      const codes = await ctx.attempts.claim(visit, typed || !wantsJson);
      const { identity, tenant, attempt } = visit;
      if (wantsJson) {
        res.json({
          attempt: req.params.attempt,
          ...codes,
          email: identity.email,
          site: tenant.site,
          expiresAt: attempt.expiresAt.toISOString(),
        });
      } else {
        const title = "Your one-time code";
        const locals = { title, ...(await describe(ctx, visit)), ...codes, attempt: req.params.attempt };
        res.send(await renderPopupCode(res, locals));
      }
    })
    .all(methodNotAllowed("GET", "HEAD", "POST"));

  return router;
}

async function visitPopup(ctx: AppContext, req: Request, attempt: string): Promise<PopupVisit> {
  const token = requireAccessJwt(req);
  return ctx.attempts.visit(attempt, token, findOpenerCookie(req, attempt));
}

async function describe(
  ctx: AppContext,
  { attempt, tenant, identity, isTiedToOpener, otherLink }: PopupVisit,
) {
  const { displayName } = await ctx.host.findAccount(tenant, attempt.accountId);
  return {
    email: identity.email,
    site: tenant.site,
    product: tenant.product === "jira" ? "Jira" : "Confluence",
    account: displayName ?? attempt.accountId,
    isTiedToOpener,
    hasOtherLink: otherLink !== null,
  };
}

/** One cookie per attempt, so that two popups at once don't undo each other. It authenticates nobody. */
function openerCookieName(attempt: string): string {
  return `__Host-link-${hashSecret(attempt).slice(0, 16)}`;
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
