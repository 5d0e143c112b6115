import type { RequestHandler } from "express";

import type { AppContext } from "../app-context.js";
import { getRequestContext } from "./request-context.js";

/** Before any work is done: nothing more for an address that was refused too often of late. */
export function refuseFloods({ limits }: Pick<AppContext, "limits">): RequestHandler {
  return (req, _res, next) => {
    limits.requireFewRefusals(getRequestContext(req));
    next();
  };
}
