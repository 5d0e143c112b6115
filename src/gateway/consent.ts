import { sha256Hex } from "../identifiers.js";
import type { TrustedService } from "../services/settings.js";

/** What one person decided about one trusted service, in one tenant. */
export interface Consent {
  readonly tenantId: string;
  readonly accountId: string;
  readonly serviceId: string;
  /** Of what was shown: digestOfService(service). */
  readonly digest: string;
  readonly state: "agreed" | "withdrawn";
  readonly decidedAt: Date;
}

export interface ConsentReader {
  find(tenantId: string, accountId: string, serviceId: string): Promise<Consent | null>;
  listOfAccount(tenantId: string, accountId: string): Promise<readonly Consent[]>;
}

export interface ConsentStore extends ConsentReader {
  /** Replaces what the person had decided about the service before. */
  put(consent: Consent): Promise<void>;
  deleteOfTenant(tenantId: string): Promise<void>;
  /** Everybody's; answers how many there were. */
  deleteOfServices(tenantId: string, serviceIds: readonly string[]): Promise<number>;
}

/** SHA-256 over the canonical JSON of audience, purposes and requests (security rule 14). */
export function digestOfService({ audience, purposes, limits }: TrustedService): string {
  // The order in which an admin wrote them changes nothing for anybody.
  const requests = (limits?.requests ?? [])
    .map(({ methods, path }) => JSON.stringify([path, sorted(methods)]))
    .sort();
  return sha256Hex(
    JSON.stringify({ audience, purposes: sorted(purposes), requests: [...new Set(requests)] }),
  );
}

/** Whether the person agreed to what the service may do now; `given` counts unless withdrawn. */
export function isAgreed(service: TrustedService, consent: Consent | null): boolean {
  if (consent?.state === "withdrawn") return false;
  if (service.limits?.consent === "given") return true;
  return consent !== null && consent.digest === digestOfService(service);
}

function sorted(words: readonly string[]): string[] {
  return [...new Set(words)].sort();
}
