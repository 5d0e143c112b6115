import { fileURLToPath } from "node:url";

import type { Express, Response } from "express";
import hbs from "hbs";

import { PUBLIC_VERSION } from "./public-files.js";

// The repository's root is two levels up, from src/web as from dist/web.
const VIEWS_FOLDER = fileURLToPath(new URL("../../views/", import.meta.url));

/** What every page needs. */
export interface PageLocals {
  readonly title: string;
  /** False for a view that is a whole document; else this, or layout.hbs, is put around it. */
  readonly layout?: false | "popup-layout";
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

/** `basePath` is the path of the app's public URL, without a trailing slash: where pages find styles and scripts. */
export function useViews(app: Express, options: { readonly basePath: string }): void {
  app.engine("hbs", hbs.create().__express);
  app.set("view engine", "hbs");
  app.set("views", VIEWS_FOLDER);
  app.locals["basePath"] = options.basePath;
  app.locals["publicPath"] = `${options.basePath}/public/${PUBLIC_VERSION}`;
}
