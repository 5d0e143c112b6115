import type { Clock } from "../clock.js";
import { AppError, NotLinkedError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Settings } from "../services/settings.js";
import type { Database } from "../stores.js";
import type { TenantProof } from "../tenants/tenant-proof.js";
import type { Product, Tenant } from "../tenants/tenant.js";
import { doesLinkCount, type IdentityLink } from "./identity-link.js";
import { furthestRefusal, isListed, judgeToken } from "./judge-token.js";
import type { VerifiedAccessJwt, AccessJwtVerification } from "./verified-access-jwt.js";

export interface IdentifiedPerson {
  readonly tenant: Tenant;
  readonly link: IdentityLink;
}

export interface IdentityQuestion {
  /** Host of the site in lower case. */
  readonly site: string;
  readonly product: Product | null;
  readonly audience: string | null;
}

interface Dependencies {
  readonly database: Database;
  readonly accessJwts: AccessJwtVerification;
  readonly proof: TenantProof;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accountPageUrl: (tenant: Tenant) => string;
}

interface Trusting {
  readonly tenant: Tenant;
  readonly settings: Settings;
}

const USE_IS_NOTED_EVERY_SECONDS = 3600;

/** Answers "who is my visitor in Jira or Confluence?". */
export class IdentityService {
  readonly #deps: Dependencies;
  readonly #linksBeingMarked = new Map<string, Promise<void>>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * Looks at every tenant of the site that trusts the token's team and audience, each apart (security rule 3).
   * Throws the contract's refusals: the one that got furthest, or `ambiguous_site`.
   */
  async identify(rawToken: string, question: IdentityQuestion): Promise<IdentifiedPerson> {
    const token = await this.#deps.accessJwts.verify(rawToken);
    const found: IdentifiedPerson[] = [];
    const refusals: AppError[] = [];
    for (const trusting of await this.#listTrusting(token, question)) {
      try {
        found.push(await this.#identifyIn(trusting, token, question));
      } catch (error) {
        if (!(error instanceof AppError) || error.status >= 500) throw error;
        refusals.push(error);
      }
    }
    const [first] = found;
    if (!first) throw furthestRefusal(refusals);
    if (found.some(({ link }) => link.accountId !== first.link.accountId))
      throw new AppError("ambiguous_site");
    this.#noteUse(first.link);
    return first;
  }

  /** Whether the token was verified before, which costs next to nothing to tell, and proves nothing else. */
  remembers(rawToken: string): boolean {
    return this.#deps.accessJwts.remembers(rawToken);
  }

  /** Waits for what is still being written in the background. */
  async settle(): Promise<void> {
    await Promise.all(this.#linksBeingMarked.values());
  }

  async #listTrusting(token: VerifiedAccessJwt, question: IdentityQuestion): Promise<Trusting[]> {
    const trusting = await this.#readTrusting(token, question);
    const isProven = (product: Product) =>
      trusting.some(({ tenant }) => tenant.product === product && tenant.proven);
    const waiting = trusting.filter(({ tenant }) => !isProven(tenant.product));
    // Only for a caller whose token a tenant of this site would trust, so strangers can't make the app call out.
    const outcomes = await Promise.all(waiting.map(({ tenant }) => this.#deps.proof.prove(tenant)));
    // Asking takes a while, and a proof takes another tenant's away: what counts is read again.
    const current = outcomes.includes(true) ? await this.#readTrusting(token, question) : trusting;
    return current.filter(({ tenant }) => tenant.proven);
  }

  /** As many queries for a site that exists as for one that doesn't: timing tells no stranger which do. */
  async #readTrusting(
    token: VerifiedAccessJwt,
    { site, product, audience }: IdentityQuestion,
  ): Promise<Trusting[]> {
    const { read } = this.#deps.database;
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

  async #identifyIn(
    { tenant, settings }: Trusting,
    token: VerifiedAccessJwt,
    question: IdentityQuestion,
  ): Promise<IdentifiedPerson> {
    const { database, clock, accountPageUrl } = this.#deps;
    const { identity } = judgeToken(token, settings, clock, {
      purpose: "identify",
      audience: question.audience,
    });
    const link = await database.read.links.findByIdentity(tenant.id, identity.issuer, identity.subject);
    if (!link || !doesLinkCount(link, settings)) throw new NotLinkedError(accountPageUrl(tenant));
    return { tenant, link };
  }

  #noteUse(link: IdentityLink): void {
    const { clock, database, logger } = this.#deps;
    const now = clock.now();
    const idleMilliseconds = now.getTime() - (link.lastUsedAt?.getTime() ?? 0);
    if (idleMilliseconds < USE_IS_NOTED_EVERY_SECONDS * 1000 || this.#linksBeingMarked.has(link.id)) return;
    const marked = database
      .write((stores) => stores.links.markUsed(link.tenantId, link.id, now))
      .catch((error: unknown) => logger.warn({ err: error }, "the last use of a link could not be noted"))
      .finally(() => this.#linksBeingMarked.delete(link.id));
    this.#linksBeingMarked.set(link.id, marked);
  }
}
