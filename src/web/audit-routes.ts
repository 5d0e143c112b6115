import type { Router } from "express";

import type { AppContext } from "../app-context.js";
import { createRouter } from "./create-router.js";
import { getUser, requireAdmin } from "./host-user.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { auditQuery, parseQuery } from "./query.js";
import { presentAuditEvent, presentPage } from "./presenters.js";

export function createAuditRoutes(ctx: AppContext): Router {
  const router = createRouter();
  router.use(requireAdmin(ctx));

  router
    .route("/")
    .get(async (req, res) => {
      const { limit, cursor, ...filter } = parseQuery(auditQuery, req.query);
      const events = await ctx.audit.list(getUser(req).tenant.id, filter, { limit, cursor });
      res.json(presentPage(events, presentAuditEvent));
    })
    .all(methodNotAllowed("GET", "HEAD"));

  return router;
}
