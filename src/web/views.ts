import { fileURLToPath } from "node:url";

import express, { type Express, type RequestHandler, type Response } from "express";
import hbs from "hbs";

// The repository's root is two levels up, from src/web as from dist/web.
const VIEWS_FOLDER = fileURLToPath(new URL("../../views/", import.meta.url));
const PUBLIC_FOLDER = fileURLToPath(new URL("../../public/", import.meta.url));

/** What layout.hbs needs of every page. */
export interface PageLocals {
  readonly title: string;
}

/** Renders one template of views/ to HTML. */
export type View<Locals extends PageLocals> = (res: Response, locals: Locals) => Promise<string>;

/** Makes `views/<name>.hbs` a function, so that wrong locals are a type error. */
export function createView<Locals extends PageLocals>(name: string): View<Locals> {
  return (res, locals) =>
    new Promise((resolve, reject) => {
      res.render(name, locals, (error: Error | null, html: string) => {
        // Here, because the formatter of the templates drops a doctype.
        if (error === null) resolve(`<!doctype html>\n${html}`);
        else reject(error);
      });
    });
}

/** `basePath` is the path of the app's public URL, without a trailing slash: where pages find their styles. */
export function useViews(app: Express, options: { readonly basePath: string }): void {
  app.engine("hbs", hbs.create().__express);
  app.set("view engine", "hbs");
  app.set("views", VIEWS_FOLDER);
  app.locals["basePath"] = options.basePath;
}

/** Serves public/, to be mounted at `<basePath>/public`. */
export function createPublicFiles(): RequestHandler {
  return express.static(PUBLIC_FOLDER, {
    index: false,
    redirect: false,
    // By hand, as every answer already carries a stricter one, which the option would respect.
    setHeaders: (res) => res.setHeader("Cache-Control", "public, max-age=3600"),
  });
}
