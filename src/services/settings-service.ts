import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import { AppError, ValidationError, type FieldError } from "../errors.js";
import { parseWith } from "../field-errors.js";
import { createId } from "../identifiers.js";
import { RateLimit } from "../rate-limit.js";
import type { Database, WriteStores } from "../stores.js";
import { parseTeamDomain } from "../team-domain.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import type { Tenant } from "../tenants/tenant.js";
import { judgePopupFront, type PopupCheck, type PopupFront } from "./popup-front.js";
import { settingsDocument, type SettingsDocument } from "./settings-document.js";
import { listAskingServices, type Settings, type TrustedService } from "./settings.js";
import type { TeamCheck, TeamKeys } from "./team-keys.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly teamKeys: TeamKeys;
  readonly popupFront: PopupFront;
  readonly clock: Clock;
}

// security rule 5: any tenant may name any team, so naming many must not be free.
export const TEAM_CHANGES = { calls: 300, perSeconds: 3600 };
export const CHECKS = { calls: 120, perSeconds: 60 };
export const POPUP_CHECKS = { calls: 30, perSeconds: 60 };

export class SettingsService {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #teamKeys: TeamKeys;
  readonly #popupFront: PopupFront;
  readonly #teamChanges: RateLimit;
  readonly #checks: RateLimit;
  readonly #popupChecks: RateLimit;

  constructor({ database, audit, teamKeys, popupFront, clock }: Dependencies) {
    this.#database = database;
    this.#audit = audit;
    this.#teamKeys = teamKeys;
    this.#popupFront = popupFront;
    this.#teamChanges = new RateLimit({ clock, ...TEAM_CHANGES });
    this.#checks = new RateLimit({ clock, ...CHECKS });
    this.#popupChecks = new RateLimit({ clock, ...POPUP_CHECKS });
  }

  async get(tenantId: string): Promise<Settings> {
    return this.#database.read.settings.get(tenantId);
  }

