import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import type { Clock } from "../clock.js";
import type { TrustProxy } from "../config/trust-proxy.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import { createClientAddressReader, findPeerAddress } from "./client-address.js";
import { Connections } from "./connections.js";
import { requireLength } from "./json-body.js";
import type { Metrics } from "./metrics.js";
import { sendProblem } from "./problem-response.js";
import { sendRawProblem } from "./raw-problem.js";
import { startRequest, type RefusalListener } from "./request-context.js";
import { logWhenDone } from "./request-log.js";
import { pathOf, requireTarget } from "./request-target.js";
import { createSecurityHeaders } from "./security-headers.js";

/** What answers services: a plain handler in front of Express. Paths are as on the wire, without the query. */
export interface ServiceApi {
  handles(path: string): boolean;
  /** Whether bodies of any length pass through at this path, for as long as they keep coming. */
  streams(path: string): boolean;
  /** `acceptBody` tells a sender who waits for it (RFC 9110 §10.1.1) that the body is wanted. */
  handle(req: IncomingMessage, res: ServerResponse, acceptBody: () => void): Promise<void>;
}

export interface HttpTimeouts {
  readonly headersMs: number;
  /** Headers and body together, where bodies don't just pass through. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** How long somebody may read nothing of an answer. */
  readonly stalledMs: number;
  readonly checkEveryMs: number;
}

export interface HttpServerOptions {
  /** The app's public URL without a trailing slash. */
  readonly baseUrl: string;
  /** The path of `baseUrl`: empty, or `/app`. */
  readonly basePath: string;
  readonly isProduction: boolean;
  readonly trustProxy: TrustProxy;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "observeRequest">;
  readonly serviceApi: ServiceApi;
  /** The Express app: everything that isn't the service API. */
  readonly app: RequestListener;
  /** The largest body that anything at this path reads; a larger one is refused before it arrives. */
  readonly bodyLimitBytes: (path: string) => number;
  readonly onRefusal: RefusalListener;
  readonly timeouts?: HttpTimeouts;
  readonly maxConnections?: number;
}

export interface HttpServer {
  listen(port: number, host: string): Promise<AddressInfo>;
  isDraining(): boolean;
  /** Stops accepting, lets requests in flight finish, and destroys what is left when the time is up. */
  drain(timeoutMs: number): Promise<void>;
}

export const MAX_HEADER_BYTES = 16 * 1024;
export const MAX_CONNECTIONS = 5_000;

export const TIMEOUTS: HttpTimeouts = {
  headersMs: 20_000,
  requestMs: 30_000,
  // Longer than cloudflared keeps idle connections (90 s), so that it is never the app that closes one in use.
  keepAliveMs: 95_000,
  stalledMs: 60_000,
  checkEveryMs: 1000,
};

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { baseUrl, basePath, clock, logger, metrics, serviceApi, app, onRefusal } = options;
  const { timeouts = TIMEOUTS, maxConnections = MAX_CONNECTIONS } = options;
  const securityHeaders = createSecurityHeaders(options);
  const readClientAddress = createClientAddressReader(options);
  const contextOptions = { baseUrl, clock, securityHeaders, readClientAddress, onRefusal };
  const logOptions = { basePath, logger, metrics };
  const connections = new Connections(maxConnections, {
    sendRawProblem(socket, failure) {
      onRefusal({ ip: findPeerAddress(socket), isForwarded: false, isCallerKnown: false }, failure);
      sendRawProblem(socket, failure, { baseUrl, clock, logger, securityHeaders });
    },
    streams: (req) => serviceApi.streams(pathOf(req.url ?? "")),
  });

  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: timeouts.checkEveryMs,
    // request-target.ts checks it, and answers with a problem.
    requireHostHeader: false,
  });
  // A client may close its half after the request and still wait for the answer. Without this property of http.Server,
  // which its documentation leaves out, Node throws away every answer that isn't ready at once.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Their size is limited. By number, Node would drop the last ones and say nothing, and those are a proxy's own.
  server.maxHeadersCount = 0;

  let watch: NodeJS.Timeout | undefined;

  function answer(req: IncomingMessage, res: ServerResponse, acceptBody: () => void = () => undefined): void {
    if (!connections.begin(req.socket, res)) return;
    const context = startRequest(req, res, contextOptions);
    logWhenDone(req, res, pathOf(req.url ?? ""), context, logOptions);
    try {
      req.url = requireTarget(req);
    } catch (error) {
      // Whoever can't write a request line may be out of step with the rest of the connection, too.
      res.shouldKeepAlive = false;
      sendProblem(res, req, error);
      return;
    }
    dispatch(req, res, acceptBody)
      .catch((error: unknown) => sendProblem(res, req, error))
      .catch((error: unknown) => {
        // A fault in refusing one request must not end the process, as an unhandled one would.
        logger.error({ err: error }, "a refusal could not be sent");
        res.destroy();
      });
  }

  async function dispatch(req: IncomingMessage, res: ServerResponse, acceptBody: () => void): Promise<void> {
    const path = pathOf(req.url ?? "");
    if (!serviceApi.streams(path)) {
      requireLength(Number(req.headers["content-length"] ?? 0), options.bodyLimitBytes(path));
    }
    if (serviceApi.handles(path)) {
      await serviceApi.handle(req, res, acceptBody);
      return;
    }
    acceptBody();
    app(req, res);
  }

  server.on("connection", (socket) => {
    connections.add(socket);
  });
  server.on("request", (req, res) => {
    answer(req, res);
  });
  server.on("checkContinue", (req, res) => {
    answer(req, res, () => {
      res.writeContinue();
    });
  });
  // RFC 9110 §10.1.1 leaves it open whether an unknown expectation is refused.
  server.on("checkExpectation", (req, res) => {
    answer(req, res);
  });
  server.on("connect", (_req, socket: Socket) => {
    // No parser reads this connection any more, nor watches over its errors.
    socket.on("error", () => socket.destroy()).resume();
    connections.refuse(socket, new AppError("method_not_allowed", "This app is not a proxy.", ALLOWED));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // Whoever reads a stream watches over it: it may take long, but mustn't stand still.
    if (error.code === REQUEST_TIMEOUT && connections.isStreaming(socket)) return;
    connections.refuse(socket, toClientFailure(error));
  });

  return {
    async listen(port, host) {
      server.listen(port, host);
      await once(server, "listening");
      watch = setInterval(() => {
        connections.closeStalled(performance.now(), timeouts.stalledMs);
      }, timeouts.checkEveryMs).unref();
      return server.address() as AddressInfo;
    },

    isDraining: () => connections.isDraining,

    async drain(timeoutMs) {
      const timer = setTimeout(() => {
        connections.destroyAll();
      }, timeoutMs);
      clearInterval(watch);
      connections.startDraining();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(timer);
    },
  };
}

const REQUEST_TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";
const ALLOWED = { extras: { allow: ["GET", "HEAD", "POST", "PUT", "DELETE"] } };

function toClientFailure({ code }: NodeJS.ErrnoException): AppError {
  switch (code) {
    case REQUEST_TIMEOUT:
      return new AppError("request_timeout");
    case "HPE_HEADER_OVERFLOW":
      return new AppError("headers_too_large");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new AppError("too_large", "The chunk extensions of the body are too large.");
    default:
      return new AppError("malformed_request", "What was sent isn't a complete HTTP/1.1 request.");
  }
}
