import type { Product } from "../src/tenants/tenant.js";
import type { AtlassianSite, Descriptor, DescriptorPage } from "./atlassian-site.js";
import type { Person } from "./people.js";

/** A page of the app, as Atlassian's bridge is told to frame it. */
export interface AppFrame {
  readonly title: string;
  readonly extension: {
    readonly addon_key: string;
    readonly key: string;
    readonly url: string;
    readonly options: Readonly<Record<string, unknown>>;
  };
}

/** What Connect lets a framed page do. */
const SANDBOX = [
  "allow-downloads",
  "allow-forms",
  "allow-modals",
  "allow-popups",
  "allow-popups-to-escape-sandbox",
  "allow-same-origin",
  "allow-scripts",
  "allow-storage-access-by-user-activation",
  "allow-top-navigation-by-user-activation",
].join(" ");

/** Null when the app isn't installed in the product, or has no such page. */
export async function createAppFrame(
  site: AtlassianSite,
  { product, appKey, moduleKey, person }: AppPlace & { readonly person: Person },
): Promise<AppFrame | null> {
  const app = site.findInstallation(product)?.app;
  const page = app?.key === appKey ? findPage(app, moduleKey) : null;
  if (!app || !page) return null;

  const url = new URL(`${app.baseUrl}${page.url}`);
  const contextPath = new URL(site.baseUrl(product)).pathname.replace(/\/$/, "");
  const usual = {
    xdm_e: site.url,
    xdm_c: `channel-${app.key}__${moduleKey}`,
    cp: contextPath,
    xdm_deprecated_addon_key_do_not_use: app.key,
    lic: "none",
    cv: "1001.0.0-SNAPSHOT",
  };
  for (const [name, value] of Object.entries(usual)) url.searchParams.set(name, value);
  url.searchParams.set("jwt", await site.urlBoundJwt(product, person.accountId, "GET", url.href));
  const options = {
    autoresize: true,
    contextPath,
    hostOrigin: site.url,
    isFullPage: true,
    moduleType: page.moduleType,
    productCtx: "{}",
    sandbox: SANDBOX,
    width: "100%",
  };
  return {
    title: page.name.value,
    extension: { addon_key: app.key, key: moduleKey, url: url.href, options },
  };
}

/** Where a page of an app is in the site. */
export interface AppPlace {
  readonly product: Product;
  readonly appKey: string;
  readonly moduleKey: string;
}

function findPage(
  { modules = {} }: Descriptor,
  moduleKey: string,
): (DescriptorPage & { readonly moduleType: string }) | null {
  const pages = Object.entries(modules).flatMap(([moduleType, each]) =>
    [each].flat().map((page) => ({ ...page, moduleType })),
  );
  return pages.find(({ key }) => key === moduleKey) ?? null;
}
