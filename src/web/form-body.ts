import type { RequestHandler } from "express";

import { jsonBody, optionalBody, readBody, requireMediaType } from "./json-body.js";

export const FORM_LIMIT_BYTES = 4096;

/** A small HTML form, the same fields as JSON, or no body at all. */
export function formBody(): RequestHandler {
  const readJson = jsonBody(FORM_LIMIT_BYTES);
  return optionalBody(async (req, res, next) => {
    if (req.is("application/json")) {
      await readJson(req, res, next);
      return;
    }
    requireMediaType(req, "application/x-www-form-urlencoded");
    const fields = new URLSearchParams((await readBody(req, FORM_LIMIT_BYTES)).toString("utf8"));
    req.body = Object.fromEntries(fields);
    next();
  });
}
