import type { RequestHandler } from "express";

import { AppError } from "../errors.js";

/** Ends a route: every method but those it handles. */
export function methodNotAllowed(...allow: readonly string[]): RequestHandler {
  return () => {
    throw new AppError("method_not_allowed", `Use ${allow.join(" or ")}.`, { extras: { allow } });
  };
}
