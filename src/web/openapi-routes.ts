import type { Router } from "express";

import type { AppContext } from "../app-context.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { createOpenapiDocument } from "./openapi.js";

/** Of the API, not of the app: grows when a client could notice. */
const API_VERSION = "0.1.0";

export function createOpenapiRoutes({ config }: AppContext): Router {
  const document = createOpenapiDocument({ baseUrl: config.baseUrl, version: API_VERSION });
  // One copy for all who ask: it is the largest answer that anybody gets.
  const body = Buffer.from(JSON.stringify(document));
  const router = createRouter();
  router
    .route("/openapi.json")
    .get((_req, res) => {
      res.type("application/json").send(body);
    })
    .all(methodNotAllowed("GET", "HEAD"));
  return router;
}
