import type { Installation } from "../tenants/tenant-store.js";
import type { Tenant } from "../tenants/tenant.js";

function buildTenant(overrides: Partial<Tenant> = {}): Tenant {
  return {
    id: "4b4ff5f8-7a4b-4f3e-9f0c-2f2b8f5a6c01",
    product: "jira",
    door: "connect",
    site: "acme.atlassian.net",
    baseUrl: "https://acme.atlassian.net",
    state: "enabled",
    generation: 1,
    proven: true,
    suspended: false,
    ...overrides,
  };
}

export function buildInstallation(
  overrides: Partial<Omit<Installation, "tenant">> & { tenant?: Partial<Tenant> } = {},
): Installation {
  return {
    clientKey: "acme-client-key",
    sharedSecret: "acme-shared-secret-of-a-decent-length",
    oauthClientId: null,
    lastInstallEventAt: 0,
    lastToggleEventAt: 0,
    ...overrides,
    tenant: buildTenant(overrides.tenant),
  };
}
