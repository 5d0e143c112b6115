import type { AuditEvent } from "../audit/audit-event.js";
import type { Consent } from "../consents/consent.js";
import { createId } from "../identifiers.js";
import type { IdentityLink } from "../links/identity-link.js";
import type { LinkAttempt } from "../links/link-attempt.js";
import { FRESH_SETTINGS, type Settings, type TrustedService } from "../services/settings.js";
import type { WriteStores } from "../stores.js";
import type { ForgeInstallation } from "../tenants/forge-installation.js";
import type { Installation } from "../tenants/tenant-store.js";
import type { Tenant } from "../tenants/tenant.js";
import { minutesAfter, NOW } from "./test-database.fixture.js";

export function buildTenant(overrides: Partial<Tenant> = {}): Tenant {
  return {
    id: createId(),
    product: "jira",
    door: "connect",
    site: "acme.atlassian.net",
    baseUrl: "https://acme.atlassian.net",
    state: "enabled",
    generation: 1,
    proven: false,
    suspended: false,
    ...overrides,
  };
}

export function buildInstallation(overrides: Partial<Installation> = {}): Installation {
  const tenant = overrides.tenant ?? buildTenant();
  return {
    tenant,
    clientKey: `client-${tenant.id}`,
    sharedSecret: `secret-of-${tenant.id}`,
    oauthClientId: "oauth-1",
    lastInstallEventAt: 1_800_000_000,
    lastToggleEventAt: 0,
    ...overrides,
  };
}

export function buildForgeInstallation(overrides: Partial<ForgeInstallation> = {}): ForgeInstallation {
  const id = createId();
  const cloudId = createId();
  return {
    id,
    cloudId,
    product: "jira",
    tenantId: null,
    appId: "ari:cloud:ecosystem::app/1",
    installationId: `ari:cloud:ecosystem::installation/${id}`,
    environmentId: "ari:cloud:ecosystem::environment/1",
    apiBaseUrl: `https://api.atlassian.com/ex/jira/${cloudId}`,
    systemToken: { token: `system-token-of-${id}`, expiresAt: minutesAfter(120) },
    lastCallAt: 1_800_000_000,
    lastEventAt: 1_800_000_000,
    ...overrides,
  };
}

export function buildSettings(overrides: Partial<Settings> = {}): Settings {
  return { ...FRESH_SETTINGS, teamDomain: "acme.cloudflareaccess.com", version: 1, ...overrides };
}

export function buildService(overrides: Partial<TrustedService> = {}): TrustedService {
  return {
    id: "service-1",
    label: "This app",
    audience: "a".repeat(64),
    purposes: ["identify"],
    limits: null,
    paused: false,
    keys: [],
    ...overrides,
  };
}

export function buildLink(tenant: Tenant, overrides: Partial<IdentityLink> = {}): IdentityLink {
  const id = overrides.id ?? createId();
  return {
    id,
    tenantId: tenant.id,
    issuer: "https://acme.cloudflareaccess.com",
    subject: `subject-${id}`,
    email: "ada@acme.com",
    accountId: "account-1",
    method: "proof",
    linkedAt: NOW,
    lastUsedAt: null,
    confirmedAt: null,
    ...overrides,
  };
}

export function buildConsent(overrides: Partial<Consent> = {}): Consent {
  return {
    accountId: "account-1",
    serviceId: "service-1",
    digest: "d".repeat(64),
    state: "agreed",
    decidedAt: NOW,
    ...overrides,
  };
}

export function buildAttempt(tenant: Tenant, overrides: Partial<LinkAttempt> = {}): LinkAttempt {
  return {
    idHash: createId(),
    tenantId: tenant.id,
    accountId: "account-1",
    createdAt: NOW,
    expiresAt: minutesAfter(5),
    cookieHash: null,
    identity: null,
    audience: null,
    codeHash: null,
    typedCodeHash: null,
    wrongCodes: 0,
    usedAt: null,
    ...overrides,
  };
}

export function buildAuditEvent(tenant: Tenant, overrides: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: createId(),
    tenantId: tenant.id,
    at: NOW,
    action: "link.created",
    actor: { type: "user", accountId: "account-1" },
    target: { type: "link", id: "link-1" },
    before: null,
    after: { email: "ada@acme.com" },
    ip: "203.0.113.7",
    reference: "ABCDEFGH2345",
    ...overrides,
  };
}

export async function insertTenant(stores: WriteStores, overrides: Partial<Tenant> = {}): Promise<Tenant> {
  const tenant = buildTenant(overrides);
  await stores.tenants.insertInstallation(buildInstallation({ tenant }), NOW);
  return tenant;
}
