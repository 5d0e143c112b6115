import type { Router } from "express";

import type { AppContext } from "../app-context.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";

export function createDescriptorRoutes(ctx: AppContext): Router {
  const router = createRouter();
  router
    .route("/atlassian-connect.json")
    .get((_req, res) => {
      res.set("Cache-Control", "public, max-age=300").json(ctx.descriptor);
    })
    .all(methodNotAllowed("GET", "HEAD"));
  return router;
}
