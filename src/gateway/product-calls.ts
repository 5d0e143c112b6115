import type { Readable } from "node:stream";

import type { Tenant } from "../tenants/tenant.js";
import type { GatewayTarget } from "./gateway-target.js";
import type { Headers, SentHeaders } from "./header-policy.js";

/** One request to a product as a person. */
export interface ProductCall {
  /** Where it goes: nothing else decides on the host. */
  readonly tenant: Tenant;
  /** Who has it made: nobody takes all the places that others need. */
  readonly caller: ProductCaller;
  readonly method: string;
  readonly target: Pick<GatewayTarget, "path" | "query">;
  /** As `selectRequestHeaders` left them. */
  readonly headers: SentHeaders;
  /** The person's. */
  readonly token: string;
  /** Destroyed when the product wants no more of it. */
  readonly body: Readable | null;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Called when it is about to go out; not for what is refused before. */
  readonly onSending: () => void;
}

/** In the tenant. */
export interface ProductCaller {
  readonly serviceId: string;
  readonly accountId: string;
}

/** What the product says, as it says it: redirects aren't followed, nothing is unpacked. */
export interface ProductAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Is read to its end or destroyed; fails when the product breaks off. */
  readonly body: Readable;
}

export interface ProductCalls {
  /**
   * Throws AppError `upstream_failed`, `upstream_timeout` or `rate_limited`, `malformed_request` when the caller has left,
   * or what the body failed with.
   */
  send(call: ProductCall): Promise<ProductAnswer>;
}
