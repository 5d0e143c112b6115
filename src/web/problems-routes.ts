import type { Router } from "express";

import { PROBLEMS } from "../errors.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import { createView, type PageLocals } from "./views.js";

interface ProblemsPageLocals extends PageLocals {
  readonly problems: typeof ITEMS;
}

const renderProblemsPage = createView<ProblemsPageLocals>("problems");

const ITEMS = Object.entries(PROBLEMS).map(([code, { status, title, cause, fix }]) => ({
  code,
  status,
  title,
  cause,
  fix,
}));

/** `GET /problems`: where the `type` of every problem leads. */
export function createProblemsRoutes(): Router {
  const router = createRouter();

  router
    .route("/problems")
    .get(async (req, res) => {
      res.vary("Accept");
      if (req.accepts(["text/html", "application/json"]) === "application/json") {
        res.json({ items: ITEMS, nextCursor: null });
        return;
      }
      res.send(await renderProblemsPage(res, { title: "Problems and their fixes", problems: ITEMS }));
    })
    .all(methodNotAllowed("GET", "HEAD"));

  return router;
}
