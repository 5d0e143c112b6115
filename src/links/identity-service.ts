import type { Clock } from "../clock.js";
import { AppError, NotLinkedError } from "../errors.js";
import type { Database } from "../stores.js";
import type { Tenant } from "../tenants/tenant.js";
import { doesLinkCount, type IdentityLink } from "./identity-link.js";
import { furthestRefusal, judgeToken } from "./judge-token.js";
import type { LinkUses } from "./link-uses.js";
import type { SiteQuestion, Trusting, TrustingTenants } from "./trusting-tenants.js";
import type { VerifiedAccessJwt, AccessJwtVerification } from "./verified-access-jwt.js";

export interface IdentifiedPerson {
  readonly tenant: Tenant;
  readonly link: IdentityLink;
}

interface Dependencies {
  readonly database: Database;
  readonly accessJwts: AccessJwtVerification;
  readonly trusting: TrustingTenants;
  readonly uses: LinkUses;
  readonly clock: Clock;
  readonly accountPageUrl: (tenant: Tenant) => string;
}

/** Answers "who is my visitor in Jira or Confluence?". */
export class IdentityService {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * Looks at every tenant of the site that trusts the token's team and audience, each apart (security rule 3).
   * Throws the contract's refusals: the one that got furthest, or `ambiguous_site`.
   */
  async identify(rawToken: string, question: SiteQuestion): Promise<IdentifiedPerson> {
    const token = await this.#deps.accessJwts.verify(rawToken);
    const found: IdentifiedPerson[] = [];
    const refusals: AppError[] = [];
    for (const trusting of await this.#deps.trusting.list(token, question)) {
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
    this.#deps.uses.note(first.link);
    return first;
  }

  /** Whether the token was verified before, which costs next to nothing to tell, and proves nothing else. */
  remembers(rawToken: string): boolean {
    return this.#deps.accessJwts.remembers(rawToken);
  }

  async #identifyIn(
    { tenant, settings }: Trusting,
    token: VerifiedAccessJwt,
    question: SiteQuestion,
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
}
