import { AppError } from "../errors.js";
import type { AccountPageUrl } from "../links/account-page.js";
import type { TrustedService } from "../services/settings.js";
import type { Database } from "../stores.js";
import type { HostUser } from "../tenants/tenant.js";
import { isAgreed } from "./consent.js";

interface Dependencies {
  readonly database: Pick<Database, "read">;
  readonly accountPageUrl: AccountPageUrl;
}

/** Security rule 14. Throws `consent_required`, with the place where the person can agree. */
export async function requireConsent(
  { database, accountPageUrl }: Dependencies,
  { tenant, accountId }: HostUser,
  service: TrustedService,
): Promise<void> {
  const consent = await database.read.consents.find(tenant.id, accountId, service.id);
  if (isAgreed(service, consent)) return;
  const consentUrl = accountPageUrl(tenant, { kind: "service", id: service.id });
  throw new AppError("consent_required", undefined, { extras: { consentUrl } });
}
