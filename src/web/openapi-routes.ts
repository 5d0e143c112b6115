import type { Router } from "express";

import type { AppContext } from "../app-context.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { createOpenapiDocument } from "./openapi.js";

export function createOpenapiRoutes({ config }: AppContext): Router {
  const document = createOpenapiDocument({ baseUrl: config.baseUrl, version: "1.0.0" });
  const router = createRouter();
  router
    .route("/openapi.json")
    .get((_req, res) => {
      res.json(document);
    })
    .all(methodNotAllowed("GET", "HEAD"));
  return router;
}
