import type { Clock } from "../clock.js";
import { RateLimit, type Rate } from "../rate-limit.js";
import type { HostUser } from "../tenants/tenant.js";
import { AddressLimit } from "./address-limit.js";
import type { ClientAddress } from "./client-address.js";

const MINUTE = 60;

/** What stands at the door; docs/operations.md says why. Narrower limits belong to what they protect. */
export const RATES = {
  /** Calls of the browser API and pages, by one account of one tenant. */
  account: { calls: 3_000, perSeconds: MINUTE },
  /** The same, by all accounts of a tenant. */
  tenant: { calls: 15_000, perSeconds: MINUTE },
  /** Codes and Access JWTs that an account hands in to be linked. */
  proof: { calls: 60, perSeconds: MINUTE },
  /** Requests of one address to the linking window, whatever the answer. */
  popup: { calls: 3_000, perSeconds: MINUTE },
  /** Requests of one address that were refused before anybody had proved who they are. */
  stranger: { calls: 30_000, perSeconds: MINUTE },
} as const satisfies Readonly<Record<string, Rate>>;

export type Rates = Readonly<Record<keyof typeof RATES, Rate>>;

/** How often the app may be called, by whom. Every method throws RateLimitedError unless it says that it only counts. */
export class Limits {
  readonly #accounts: RateLimit;
  readonly #tenants: RateLimit;
  readonly #proofs: RateLimit;
  readonly #popups: AddressLimit;
  readonly #strangers: AddressLimit;

  constructor(clock: Clock, rates: Rates) {
    this.#accounts = new RateLimit({ clock, ...rates.account });
    this.#tenants = new RateLimit({ clock, ...rates.tenant });
    this.#proofs = new RateLimit({ clock, ...rates.proof });
    this.#popups = new AddressLimit({ clock, ...rates.popup });
    this.#strangers = new AddressLimit({ clock, ...rates.stranger });
  }

  /** Of somebody whose token has been verified, before anything is asked of the product for them. */
  consumeCall(user: HostUser): void {
    // The account first: what it is refused doesn't use up what its tenant has.
    this.#accounts.consume(accountKey(user));
    this.#tenants.consume(user.tenant.id);
  }

  consumeProof(user: HostUser): void {
    this.#proofs.consume(accountKey(user));
  }

  consumePopup(address: ClientAddress): void {
    this.#popups.consume(address);
  }

  requireFewRefusals(address: ClientAddress): void {
    this.#strangers.requireLeft(address);
  }

  /** Only counts. */
  countRefusalOfStranger(address: ClientAddress): void {
    this.#strangers.count(address);
  }
}

function accountKey({ tenant, accountId }: HostUser): string {
  return `${tenant.id} ${accountId}`;
}
