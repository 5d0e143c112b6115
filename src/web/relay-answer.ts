import type { IncomingMessage, ServerResponse } from "node:http";
import { finished, type Readable } from "node:stream";

import { DISCARD_MS } from "./problem-response.js";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Readable;
}

/** Longer than anybody upstream is given, so that it is only ever the caller who is late. */
const STALL_MS = 45_000;

/**
 * Passes somebody else's answer on, no faster than the caller takes it. An answer that breaks off takes the connection
 * along: it must not look like a short one. Resolves when it is over, in whichever way.
 */
export async function relayAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: Answer,
  stallMs = STALL_MS,
): Promise<void> {
  // Whoever has left wants nothing more, and without this line the other side would go on.
  res.once("close", () => body.destroy());
  res.setTimeout(stallMs, () => res.destroy());
  // RFC 9112 §9.3: the rest of a body that nobody reads can't be followed by another request.
  if (!req.complete) res.shouldKeepAlive = false;
  res.writeHead(status, withoutLengthOfNothing(status, headers));
  res.flushHeaders();
  try {
    await pump(body, res);
  } catch {
    breakOff(res);
    return;
  }
  end(req, res);
}

function withoutLengthOfNothing(
  status: number,
  headers: Answer["headers"],
): Record<string, string | string[]> {
  // RFC 9110 §8.6: no Content-Length in a 204.
  const sent = Object.entries(headers).filter(
    ([name]) => status !== 204 || name.toLowerCase() !== "content-length",
  );
  return Object.fromEntries(
    sent.map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

function pump(body: Readable, res: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    finished(body, (error) => {
      if (error) reject(error);
      else resolve();
    });
    body.pipe(res, { end: false });
  });
}

/** By a reset: a caller who can't count the bytes (HTTP/1.0) would take a closed connection for the end. */
function breakOff(res: ServerResponse): void {
  res.socket?.resetAndDestroy();
  res.destroy();
}

/** Bytes that still come in would reset the connection, and the answer with it, if it were closed at once. */
function end(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) {
    res.end();
    return;
  }
  const timer = setTimeout(() => res.end(), DISCARD_MS);
  req.once("close", () => {
    clearTimeout(timer);
  });
  req.once("end", () => {
    clearTimeout(timer);
    res.end();
  });
  req.resume();
}
