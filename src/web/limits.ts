import type { Clock } from "../clock.js";
import { RateLimitedError, type AppError, type ProblemCode } from "../errors.js";
import { RateLimit, type Rate } from "../rate-limit.js";
import type { HostUser } from "../tenants/tenant.js";
import { AddressLimit } from "./address-limit.js";
import type { ClientAddress } from "./client-address.js";

const MINUTE = 60;

/**
 * What stands at the door. docs/operations.md has the numbers of all limits, docs/api.md what callers are to do about
 * them. Narrower limits belong to what they protect.
 */
export const RATES = {
  /** Calls of the browser API and pages, by one account of one tenant. */
  account: { calls: 3_000, perSeconds: MINUTE },
  /** The same, by all accounts of a tenant. */
  tenant: { calls: 15_000, perSeconds: MINUTE },
  /** Codes and Access JWTs that an account hands in to be linked. */
  proof: { calls: 60, perSeconds: MINUTE },
  /** Events that install or uninstall the app for one client key; and, apart from these, events that switch it on or off. */
  lifecycle: { calls: 60, perSeconds: MINUTE },
  /** Requests of one address with a token that turned out to be nobody's. */
  forgery: { calls: 30_000, perSeconds: MINUTE },
} as const satisfies Readonly<Record<string, Rate>>;

/** Changes of one tenant's that may be under way: they wait for the database's one writer, which is everybody's. */
export const MAX_CHANGES_OF_TENANT = 250;

const FORGERIES: ReadonlySet<ProblemCode> = new Set([
  "connect_jwt_invalid",
  "forge_jwt_invalid",
  "access_jwt_malformed",
  "access_jwt_untrusted",
  "metrics_token_invalid",
]);

export type Rates = Readonly<Record<keyof typeof RATES, Rate>>;

/** How often the app may be called, by whom. Every method throws RateLimitedError unless it says that it only counts. */
export class Limits {
  readonly #accounts: RateLimit;
  readonly #tenants: RateLimit;
  readonly #proofs: RateLimit;
  readonly #forgeries: AddressLimit;
  /** By tenant. */
  readonly #changesUnderWay = new Map<string, number>();

  constructor(clock: Clock, rates: Rates) {
    this.#accounts = new RateLimit({ clock, ...rates.account });
    this.#tenants = new RateLimit({ clock, ...rates.tenant });
    this.#proofs = new RateLimit({ clock, ...rates.proof });
    this.#forgeries = new AddressLimit({ clock, ...rates.forgery });
  }

  /** Of somebody whose token has been verified, before anything is asked of the product for them. */
  consumeCall(user: HostUser): void {
    // The account first: what it is refused doesn't use up what its tenant has.
    this.#accounts.consume(accountKey(user));
    this.#tenants.consume(user.tenant.id);
  }

  /** Answers what is to be called once, when the change is over, whatever came of it. */
  beginChange({ tenant }: HostUser): () => void {
    const underWay = this.#changesUnderWay.get(tenant.id) ?? 0;
    if (underWay >= MAX_CHANGES_OF_TENANT) throw new RateLimitedError(1);
    this.#changesUnderWay.set(tenant.id, underWay + 1);
    return () => {
      const left = (this.#changesUnderWay.get(tenant.id) ?? 1) - 1;
      if (left > 0) this.#changesUnderWay.set(tenant.id, left);
      else this.#changesUnderWay.delete(tenant.id);
    };
  }

  consumeProof(user: HostUser): void {
    this.#proofs.consume(accountKey(user));
  }

  requireFewForgeries(address: ClientAddress): void {
    this.#forgeries.requireLeft(address);
  }

  /**
   * Only counts, and only what no page in a browser can do in numbers: otherwise anybody in an office could have all of
   * it refused.
   */
  countForgery(address: ClientAddress, { code }: AppError): void {
    if (FORGERIES.has(code)) this.#forgeries.count(address);
  }
}

function accountKey({ tenant, accountId }: HostUser): string {
  return `${tenant.id} ${accountId}`;
}
