import { AppError } from "../errors.js";
import { createNetworkList } from "../ip-network.js";
import type { IdentityLink } from "../links/identity-link.js";
import { isProvedNow } from "../links/link-proof.js";
import {
  DEFAULT_MAX_TOKEN_AGE_SECONDS,
  type RequestPattern,
  type TrustedService,
} from "../services/settings.js";
import { findTargetRefusal } from "./gateway-path.js";
import type { GatewayTarget } from "./gateway-target.js";
import { findMatchingPattern } from "./path-pattern.js";

/** Where a call came from, as far as that is known. */
export interface CallerAddress {
  /** Canonical; null when the connection is already gone. */
  readonly ip: string | null;
  /** It was passed on, and nobody trusted vouches for `ip`. */
  readonly isForwarded: boolean;
}

interface LimitedRequest {
  readonly method: string;
  readonly target: GatewayTarget;
  readonly tokenAgeSeconds: number;
  readonly caller: CallerAddress;
}

/**
 * Answers the pattern that allows the request. Throws `request_not_allowed`, `token_too_old` or `ip_not_allowed`. A
 * service without limits may do nothing.
 */
export function requireAllowedRequest({ limits }: TrustedService, request: LimitedRequest): RequestPattern {
  const { method, target, tokenAgeSeconds, caller } = request;
  const refusal = findTargetRefusal(target);
  if (refusal !== null) throw new AppError("request_not_allowed", refusal);
  const pattern = findMatchingPattern(limits?.requests ?? [], method, target.path);
  if (pattern === null) throw new AppError("request_not_allowed");
  const maxTokenAgeSeconds = limits?.maxTokenAgeSeconds ?? DEFAULT_MAX_TOKEN_AGE_SECONDS;
  if (tokenAgeSeconds > maxTokenAgeSeconds) throw new AppError("token_too_old");
  const networks = limits?.ipAddresses ?? [];
  if (networks.length > 0 && !isWithin(networks, caller)) throw new AppError("ip_not_allowed");
  return pattern;
}

/** Security rule 12. Throws `proof_required`. */
export function requireProof(link: IdentityLink, now: Date, linkUrl: string): void {
  if (isProvedNow(link, now)) return;
  throw new AppError("proof_required", undefined, { extras: { linkUrl } });
}

/** Security rule 20: an address that nobody vouches for matches no network. */
function isWithin(networks: readonly string[], { ip, isForwarded }: CallerAddress): boolean {
  return ip !== null && !isForwarded && createNetworkList(networks)(ip);
}
