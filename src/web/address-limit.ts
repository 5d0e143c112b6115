import type { Clock } from "../clock.js";
import { countedNetwork } from "../ip-network.js";
import { RateLimit, type Rate } from "../rate-limit.js";
import type { ClientAddress } from "./client-address.js";

/** The address of a proxy that nobody trusts stands for everybody behind it. */
export const PEOPLE_BEHIND_A_PROXY = 10;

/** A limit for each address that requests come from; null, the address of a connection that is gone, has none. */
export class AddressLimit {
  readonly #direct: RateLimit;
  readonly #forwarded: RateLimit;

  constructor({ clock, calls, perSeconds }: Rate & { readonly clock: Clock }) {
    this.#direct = new RateLimit({ clock, calls, perSeconds });
    this.#forwarded = new RateLimit({ clock, calls: calls * PEOPLE_BEHIND_A_PROXY, perSeconds });
  }

  /** Counts a request, or throws RateLimitedError once the address has used up what it has. */
  consume({ ip, isForwarded }: ClientAddress): void {
    if (ip !== null) this.#limitOf(isForwarded).consume(countedNetwork(ip, 64));
  }

  /** Throws RateLimitedError once the address has used up what it has. Counts nothing. */
  requireLeft({ ip, isForwarded }: ClientAddress): void {
    if (ip !== null) this.#limitOf(isForwarded).requireLeft(countedNetwork(ip, 64));
  }

  count({ ip, isForwarded }: ClientAddress): void {
    if (ip !== null) this.#limitOf(isForwarded).count(countedNetwork(ip, 64));
  }

  #limitOf(isForwarded: boolean): RateLimit {
    return isForwarded ? this.#forwarded : this.#direct;
  }
}
