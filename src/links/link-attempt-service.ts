import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import { AppError, RateLimitedError, ValidationError } from "../errors.js";
import { createSecret, createTypedCode, sha256Hex } from "../identifiers.js";
import type { Database } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";
import type { AccessIdentity, IdentityLink } from "./identity-link.js";
import { judgeToken } from "./judge-token.js";
import type { LinkAttempt, LinkAttemptReader } from "./link-attempt.js";
import { findChange } from "./settings-change.js";
import { findLinkingObstacle, type LinkService, type WrittenLink } from "./link-service.js";
import type { AccessJwtVerification } from "./verified-access-jwt.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly links: LinkService;
  readonly accessJwts: AccessJwtVerification;
  readonly clock: Clock;
}

/** What the popup knows when somebody arrives in it with an Access JWT. */
export interface PopupVisit {
  readonly attempt: LinkAttempt;
  readonly tenant: Tenant;
  readonly identity: AccessIdentity;
  readonly audience: string;
  /** Whether this browser opened the popup from the app's page in Jira or Confluence. */
  readonly isTiedToOpener: boolean;
  /** This identity's link to another account of the tenant, which its holder may remove. */
  readonly otherLink: IdentityLink | null;
}

export interface PopupCodes {
  /** For the window that opened the popup; null when it can't be told which that was. */
  readonly code: string | null;
  /** For a person to type; null unless it was asked for or is the only way. */
  readonly typedCode: string | null;
}

export const ATTEMPT_TTL_SECONDS = 300;
export const MAX_WRONG_CODES = 5;
/** Per account, within the life of an attempt: older ones are no longer stored. */
export const MAX_ATTEMPTS = 20;

