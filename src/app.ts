import express, { Router, type Express } from "express";

import type { AppContext } from "./app-context.js";
import { createAuditRoutes } from "./web/audit-routes.js";
import { createDescriptorRoutes } from "./web/descriptor-routes.js";
import { handleErrors, notFound } from "./web/error-handler.js";
import { createHealthRoutes } from "./web/health-routes.js";
import { createLifecycleRoutes } from "./web/lifecycle-routes.js";
import { createLinksRoutes } from "./web/links-routes.js";
import { createMeRoutes } from "./web/me-routes.js";
import { createMetricsRoutes } from "./web/metrics-routes.js";
import { createOpenapiRoutes } from "./web/openapi-routes.js";
import { createPopupRoutes } from "./web/popup-routes.js";
import { createProblemsRoutes } from "./web/problems-routes.js";
import { securityHeaders } from "./web/security-headers.js";
import { createSettingsRoutes } from "./web/settings-routes.js";

/** The table of contents: middleware in order, routers, errors last. The service API stands in front of it. */
export function createApp(ctx: AppContext): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");

  const routes = Router({ caseSensitive: true, strict: true });
  routes.use(createHealthRoutes(ctx));
  routes.use(createMetricsRoutes(ctx));
  routes.use(createDescriptorRoutes(ctx));
  routes.use(createLifecycleRoutes(ctx));
  routes.use(createProblemsRoutes(ctx));
  routes.use(createOpenapiRoutes(ctx));
  routes.use("/api/v1/settings", createSettingsRoutes(ctx));
  routes.use("/api/v1/me", createMeRoutes(ctx));
  routes.use("/api/v1/links", createLinksRoutes(ctx));
  routes.use("/api/v1/audit", createAuditRoutes(ctx));
  routes.use(createPopupRoutes(ctx));

  app.use(securityHeaders(ctx));
  app.use(ctx.config.basePath || "/", routes);
  app.use(notFound);
  app.use(handleErrors(ctx));
  return app;
}
