import type { RequestHandler } from "express";

import type { AppContext } from "../app-context.js";
import { getRequestContext } from "./request-context.js";

/** Before any work is done: nothing more for an address that tried too many made-up tokens of late. */
export function refuseFloods({ limits }: Pick<AppContext, "limits">): RequestHandler {
  return (req, _res, next) => {
    limits.requireFewForgeries(getRequestContext(req));
    next();
  };
}
