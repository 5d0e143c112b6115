import { epochSeconds, type Clock } from "../clock.js";
import { requireConsent } from "../consents/require-consent.js";
import { AppError, NotLinkedError } from "../errors.js";
import type { AccountPageUrl } from "../links/account-page.js";
import { doesLinkCount, type IdentityLink } from "../links/identity-link.js";
import { findMeantService, judgeToken, type WantedUse } from "../links/judge-token.js";
import type { ServiceCredentials } from "../links/service-credentials.js";
import type { Trusting, TrustingTenants } from "../links/trusting-tenants.js";
import type { AccessJwtVerification, VerifiedAccessJwt } from "../links/verified-access-jwt.js";
import type { ServiceUses } from "../services/service-uses.js";
import type { RequestPattern, ServiceKey, TrustedService } from "../services/settings.js";
import type { Database } from "../stores.js";
import type { Tenant } from "../tenants/tenant.js";
import type { GatewayTarget } from "./gateway-target.js";
import type { LiveCheck } from "./live-check.js";
import { requireAllowedRequest, requireProof, type CallerAddress } from "./service-limits.js";
import type { Scope } from "./user-token-grant.js";

export interface GatewayRequest {
  /** Host of the site in lower case. */
  readonly site: string;
  readonly method: string;
  /** What the method needs. */
  readonly scope: Scope;
  readonly target: GatewayTarget;
  readonly caller: CallerAddress;
  /** Finds the log line. */
  readonly reference: string;
}

/** Who asks for what. */
interface Question {
  readonly credentials: ServiceCredentials;
  readonly request: GatewayRequest;
}

/** A request that may be made as a person: everything was looked at just now (security rule 19). */
export interface PermittedCall extends Question {
  readonly tenant: Tenant;
  readonly service: TrustedService;
  readonly key: ServiceKey | null;
  readonly pattern: RequestPattern;
  /** Whose account it is. */
  readonly link: IdentityLink;
}

export interface CallJudgeDependencies {
  readonly database: Database;
  readonly accessJwts: AccessJwtVerification;
  readonly liveCheck: LiveCheck;
  readonly trusting: TrustingTenants;
  readonly serviceUses: ServiceUses;
  readonly clock: Clock;
  readonly accountPageUrl: AccountPageUrl;
}

type OnRefusal = (tenant: Tenant, service: TrustedService | null, refusal: unknown) => void;

/** Says what a service may do as the person whose Access JWT it holds. */
export class CallJudge {
  readonly #deps: CallJudgeDependencies;

  constructor(deps: CallJudgeDependencies) {
    this.#deps = deps;
  }

  /** Throws the contract's refusals in the contract's order, and counts them for their service. */
  async permit(credentials: ServiceCredentials, request: GatewayRequest): Promise<PermittedCall> {
    return this.#judge({ credentials, request }, (tenant, service, refusal) => {
      this.#deps.serviceUses.countRefusal(tenant.id, service, refusal);
    });
  }

  /** Throws the same refusals for what was permitted before, and counts none. */
  async requireStillPermitted(call: PermittedCall): Promise<void> {
    const now = await this.#judge(call, () => undefined);
    if (!isSame(now, call)) {
      throw new AppError("request_not_allowed", "What the call was allowed by has changed. Make it again.");
    }
  }

  async #judge(question: Question, onRefusal: OnRefusal): Promise<PermittedCall> {
    const { accessJwts, liveCheck } = this.#deps;
    const { accessJwt } = question.credentials;
    const token = await accessJwts.verify(accessJwt);
    const call = await this.#judgeToken(token, question, onRefusal);
    const liveCheckSeconds = call.service.limits?.liveCheckSeconds ?? null;
    if (liveCheckSeconds === null) return call;
    // Last, so that nobody who is refused anyway makes the app call out. Asking takes a while: what counts is read again.
    const hasAsked = await liveCheck
      .requireLive(token, accessJwt, liveCheckSeconds)
      .catch((error: unknown) => {
        onRefusal(call.tenant, call.service, error);
        throw error;
      });
    return hasAsked ? this.#judgeToken(token, question, onRefusal) : call;
  }

  async #judgeToken(
    token: VerifiedAccessJwt,
    question: Question,
    onRefusal: OnRefusal,
  ): Promise<PermittedCall> {
    const { site, target } = question.request;
    // Security rule 3: of the named product alone, of which there is one proven tenant at most.
    const asked = { site, product: target.product, audience: null };
    const [found] = await this.#deps.trusting.list(token, asked);
    if (!found) throw new AppError("access_jwt_untrusted");
    const { serviceKey } = question.credentials;
    const wanted = { purpose: "act", audience: null, serviceKey } as const;
    try {
      return await this.#judgeIn(found, token, question, wanted);
    } catch (error) {
      onRefusal(found.tenant, findMeantService(token, found.settings, wanted), error);
      throw error;
    }
  }

  async #judgeIn(
    { tenant, settings }: Trusting,
    token: VerifiedAccessJwt,
    question: Question,
    wanted: WantedUse,
  ): Promise<PermittedCall> {
    const { database, serviceUses, clock, accountPageUrl } = this.#deps;
    const { target, method, caller } = question.request;
    const { identity, service, key } = judgeToken(token, settings, clock, wanted);
    if (key) serviceUses.noteKey(tenant.id, service.id, key.id);
    const link = await database.read.links.findByIdentity(tenant.id, identity.issuer, identity.subject);
    if (!link || !doesLinkCount(link, settings)) throw new NotLinkedError(accountPageUrl(tenant));
    const tokenAgeSeconds = epochSeconds(clock) - token.issuedAt;
    const pattern = requireAllowedRequest(service, { method, target, tokenAgeSeconds, caller });
    requireProof(link, clock.now(), accountPageUrl(tenant, { kind: "link", id: link.id }));
    await requireConsent(this.#deps, { tenant, accountId: link.accountId }, service);
    return { ...question, tenant, service, key, pattern, link };
  }
}

/** Of the same installation, by the same service, as the same person. */
function isSame(one: PermittedCall, other: PermittedCall): boolean {
  return (
    one.tenant.id === other.tenant.id &&
    one.tenant.generation === other.tenant.generation &&
    one.service.id === other.service.id &&
    one.link.accountId === other.link.accountId
  );
}
