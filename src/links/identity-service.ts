import type { Clock } from "../clock.js";
import { AppError, NotLinkedError } from "../errors.js";
import type { ServiceUses } from "../services/service-uses.js";
import type { TrustedService } from "../services/settings.js";
import type { Database } from "../stores.js";
import type { Tenant } from "../tenants/tenant.js";
import { doesLinkCount, type IdentityLink } from "./identity-link.js";
import { findMeantService, furthestRefusal, judgeToken, type WantedUse } from "./judge-token.js";
import type { AccountPageUrl } from "./account-page.js";
import type { LinkUses } from "./link-uses.js";
import type { ServiceCredentials } from "./service-credentials.js";
import type { SiteQuestion, Trusting, TrustingTenants } from "./trusting-tenants.js";
import type { VerifiedAccessJwt, AccessJwtVerification } from "./verified-access-jwt.js";

export interface IdentifiedPerson {
  readonly tenant: Tenant;
  readonly link: IdentityLink;
  /** For whom. */
  readonly service: TrustedService;
}

interface Dependencies {
  readonly database: Database;
  readonly accessJwts: AccessJwtVerification;
  readonly trusting: TrustingTenants;
  readonly linkUses: LinkUses;
  readonly serviceUses: ServiceUses;
  readonly clock: Clock;
  readonly accountPageUrl: AccountPageUrl;
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
  async identify(
    { accessJwt, serviceKey }: ServiceCredentials,
    question: SiteQuestion,
  ): Promise<IdentifiedPerson> {
    const { accessJwts, trusting, linkUses, serviceUses } = this.#deps;
    const token = await accessJwts.verify(accessJwt);
    const wanted = { purpose: "identify", audience: question.audience, serviceKey } as const;
    const asked = await trusting.list(token, question);
    const found: IdentifiedPerson[] = [];
    const refusals: AppError[] = [];
    for (const one of asked) {
      try {
        found.push(await this.#identifyIn(one, token, wanted));
      } catch (error) {
        if (!(error instanceof AppError) || error.status >= 500) throw error;
        refusals.push(error);
      }
    }
    const [first] = found;
    if (!first) {
      asked.forEach(({ tenant, settings }, index) => {
        serviceUses.countRefusal(tenant.id, findMeantService(token, settings, wanted), refusals[index]);
      });
      throw furthestRefusal(refusals);
    }
    if (found.some(({ link }) => link.accountId !== first.link.accountId)) {
      const refusal = new AppError("ambiguous_site");
      for (const { tenant, service } of found) serviceUses.countRefusal(tenant.id, service, refusal);
      throw refusal;
    }
    linkUses.note(first.link);
    serviceUses.count(first.tenant.id, first.service.id, "identified");
    return first;
  }

  /** Whether the token was verified before, which costs next to nothing to tell, and proves nothing else. */
  remembers(rawToken: string): boolean {
    return this.#deps.accessJwts.remembers(rawToken);
  }

  async #identifyIn(
    { tenant, settings }: Trusting,
    token: VerifiedAccessJwt,
    wanted: WantedUse,
  ): Promise<IdentifiedPerson> {
    const { database, serviceUses, clock, accountPageUrl } = this.#deps;
    const { identity, service, key } = judgeToken(token, settings, clock, wanted);
    if (key) serviceUses.noteKey(tenant.id, service.id, key.id);
    const link = await database.read.links.findByIdentity(tenant.id, identity.issuer, identity.subject);
    if (!link || !doesLinkCount(link, settings)) throw new NotLinkedError(accountPageUrl(tenant));
    return { tenant, link, service };
  }
}
