import type { Router } from "express";

import type { AppContext } from "../app-context.js";
import { parseSite } from "../tenants/site.js";
import { PRODUCTS } from "../tenants/tenant.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { presentKeySet } from "./presenters.js";

/** What services verify assertions with. Never stored on the way: whoever asks gets no key that was withdrawn. */
export function createJwksRoutes(ctx: AppContext): Router {
  const router = createRouter();
  for (const product of PRODUCTS) {
    router
      .route(`/sites/:site/${product}/jwks.json`)
      .get(async (req, res) => {
        res.json(presentKeySet(await ctx.assertionKeys.listPublished(parseSite(req.params.site), product)));
      })
      .all(methodNotAllowed("GET", "HEAD"));
  }
  return router;
}
