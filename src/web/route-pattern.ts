/** Every route of the app, relative to the base path, as logs and metrics name it. `*` stands for any rest. */
export const ROUTE_PATTERNS = [
  "/api/v1/sites/:site/identity",
  "/api/v1/sites/:site/jira/*",
  "/api/v1/sites/:site/confluence/*",
  "/atlassian-connect.json",
  "/installed",
  "/uninstalled",
  "/enabled",
  "/disabled",
  "/forge/installed",
  "/forge/hourly",
  "/forge/uninstalled",
  "/healthz",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/problems",
  "/sites/:site/jira/jwks.json",
  "/sites/:site/confluence/jwks.json",
  "/public/*",
  "/admin",
  "/account",
  "/link/start/:attempt",
  "/access/link/:attempt",
  "/api/v1/settings",
  "/api/v1/settings/check",
  "/api/v1/settings/popup-check",
  "/api/v1/settings/assertion-keys/rotate",
  "/api/v1/settings/predecessor",
  "/api/v1/settings/predecessor/take-over",
  "/api/v1/services",
  "/api/v1/services/:serviceId/keys",
  "/api/v1/services/:serviceId/keys/:keyId",
  "/api/v1/links",
  "/api/v1/links/:id",
  "/api/v1/links/:id/restore",
  "/api/v1/audit",
  "/api/v1/me",
  "/api/v1/me/link-attempts",
  "/api/v1/me/links",
  "/api/v1/me/links/:id",
  "/api/v1/me/links/:id/confirm",
  "/api/v1/me/news/seen",
  "/api/v1/me/activity",
  "/api/v1/me/consents/:serviceId",
  "/api/v1/me/assertions",
] as const;

export type RoutePattern = (typeof ROUTE_PATTERNS)[number];

/**
 * The pattern of a path, also when a guard refused before any router saw it; null for a path that is no route.
 * Patterns hold no ids, so they are safe in logs and metrics.
 */
export function findRoutePattern(path: string, basePath: string): RoutePattern | null {
  if (!path.startsWith(`${basePath}/`)) return null;
  const relative = path.slice(basePath.length);
  return MATCHERS.find(({ expression }) => expression.test(relative))?.pattern ?? null;
}

// As strict as create-router.ts.
const MATCHERS = ROUTE_PATTERNS.map((pattern) => ({
  pattern,
  expression: new RegExp(
    `^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll(/:\w+/g, "[^/]+")}$`,
  ),
}));
