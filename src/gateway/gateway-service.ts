import type { Readable } from "node:stream";

import { epochSeconds, type Clock } from "../clock.js";
import { AppError, NotLinkedError } from "../errors.js";
import type { IdentityLink } from "../links/identity-link.js";
import { judgeToken } from "../links/judge-token.js";
import type { LinkUses } from "../links/link-uses.js";
import type { TrustingTenants } from "../links/trusting-tenants.js";
import type { AccessJwtVerification } from "../links/verified-access-jwt.js";
import type { TrustedService } from "../services/settings.js";
import type { Database } from "../stores.js";
import type { Tenant } from "../tenants/tenant.js";
import { isAgreed } from "./consent.js";
import type { GatewayTarget } from "./gateway-target.js";
import type { SentHeaders } from "./header-policy.js";
import type { ProductAnswer, ProductCalls } from "./product-calls.js";
import { requireAllowedRequest, requireProof, type CallerAddress } from "./service-limits.js";
import type { Scope } from "./user-token-grant.js";
import type { UserTokens } from "./user-tokens.js";

export interface GatewayRequest {
  /** Host of the site in lower case. */
  readonly site: string;
  readonly method: string;
  /** What the method needs. */
  readonly scope: Scope;
  readonly target: GatewayTarget;
  readonly caller: CallerAddress;
}

/** A request that may be made as a person: everything was looked at just now (security rule 19). */
export interface ActingCall {
  readonly request: GatewayRequest;
  readonly tenant: Tenant;
  readonly service: TrustedService;
  readonly accountId: string;
}

export interface Passage {
  readonly headers: SentHeaders;
  /** Called once the person's token is there; null when there is no body. */
  readonly openBody: () => Readable | null;
  readonly signal: AbortSignal;
}

interface Dependencies {
  readonly database: Database;
  readonly accessJwts: AccessJwtVerification;
  readonly trusting: TrustingTenants;
  readonly uses: LinkUses;
  readonly userTokens: UserTokens;
  readonly products: ProductCalls;
  readonly clock: Clock;
  readonly accountPageUrl: (tenant: Tenant) => string;
}

/** Lets a trusted service call Jira or Confluence as the person whose Access JWT it holds. */
export class GatewayService {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Throws the contract's refusals in the contract's order. */
  async authorize(rawToken: string, request: GatewayRequest): Promise<ActingCall> {
    const { database, accessJwts, trusting, uses, clock, accountPageUrl } = this.#deps;
    const token = await accessJwts.verify(rawToken);
    const { site, target, method, caller } = request;
    // Security rule 3: of the named product alone, of which there is one proven tenant at most.
    const [found] = await trusting.list(token, { site, product: target.product, audience: null });
    if (!found) throw new AppError("access_jwt_untrusted");
    const { tenant, settings } = found;
    const { identity, service } = judgeToken(token, settings, clock, { purpose: "act", audience: null });
    const link = await database.read.links.findByIdentity(tenant.id, identity.issuer, identity.subject);
    if (!link) throw new NotLinkedError(accountPageUrl(tenant));
    const tokenAgeSeconds = epochSeconds(clock) - token.issuedAt;
    requireAllowedRequest(service, { method, target, tokenAgeSeconds, caller });
    requireProof(link, clock.now(), accountPageUrl(tenant));
    await this.#requireConsent(tenant, link, service);
    uses.note(link);
    return { request, tenant, service, accountId: link.accountId };
  }

  /** The product's own answer. Throws what obtaining the person's token and the connection fail with. */
  async act(call: ActingCall, passage: Passage): Promise<ProductAnswer> {
    const first = await this.#send(call, passage);
    // What has been streamed away can't be sent again.
    if (first.answer.status !== 401 || first.hadBody) return first.answer;
    first.answer.body.destroy();
    return (await this.#send(call, passage)).answer;
  }

  async #send(
    { tenant, accountId, request: { method, target, scope } }: ActingCall,
    { headers, signal, openBody }: Passage,
  ): Promise<{ readonly answer: ProductAnswer; readonly hadBody: boolean }> {
    const { userTokens, products } = this.#deps;
    const whose = { tenant, accountId, scope };
    const token = await userTokens.getToken(whose);
    const body = openBody();
    try {
      const answer = await products.send({ tenant, method, target, headers, token, body, signal });
      if (answer.status === 401) userTokens.forgetRejected(whose, token);
      return { answer, hadBody: body !== null };
    } catch (error) {
      body?.destroy();
      throw error;
    }
  }

  async #requireConsent(tenant: Tenant, { accountId }: IdentityLink, service: TrustedService): Promise<void> {
    const { database, accountPageUrl } = this.#deps;
    const consent = await database.read.consents.find(tenant.id, accountId, service.id);
    if (isAgreed(service, consent)) return;
    throw new AppError("consent_required", undefined, { extras: { consentUrl: accountPageUrl(tenant) } });
  }
}
