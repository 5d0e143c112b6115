import { FORGE_APP_ID, FORGE_ENVIRONMENT_ID } from "./forge-fit.js";
import type { ForgePage } from "./forge-manifest.js";

/** As product pages name what is deployed: by the last parts of both ARIs. */
const DEPLOYED = [FORGE_APP_ID, FORGE_ENVIRONMENT_ID].map((ari) => ari.replace(/.*\//, "")).join("/");

/** Where the products show the pages of each type. */
const PATHS: Readonly<Record<string, (page: ForgePage) => string>> = {
  "jira:adminPage": ({ isForConfiguring }) =>
    `/jira/settings/apps/${isForConfiguring ? "configure/" : ""}${DEPLOYED}`,
  "jira:personalSettingsPage": () => `/jira/settings/personal/apps/${DEPLOYED}`,
  "confluence:globalSettings": ({ isForConfiguring }) =>
    `/wiki/settings/apps/${isForConfiguring ? "configure/" : ""}${DEPLOYED}`,
  "confluence:globalPage": ({ route = "" }) => `/wiki/apps/${DEPLOYED}/${route}`,
};

/** Of a page of the app in its product. */
export function createPagePath(page: ForgePage): string {
  const path = PATHS[page.type]?.(page);
  if (path === undefined) throw new Error(`The sandbox has no place for a ${page.type}.`);
  return path;
}
