import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import type { Logger } from "../logger.js";
import { createClientAddressReader, type TrustProxy } from "./client-address.js";
import { requireLength } from "./json-body.js";
import type { Metrics } from "./metrics.js";
import { sendProblem } from "./problem-response.js";
import { sendRawProblem } from "./raw-problem.js";
import { startRequest } from "./request-context.js";
import { logWhenDone } from "./request-log.js";
import { pathOf, requireTarget } from "./request-target.js";
import { createSecurityHeaders } from "./security-headers.js";

/** What answers services: a plain handler in front of Express. Paths are as on the wire, without the query. */
export interface ServiceApi {
  handles(path: string): boolean;
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
}

export interface HttpTimeouts {
  readonly headersMs: number;
  /** Headers and body together. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly checkEveryMs: number;
}

export interface HttpServerOptions {
  /** The app's public URL without a trailing slash. */
  readonly baseUrl: string;
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
  readonly timeouts?: HttpTimeouts;
}

export interface HttpServer {
  listen(port: number, host: string): Promise<AddressInfo>;
  isDraining(): boolean;
  /** Stops accepting, lets requests in flight finish, and destroys what is left when the time is up. */
  drain(timeoutMs: number): Promise<void>;
}

const MAX_HEADER_BYTES = 16 * 1024;

const TIMEOUTS: HttpTimeouts = {
  headersMs: 20_000,
  requestMs: 30_000,
  // Longer than cloudflared keeps idle connections (90 s), so that it is never the app that closes one in use.
  keepAliveMs: 95_000,
  checkEveryMs: 1000,
};

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { baseUrl, clock, logger, metrics, serviceApi, app, timeouts = TIMEOUTS } = options;
  const securityHeaders = createSecurityHeaders(options);
  const readClientAddress = createClientAddressReader(options);
  const contextOptions = { baseUrl, clock, securityHeaders, readClientAddress };
  const logOptions = { basePath: new URL(baseUrl).pathname.replace(/\/$/, ""), logger, metrics };
  /** Every open connection, with the answer to the last request that came in on it. */
  const connections = new Map<Socket, ServerResponse | null>();
  const refused = new WeakSet<Socket>();
  let isDraining = false;

  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: timeouts.checkEveryMs,
    // request-target.ts checks it, and answers with a problem.
    requireHostHeader: false,
  });
  // A client may close its half after the request and still wait for the answer; without this property of http.Server,
  // which its documentation leaves out, Node throws away every answer that isn't ready at once.
  Object.assign(server, { httpAllowHalfOpen: true });

  function answer(req: IncomingMessage, res: ServerResponse, acceptBody: () => void): void {
    const context = startRequest(req, res, contextOptions);
    const { socket } = req;
    connections.set(socket, res);
    if (isDraining) res.shouldKeepAlive = false;
    res.once("close", () => {
      // An answer that had begun before promised to keep the connection.
      if (isDraining && connections.get(socket) === res) socket.destroySoon();
    });
    logWhenDone(req, res, pathOf(req.url ?? ""), context, logOptions);
    dispatch(req, res, acceptBody).catch((error: unknown) => {
      sendProblem(res, req, error);
    });
  }

  async function dispatch(req: IncomingMessage, res: ServerResponse, acceptBody: () => void): Promise<void> {
    req.url = requireTarget(req);
    const path = pathOf(req.url);
    requireLength(Number(req.headers["content-length"] ?? 0), options.bodyLimitBytes(path));
    acceptBody();
    if (serviceApi.handles(path)) await serviceApi.handle(req, res);
    else app(req, res);
  }

  function refuse(socket: Socket, failure: AppError): void {
    if (refused.has(socket)) return;
    refused.add(socket);
    const last = connections.get(socket) ?? null;
    if (!socket.writable) {
      socket.destroy();
    } else if (last === null || (last.req.complete && last.writableFinished)) {
      sendRawProblem(socket, failure, { baseUrl, clock, logger, securityHeaders });
    } else if (last.req.complete) {
      // What came after a good request can't be read: that one is still answered.
      last.shouldKeepAlive = false;
      last.once("close", () => {
        socket.destroySoon();
      });
    } else if (last.headersSent) {
      socket.destroy();
    } else {
      last.shouldKeepAlive = false;
      sendProblem(last, last.req, failure);
    }
  }

  server.on("connection", (socket) => {
    connections.set(socket, null);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", (req, res) => {
    answer(req, res, () => undefined);
  });
  server.on("checkContinue", (req, res) => {
    answer(req, res, () => {
      res.writeContinue();
    });
  });
  // RFC 9110 §10.1.1 leaves it open whether an unknown expectation is refused.
  server.on("checkExpectation", (req, res) => {
    answer(req, res, () => undefined);
  });
  server.on("connect", (_req, socket) => {
    socket.on("error", () => socket.destroy());
    refuse(socket as Socket, new AppError("method_not_allowed", "This app is not a proxy.", ALLOWED));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    refuse(socket as Socket, toClientFailure(error));
  });

  return {
    async listen(port, host) {
      server.listen(port, host);
      await once(server, "listening");
      return server.address() as AddressInfo;
    },

    isDraining: () => isDraining,

    async drain(timeoutMs) {
      isDraining = true;
      const closed = once(server, "close");
      server.close();
      for (const [socket, last] of connections) {
        if (last !== null) last.shouldKeepAlive = false;
        // Node closes those that wait for a next request, but not those that wait for their first.
        else if (socket.bytesRead === 0) socket.destroy();
      }
      const timer = setTimeout(() => {
        for (const socket of connections.keys()) socket.destroy();
      }, timeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

const ALLOWED = { extras: { allow: ["GET", "HEAD", "POST", "PUT", "DELETE"] } };

function toClientFailure({ code }: NodeJS.ErrnoException): AppError {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new AppError("request_timeout");
    case "HPE_HEADER_OVERFLOW":
      return new AppError("headers_too_large");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new AppError("too_large", "The chunk extensions of the body are too large.");
    default:
      return new AppError("malformed_request", "What was sent isn't a complete HTTP/1.1 request.");
  }
}
