import { sha256Hex } from "../identifiers.js";
import { DEFAULT_MAX_TOKEN_AGE_SECONDS, type TrustedService } from "../services/settings.js";

/** What one person decided about one trusted service, in one tenant. */
export interface Consent {
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
  /** How many people have agreed to what has this digest, and not withdrawn it since. */
  countAgreed(tenantId: string, serviceId: string, digest: string): Promise<number>;
}

export interface ConsentStore extends ConsentReader {
  /** Replaces what the person had decided about the service before. */
  put(tenantId: string, consent: Consent): Promise<void>;
  deleteOfTenant(tenantId: string): Promise<void>;
  /** Everybody's who agreed, to whatever it was; answers how many there were. What was withdrawn stays. */
  deleteAgreed(tenantId: string, serviceId: string): Promise<number>;
  /** Everybody's, whatever it was. */
  deleteOfService(tenantId: string, serviceId: string): Promise<void>;
  /** Keeps what was withdrawn from a service for its audience too, which is no longer listed as this service's. */
  retireWithdrawn(tenantId: string, serviceId: string, audience: string): Promise<void>;
  /** What is kept for this audience counts for the service from now on, whatever those people decided about it. */
  adoptWithdrawn(tenantId: string, audience: string, serviceId: string): Promise<void>;
}

/** SHA-256 over the canonical JSON of what a person is shown when asked, but for the name (security rule 14). */
export function digestOfService({ audience, purposes, limits }: TrustedService): string {
  // How an admin groups and orders them changes nothing for anybody.
  const requests = (limits?.requests ?? []).flatMap(({ methods, path }) =>
    methods.map((method) => `${method} ${path}`),
  );
  const maxTokenAgeSeconds = limits?.maxTokenAgeSeconds ?? DEFAULT_MAX_TOKEN_AGE_SECONDS;
  const shown = { audience, purposes: sorted(purposes), requests: sorted(requests), maxTokenAgeSeconds };
  return sha256Hex(JSON.stringify(shown));
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
