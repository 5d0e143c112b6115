import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import { NotFoundError, ValidationError } from "../errors.js";
import { RateLimit } from "../rate-limit.js";
import type { Database, WriteStores } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import type { Tenant } from "../tenants/tenant.js";
import { createServiceKey, MAX_SERVICE_KEYS } from "./service-key.js";
import type { ServiceKey, TrustedService } from "./settings.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

export interface CreatedKey {
  /** In clear, this once. */
  readonly key: string;
  readonly stored: ServiceKey;
}

// Each is audited for good.
export const KEY_CHANGES = { calls: 120, perSeconds: 3600 };

/** The keys that services show. They count from the next call on, and change nothing that people agreed to. */
export class ServiceKeys {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #changes: RateLimit;

  constructor({ database, audit, clock }: Dependencies) {
    this.#database = database;
    this.#audit = audit;
    this.#clock = clock;
    this.#changes = new RateLimit({ clock, ...KEY_CHANGES });
  }

  /** Throws `not_found` for an unknown service, and ValidationError (field `keys`) when it has two already. */
  async create(tenant: Tenant, serviceId: string, by: Initiator): Promise<CreatedKey> {
    return this.#change(tenant, serviceId, async (stores, service) => {
      if (service.keys.length >= MAX_SERVICE_KEYS) {
        throw ValidationError.of("keys", "The service has two keys already. Remove one first.");
      }
      const created = createServiceKey(this.#clock.now());
      await this.#audit.serviceKeyCreated(stores.audit, by, tenant, service, created.stored);
      return { keys: [...service.keys, created.stored], answer: created };
    });
  }

  /** Throws `not_found` for an unknown service or key. */
  async remove(tenant: Tenant, serviceId: string, keyId: string, by: Initiator): Promise<void> {
    await this.#change(tenant, serviceId, async (stores, service) => {
      const key = service.keys.find(({ id }) => id === keyId);
      if (!key) throw new NotFoundError("The service has no key with this id.");
      await this.#audit.serviceKeyRemoved(stores.audit, by, tenant, service, key);
      await stores.serviceUse.deleteOfKey(tenant.id, keyId);
      return { keys: service.keys.filter(({ id }) => id !== keyId), answer: undefined };
    });
  }

  /** The version stays: whoever is editing the settings isn't editing keys. */
  async #change<T>(
    tenant: Tenant,
    serviceId: string,
    change: (
      stores: WriteStores,
      service: TrustedService,
    ) => Promise<{ readonly keys: readonly ServiceKey[]; readonly answer: T }>,
  ): Promise<T> {
    return this.#database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const settings = await stores.settings.get(tenant.id);
      const service = settings.services.find(({ id }) => id === serviceId);
      if (!service) throw new NotFoundError("There is no service with this id.");
      const { keys, answer } = await change(stores, service);
      this.#changes.consume(tenant.id);
      const services = settings.services.map((each) => (each === service ? { ...service, keys } : each));
      await stores.settings.replace(tenant.id, { ...settings, services }, settings.version);
      return answer;
    });
  }
}
