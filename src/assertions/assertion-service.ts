import type { AuditLog, Initiator } from "../audit/audit-log.js";
import { epochSeconds, type Clock } from "../clock.js";
import { requireConsent } from "../consents/require-consent.js";
import { NotFoundError } from "../errors.js";
import { createId } from "../identifiers.js";
import type { AccountPageUrl } from "../links/account-page.js";
import type { IdentityLink } from "../links/identity-link.js";
import { RateLimit } from "../rate-limit.js";
import { requireRunning, requireUsable } from "../services/require-usable.js";
import type { ServiceUses } from "../services/service-uses.js";
import type { Settings, TrustedService } from "../services/settings.js";
import type { Database } from "../stores.js";
import { requireNoDoubt } from "../tenants/tenant-doubt.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";
import type { AssertionKeys } from "./assertion-keys.js";
import type { AssertionSigner } from "./assertion-signer.js";
import { findProvedIdentity, requireProvedLinks } from "./proved-links.js";

export interface Assertion {
  readonly token: string;
  readonly expiresAt: Date;
}

interface Dependencies {
  readonly database: Database;
  readonly keys: AssertionKeys;
  readonly signer: AssertionSigner;
  readonly serviceUses: ServiceUses;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** The app's public URL without a trailing slash. */
  readonly baseUrl: string;
  readonly accountPageUrl: AccountPageUrl;
}

const LIFETIME_SECONDS = 60;

// Each is audited for good.
export const ASSERTIONS = { calls: 300, perSeconds: 60 };

/** Tells a trusted service who looks at a page in Jira or Confluence (security rule 18). */
export class AssertionService {
  readonly #deps: Dependencies;
  readonly #assertions: RateLimit;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#assertions = new RateLimit({ clock: deps.clock, ...ASSERTIONS });
  }

  /**
   * Everything is looked at just now (security rule 19). Throws `paused`, `not_found`, `purpose_not_allowed`,
   * `not_linked`, `email_domain_not_allowed`, `proof_required`, `consent_required` and `rate_limited`, and
   * `store_unavailable` when it couldn't be recorded.
   */
  async issue(user: HostUser, serviceId: string, by: Initiator): Promise<Assertion> {
    const { database, serviceUses } = this.#deps;
    const { tenant } = user;
    requireNoDoubt(tenant);
    const settings = await database.read.settings.get(tenant.id);
    const service = settings.services.find(({ id }) => id === serviceId);
    if (!service) throw new NotFoundError("There is no service with this id.");
    try {
      const links = await this.#permit(user, settings, service);
      return await this.#sign(user, service, links, by);
    } catch (error) {
      serviceUses.countRefusal(tenant.id, service, error);
      throw error;
    }
  }

  /** Answers the links that vouch for the account. */
  async #permit(
    user: HostUser,
    settings: Settings,
    service: TrustedService,
  ): Promise<readonly IdentityLink[]> {
    const { database, clock, accountPageUrl } = this.#deps;
    const { tenant, accountId } = user;
    requireRunning(settings);
    requireUsable([service], "assert");
    const links = await database.read.links.listOfAccount(tenant.id, accountId);
    const proved = requireProvedLinks(links, settings, clock.now(), (linkId) =>
      accountPageUrl(tenant, linkId === null ? undefined : { kind: "link", id: linkId }),
    );
    await requireConsent(this.#deps, user, service);
    this.#assertions.consume(`${tenant.id} ${accountId}`);
    return proved;
  }

  async #sign(
    { tenant, accountId }: HostUser,
    service: TrustedService,
    links: readonly IdentityLink[],
    by: Initiator,
  ): Promise<Assertion> {
    const { keys, signer, serviceUses, audit, clock, baseUrl } = this.#deps;
    const use = serviceUses.open(tenant.id);
    try {
      const key = await keys.getSigningKey(tenant);
      const iat = epochSeconds(clock);
      const exp = iat + LIFETIME_SECONDS;
      const access = findProvedIdentity(links);
      const claims = {
        ...{ iss: issuerOfTenant(baseUrl, tenant), aud: service.audience, sub: accountId },
        ...{ iat, exp, jti: createId() },
        ...{ tenant: tenant.id, site: tenant.site, product: tenant.product },
        ...(access && { access }),
      };
      const token = await signer.sign(key, claims);
      const event = audit.assertionIssued(by, tenant, service, claims.jti);
      use.record({ event, outcome: "asserted" });
      return { token, expiresAt: new Date(exp * 1000) };
    } finally {
      // Counts only where nothing was recorded.
      use.drop();
    }
  }
}

/** What a service pins. Its published keys are below it. */
function issuerOfTenant(baseUrl: string, { site, product }: Tenant): string {
  return `${baseUrl}/sites/${site}/${product}`;
}
