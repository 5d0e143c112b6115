import { Router } from "express";
import { z } from "zod";

import type { AppContext } from "../app-context.js";
import { parseWith } from "../field-errors.js";
import { getInitiator, getUser, requireAdmin } from "./host-user.js";
import { jsonBody } from "./json-body.js";
import { methodNotAllowed } from "./method-not-allowed.js";

export const settingsCheckRequest = z.strictObject({
  teamDomain: z.string("Must be text.").max(4096).nullish(),
});

export function createSettingsRoutes(ctx: AppContext): Router {
  const router = Router();
  router.use(requireAdmin(ctx));

  router
    .route("/")
    .get(async (req, res) => {
      res.json(await ctx.settings.get(getUser(req).tenant.id));
    })
    .put(jsonBody(), async (req, res) => {
      res.json(await ctx.settings.replace(getUser(req).tenant, req.body, getInitiator(req)));
    })
    .all(methodNotAllowed("GET", "HEAD", "PUT"));

  router
    .route("/check")
    .post(jsonBody(), async (req, res) => {
      const { teamDomain } = parseWith(settingsCheckRequest, req.body);
      res.json(await ctx.settings.check(getUser(req).tenant, teamDomain ?? null));
    })
    .all(methodNotAllowed("POST"));

  return router;
}
