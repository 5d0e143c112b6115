import type { ErrorRequestHandler, Request, RequestHandler, Response, Router } from "express";

import type { AppContext } from "../app-context.js";
import { AppError } from "../errors.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";
import { createRouter } from "./create-router.js";
import { wantsPage } from "./error-handler.js";
import { requirePerson } from "./host-user.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { renderFramedPage, renderFramedProblem } from "./page-views.js";
import { listModules } from "./public-files.js";
import { productName } from "./product-name.js";
import { endProblem, startProblem } from "./problem-response.js";
import { noteCallerKnown } from "./request-context.js";
import { createFramedPagePolicy } from "./security-headers.js";

const TITLE = "Cloudflare Access";

/** The pages inside Jira and Confluence: shells. What they show comes from the API, with context JWTs. */
export function createPageRoutes(ctx: AppContext): Router {
  const router = createRouter();

  router
    .route("/admin")
    // A URL-bound token is for one method; Express would take HEAD for GET.
    .head(methodNotAllowed("GET"))
    .get(
      showPage(ctx, "admin", async (user) => {
        const { tenant, accountId } = user;
        if (await ctx.host.isAdmin(tenant, accountId)) return requirePerson(ctx.host, user);
        throw new AppError(
          "not_admin",
          `You don't administer ${productName(tenant.product)} on ${tenant.site}. Ask one of its admins.`,
        );
      }),
    )
    .all(methodNotAllowed("GET"));

  router
    .route("/account")
    .head(methodNotAllowed("GET"))
    .get(showPage(ctx, "account", (user) => requirePerson(ctx.host, user)))
    .all(methodNotAllowed("GET"));

  router.use(showProblem(ctx));
  return router;
}

function showPage(
  ctx: AppContext,
  name: "admin" | "account",
  authorize: (user: HostUser) => Promise<void>,
): RequestHandler {
  const modules = listModules(`${name}.js`);
  return async (req, res) => {
    const user = await requirePageUser(ctx, req, res);
    await authorize(user);
    res.send(
      await renderFramedPage(res, {
        title: TITLE,
        layout: false,
        product: user.tenant.product,
        allJsUrl: ctx.config.connectAllJsUrl,
        script: `${name}.js`,
        styles: [`${name}.css`],
        modules,
      }),
    );
  };
}

/** Whom Jira or Confluence shows the page to, as the token in its URL proves. */
async function requirePageUser(
  { hostTokens, limits, config }: AppContext,
  req: Request,
  res: Response,
): Promise<HostUser> {
  // security rule 8: opened by itself, a page has no product around it, and its URL holds a token.
  const destination = req.headers["sec-fetch-dest"];
  if (destination !== undefined && destination !== "iframe")
    throw new AppError("browser_not_allowed", "Open this page inside Jira or Confluence.");
  const { tenant, accountId } = await hostTokens.verifyUrlBound(
    requireUrlToken(req),
    { method: req.method, target: req.originalUrl },
    (signedBy) => allowFraming(res, signedBy, config.connectAllJsUrl),
  );
  if (accountId === null) throw new AppError("connect_jwt_invalid", "Sign in to Jira or Confluence first.");
  noteCallerKnown(req);
  limits.consumeCall({ tenant, accountId });
  return { tenant, accountId };
}

function requireUrlToken(req: Request): string {
  const token = req.query["jwt"];
  if (Array.isArray(token) || req.headers.authorization !== undefined)
    throw new AppError("ambiguous_credentials");
  if (typeof token !== "string" || token === "") throw new AppError("connect_jwt_missing");
  return token;
}

/** Answers that a verified product may frame. */
const framable = new WeakSet<Response>();

function allowFraming(res: Response, tenant: Tenant, allJsUrl: string): void {
  framable.add(res);
  res.setHeader("Content-Security-Policy", createFramedPagePolicy({ productUrl: tenant.baseUrl, allJsUrl }));
}

/**
 * The refusals of pages that the product shows: with the product's script, or the product would call the app
 * unresponsive. Without a verified product there is no frame to show anything in.
 */
function showProblem({ config }: AppContext): ErrorRequestHandler {
  return async (error: unknown, req, res, next) => {
    if (!wantsPage(req) || !framable.has(res)) {
      next(error);
      return;
    }
    const problem = startProblem(res, req, error);
    if (problem === null) return;
    res.vary("Accept");
    const locals = {
      title: problem.title,
      layout: false,
      allJsUrl: config.connectAllJsUrl,
      problem,
    } as const;
    endProblem(res, req, "text/html; charset=utf-8", await renderFramedProblem(res, locals));
  };
}
