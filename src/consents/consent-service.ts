import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import { AppError, NotFoundError } from "../errors.js";
import { RateLimit } from "../rate-limit.js";
import { listAskingServices, type Settings, type TrustedService } from "../services/settings.js";
import type { Database, WriteStores } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import { findDoubt, requireNoDoubt } from "../tenants/tenant-doubt.js";
import type { TenantMemory } from "../tenants/tenant-memory.js";
import type { HostUser } from "../tenants/tenant.js";
import { digestOfService, isAgreed, type Consent } from "./consent.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly memory: Pick<TenantMemory, "forgetAccount">;
  readonly clock: Clock;
}

/**
 * Where a person and a service stand. `undecided`: asks first; `given`: an admin gave consent for everybody; `changed`:
 * may do something else than what was agreed to, and asks again.
 */
export type ConsentStanding = "undecided" | "given" | "agreed" | "changed" | "withdrawn";

/** A service that may act for people, or that is told who they are, as one of them sees it. */
export interface AskingService {
  readonly service: TrustedService;
  /** What agreeing to what is shown here takes. */
  readonly digest: string;
  readonly standing: ConsentStanding;
  readonly decidedAt: Date | null;
}

// Each decision is audited for good, so deciding to and fro must not be free. Taking back is never held up: nobody can
// take back more often than they agree.
export const AGREEMENTS = { calls: 60, perSeconds: 3600 };

/** What people decide about the services that ask them. It counts with the next request, of the service or for it. */
export class ConsentService {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #memory: Dependencies["memory"];
  readonly #clock: Clock;
  readonly #agreements: RateLimit;

  constructor({ database, audit, memory, clock }: Dependencies) {
    this.#database = database;
    this.#audit = audit;
    this.#memory = memory;
    this.#clock = clock;
    this.#agreements = new RateLimit({ clock, ...AGREEMENTS });
  }

  /** Every service that people are asked about, in the admin's order; none while there is doubt who speaks for the tenant. */
  async listOfAccount({ tenant, accountId }: HostUser, settings: Settings): Promise<AskingService[]> {
    if (findDoubt(tenant)) return [];
    const consents = await this.#database.read.consents.listOfAccount(tenant.id, accountId);
    return listAskingServices(settings).map((service) => {
      const consent = consents.find(({ serviceId }) => serviceId === service.id) ?? null;
      const decidedAt = consent?.decidedAt ?? null;
      return { service, digest: digestOfService(service), standing: judge(service, consent), decidedAt };
    });
  }

  /** How many people agree to what each service may do now, for those services that ask. */
  async countAgreed(tenantId: string, settings: Settings): Promise<ReadonlyMap<string, number>> {
    const { consents } = this.#database.read;
    const counts = listAskingServices(settings).map(
      async (service) =>
        [service.id, await consents.countAgreed(tenantId, service.id, digestOfService(service))] as const,
    );
    return new Map(await Promise.all(counts));
  }

  /** Throws `not_found`, and `consent_changed` when `digest` isn't that of what the service may do now. */
  async agree(user: HostUser, serviceId: string, digest: string, by: Initiator): Promise<void> {
    await this.#decide(user, serviceId, async (stores, service, before) => {
      if (digest !== digestOfService(service)) throw new AppError("consent_changed");
      if (before?.state === "agreed" && before.digest === digest) return;
      this.#agreements.consume(`${user.tenant.id} ${user.accountId}`);
      await this.#put(stores, user, service, "agreed");
      await this.#audit.consentGiven(stores.audit, by, user, service);
    });
  }

  /** Also what an admin gave for everybody (security rule 14). Throws `not_found`. */
  async withdraw(user: HostUser, serviceId: string, by: Initiator): Promise<void> {
    await this.#decide(user, serviceId, async (stores, service, before) => {
      if (before?.state === "withdrawn") return;
      await this.#put(stores, user, service, "withdrawn");
      await this.#audit.consentWithdrawn(stores.audit, by, user, service);
    });
    this.#memory.forgetAccount(user.tenant.id, user.accountId);
  }

  /** In one write with what the settings say: an admin may be changing them. */
  async #decide(
    { tenant, accountId }: HostUser,
    serviceId: string,
    decide: (stores: WriteStores, service: TrustedService, before: Consent | null) => Promise<void>,
  ): Promise<void> {
    requireNoDoubt(tenant);
    await this.#database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const asking = listAskingServices(await stores.settings.get(tenant.id));
      const service = asking.find(({ id }) => id === serviceId);
      if (!service) throw new NotFoundError("There is no service with this id that people are asked about.");
      await decide(stores, service, await stores.consents.find(tenant.id, accountId, serviceId));
    });
  }

  async #put(
    stores: WriteStores,
    { tenant, accountId }: HostUser,
    service: TrustedService,
    state: Consent["state"],
  ): Promise<void> {
    await stores.consents.put(tenant.id, {
      accountId,
      serviceId: service.id,
      digest: digestOfService(service),
      state,
      decidedAt: this.#clock.now(),
    });
  }
}

function judge(service: TrustedService, consent: Consent | null): ConsentStanding {
  if (consent?.state === "withdrawn") return "withdrawn";
  if (!isAgreed(service, consent)) return consent === null ? "undecided" : "changed";
  return consent === null ? "given" : "agreed";
}
