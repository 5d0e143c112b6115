import { Router } from "express";

import type { AppContext } from "../app-context.js";
import { parseWith } from "../field-errors.js";
import { getUser, requireAdmin } from "./host-user.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { auditQuery } from "./page-query.js";
import { presentAuditEvent, presentPage } from "./presenters.js";

export function createAuditRoutes(ctx: AppContext): Router {
  const router = Router();
  router.use(requireAdmin(ctx));

  router
    .route("/")
    .get(async (req, res) => {
      const { limit, cursor, ...filter } = parseWith(auditQuery, req.query);
      const events = await ctx.database.read.audit.list(getUser(req).tenant.id, filter, { limit, cursor });
      res.json(presentPage(events, presentAuditEvent));
    })
    .all(methodNotAllowed("GET", "HEAD"));

  return router;
}
