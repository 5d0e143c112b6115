import type { Router } from "express";

import type { AppContext } from "../app-context.js";
import { createRouter } from "./create-router.js";
import { getInitiator, getUser, requireAdmin } from "./host-user.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { linksQuery, parseQuery } from "./query.js";
import { presentLink, presentPage } from "./presenters.js";

export function createLinksRoutes(ctx: AppContext): Router {
  const router = createRouter();
  router.use(requireAdmin(ctx));

  router
    .route("/")
    .get(async (req, res) => {
      const { query, ...page } = parseQuery(linksQuery, req.query);
      const links = await ctx.links.list(getUser(req).tenant.id, query, page);
      res.json(presentPage(links, (link) => presentLink(link, ctx.clock.now())));
    })
    .all(methodNotAllowed("GET", "HEAD"));

  router
    .route("/:id")
    .delete(async (req, res) => {
      await ctx.links.removeAsAdmin(getUser(req).tenant.id, req.params.id, getInitiator(req));
      res.sendStatus(204);
    })
    .all(methodNotAllowed("DELETE"));

  router
    .route("/:id/restore")
    .post(async (req, res) => {
      const { tenant } = getUser(req);
      const link = await ctx.links.restore(tenant, req.params.id, getInitiator(req));
      res.json(presentLink(link, ctx.clock.now()));
    })
    .all(methodNotAllowed("POST"));

  return router;
}
