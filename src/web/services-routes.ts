import type { Router } from "express";

import type { AppContext } from "../app-context.js";
import { createRouter } from "./create-router.js";
import { getInitiator, getUser, requireAdmin } from "./host-user.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { presentServiceKey, presentServiceOverview } from "./presenters.js";

const USE_DAYS = 30;

export function createServicesRoutes(ctx: AppContext): Router {
  const router = createRouter();
  router.use(requireAdmin(ctx));

  router
    .route("/")
    .get(async (req, res) => {
      const { tenant } = getUser(req);
      const settings = await ctx.settings.get(tenant.id);
      const [consents, uses, keyUses] = await Promise.all([
        ctx.consents.countAgreed(tenant.id, settings),
        ctx.serviceUses.summarize(tenant.id, settings.services, USE_DAYS),
        ctx.serviceUses.listKeyUses(tenant.id),
      ]);
      const items = uses.map(({ service, use }) =>
        presentServiceOverview(service, { consents: consents.get(service.id) ?? 0, use, keyUses }),
      );
      res.json({ items, nextCursor: null });
    })
    .all(methodNotAllowed("GET", "HEAD"));

  router
    .route("/:serviceId/keys")
    .post(async (req, res) => {
      const { tenant } = getUser(req);
      const { serviceId } = req.params;
      const { key, stored } = await ctx.serviceKeys.create(tenant, serviceId, getInitiator(req));
      res.status(201).json({ ...presentServiceKey(stored), key });
    })
    .all(methodNotAllowed("POST"));

  router
    .route("/:serviceId/keys/:keyId")
    .delete(async (req, res) => {
      const { serviceId, keyId } = req.params;
      await ctx.serviceKeys.remove(getUser(req).tenant, serviceId, keyId, getInitiator(req));
      res.sendStatus(204);
    })
    .all(methodNotAllowed("DELETE"));

  return router;
}
