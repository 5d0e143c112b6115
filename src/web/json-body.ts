import type { IncomingMessage } from "node:http";

import type { RequestHandler } from "express";

import { AppError } from "../errors.js";
import { requireDepth } from "../strict-json.js";

export const JSON_BODY_LIMIT_BYTES = 64 * 1024;
/** Far more than any body of the API has, and so little that whatever walks through a body may call itself. */
export const MAX_JSON_DEPTH = 32;

/**
 * Puts the body, a JSON object or array in UTF-8, into `req.body`. Unlike express.json, it refuses a body as soon as it
 * is too large instead of waiting for its end, and takes neither other charsets nor bytes that aren't UTF-8.
 */
export function jsonBody(limitBytes: number = JSON_BODY_LIMIT_BYTES): RequestHandler {
  return async (req, _res, next) => {
    requireMediaType(req, "application/json");
    req.body = parseJson(await readBody(req, limitBytes));
    next();
  };
}

/** Where a body may be left out: then its fields have their defaults. */
export function optionalBody(readBody: RequestHandler): RequestHandler {
  return async (req, res, next) => {
    const hasBody =
      req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;
    if (hasBody) {
      await readBody(req, res, next);
    } else {
      req.body = {};
      next();
    }
  };
}

/** Refuses another Content-Type, a charset other than UTF-8, and any Content-Encoding. */
export function requireMediaType(req: IncomingMessage, mediaType: string): void {
  const [type = "", ...parameters] = (req.headers["content-type"] ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const hasOtherCharset = parameters.some((parameter) => /^charset=(?!"?utf-8"?$)/.test(parameter));
  if (type !== mediaType || hasOtherCharset) {
    throw new AppError("unsupported_media_type", `The body must be ${mediaType}, in UTF-8.`);
  }
  if ((req.headers["content-encoding"] ?? "identity").toLowerCase() !== "identity") {
    throw new AppError(
      "unsupported_media_type",
      "The body must not be compressed: send no Content-Encoding.",
    );
  }
}

/** The whole body; AppError `too_large` as soon as more than the limit is announced or has arrived. */
export async function readBody(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  requireLength(Number(req.headers["content-length"] ?? 0), limitBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // The request stays whole when the loop is left early: destroying it would take the answer along.
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      requireLength(length, limitBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("malformed_request", "The request ended before its body was complete.", {
      cause: error,
    });
  }
  return Buffer.concat(chunks);
}

export function requireLength(lengthBytes: number, limitBytes: number): void {
  if (lengthBytes <= limitBytes) return;
  throw new AppError("too_large", `The body is larger than the ${limitBytes} bytes that this call reads.`);
}

function parseJson(body: Buffer): object {
  if (body.length === 0) throw new AppError("malformed_request", "The body is empty: JSON is expected.");
  const value = parseText(body);
  if (typeof value === "object" && value !== null) return value;
  throw new AppError("malformed_request", "The body must be a JSON object or array.");
}

function parseText(body: Buffer): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const value: unknown = JSON.parse(text);
    requireDepth(text, MAX_JSON_DEPTH);
    return value;
  } catch {
    // The parser's message quotes the body, which may hold a token: it goes nowhere.
    throw new AppError(
      "malformed_request",
      `The body isn't valid JSON in UTF-8, nested at most ${MAX_JSON_DEPTH} deep.`,
    );
  }
}
