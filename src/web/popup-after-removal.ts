import type { Request } from "express";

/** In the query of the window that has just removed a link. Anybody can write it there: it decides about words alone. */
export const AFTER_REMOVAL = "removed";

export function isAfterRemoval(req: Request): boolean {
  return req.query[AFTER_REMOVAL] !== undefined;
}
