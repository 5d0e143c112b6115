import type { Readable } from "node:stream";

import type { Tenant } from "../tenants/tenant.js";
import type { GatewayTarget } from "./gateway-target.js";
import type { Headers, SentHeaders } from "./header-policy.js";

/** One request to a product as a person. */
export interface ProductCall {
  /** Where it goes: nothing else decides on the host. */
  readonly tenant: Tenant;
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
}

/** What the product says, as it says it: redirects aren't followed, nothing is unpacked. */
export interface ProductAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Is read to its end or destroyed; fails when the product breaks off. */
  readonly body: Readable;
}

export interface ProductCalls {
  /** Throws AppError `upstream_failed`, `upstream_timeout`, `rate_limited`, or what the body failed with. */
  send(call: ProductCall): Promise<ProductAnswer>;
}
