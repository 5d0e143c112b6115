import type { AssertionKeys } from "./assertions/assertion-keys.js";
import type { AssertionService } from "./assertions/assertion-service.js";
import type { AuditLog, Initiator } from "./audit/audit-log.js";
import type { Clock } from "./clock.js";
import type { Config } from "./config/config.js";
import type { GatewayService } from "./gateway/gateway-service.js";
import type { ConsentService } from "./consents/consent-service.js";
import type { MemberSight } from "./gateway/member-sight.js";
import type { IdentityService } from "./links/identity-service.js";
import type { LinkAttemptService } from "./links/link-attempt-service.js";
import type { LinkService } from "./links/link-service.js";
import type { Logger } from "./logger.js";
import type { ServiceKeys } from "./services/service-keys.js";
import type { ServiceUses } from "./services/service-uses.js";
import type { SettingsService } from "./services/settings-service.js";
import type { HostDirectory } from "./tenants/host-directory.js";
import type { Succession } from "./tenants/succession.js";
import type { EventToken, TenantLifecycle } from "./tenants/tenant-lifecycle.js";
import type { Limits } from "./web/limits.js";
import type { Metrics } from "./web/metrics.js";
import type { TenantProof } from "./tenants/tenant-proof.js";
import type { HostUser, Tenant } from "./tenants/tenant.js";

/** The request line that a URL-bound token is bound to: the path and query exactly as they were sent. */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
}

export interface SignedRequest extends RequestLine {
  /** Address of whoever sent it. */
  readonly caller: string;
}

/** What Atlassian's signatures prove. Throws the `connect_jwt_…` refusals and `keys_unavailable`. */
export interface HostTokenVerifier {
  verifyContext(token: string): Promise<HostUser>;
  /** `onSigned` is told the tenant once the signature proves it. The account is null when nobody is signed in. */
  verifyUrlBound(
    token: string,
    request: RequestLine,
    onSigned: (tenant: Tenant) => void,
  ): Promise<{ readonly tenant: Tenant; readonly accountId: string | null }>;
  verifyInstallEvent(token: string, request: SignedRequest): Promise<EventToken>;
  verifyToggleEvent(token: string, request: SignedRequest): Promise<EventToken>;
}

/** What somebody calls with. */
export interface Credentials {
  /** `JWT` for a context JWT of Connect's, `Bearer` for a Forge Invocation Token. */
  readonly scheme: "JWT" | "Bearer";
  readonly token: string;
  /** What Forge sends beside the call for asking the product as the person. Nothing binds it to the call. */
  readonly userToken: string | null;
  /** Finds the log line of the request. */
  readonly reference: string;
}

/** Who calls the API from a page, through whichever door. */
export interface Callers {
  /** Throws the `connect_jwt_…` and `forge_jwt_…` refusals and `keys_unavailable`. */
  identify(credentials: Credentials): Promise<HostUser>;
}

/** What Forge's triggers tell, each by its token alone. They throw the `forge_jwt_…` refusals and `keys_unavailable`. */
export interface ForgeTriggers {
  install(token: string, systemToken: string | null, by: Initiator): Promise<void>;
  refresh(token: string, systemToken: string | null, by: Initiator): Promise<void>;
  uninstall(token: string, by: Initiator): Promise<void>;
}

/** All that the ways in may use. `context.ts` makes it and is the only file that knows every part. */
export interface AppContext {
  readonly config: Config;
  readonly metricsToken: string | null;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The descriptor that Atlassian installs the app from. */
  readonly descriptor: object;
  readonly hostTokens: HostTokenVerifier;
  readonly callers: Callers;
  /** Null when the app isn't deployed to Forge. */
  readonly forgeTriggers: ForgeTriggers | null;
  readonly host: HostDirectory;
  readonly tenants: TenantLifecycle;
  readonly proof: TenantProof;
  readonly succession: Succession;
  readonly settings: SettingsService;
  readonly serviceKeys: ServiceKeys;
  readonly serviceUses: ServiceUses;
  readonly links: LinkService;
  readonly attempts: LinkAttemptService;
  readonly consents: ConsentService;
  readonly sight: MemberSight;
  readonly identities: IdentityService;
  readonly gateway: GatewayService;
  readonly assertions: AssertionService;
  readonly assertionKeys: AssertionKeys;
  readonly audit: AuditLog;
  /** Throws AppError `store_unavailable` when the app can't serve. */
  isReady(): Promise<void>;
  /** Lets what runs in the background finish, then closes the database. */
  close(): Promise<void>;
}
