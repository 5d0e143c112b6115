import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import express, { type RequestHandler, type Router } from "express";

import { createRouter } from "./create-router.js";

// The repository's root is two levels up, from src/web as from dist/web.
const PUBLIC_FOLDER = fileURLToPath(new URL("../../public/", import.meta.url));
// Under Node the package resolves to its build for servers, one folder below the one for browsers.
const LIT_HTML_FOLDER = fileURLToPath(new URL("../", import.meta.resolve("lit-html")));
const ANY_VERSION = /^\/[0-9a-f]{16}(?=\/)/;
const VENDORED = "vendor/lit-html/";
/** The path of every file that is served, below a version. Nothing else is. */
const SERVED = listServed();

/**
 * Stands in the URL of every file, so that a page gets the files of its own release and browsers may keep them for good.
 */
export const PUBLIC_VERSION = hashFiles([...SERVED].map((name) => ({ name, file: findFile(name) })));

/** Serves `public/` and the library that its scripts import, to be mounted at `<basePath>/public`. */
export function createPublicFiles(): Router {
  const router = createRouter();
  router.use(`/${PUBLIC_VERSION}`, createFiles("public, max-age=31536000, immutable"));
  // While releases change, a page of one may ask a process of the other.
  router.use(ANY_VERSION, createFiles("no-cache"));
  return router;
}

/** Everything that a script of `public/` imports, directly or not, as paths below it. */
export function listModules(script: string, found = new Set<string>()): readonly string[] {
  // Types are imported in comments.
  const text = readFileSync(findFile(script), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  for (const [, specifier = ""] of text.matchAll(/(?:from|import)\s*"(\.{1,2}\/[^"]+)"/g)) {
    const module = path.posix.join(path.posix.dirname(script), specifier);
    if (found.has(module)) continue;
    found.add(module);
    listModules(module, found);
  }
  return [...found];
}

/** Scripts and styles of `public/`, and what the scripts import of the library. */
function listServed(): ReadonlySet<string> {
  const own = readdirSync(PUBLIC_FOLDER, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll(path.sep, "/"))
    .filter((file) => /\.(?:js|css)$/.test(file));
  const imported = own.filter((file) => file.endsWith(".js")).flatMap((script) => listModules(script));
  return new Set([...own, ...imported].sort());
}

function findFile(name: string): string {
  return name.startsWith(VENDORED)
    ? path.join(LIT_HTML_FOLDER, name.slice(VENDORED.length))
    : path.join(PUBLIC_FOLDER, name);
}

function createFiles(cacheControl: string): Router {
  const router = createRouter();
  router.use((req, _res, next) => next(SERVED.has(req.path.slice(1)) ? undefined : "router"));
  router.use("/vendor/lit-html", createFolder(LIT_HTML_FOLDER, cacheControl));
  router.use(createFolder(PUBLIC_FOLDER, cacheControl));
  return router;
}

function createFolder(folder: string, cacheControl: string): RequestHandler {
  return express.static(folder, {
    index: false,
    redirect: false,
    // A version names the content. What these three would tell besides is when the app was put on this machine.
    etag: false,
    lastModified: false,
    acceptRanges: false,
    // By hand, as every answer already carries a stricter one, which the option would respect.
    setHeaders: (res) => res.setHeader("Cache-Control", cacheControl),
  });
}

export function hashFiles(files: readonly { readonly name: string; readonly file: string }[]): string {
  const hash = createHash("sha256");
  for (const { name, file } of files) hash.update(`${name}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex").slice(0, 16);
}
