import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../clock.js";
import type { AppError } from "../errors.js";
import { createReference } from "../identifiers.js";
import type { ClientAddress, ClientAddressReader } from "./client-address.js";
import type { SecurityHeaders } from "./security-headers.js";

export const REFERENCE_HEADER = "X-Request-Reference";

/** Is told of every refusal when it is decided, not when it is out: its reader may be gone by then. */
export type RefusalListener = (refused: RefusedRequest, failure: AppError) => void;

export interface RefusedRequest extends ClientAddress {
  /** Whoever sent the request had proved who they are. */
  readonly isCallerKnown: boolean;
}

export interface RequestContext extends RefusedRequest {
  /** Finds the log line of this request. */
  readonly reference: string;
  isCallerKnown: boolean;
  /** A call that Forge passes on from a page: it lets through only some kinds of answers, and has an address of its own. */
  isThroughForge: boolean;
  /** Id of the trusted service that acts as somebody. */
  serviceId: string | null;
  readonly startedAt: Date;
  /** The app's public URL without a trailing slash. */
  readonly baseUrl: string;
  readonly securityHeaders: SecurityHeaders;
  /** What the request was refused or failed with, for the log line and the metrics. */
  failure: AppError | null;
  readonly onRefusal: RefusalListener;
}

export interface RequestContextOptions {
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly securityHeaders: SecurityHeaders;
  readonly readClientAddress: ClientAddressReader;
  readonly onRefusal: RefusalListener;
}

// Keyed by the message itself, so that plain handlers and Express find the same one.
const contexts = new WeakMap<IncomingMessage, RequestContext>();

/** Gives the request its context and the answer its first headers. Once per request, before any handler. */
export function startRequest(
  req: IncomingMessage,
  res: ServerResponse,
  options: RequestContextOptions,
): RequestContext {
  const context: RequestContext = {
    reference: createReference(),
    ...options.readClientAddress(req),
    isCallerKnown: false,
    isThroughForge: false,
    serviceId: null,
    startedAt: options.clock.now(),
    baseUrl: options.baseUrl,
    securityHeaders: options.securityHeaders,
    failure: null,
    onRefusal: options.onRefusal,
  };
  contexts.set(req, context);
  setFirstHeaders(res, context);
  return context;
}

export function getRequestContext(req: IncomingMessage): RequestContext {
  const context = contexts.get(req);
  if (context === undefined) throw new Error("The request did not come through createHttpServer.");
  return context;
}

/** What the request is refused for from now on doesn't count as a stranger's. */
export function noteCallerKnown(req: IncomingMessage): void {
  getRequestContext(req).isCallerKnown = true;
}

export function noteThroughForge(req: IncomingMessage): void {
  getRequestContext(req).isThroughForge = true;
}

/** For the log line: which service made the request, not for whom. */
export function noteService(req: IncomingMessage, serviceId: string): void {
  getRequestContext(req).serviceId = serviceId;
}

export function noteFailure(context: RequestContext, failure: AppError): void {
  context.failure = failure;
  context.onRefusal(context, failure);
}

/** What every answer starts from: the security headers and the reference. */
export function setFirstHeaders(res: ServerResponse, context: RequestContext): void {
  for (const [name, value] of Object.entries(context.securityHeaders)) res.setHeader(name, value);
  res.setHeader(REFERENCE_HEADER, context.reference);
}
