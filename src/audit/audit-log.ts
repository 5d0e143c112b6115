import type { Clock } from "../clock.js";
import type { ProblemCode } from "../errors.js";
import { createId } from "../identifiers.js";
import type { IdentityLink } from "../links/identity-link.js";
import { withoutKeys, type ServiceKey, type Settings, type TrustedService } from "../services/settings.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";
import type { Page, PageRequest } from "../stores.js";
import type {
  Actor,
  AuditAction,
  AuditEvent,
  AuditFilter,
  AuditReader,
  AuditStore,
  JsonValue,
} from "./audit-event.js";

/** Who set something off, and the request it came with. */
export interface Initiator {
  readonly actor: Actor;
  readonly ip: string | null;
  readonly reference: string | null;
}

/** A call that a service made as a person. */
export interface ActedCall {
  readonly method: string;
  /** The pattern that allowed it. */
  readonly path: string;
  readonly status: number | null;
  readonly milliseconds: number;
  /** What it failed with; null when the product's answer came through whole. */
  readonly code: ProblemCode | "caller_left" | null;
  /** How the service had shown that it is the one. */
  readonly by: "key" | "token";
  /** Of the key, its last characters. */
  readonly keyHint: string | null;
}

/** One installation in the place of another. */
export interface TakeOver {
  /** The same tenant, as it was reached before and as it is now. */
  readonly before: Tenant;
  readonly after: Tenant;
  readonly services: number;
  readonly links: number;
  /** What the installation that took over had saved itself, and as which tenant. */
  readonly dropped: { readonly tenantId: string; readonly settings: Settings };
}

interface Change {
  readonly target: AuditEvent["target"];
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** One function per event. Each is called inside the write that it tells of, so that neither is stored alone. */
export class AuditLog {
  readonly #clock: Clock;
  readonly #reader: AuditReader;

  constructor({ clock, reader }: { readonly clock: Clock; readonly reader: AuditReader }) {
    this.#clock = clock;
    this.#reader = reader;
  }

  async list(tenantId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>> {
    return this.#reader.list(tenantId, filter, page);
  }

  async tenantInstalled(
    store: AuditStore,
    by: Initiator,
    before: Tenant | null,
    after: Tenant,
  ): Promise<void> {
    await this.#append(store, after.id, "tenant.installed", by, {
      target: { type: "tenant", id: after.id },
      before: before && presentTenant(before),
      after: presentTenant(after),
    });
  }

