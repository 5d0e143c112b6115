import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PAGES = /** @type {const} */ (["admin", "account"]);

/** The pages import the library from where the app serves it. */
const VENDORED = /^(?:\.{1,2}\/)+vendor\/lit-html\//;
// Under Node the package resolves to its build for servers, one folder below the one for browsers.
const LIT_HTML = new URL("../", import.meta.resolve("lit-html"));

/**
 * Makes of each page a folder that Forge can serve: it takes no inline script or style, and no address outside the folder.
 *
 * @param {{ appUrl: URL, folder: string }} options The app's public URL, with a slash at its end, and where to write.
 */
export async function buildPages({ appUrl, folder }) {
  await rm(folder, { recursive: true, force: true });
  for (const page of PAGES) {
    const target = path.join(folder, page);
    await mkdir(target, { recursive: true });
    await build({
      entryPoints: [path.join(ROOT, "forge/pages", `${page}.js`)],
      outfile: path.join(target, "page.js"),
      bundle: true,
      format: "esm",
      target: "es2022",
      minify: true,
      logLevel: "warning",
      plugins: [findLitHtml],
    });
    await copyFile(path.join(ROOT, "public/style.css"), path.join(target, "style.css"));
    await copyFile(path.join(ROOT, "public", `${page}.css`), path.join(target, "page.css"));
    await writeFile(path.join(target, "index.html"), createShell(appUrl));
  }
}

/** @type {import("esbuild").Plugin} */
const findLitHtml = {
  name: "find lit-html",
  setup: (bundler) =>
    bundler.onResolve({ filter: VENDORED }, ({ path: specifier }) => ({
      path: fileURLToPath(new URL(specifier.replace(VENDORED, ""), LIT_HTML)),
    })),
};

/** @param {URL} appUrl */
function createShell({ href }) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Cloudflare Access</title>
    <link rel="stylesheet" href="./style.css" />
    <link rel="stylesheet" href="./page.css" />
    <script type="module" src="./page.js"></script>
  </head>
  <body>
    <main id="page" data-app-url="${href.replaceAll("&", "&amp;")}">
      <p class="late" data-waiting>Loading …</p>
      <p class="very-late">If nothing more comes, a script of this page was blocked. Load the page again, or
        try without extensions of your browser.</p>
      <noscript><p>This page needs JavaScript.</p></noscript>
    </main>
  </body>
</html>
`;
}

/**
 * The app's public URL, from what the manifest is filled in with.
 *
 * @param {Readonly<Record<string, string | undefined>>} environment
 */
export function readAppUrl({ APP_ORIGIN: origin = "", BASE_PATH: basePath = "" }) {
  if (!URL.canParse(origin) || new URL(origin).origin !== origin || !origin.startsWith("https://"))
    throw new Error(
      "APP_ORIGIN must be the origin of the app's public URL, such as https://access.example.com.",
    );
  if (!/^(?:\/[\w.~-]+)*$/.test(basePath))
    throw new Error("BASE_PATH must be the path of the app's public URL, such as /access-app, or empty.");
  return new URL(`${origin}${basePath}/`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPages({ appUrl: readAppUrl(process.env), folder: path.join(ROOT, "forge/static") });
}
