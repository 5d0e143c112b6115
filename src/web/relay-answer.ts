import { validateHeaderValue, type IncomingMessage, type ServerResponse } from "node:http";
import { addAbortSignal, finished, type Readable } from "node:stream";

import type { BrokenOff } from "../gateway/gateway-service.js";
import { DISCARD_MS } from "./problem-response.js";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Readable;
}

/** Longer than anybody upstream is given, so that it is only ever the caller who is late. */
export const ANSWER_STALL_MS = 45_000;

/**
 * Passes somebody else's answer on, no faster than the caller takes it. An answer that breaks off takes the connection
 * along: it must not look like a short one. Resolves when it is over, in whichever way; `signal` says that the caller left.
 */
export async function relayAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: Answer,
  signal: AbortSignal,
  stallMs = ANSWER_STALL_MS,
): Promise<BrokenOff> {
  // Whoever has left wants nothing more, and without this line the other side would go on.
  addAbortSignal(signal, body);
  res.setTimeout(stallMs, () => res.destroy());
  // RFC 9112 §9.3: the rest of a body that nobody reads can't be followed by another request.
  if (!req.complete) res.shouldKeepAlive = false;
  res.writeHead(status, inSendableForm(status, headers));
  // Flushing them would have Node encode as UTF-8 what is UTF-8 already.
  res.write("", "latin1");
  try {
    await pump(body, res);
  } catch {
    const hasLeft = signal.aborted;
    breakOff(res);
    return hasLeft ? "caller_left" : "upstream_failed";
  }
  end(req, res);
  return (await isTaken(res, signal)) ? null : "caller_left";
}

/** Bytes that aren't ASCII pass as they came, a character each; what no header may hold is left out. */
function inSendableForm(status: number, headers: Answer["headers"]): Record<string, string | string[]> {
  const sent = Object.entries(headers).flatMap(([name, value]): [string, string | string[]][] => {
    const values = [value].flat().filter((each) => isSendable(name, each));
    // RFC 9110 §8.6: no Content-Length in a 204.
    if (values.length === 0 || (status === 204 && isLength(name))) return [];
    return [[name, typeof value === "string" ? value : values]];
  });
  // Last: behind a length, Node reads Content-Disposition as UTF-8, and then refuses what it got.
  return Object.fromEntries(sent.sort(([one], [other]) => Number(isLength(one)) - Number(isLength(other))));
}

function isLength(name: string): boolean {
  return name.toLowerCase() === "content-length";
}

function isSendable(name: string, value: string): boolean {
  try {
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
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

/** To stream.finished, an answer that has ended is over, though it may wait for its reader, or behind another answer. */
function isTaken(res: ServerResponse, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    res.once("finish", () => resolve(true));
    res.once("close", () => resolve(res.writableFinished));
    if (signal.aborted) resolve(false);
    signal.addEventListener("abort", () => resolve(false));
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
