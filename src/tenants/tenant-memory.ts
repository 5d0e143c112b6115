/** What is held in memory for tenants and their people, and must not outlive what it was got for. */
export interface TenantMemory {
  forgetTenant(tenantId: string): void;
  /** What was got to act as this account. */
  forgetAccount(tenantId: string, accountId: string): void;
}
