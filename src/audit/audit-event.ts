import type { Page, PageRequest } from "../stores.js";

export type AuditAction =
  | "tenant.installed"
  | "tenant.uninstalled"
  | "tenant.enabled"
  | "tenant.disabled"
  | "settings.changed"
  | "settings.taken_over"
  | "link.created"
  | "link.replaced"
  | "link.removed"
  | "link.restored"
  | "link.confirmed"
  | "link_attempt.failed"
  | "consent.given"
  | "consent.withdrawn"
  | "service.acted"
  | "assertion.issued"
  | "assertion_keys.rotated"
  | "consents.removed"
  | "service_key.created"
  | "service_key.removed";

export interface Actor {
  readonly type: "user" | "service" | "host" | "system";
  readonly accountId: string | null;
}

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface AuditEvent {
  readonly id: string;
  readonly tenantId: string;
  readonly at: Date;
  readonly action: AuditAction;
  readonly actor: Actor;
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly before: JsonValue;
  readonly after: JsonValue;
  readonly ip: string | null;
  readonly reference: string | null;
}

/** What services do for people, as often as they like; all else are changes that somebody made. */
export const USES = ["service.acted", "assertion.issued"] as const satisfies readonly AuditAction[];

export type AuditKind = "changes" | "use";

export interface AuditFilter {
  /** Null for both. */
  readonly kind: AuditKind | null;
  readonly action: string | null;
  readonly actor: string | null;
  readonly from: Date | null;
  /** Exclusive. */
  readonly to: Date | null;
}

export interface AuditReader {
  /** Newest first. `actor` is an account id or an actor type. */
  list(tenantId: string, filter: AuditFilter, page: PageRequest): Promise<Page<AuditEvent>>;
}

export interface AuditStore extends AuditReader {
  append(tenantId: string, event: AuditEvent): Promise<void>;
  /** In this order. */
  appendAll(tenantId: string, events: readonly AuditEvent[]): Promise<void>;
  /** Of a tenant that goes: what it tells stays, among what the other one tells. */
  moveAll(fromTenantId: string, toTenantId: string): Promise<void>;
}
