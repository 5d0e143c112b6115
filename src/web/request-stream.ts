import type { IncomingMessage, ServerResponse } from "node:http";
import { Transform, type Readable } from "node:stream";

import { AppError } from "../errors.js";

export const BODY_IDLE_MS = 30_000;

/**
 * A request's body for somebody who may be done with it before its end: destroying what is returned leaves the request
 * whole, and so the answer to it. Null when there is no body, or none that has a meaning (RFC 9110 §9.3.1). Fails with
 * AppError `malformed_request` when the sender breaks off, and `request_timeout` when it stalls.
 */
export function openRequestBody(req: IncomingMessage, idleMs = BODY_IDLE_MS): Readable | null {
  const { "transfer-encoding": encoding, "content-length": length = "0" } = req.headers;
  if (encoding === undefined && Number(length) === 0) return null;
  if (req.method === "GET" || req.method === "HEAD") return null;

  const body = new Transform({
    transform(chunk, _encoding, done) {
      timer.refresh();
      done(null, chunk);
    },
  });
  const timer = setTimeout(() => {
    // While nobody takes more of it, it isn't the sender who is late.
    if (body.writableNeedDrain) timer.refresh();
    else body.destroy(new AppError("request_timeout"));
  }, idleMs);
  const onGone = () => {
    if (!req.complete) {
      body.destroy(new AppError("malformed_request", "The request ended before its body was complete."));
    }
  };
  req.once("close", onGone).once("error", onGone);
  body.once("close", () => {
    clearTimeout(timer);
    req.off("close", onGone);
  });
  // Whoever reads it hears of its failures; when nobody has begun to, they are nobody's business.
  body.on("error", () => undefined);
  return req.pipe(body);
}

const HALF_CLOSED_MS = 500;

/**
 * Aborted when nobody is there any more to take the answer. Whoever closes its half is taken to have left, half a second
 * later: most clients leave so, and some close it behind a request that they still want answered. The connection tells,
 * because an answer that waits behind another one never hears of its end.
 */
export function abortWhenGone(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const { socket } = res.req;
  let leaving: NodeJS.Timeout | undefined;
  const onGone = () => {
    if (!res.writableFinished) controller.abort();
  };
  const onHalfClosed = () => {
    leaving = setTimeout(() => socket.destroy(), HALF_CLOSED_MS).unref();
  };
  socket.once("end", onHalfClosed).once("close", onGone);
  res.once("close", () => {
    onGone();
    clearTimeout(leaving);
    socket.off("end", onHalfClosed).off("close", onGone);
  });
  return controller.signal;
}
