import type { Router } from "express";

import { AppError } from "../errors.js";
import { SingleFlight } from "../single-flight.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";

export interface HealthRoutesOptions {
  /** Resolves when the app can serve; rejects with why not. */
  readonly isReady: () => Promise<void>;
  readonly isDraining: () => boolean;
  readonly readyTimeoutMs?: number;
}

const READY_TIMEOUT_MS = 2000;
const RETRY_AFTER_SECONDS = 5;

export function createHealthRoutes(options: HealthRoutesOptions): Router {
  const { isReady, isDraining, readyTimeoutMs = READY_TIMEOUT_MS } = options;
  const router = createRouter();
  // Anybody may ask, as often as they like.
  const looks = new SingleFlight<void>();

  router
    .route("/healthz")
    .get((_req, res) => {
      res.json({ status: "ok" });
    })
    .all(methodNotAllowed("GET", "HEAD"));

  router
    .route("/readyz")
    .get(async (_req, res) => {
      if (isDraining()) throw notReady("The app is shutting down.");
      await within(readyTimeoutMs, looks.run("ready", isReady)).catch((cause: unknown) => {
        throw notReady(undefined, cause);
      });
      res.json({ status: "ok" });
    })
    .all(methodNotAllowed("GET", "HEAD"));

  return router;
}

function notReady(detail?: string, cause?: unknown): AppError {
  return new AppError("store_unavailable", detail, {
    cause,
    extras: { retryAfterSeconds: RETRY_AFTER_SECONDS },
  });
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`No answer within ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  await Promise.race([work, deadline]).finally(() => {
    clearTimeout(timer);
  });
}
