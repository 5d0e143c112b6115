import { Router } from "express";

/** One spelling per route: Express by default takes any case, and a slash at the end. */
export function createRouter(): Router {
  return Router({ caseSensitive: true, strict: true });
}