  /**
   * Replaces the whole document. Throws ValidationError, `version_conflict` when somebody else has saved since
   * `version` was read, and `rate_limited` for too many changes of the team.
   */
  async replace(tenant: Tenant, rawDocument: unknown, by: Initiator): Promise<Settings> {
    const document = parseWith(settingsDocument, rawDocument);
    const current = await this.get(tenant.id);
    // Again below, where it counts. Here it keeps what is stale from waiting for the writer, which is everybody's.
    if (document.version !== current.version) throw new AppError("version_conflict");
    if (document.teamDomain !== null && document.teamDomain !== current.teamDomain) {
      this.#teamChanges.consume(tenant.id);
    }
    const { before, after } = await this.#database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const before = await stores.settings.get(tenant.id);
      // The version first: with a stale copy, every other complaint would be about somebody else's change.
      if (document.version !== before.version) throw new AppError("version_conflict");
      const after = applyDocument(before, document);
      if (!(await stores.settings.replace(tenant.id, after, before.version)))
        throw new AppError("version_conflict");
      await this.#audit.settingsChanged(stores.audit, by, tenant, before, after);
      await this.#eraseDecisions(stores, by, tenant, { before, after });
      return { before, after };
    });
    await this.#followTeam(before.teamDomain, after.teamDomain);
    return after;
  }

  /** What fetching a team's keys gives now: the team in question, or the one in the settings. Never a refusal. */
  async check(tenant: Tenant, teamDomainText: string | null): Promise<TeamCheck> {
    this.#checks.consume(tenant.id);
    const text = teamDomainText ?? (await this.get(tenant.id)).teamDomain;
    const teamDomain = text === null ? null : parseTeamDomain(text);
    if (teamDomain !== null) return this.#teamKeys.check(teamDomain);
    const detail =
      text === null
        ? "No team domain has been entered yet."
        : "This is not a team domain. It looks like acme.cloudflareaccess.com.";
    return {
      ok: false,
      teamDomain: text,
      keyCount: 0,
      kids: [],
      milliseconds: 0,
      problem: { code: "validation_failed", detail },
    };
  }

  /** Whether the linking window is behind the Access application that the settings name. Never a refusal. */
  async checkPopup(tenant: Tenant): Promise<PopupCheck> {
    this.#popupChecks.consume(tenant.id);
    const [sight, settings] = await Promise.all([this.#popupFront.look(), this.get(tenant.id)]);
    return judgePopupFront(this.#popupFront.url, sight, settings);
  }

  /**
   * Should a service ask again, people agree anew. What they withdrew is kept, for the service and for the audience that it
   * had: else an admin could list the one or the other again, and overrule them (security rule 14).
   */
  async #eraseDecisions(
    stores: WriteStores,
    by: Initiator,
    tenant: Tenant,
    { before, after }: { readonly before: Settings; readonly after: Settings },
  ): Promise<void> {
    for (const service of listNoLongerAsking(before, after)) {
      const count = await stores.consents.deleteAgreed(tenant.id, service.id);
      if (count > 0) await this.#audit.consentsRemoved(stores.audit, by, tenant, service, count);
    }
    for (const { id, audience } of listMissing(before, after, ["id", "audience"])) {
      await stores.consents.retireWithdrawn(tenant.id, id, audience);
    }
    for (const { id } of listMissing(before, after, ["id"])) {
      await stores.consents.deleteOfService(tenant.id, id);
      await stores.serviceUse.deleteOfService(tenant.id, id);
    }
    for (const { id, audience } of listMissing(after, before, ["id", "audience"])) {
      await stores.consents.adoptWithdrawn(tenant.id, audience, id);
    }
  }

  async #followTeam(before: string | null, after: string | null): Promise<void> {
    if (after !== null) this.#teamKeys.warm(after);
    if (before === null || before === after) return;
    if (!(await this.#database.read.settings.isTrustedTeam(before))) this.#teamKeys.forget(before);
  }
}

function applyDocument(before: Settings, document: SettingsDocument): Settings {
  const errors = findErrors(before, document);
  if (errors.length > 0) throw new ValidationError(errors);
  const services: TrustedService[] = document.services.map((service) => {
    const known = findKnown(before, document, service);
    return { ...service, id: known?.id ?? createId(), keys: known?.keys ?? [] };
  });
  return { ...document, services, version: before.version + 1 };
}

/**
 * Without an id, a service is the one that has had its audience: else writing a document of one's own again would take
 * its keys away, so that anybody with a person's token could use it, and everybody's consents.
 */
function findKnown(
  before: Settings,
  document: SettingsDocument,
  { id, audience }: SettingsDocument["services"][number],
): TrustedService | undefined {
  if (id) return before.services.find((known) => known.id === id);
  const isNamed = (knownId: string) => document.services.some((other) => other.id === knownId);
  return before.services.find((known) => known.audience === audience && !isNamed(known.id));
}

/** Services that people may have agreed to, and that they aren't asked about any more. */
function listNoLongerAsking(before: Settings, after: Settings): TrustedService[] {
  const asking = new Set(listAskingServices(after).map(({ id }) => id));
  return listAskingServices(before).filter(({ id }) => !asking.has(id));
}

/** The services of the one that the other has none like. */
function listMissing(one: Settings, other: Settings, keys: readonly ("id" | "audience")[]): TrustedService[] {
  return one.services.filter(
    (service) => !other.services.some((each) => keys.every((key) => each[key] === service[key])),
  );
}

function findErrors(before: Settings, document: SettingsDocument): FieldError[] {
  const { services } = document;
  const errors: FieldError[] = [];
  services.forEach((service, index) => {
    const at = `services[${index}]`;
    const isRepeated = (key: "id" | "audience") =>
      typeof service[key] === "string" && services.findIndex((other) => other[key] === service[key]) < index;
    if (typeof service.id === "string" && !before.services.some(({ id }) => id === service.id)) {
      errors.push({
        field: `${at}.id`,
        detail: "There is no service with this id. Leave it out for a new one.",
      });
    } else if (isRepeated("id")) {
      errors.push({ field: `${at}.id`, detail: "Another service in the list has the same id." });
    }
    if (isRepeated("audience")) {
      errors.push({ field: `${at}.audience`, detail: "Another service in the list has the same audience." });
    }
    errors.push(...findPurposeErrors(services, index));
  });
  if (document.matching === "email") {
    errors.push({ field: "matching", detail: "Matching by e-mail isn't built yet; only proof is." });
  }
  return errors;
}

function findPurposeErrors(services: SettingsDocument["services"], index: number): FieldError[] {
  const field = `services[${index}].purposes`;
  const purposes = services[index]?.purposes ?? [];
  const errors: FieldError[] = [];
  // security rule 9
  if (purposes.includes("link") && purposes.includes("act")) {
    errors.push({ field, detail: "The service through which people link may not act for them." });
  }
  if (purposes.includes("link") && services.findIndex((other) => other.purposes.includes("link")) < index) {
    errors.push({
      field,
      detail: "Only one service may have the purpose link: the one that protects the linking window.",
    });
  }
  return errors;
}
