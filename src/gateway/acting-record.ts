import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { ProblemCode } from "../errors.js";
import type { UseOutcome } from "../services/service-use-store.js";
import type { OpenUse, ServiceUses } from "../services/service-uses.js";
import type { RequestPattern, ServiceKey, TrustedService } from "../services/settings.js";
import type { Tenant } from "../tenants/tenant.js";

/** What became of an acting call, as its caller saw it. */
export interface ActingEnd {
  /** Null when the caller had left before there was any. */
  readonly status: number | null;
  /** Null when the product's answer came through whole. */
  readonly code: ProblemCode | "caller_left" | null;
}

interface Call {
  readonly tenant: Tenant;
  readonly service: TrustedService;
  readonly method: string;
  readonly pattern: RequestPattern;
  readonly key: ServiceKey | null;
}

type Uses = Pick<ServiceUses, "open" | "count">;

/** Of one acting call; it is opened before the call and closed once, whatever comes of it (ADR 15). */
export class ActingRecord {
  readonly #audit: AuditLog;
  readonly #uses: Uses;
  readonly #use: OpenUse;
  readonly #initiator: Initiator;
  readonly #call: Call;
  // Clocks are set now and then; this one only runs.
  readonly #startedAtMilliseconds = performance.now();
  #isSent = false;

  /** Throws `store_unavailable`. */
  constructor(audit: AuditLog, uses: Uses, initiator: Initiator, call: Call) {
    this.#audit = audit;
    this.#uses = uses;
    this.#use = uses.open(call.tenant.id);
    this.#initiator = initiator;
    this.#call = call;
  }

  /** From now on the product may have done it. */
  noteSent(): void {
    this.#isSent = true;
  }

  close({ status, code }: ActingEnd): void {
    const { tenant, service, method, pattern, key } = this.#call;
    if (!this.#isSent) {
      this.#use.drop();
      this.#uses.count(tenant.id, service.id, refusalOf(code));
      return;
    }
    const milliseconds = Math.round(performance.now() - this.#startedAtMilliseconds);
    const shown = key
      ? ({ by: "key", keyHint: key.hint } as const)
      : ({ by: "token", keyHint: null } as const);
    const acted = { method, path: pattern.path, status, milliseconds, code, ...shown };
    const event = this.#audit.serviceActed(this.#initiator, tenant, service, acted);
    const outcome = code === null || code === "caller_left" ? "acted" : code;
    this.#use.record({ event, outcome });
  }
}

function refusalOf(code: ActingEnd["code"]): UseOutcome {
  return code === null || code === "caller_left" ? "malformed_request" : code;
}
