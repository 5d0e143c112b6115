import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { BlockList, isIPv4 } from "node:net";

import type { Router } from "express";

import { AppError, NotFoundError } from "../errors.js";
import { sha256Hex } from "../identifiers.js";
import { findPeerAddress, isForwardedHeader } from "./client-address.js";
import { createRouter } from "./create-router.js";
import { methodNotAllowed } from "./method-not-allowed.js";
import type { Metrics } from "./metrics.js";

export interface MetricsRoutesOptions {
  readonly metrics: Metrics;
  /** null: only callers on this machine are answered. */
  readonly metricsToken: string | null;
}

export function createMetricsRoutes({ metrics, metricsToken }: MetricsRoutesOptions): Router {
  const router = createRouter();
  const requireOperator = metricsToken === null ? requireLoopback : requireToken(metricsToken);

  router
    .route("/metrics")
    .all((req, _res, next) => {
      requireOperator(req);
      next();
    })
    .get(async (_req, res) => {
      res.set("Content-Type", metrics.registry.contentType).end(await metrics.registry.metrics());
    })
    .all(methodNotAllowed("GET", "HEAD"));

  return router;
}

function requireToken(token: string): (req: IncomingMessage) => void {
  const expected = Buffer.from(sha256Hex(token));
  return (req) => {
    const [, sent = ""] = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? "") ?? [];
    // Hashes are of one length, and comparing them tells nothing about the token.
    if (!timingSafeEqual(Buffer.from(sha256Hex(sent)), expected)) throw new AppError("metrics_token_invalid");
  };
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Security rule 20: behind a proxy on this machine everybody comes from loopback, so any sign of a proxy refuses. */
function requireLoopback(req: IncomingMessage): void {
  const peer = findPeerAddress(req.socket);
  const isLocal = peer !== null && loopback.check(peer, isIPv4(peer) ? "ipv4" : "ipv6");
  if (!isLocal || Object.keys(req.headers).some(isForwardedHeader)) throw new NotFoundError();
}