  async tenantUninstalled(store: AuditStore, by: Initiator, tenant: Tenant): Promise<void> {
    await this.#append(store, tenant.id, "tenant.uninstalled", by, {
      target: { type: "tenant", id: tenant.id },
      before: presentTenant(tenant),
    });
  }

  async tenantToggled(store: AuditStore, by: Initiator, tenant: Tenant, isEnabled: boolean): Promise<void> {
    await this.#append(store, tenant.id, isEnabled ? "tenant.enabled" : "tenant.disabled", by, {
      target: { type: "tenant", id: tenant.id },
    });
  }

  async settingsChanged(
    store: AuditStore,
    by: Initiator,
    tenant: Tenant,
    before: Settings,
    after: Settings,
  ): Promise<void> {
    await this.#append(store, tenant.id, "settings.changed", by, {
      target: { type: "settings", id: tenant.id },
      before: toJson(withoutKeys(before)),
      after: toJson(withoutKeys(after)),
    });
  }

  async settingsTakenOver(
    store: AuditStore,
    by: Initiator,
    { before, after, services, links, dropped }: TakeOver,
  ): Promise<void> {
    const { tenantId, settings } = dropped;
    await this.#append(store, after.id, "settings.taken_over", by, {
      target: { type: "tenant", id: after.id },
      before: { ...presentTenant(before), dropped: toJson({ tenantId, settings: withoutKeys(settings) }) },
      after: { ...presentTenant(after), services, links },
    });
  }

  async serviceKeyCreated(
    store: AuditStore,
    by: Initiator,
    tenant: Tenant,
    service: TrustedService,
    key: ServiceKey,
  ): Promise<void> {
    await this.#append(store, tenant.id, "service_key.created", by, {
      target: { type: "service", id: service.id },
      after: presentServiceKey(service, key),
    });
  }

  async serviceKeyRemoved(
    store: AuditStore,
    by: Initiator,
    tenant: Tenant,
    service: TrustedService,
    key: ServiceKey,
  ): Promise<void> {
    await this.#append(store, tenant.id, "service_key.removed", by, {
      target: { type: "service", id: service.id },
      before: presentServiceKey(service, key),
    });
  }

  async linkCreated(store: AuditStore, by: Initiator, link: IdentityLink): Promise<void> {
    await this.#append(store, link.tenantId, "link.created", by, {
      target: { type: "link", id: link.id },
      after: presentLink(link),
    });
  }

  async linkReplaced(
    store: AuditStore,
    by: Initiator,
    before: IdentityLink,
    after: IdentityLink,
  ): Promise<void> {
    await this.#append(store, after.tenantId, "link.replaced", by, {
      target: { type: "link", id: after.id },
      before: presentLink(before),
      after: presentLink(after),
    });
  }

  async linkRemoved(store: AuditStore, by: Initiator, link: IdentityLink): Promise<void> {
    await this.#append(store, link.tenantId, "link.removed", by, {
      target: { type: "link", id: link.id },
      before: presentLink(link),
    });
  }

  async linkConfirmed(store: AuditStore, by: Initiator, link: IdentityLink): Promise<void> {
    await this.#append(store, link.tenantId, "link.confirmed", by, {
      target: { type: "link", id: link.id },
      after: presentLink(link),
    });
  }

  async linkRestored(store: AuditStore, by: Initiator, link: IdentityLink): Promise<void> {
    await this.#append(store, link.tenantId, "link.restored", by, {
      target: { type: "link", id: link.id },
      after: presentLink(link),
    });
  }

  /** Five wrong codes ended an attempt: somebody is guessing, or a page is broken. */
  async linkAttemptFailed(
    store: AuditStore,
    by: Initiator,
    tenantId: string,
    accountId: string,
  ): Promise<void> {
    await this.#append(store, tenantId, "link_attempt.failed", by, {
      target: { type: "account", id: accountId },
    });
  }

  async consentGiven(
    store: AuditStore,
    by: Initiator,
    { tenant }: HostUser,
    service: TrustedService,
  ): Promise<void> {
    await this.#append(store, tenant.id, "consent.given", by, {
      target: { type: "service", id: service.id },
      after: presentAgreement(service),
    });
  }

  async consentWithdrawn(
    store: AuditStore,
    by: Initiator,
    { tenant }: HostUser,
    service: TrustedService,
  ): Promise<void> {
    await this.#append(store, tenant.id, "consent.withdrawn", by, {
      target: { type: "service", id: service.id },
      before: { label: service.label },
    });
  }

  async assertionKeysRotated(store: AuditStore, by: Initiator, tenant: Tenant, kid: string): Promise<void> {
    await this.#append(store, tenant.id, "assertion_keys.rotated", by, {
      target: { type: "tenant", id: tenant.id },
      after: { kid },
    });
  }

  /** What people had agreed to went with the service, or with what it was trusted for. */
  async consentsRemoved(
    store: AuditStore,
    by: Initiator,
    tenant: Tenant,
    { id, label }: TrustedService,
    count: number,
  ): Promise<void> {
    await this.#append(store, tenant.id, "consents.removed", by, {
      target: { type: "service", id },
      before: { serviceId: id, label, count },
    });
  }

  /** Stored by the caller: such events come so often that they are written in groups (ADR 15). */
  serviceActed(by: Initiator, tenant: Tenant, { id, label }: TrustedService, call: ActedCall): AuditEvent {
    const change = { target: { type: "service", id }, after: { label, ...call } };
    return this.#createEvent(tenant.id, "service.acted", by, change);
  }

  /** Stored by the caller, like the one above. `jti` finds it in the service's own log. */
  assertionIssued(by: Initiator, tenant: Tenant, { id, label }: TrustedService, jti: string): AuditEvent {
    const change = { target: { type: "service", id }, after: { label, jti } };
    return this.#createEvent(tenant.id, "assertion.issued", by, change);
  }

  async #append(
    store: AuditStore,
    tenantId: string,
    action: AuditAction,
    by: Initiator,
    change: Change,
  ): Promise<void> {
    await store.append(tenantId, this.#createEvent(tenantId, action, by, change));
  }

  #createEvent(tenantId: string, action: AuditAction, by: Initiator, change: Change): AuditEvent {
    return {
      id: createId(),
      tenantId,
      at: this.#clock.now(),
      action,
      actor: by.actor,
      target: change.target,
      before: change.before ?? null,
      after: change.after ?? null,
      ip: by.ip,
      reference: by.reference,
    };
  }
}

function presentTenant(tenant: Tenant) {
  return { product: tenant.product, site: tenant.site, baseUrl: tenant.baseUrl, state: tenant.state };
}

function presentLink(link: IdentityLink): JsonValue {
  return { accountId: link.accountId, email: link.email, issuer: link.issuer, method: link.method };
}

/** Never the key, nor what recognises it. */
function presentServiceKey({ label }: TrustedService, { id, hint }: ServiceKey): JsonValue {
  return { label, id, hint };
}

/** What a person agreed to, so that it can be told when the service was changed since. */
function presentAgreement({ label, audience, purposes, limits }: TrustedService): JsonValue {
  return toJson({ label, audience, purposes, requests: limits?.requests ?? [] });
}

function toJson(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
