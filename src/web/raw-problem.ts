import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { Clock } from "../clock.js";
import type { AppError } from "../errors.js";
import { createReference } from "../identifiers.js";
import type { Logger } from "../logger.js";
import { findPeerAddress } from "./client-address.js";
import { DISCARD_MS, PROBLEM_TYPE, problemHeaders, toProblem } from "./problem-response.js";
import { REFERENCE_HEADER } from "./request-context.js";
import type { SecurityHeaders } from "./security-headers.js";

export interface RawProblemOptions {
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly securityHeaders: SecurityHeaders;
}

/** Answers bytes of which no request could be made, and closes the connection. */
export function sendRawProblem(socket: Socket, failure: AppError, options: RawProblemOptions): void {
  const { baseUrl, clock, logger, securityHeaders } = options;
  const reference = createReference();
  logger.info(
    { status: failure.status, code: failure.code, reference, ip: findPeerAddress(socket) },
    "unreadable request",
  );
  const body = JSON.stringify(toProblem(failure, { baseUrl, reference }));
  const headers = {
    Date: clock.now().toUTCString(),
    ...securityHeaders,
    [REFERENCE_HEADER]: reference,
    ...problemHeaders(failure),
    "Content-Type": PROBLEM_TYPE,
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  };
  socket.end(
    [
      `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status] ?? ""}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      "",
      body,
    ].join("\r\n"),
  );
  // Bytes that still come in would reset the connection, and the answer with it, if it were closed at once.
  const timer = setTimeout(() => socket.destroy(), DISCARD_MS);
  socket.once("close", () => {
    clearTimeout(timer);
  });
}
