import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import type { Answer } from "./http-server.js";

const CDN = "connect-cdn.atl-paas.net";
const CDN_URL = '"https://" + CDN_DOMAIN';

const resolve = (name: string) => createRequire(import.meta.url).resolve(name);
const BRIDGE = path.dirname(resolve("atlassian-connect-js/dist/connect-host.js"));
const PAGES = path.join(import.meta.dirname, "pages");

/** Everything that is served from a file, by its path. Nothing else is. */
const FILES: ReadonlyMap<string, string> = new Map([
  ["/sandbox/sandbox.css", path.join(PAGES, "sandbox.css")],
  ["/sandbox/ajs.js", path.join(PAGES, "ajs.js")],
  ["/sandbox/host-page.js", path.join(PAGES, "host-page.js")],
  ["/sandbox/forge-host-page.js", path.join(PAGES, "forge-host-page.js")],
  ["/sandbox/refusals.js", path.join(PAGES, "refusals.js")],
  ["/connect/all.js", path.join(BRIDGE, "iframe.js")],
  ["/connect/connect-host.js", path.join(BRIDGE, "connect-host.js")],
  ["/connect/connect-host.css", path.join(BRIDGE, "connect-host.css")],
  ["/connect/surfaces.css", path.join(BRIDGE, "surfaces.css")],
  ["/connect/legacy-text-colors.css", path.join(BRIDGE, "legacy-text-colors.css")],
  ["/connect/jquery.js", path.join(path.dirname(resolve("jquery")), "jquery.min.js")],
  ...listThemes(),
]);

const contents = new Map<string, string>();

/** Scripts and styles of the site's pages, and the ones that Atlassian's CDN has for the app's. */
export function findAsset(urlPath: string, siteUrl: string): Answer | null {
  const file = FILES.get(urlPath);
  if (!file) return null;
  const content = contents.get(file) ?? readFileSync(file, "utf8");
  contents.set(file, content);
  return {
    status: 200,
    headers: {
      "content-type": `${file.endsWith(".css") ? "text/css" : "text/javascript"}; charset=utf-8`,
      ...(urlPath.startsWith("/connect/") && { "cache-control": "max-age=300" }),
    },
    body: urlPath === "/connect/all.js" ? withoutCdn(content, siteUrl) : content,
  };
}

/** The bridge loads its themes from where it is known to be, whatever address it was loaded from itself. */
function withoutCdn(script: string, siteUrl: string): string {
  if (!script.includes(`"${CDN}"`) || !script.includes(CDN_URL)) {
    throw new Error("This version of Atlassian's bridge names its CDN in another way.");
  }
  return script
    .replaceAll(CDN, `${new URL(siteUrl).host}/connect`)
    .replace(CDN_URL, '"http://" + CDN_DOMAIN');
}

function listThemes(): [urlPath: string, file: string][] {
  const folder = path.join(BRIDGE, "themes");
  return readdirSync(folder).map((name) => [`/connect/themes/${name}`, path.join(folder, name)]);
}