/** Linking with proof of both sides in one browser (security rules 6 to 10). */
export class LinkAttemptService {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  async begin({ tenant, accountId }: HostUser): Promise<{ id: string; expiresAt: Date }> {
    const { database, clock } = this.#deps;
    const obstacle = findLinkingObstacle(tenant, await database.read.settings.get(tenant.id));
    if (obstacle) throw obstacle;
    const id = createSecret();
    const now = clock.now();
    const expiresAt = new Date(now.getTime() + ATTEMPT_TTL_SECONDS * 1000);
    const requireFewAttempts = async (attempts: LinkAttemptReader) => {
      const since = new Date(now.getTime() - ATTEMPT_TTL_SECONDS * 1000);
      if ((await attempts.countSince(tenant.id, accountId, since)) >= MAX_ATTEMPTS) {
        throw new RateLimitedError(ATTEMPT_TTL_SECONDS);
      }
    };
    await requireFewAttempts(database.read.attempts);
    await database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      await requireFewAttempts(stores.attempts);
      await stores.attempts.insert({
        idHash: sha256Hex(id),
        tenantId: tenant.id,
        accountId,
        createdAt: now,
        expiresAt,
        cookieHash: null,
        identity: null,
        audience: null,
        codeHash: null,
        typedCodeHash: null,
        wrongCodes: 0,
        usedAt: null,
      });
    });
    return { id, expiresAt };
  }

  /** The popup was opened from our page: answers the value of the cookie that ties the two together. */
  async start(attemptId: string): Promise<string> {
    const { database } = this.#deps;
    const cookie = createSecret();
    // Refusals must not queue for the one writer: anybody can ask for attempts that don't exist.
    this.#requireLive(await database.read.attempts.find(sha256Hex(attemptId)));
    return database.write(async (stores) => {
      const attempt = this.#requireLive(await stores.attempts.find(sha256Hex(attemptId)));
      await stores.attempts.update({ ...attempt, cookieHash: sha256Hex(cookie) });
      return cookie;
    });
  }

  /** Changes nothing (security rule 6). Throws the refusals of the service API, and `attempt_expired`. */
  async visit(attemptId: string, rawToken: string, cookie: string | null): Promise<PopupVisit> {
    const { database, accessJwts, clock } = this.#deps;
    const token = await accessJwts.verify(rawToken);
    const attempt = this.#requireLive(await database.read.attempts.find(sha256Hex(attemptId)));
    const tenant = await database.read.tenants.findById(attempt.tenantId);
    if (tenant?.state !== "enabled") throw new AppError("attempt_expired");
    const settings = await database.read.settings.get(tenant.id);
    const { identity, service } = judgeToken(token, settings, clock, {
      purpose: "link",
      audience: null,
      serviceKey: null,
    });
    const obstacle = findLinkingObstacle(tenant, settings);
    if (obstacle) throw obstacle;
    if (attempt.identity && !isSamePerson(attempt.identity, identity)) throw new AppError("attempt_expired");
    const link = await database.read.links.findByIdentity(tenant.id, identity.issuer, identity.subject);
    return {
      attempt,
      tenant,
      identity,
      audience: service.audience,
      isTiedToOpener: cookie !== null && attempt.cookieHash === sha256Hex(cookie),
      otherLink: link && link.accountId !== attempt.accountId ? link : null,
    };
  }

  /** The click: binds the identity to the attempt and makes new codes, which replace any earlier ones. */
  async claim(visit: PopupVisit, wantsTypedCode: boolean): Promise<PopupCodes> {
    const code = visit.isTiedToOpener ? createSecret() : null;
    const typedCode = wantsTypedCode || !visit.isTiedToOpener ? createTypedCode() : null;
    await this.#deps.database.write(async (stores) => {
      const attempt = this.#requireLive(await stores.attempts.find(visit.attempt.idHash));
      if (attempt.identity && !isSamePerson(attempt.identity, visit.identity))
        throw new AppError("attempt_expired");
      await stores.attempts.update({
        ...attempt,
        identity: visit.identity,
        audience: visit.audience,
        codeHash: code === null ? null : sha256Hex(code),
        typedCodeHash: typedCode === null ? null : sha256Hex(typedCode),
      });
    });
    return { code, typedCode };
  }

  /** The holder of the Access identity takes it back from the account that it is linked to here. */
  async removeOtherLink(visit: PopupVisit, by: Initiator): Promise<void> {
    if (!visit.otherLink) return;
    await this.#deps.links.removeOfIdentity(visit.tenant.id, visit.otherLink.id, visit.identity, by);
  }

  /**
   * Writes the link. Throws ValidationError (field `code`) for a wrong code and `attempt_expired` after five of them, or
   * when the attempt is unknown, used or another account's.
   */
  async redeem(user: HostUser, attemptId: string, code: string, by: Initiator): Promise<WrittenLink> {
    const { database, audit, clock, links } = this.#deps;
    const { tenant, accountId } = user;
    const findOwn = async (attempts: LinkAttemptReader) => {
      const attempt = this.#requireLive(await attempts.find(sha256Hex(attemptId)));
      if (attempt.tenantId === tenant.id && attempt.accountId === accountId) return attempt;
      throw new AppError("attempt_expired");
    };
    await findOwn(database.read.attempts);
    const outcome = await database.write(async (stores) => {
      const attempt = await findOwn(stores.attempts);
      if (!isCodeOf(attempt, code) || !attempt.identity) {
        const wrongCodes = attempt.wrongCodes + 1;
        await stores.attempts.update({ ...attempt, wrongCodes });
        if (wrongCodes >= MAX_WRONG_CODES) {
          await audit.linkAttemptFailed(stores.audit, by, tenant.id, accountId);
        }
        return { refusal: ValidationError.of("code", "This is not the code that the window shows.") };
      }
      const settings = await stores.settings.get(tenant.id);
      const obstacle =
        findLinkingObstacle(tenant, settings) ?? findChange(attempt.identity, attempt.audience, settings);
      if (obstacle) throw obstacle;
      await stores.attempts.update({ ...attempt, usedAt: clock.now() });
      return { written: await links.writeProof(stores, user, attempt.identity, by) };
    });
    // Thrown out here, so that the count of wrong codes stays.
    if (outcome.refusal) throw outcome.refusal;
    links.forgetOwnerBefore(outcome.written);
    return outcome.written;
  }

  #requireLive(attempt: LinkAttempt | null): LinkAttempt {
    const now = this.#deps.clock.now();
    if (!attempt || attempt.usedAt || attempt.expiresAt <= now || attempt.wrongCodes >= MAX_WRONG_CODES) {
      throw new AppError("attempt_expired");
    }
    return attempt;
  }
}

function isSamePerson(one: AccessIdentity, other: AccessIdentity): boolean {
  return one.issuer === other.issuer && one.subject === other.subject;
}

function isCodeOf(attempt: LinkAttempt, code: string): boolean {
  // Typed codes are read aloud, copied with spaces, and written in lower case.
  const typed = code.replace(/[\s-]/g, "").toUpperCase();
  return sha256Hex(code) === attempt.codeHash || sha256Hex(typed) === attempt.typedCodeHash;
}
