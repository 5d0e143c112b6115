import type { Settings } from "../services/settings.js";
import type { Database } from "../stores.js";
import type { TenantProof } from "../tenants/tenant-proof.js";
import type { Product, Tenant } from "../tenants/tenant.js";
import { isListed } from "./judge-token.js";
import type { VerifiedAccessJwt } from "./verified-access-jwt.js";

export interface SiteQuestion {
  /** Host of the site in lower case. */
  readonly site: string;
  readonly product: Product | null;
  readonly audience: string | null;
}

export interface Trusting {
  readonly tenant: Tenant;
  readonly settings: Settings;
}

interface Dependencies {
  readonly database: Database;
  readonly proof: TenantProof;
}

/** Which proven tenants of a site trust a token's team and audience. */
export class TrustingTenants {
  readonly #database: Database;
  readonly #proof: TenantProof;

  constructor({ database, proof }: Dependencies) {
    this.#database = database;
    this.#proof = proof;
  }

  /** One of each product at most. */
  async list(token: VerifiedAccessJwt, question: SiteQuestion): Promise<Trusting[]> {
    const trusting = await this.#read(token, question);
    const isProven = (product: Product) =>
      trusting.some(({ tenant }) => tenant.product === product && tenant.proven);
    const waiting = trusting.filter(({ tenant }) => !isProven(tenant.product));
    // Only for a caller whose token a tenant of this site would trust, so strangers can't make the app call out.
    const outcomes = await Promise.all(waiting.map(({ tenant }) => this.#proof.prove(tenant)));
    // Asking takes a while, and a proof takes another tenant's away: what counts is read again.
    const current = outcomes.includes(true) ? await this.#read(token, question) : trusting;
    return current.filter(({ tenant }) => tenant.proven);
  }

  /** As many queries for a site that exists as for one that doesn't: timing tells no stranger which do. */
  async #read(token: VerifiedAccessJwt, { site, product, audience }: SiteQuestion): Promise<Trusting[]> {
    const { read } = this.#database;
    const tenants = await read.tenants.listEnabledOfSite(site, product);
    const settings = await read.settings.listTrusting(
      tenants.map(({ id }) => id),
      token.teamDomain,
    );
    return tenants.flatMap((tenant) => {
      const ofTenant = settings.get(tenant.id);
      return ofTenant && isListed(token, ofTenant, audience) ? [{ tenant, settings: ofTenant }] : [];
    });
  }
}
