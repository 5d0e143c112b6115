import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { BlockList, isIPv4 } from "node:net";

import { Router } from "express";

import { AppError, NotFoundError } from "../errors.js";
import { hashSecret } from "../identifiers.js";
import { findPeerAddress, isForwardedHeader } from "./client-address.js";
import type { Metrics } from "./metrics.js";

export interface MetricsRoutesOptions {
  readonly metrics: Metrics;
  /** null: only callers on this machine are answered. */
  readonly metricsToken: string | null;
}

export function createMetricsRoutes({ metrics, metricsToken }: MetricsRoutesOptions): Router {
  const router = Router();
  const requireOperator = metricsToken === null ? requireLoopback : requireToken(metricsToken);

  router.get("/metrics", async (req, res) => {
    requireOperator(req);
    res.set("Content-Type", metrics.registry.contentType).end(await metrics.registry.metrics());
  });

  return router;
}

function requireToken(token: string): (req: IncomingMessage) => void {
  const expected = Buffer.from(hashSecret(token));
  return (req) => {
    const [, sent = ""] = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? "") ?? [];
    // Hashes are of one length, and comparing them tells nothing about the token.
    if (!timingSafeEqual(Buffer.from(hashSecret(sent)), expected))
      throw new AppError("metrics_token_invalid");
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
