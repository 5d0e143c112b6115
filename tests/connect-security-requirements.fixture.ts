/** What the tester reads of a descriptor. */
export interface ScannedDescriptor {
  readonly key: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly authentication: { readonly type: string };
  readonly lifecycle: Readonly<Record<string, string>>;
  readonly apiMigrations: Readonly<Record<string, boolean>>;
  readonly scopes: readonly string[];
  readonly modules: Readonly<Record<string, Json>>;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Module types that only admins get to see, whatever their conditions say. */
const ADMIN_MODULES = ["configurePage", "adminPages", "jiraProjectAdminTabPanels", "jiraProjectPermissions"];
const ADMIN_CONDITIONS = ["user_is_admin", "user_is_sysadmin"];

/** Lifecycle events by name, as paths below the base URL. */
export function lifecyclePaths({ lifecycle, baseUrl }: ScannedDescriptor): Map<string, string> {
  return new Map(Object.entries(lifecycle).map(([event, url]) => [event, toPath(url, baseUrl)]));
}

/** Every `url` anywhere in the modules. */
export function modulePaths({ modules, baseUrl }: ScannedDescriptor): string[] {
  return unique(findUrls(modules), baseUrl);
}

/** Those that are for admins: by the type of their module, or by a condition, alone or among alternatives. */
export function adminPaths({ modules, baseUrl }: ScannedDescriptor): string[] {
  const byType = ADMIN_MODULES.flatMap((type) => findUrls(modules[type] ?? null));
  const byCondition = findObjects(modules).filter(({ conditions }) =>
    findObjects(conditions ?? null).some(
      ({ condition }) => typeof condition === "string" && ADMIN_CONDITIONS.includes(condition),
    ),
  );
  return unique([...byType, ...byCondition.flatMap((module) => findUrls(module))], baseUrl);
}

/** Every object anywhere in a value, and the value itself. */
export function findObjects(value: Json): Readonly<Record<string, Json>>[] {
  if (value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(findObjects);
  const object = value as Readonly<Record<string, Json>>;
  return [object, ...Object.values(object).flatMap(findObjects)];
}

function findUrls(value: Json): string[] {
  return findObjects(value).flatMap(({ url }) => (typeof url === "string" ? [url] : []));
}

function unique(urls: readonly string[], baseUrl: string): string[] {
  return [...new Set(urls.map((url) => toPath(url, baseUrl)))];
}

/** With something in the place of context parameters such as `{issue.key}`; below the base URL, wherever that is. */
function toPath(url: string, baseUrl: string): string {
  const filled = url.replace(/\{condition\.[^}]*\}/gi, "true").replace(/\$?\{[^}]*\}/g, "test");
  const absolute = /^https?:/.test(filled) ? filled : `${baseUrl}/${filled.replace(/^\//, "")}`;
  if (!absolute.startsWith(`${baseUrl}/`)) throw new Error(`${url} leads away from the app.`);
  return absolute.slice(baseUrl.length);
}
