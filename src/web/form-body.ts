import type { RequestHandler } from "express";

import { jsonBody, readBody, requireMediaType } from "./json-body.js";

const LIMIT_BYTES = 4096;

/** A small HTML form, the same fields as JSON, or no body at all: then the fields have their defaults. */
export function formBody(): RequestHandler {
  const readJson = jsonBody(LIMIT_BYTES);
  return async (req, res, next) => {
    if (req.headers["transfer-encoding"] === undefined && Number(req.headers["content-length"] ?? 0) === 0) {
      req.body = {};
    } else if (req.is("application/json")) {
      await readJson(req, res, next);
      return;
    } else {
      requireMediaType(req, "application/x-www-form-urlencoded");
      const fields = new URLSearchParams((await readBody(req, LIMIT_BYTES)).toString("utf8"));
      req.body = Object.fromEntries(fields);
    }
    next();
  };
}
