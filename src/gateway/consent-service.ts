import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import { AppError, NotFoundError } from "../errors.js";
import { findDoubt } from "../links/link-service.js";
import { RateLimit } from "../rate-limit.js";
import { listActingServices, type Settings, type TrustedService } from "../services/settings.js";
import type { Database, WriteStores } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import type { HostUser } from "../tenants/tenant.js";
import { digestOfService, isAgreed, type Consent } from "./consent.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/**
 * Where a person and a service stand. `undecided`: asks first; `given`: an admin gave consent for everybody; `changed`:
 * may do something else than what was agreed to, and asks again.
 */
export type ConsentStanding = "undecided" | "given" | "agreed" | "changed" | "withdrawn";

/** A service that may act for people, as one of them sees it. */
export interface ActingService {
  readonly service: TrustedService;
  /** What agreeing to what is shown here takes. */
  readonly digest: string;
  readonly standing: ConsentStanding;
  readonly decidedAt: Date | null;
}

// Each decision is audited for good, so deciding to and fro must not be free.
const DECISIONS = { calls: 120, perSeconds: 3600 };

/** What people decide about the services that may act for them. It counts with the next request that a service makes. */
export class ConsentService {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #decisions: RateLimit;

  constructor({ database, audit, clock }: Dependencies) {
    this.#database = database;
    this.#audit = audit;
    this.#clock = clock;
    this.#decisions = new RateLimit({ clock, ...DECISIONS });
  }

  /** Every service that may act, in the admin's order; none while there is doubt who speaks for the tenant. */
  async listOfAccount({ tenant, accountId }: HostUser, settings: Settings): Promise<ActingService[]> {
    if (findDoubt(tenant)) return [];
    const consents = await this.#database.read.consents.listOfAccount(tenant.id, accountId);
    return listActingServices(settings).map((service) => {
      const consent = consents.find(({ serviceId }) => serviceId === service.id) ?? null;
      const decidedAt = consent?.decidedAt ?? null;
      return { service, digest: digestOfService(service), standing: judge(service, consent), decidedAt };
    });
  }

  /** Throws `not_found`, and `consent_changed` when `digest` isn't that of what the service may do now. */
  async agree(user: HostUser, serviceId: string, digest: string, by: Initiator): Promise<void> {
    await this.#decide(user, serviceId, async (stores, service, before) => {
      if (digest !== digestOfService(service)) throw new AppError("consent_changed");
      if (before?.state === "agreed" && before.digest === digest) return;
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
  }

  /** In one write with what the settings say: an admin may be changing them. */
  async #decide(
    { tenant, accountId }: HostUser,
    serviceId: string,
    decide: (stores: WriteStores, service: TrustedService, before: Consent | null) => Promise<void>,
  ): Promise<void> {
    const doubt = findDoubt(tenant);
    if (doubt) throw doubt;
    await this.#database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const acting = listActingServices(await stores.settings.get(tenant.id));
      const service = acting.find(({ id }) => id === serviceId);
      if (!service) throw new NotFoundError("There is no service with this id that may act for people.");
      await decide(stores, service, await stores.consents.find(tenant.id, accountId, serviceId));
    });
  }

  async #put(
    stores: WriteStores,
    { tenant, accountId }: HostUser,
    service: TrustedService,
    state: Consent["state"],
  ): Promise<void> {
    this.#decisions.consume(`${tenant.id} ${accountId}`);
    await stores.consents.put({
      tenantId: tenant.id,
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
