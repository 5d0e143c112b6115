import type { IncomingMessage, ServerResponse } from "node:http";

import type { Logger } from "../logger.js";
import type { Metrics } from "./metrics.js";
import type { RequestContext } from "./request-context.js";
import { findRoutePattern } from "./route-pattern.js";

export interface RequestLogOptions {
  readonly basePath: string;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "observeRequest">;
}

/** Writes one line and counts one request when the answer is out, or when its reader went away before. */
export function logWhenDone(
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  context: RequestContext,
  options: RequestLogOptions,
): void {
  const startedMs = performance.now();
  res.once("close", () => {
    const elapsedMs = performance.now() - startedMs;
    const method = req.method ?? "";
    const route = findRoutePattern(path, options.basePath);
    const isAborted = !res.writableFinished;
    const { failure, reference, ip, serviceId } = context;
    options.metrics.observeRequest({
      route: route ?? "other",
      method,
      status: isAborted ? "aborted" : String(res.statusCode),
      code: failure?.code ?? "",
      durationSeconds: elapsedMs / 1000,
    });
    const fields = {
      method,
      ...(route === null ? { path: withoutSecrets(path) } : { route }),
      status: res.headersSent ? res.statusCode : null,
      code: failure?.code ?? null,
      durationMs: Math.round(elapsedMs),
      reference,
      ip,
      ...(serviceId === null ? {} : { serviceId }),
      ...(isAborted ? { aborted: true } : {}),
    };
    if (failure !== null && failure.status >= 500) {
      options.logger.error({ ...fields, err: failure }, "request failed");
    } else {
      // Never the cause's message: libraries quote what they failed on.
      const reason = failure?.reason ?? null;
      options.logger.info(reason === null ? fields : { ...fields, reason }, "request");
    }
  });
}

const LONGEST_PATH = 200;

/**
 * A path that is no route's may be anything: a token, a code, an e-mail address, somebody's name. Only what looks like
 * the words that the app's own paths are made of is worth reading in a log.
 */
const WORD = /^(?:[a-z][a-z\d.-]{0,19})?$/;

function withoutSecrets(path: string): string {
  return path
    .slice(0, LONGEST_PATH)
    .split("/")
    .map((segment) => (WORD.test(segment) ? segment : "…"))
    .join("/");
}
