import { Readable } from "node:stream";

import { Agent } from "undici";

import { AppError } from "../errors.js";
import { formatTarget } from "../gateway/gateway-target.js";
import type { ProductAnswer, ProductCall, ProductCalls } from "../gateway/product-calls.js";
import { ProductPlaces, type PlaceLimits } from "./product-places.js";

export interface ProductStreamLimits extends PlaceLimits {
  readonly connectMs: number;
  /** From the last byte of the request to the answer's headers. */
  readonly headersMs: number;
  /** Between two pieces of the answer, while they are wanted. */
  readonly idleMs: number;
  readonly keepAliveMs: number;
}

export const STREAM_LIMITS: ProductStreamLimits = {
  connectMs: 5_000,
  headersMs: 30_000,
  idleMs: 30_000,
  keepAliveMs: 10_000,
  maxPerTenant: 512,
  maxPerService: 64,
  maxPerPerson: 16,
};
/** Atlassian's policies are long. */
export const MAX_ANSWER_HEADER_BYTES = 64 * 1024;
const USER_AGENT = "Access for Atlassian Cloud";

/** Calls to products in which bodies flow both ways as fast as the slower side takes them. */
export class ProductStream implements ProductCalls {
  readonly #agent: Agent;
  readonly #places: ProductPlaces;

  constructor(limits: Partial<ProductStreamLimits> = {}) {
    const { connectMs, headersMs, idleMs, keepAliveMs, ...places } = { ...STREAM_LIMITS, ...limits };
    this.#places = new ProductPlaces(places);
    this.#agent = new Agent({
      connect: { timeout: connectMs },
      // Many tenants may share an origin. A limit here would have calls wait in line; the places are the limit.
      connections: null,
      headersTimeout: headersMs,
      bodyTimeout: idleMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
      pipelining: 1,
    });
  }

  async send(call: ProductCall): Promise<ProductAnswer> {
    const { origin, pathname } = new URL(call.tenant.baseUrl);
    if (call.signal.aborted) throw toAppError(call.signal.reason, call.signal);
    const leave = this.#places.take(call);
    call.onSending();
    try {
      const { statusCode, headers, body } = await this.#agent.request({
        origin,
        path: `${pathname.replace(/\/$/, "")}${formatTarget(call.target)}`,
        method: call.method,
        headers: createHeaders(call),
        body: call.body,
        signal: call.signal,
      });
      // It may fail before anybody has begun to read it.
      body.once("close", leave).on("error", () => undefined);
      if (statusCode !== 304) return { status: statusCode, headers, body };
      // RFC 9110 §8.6: a length there is that of what isn't sent. The library waits for it, and fails.
      body.resume();
      return { status: statusCode, headers, body: Readable.from([]) };
    } catch (error) {
      leave();
      throw toAppError(error, call.signal);
    }
  }

  /** Cuts off what is still under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function createHeaders({ headers, token, body }: ProductCall): Record<string, string | string[]> {
  const sent = Object.entries(headers).flatMap(([name, value]) =>
    // A length without a body is for one that isn't sent on.
    name === "content-length" && body === null
      ? []
      : [[name, typeof value === "string" ? value : [...value]]],
  );
  return {
    ...(Object.fromEntries(sent) as Record<string, string | string[]>),
    "user-agent": USER_AGENT,
    authorization: `Bearer ${token}`,
  };
}

/** Without a cause: the library's errors hold what came over the wire. */
function toAppError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof AppError) return error;
  if (signal.aborted) return new AppError("malformed_request", "The caller left before there was an answer.");
  const code = error instanceof Error && "code" in error ? String(error.code) : "of no known kind";
  switch (code) {
    case "UND_ERR_CONNECT_TIMEOUT":
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return new AppError("upstream_timeout", undefined, { reason: code });
    default:
      return new AppError("upstream_failed", undefined, {
        reason: `The connection to the product failed: ${code}.`,
      });
  }
}
