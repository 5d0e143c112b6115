import type { Product } from "../src/tenants/tenant.js";

/** `permissions.scopes` of the app's manifest: with each, whether it holds for people who aren't there, too. */
export type ForgeScopes = Readonly<Record<string, { readonly allowImpersonation: boolean }>>;

/** What an app may be given for what. The first that fits counts; the second version of Confluence's API has scopes of its own. */
const NEEDED: readonly (readonly [Product, method: RegExp, path: RegExp, scope: string])[] = [
  ["jira", /^GET$/, /^\/rest\/api\/3\/(?:myself|user)$/, "read:jira-user"],
  ["jira", /^GET$/, /^\/rest\/api\/3\//, "read:jira-work"],
  ["jira", /./, /^\/rest\/api\/3\//, "write:jira-work"],
  ["confluence", /^GET$/, /^\/wiki\/rest\/api\/user(?:\/current)?$/, "read:confluence-user"],
  ["confluence", /^GET$/, /^\/wiki\/rest\/api\/search$/, "search:confluence"],
  ["confluence", /^GET$/, /^\/wiki\/api\/v2\/pages(?:\/\d+)?$/, "read:page:confluence"],
];

/** Null for what no scope is known for. */
export function findNeededScope(product: Product, method: string, path: string): string | null {
  const needed = NEEDED.find(
    ([of, methods, paths]) => of === product && methods.test(method) && paths.test(path),
  );
  return needed?.[3] ?? null;
}

/** Of the app's own manifest, which lists them one to a line. */
export function readManifestScopes(manifest: string): ForgeScopes {
  const block = /^ {2}scopes:\n((?: {4}.*\n|\n)+)/m.exec(manifest)?.[1] ?? "";
  const scopes = block.matchAll(
    /^ {4}([\w.-]+(?::[\w.-]+)+):(?: \{\})?\n(?: {6}allowImpersonation: (true|false)\n)?/gm,
  );
  return Object.fromEntries(
    [...scopes].map(([, scope = "", allows]) => [scope, { allowImpersonation: allows === "true" }]),
  );
}
