import { parse } from "node:querystring";

import express, { type Express } from "express";

import type { AppContext } from "./app-context.js";
import { createAuditRoutes } from "./web/audit-routes.js";
import { createRouter } from "./web/create-router.js";
import { createDescriptorRoutes } from "./web/descriptor-routes.js";
import { handleErrors, notFound } from "./web/error-handler.js";
import { createForgeTriggerRoutes } from "./web/forge-trigger-routes.js";
import { createHealthRoutes } from "./web/health-routes.js";
import { createJwksRoutes } from "./web/jwks-routes.js";
import { createLifecycleRoutes } from "./web/lifecycle-routes.js";
import { createLinksRoutes } from "./web/links-routes.js";
import { createMeRoutes } from "./web/me-routes.js";
import { createMetricsRoutes } from "./web/metrics-routes.js";
import { createOpenapiRoutes } from "./web/openapi-routes.js";
import { createPageRoutes } from "./web/page-routes.js";
import { createPopupRoutes } from "./web/popup-routes.js";
import { createProblemsRoutes } from "./web/problems-routes.js";
import { createPublicFiles } from "./web/public-files.js";
import { refuseFloods } from "./web/refuse-floods.js";
import { quietExpress } from "./web/security-headers.js";
import { createServicesRoutes } from "./web/services-routes.js";
import { createSettingsRoutes } from "./web/settings-routes.js";
import { useViews } from "./web/views.js";

/** The table of contents: middleware in order, routers, errors last. The service API stands in front of it. */
export function createApp(ctx: AppContext, server: { isDraining(): boolean }): Express {
  const app = express();
  quietExpress(app);
  useViews(app, ctx.config);
  // Express' own parsers stop at the thousandth parameter. Routes must see all that a token's qsh stands for.
  app.set("query parser", (query: string) => parse(query, "&", "=", { maxKeys: 0 }));

  const routes = createRouter();
  routes.use(createHealthRoutes({ isReady: () => ctx.isReady(), isDraining: () => server.isDraining() }));
  routes.use("/public", createPublicFiles());
  routes.use(refuseFloods(ctx));
  routes.use(createMetricsRoutes(ctx));
  routes.use(createDescriptorRoutes(ctx));
  routes.use(createLifecycleRoutes(ctx));
  routes.use(createForgeTriggerRoutes(ctx));
  routes.use(createProblemsRoutes());
  routes.use(createOpenapiRoutes(ctx));
  routes.use(createJwksRoutes(ctx));
  routes.use("/api/v1/settings", createSettingsRoutes(ctx));
  routes.use("/api/v1/services", createServicesRoutes(ctx));
  routes.use("/api/v1/me", createMeRoutes(ctx));
  routes.use("/api/v1/links", createLinksRoutes(ctx));
  routes.use("/api/v1/audit", createAuditRoutes(ctx));
  routes.use(createPageRoutes(ctx));
  routes.use(createPopupRoutes(ctx));

  app.use(ctx.config.basePath || "/", routes);
  app.use(notFound);
  app.use(handleErrors);
  return app;
}
