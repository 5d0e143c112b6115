import type { AuditLog, Initiator } from "../audit/audit-log.js";
import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import { AppError, NotFoundError } from "../errors.js";
import { createId } from "../identifiers.js";
import type { SettingsReader } from "../services/settings-store.js";
import { findLinkService, type Settings } from "../services/settings.js";
import type { Database, Page, PageRequest, WriteStores } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";
import type { AccessIdentity, IdentityLink } from "./identity-link.js";
import { judgeToken } from "./judge-token.js";
import { isLapsed } from "./link-proof.js";
import type { AccessJwtVerification } from "./verified-access-jwt.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly accessJwts: AccessJwtVerification;
  readonly clock: Clock;
}

export interface WrittenLink {
  readonly link: IdentityLink;
  readonly isNew: boolean;
}

/** security rule 9: an Access JWT that links must have been issued just now. */
const MAX_LINKING_TOKEN_AGE_SECONDS = 600;
const UNDO_SECONDS = 600;
const NOTHING_TO_UNDO =
  "This can't be undone any more: ten minutes are over, or the person has linked or unlinked since.";

/** Says why people of a tenant can't link right now; null when they can. */
export function findLinkingObstacle(tenant: Tenant, settings: Settings): AppError | null {
  if (settings.teamDomain === null || !findLinkService(settings)) {
    return new AppError("purpose_not_allowed", "An admin hasn't set up linking yet.");
  }
  if (settings.paused) return new AppError("paused", "An admin has paused the app on this site.");
  return findDoubt(tenant);
}

/**
 * Security rule 4: an install event's secret is unsigned. Until its host has accepted it, whoever has sent another one
 * in it could speak for every account: link as them, see what they have linked, and take it away.
 */
export function findDoubt(tenant: Tenant): AppError | null {
  if (tenant.proven) return null;
  return new AppError(
    "paused",
    tenant.suspended
      ? "The app has moved to another host name; an admin must open its page there once."
      : "This site hasn't confirmed the app's new installation yet. Try again in a minute, or ask an admin to open the app's page.",
  );
}

export class LinkService {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** None while there is doubt who speaks for the tenant. */
  async listOfAccount({ tenant, accountId }: HostUser): Promise<IdentityLink[]> {
    return findDoubt(tenant) ? [] : this.#deps.database.read.links.listOfAccount(tenant.id, accountId);
  }

  async list(tenantId: string, query: string, page: PageRequest): Promise<Page<IdentityLink>> {
    return this.#deps.database.read.links.list(tenantId, query, page);
  }

  /** For a front end that holds both proofs: the account's context JWT and the person's Access JWT. */
  async linkWithToken(user: HostUser, rawToken: string, by: Initiator): Promise<WrittenLink> {
    const { database, accessJwts, clock } = this.#deps;
    const { tenant, accountId } = user;
    const token = await accessJwts.verify(rawToken);
    const judge = async (reader: SettingsReader): Promise<AccessIdentity> => {
      const settings = await reader.get(tenant.id);
      const { identity } = judgeToken(token, settings, clock, { purpose: "link", audience: null });
      const obstacle = findLinkingObstacle(tenant, settings);
      if (obstacle) throw obstacle;
      if (epochSeconds(clock) - token.issuedAt > MAX_LINKING_TOKEN_AGE_SECONDS) {
        throw new AppError("token_too_old", "To link, the Access JWT must be at most ten minutes old.");
      }
      return identity;
    };
    await judge(database.read.settings);
    return database.write(async (stores) => {
      // One token links one account (security rule 9), whatever tenant it is shown to afterwards.
      const use = `linked ${tenant.id} ${accountId}`;
      const acceptedUntil = new Date((token.expiresAt + CLOCK_TOLERANCE_SECONDS) * 1000);
      const bound = await stores.tokens.bind(token.hash, use, acceptedUntil);
      if (bound.use !== use)
        throw new AppError("already_linked", "This Access JWT has already linked an account.");
      // Settings may have changed while this waited for its turn to write.
      return this.writeProof(stores, user, await judge(stores.settings), by);
    });
  }

  /**
   * Writes what was proved, inside the caller's transaction. Throws `already_linked`, without naming the other account,
   * when the identity is proved to be somebody else's (security rule 10).
   */
  async writeProof(
    stores: WriteStores,
    { tenant, accountId }: HostUser,
    identity: AccessIdentity,
    by: Initiator,
  ): Promise<WrittenLink> {
    const { audit, clock } = this.#deps;
    await requireCurrentTenant(stores.tenants, tenant);
    await stores.removedLinks.deleteOfIdentity(tenant.id, identity.issuer, identity.subject);
    const existing = await stores.links.findByIdentity(tenant.id, identity.issuer, identity.subject);
    if (!existing) {
      const link: IdentityLink = {
        ...identity,
        id: createId(),
        tenantId: tenant.id,
        accountId,
        method: "proof",
        linkedAt: clock.now(),
        lastUsedAt: null,
        confirmedAt: null,
      };
      await stores.links.insert(tenant.id, link);
      await audit.linkCreated(stores.audit, by, link);
      return { link, isNew: true };
    }
    const now = clock.now();
    const hasLapsed = isLapsed(existing, now);
    if (existing.method === "proof") {
      if (existing.accountId !== accountId) throw new AppError("already_linked");
      if (existing.email === identity.email && !hasLapsed) return { link: existing, isNew: false };
    }
    // A proof replaces what an admin or an e-mail had linked, and renews the label of an older proof; and that proof
    // itself, when it no longer counts (security rule 12).
    const linkedAt = existing.method === "proof" && !hasLapsed ? existing.linkedAt : now;
    const link: IdentityLink = {
      ...existing,
      ...identity,
      accountId,
      method: "proof",
      linkedAt,
      confirmedAt: null,
    };
    await stores.links.update(tenant.id, link);
    await audit.linkReplaced(stores.audit, by, existing, link);
    return { link, isNew: existing.accountId !== accountId };
  }

  /** Also when an admin was faster: then it can't be brought back any more. */
  async removeOwn({ tenant, accountId }: HostUser, linkId: string, by: Initiator): Promise<void> {
    const doubt = findDoubt(tenant);
    if (doubt) throw doubt;
    const isTheirs = (link: IdentityLink) => link.accountId === accountId;
    await this.#deps.database.write(async (stores) => {
      const link =
        (await this.#confirmRemoval(stores, tenant.id, linkId, by, isTheirs)) ??
        (await this.#remove(stores, tenant.id, linkId, by, isTheirs));
      await stores.removedLinks.deleteOfIdentity(tenant.id, link.issuer, link.subject);
    });
  }

  /** The holder of the Access identity takes it back from an account that it is linked to. */
  async removeOfIdentity(
    tenantId: string,
    linkId: string,
    identity: AccessIdentity,
    by: Initiator,
  ): Promise<void> {
    await this.#deps.database.write(async (stores) => {
      const isTheirs = (link: IdentityLink) =>
        link.issuer === identity.issuer && link.subject === identity.subject;
      await this.#remove(stores, tenantId, linkId, by, isTheirs);
      await stores.removedLinks.deleteOfIdentity(tenantId, identity.issuer, identity.subject);
    });
  }

  /** Counts at once, and can be undone for ten minutes: it is easily the wrong row. */
  async removeAsAdmin(tenantId: string, linkId: string, by: Initiator): Promise<void> {
    const { database, clock } = this.#deps;
    await database.write(async (stores) => {
      const link = await this.#remove(stores, tenantId, linkId, by, () => true);
      const undoUntil = new Date(clock.now().getTime() + UNDO_SECONDS * 1000);
      await stores.removedLinks.insert(tenantId, link, undoUntil);
    });
  }

  /**
   * Undoes what an admin removed, unless its people have decided anything about this identity since: linked it again,
   * or unlinked it. Throws `not_found` then, or when it is too late.
   */
  async restore(tenant: Tenant, linkId: string, by: Initiator): Promise<IdentityLink> {
    const { database, audit, clock } = this.#deps;
    return database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const link = await stores.removedLinks.take(tenant.id, linkId, clock.now());
      if (!link) throw new NotFoundError(NOTHING_TO_UNDO);
      await stores.links.insert(tenant.id, link);
      await audit.linkRestored(stores.audit, by, link);
      return link;
    });
  }

  /** What an admin has removed already, its owner removes for good; null when there is no such removal. */
  async #confirmRemoval(
    stores: WriteStores,
    tenantId: string,
    linkId: string,
    by: Initiator,
    isTheirs: (link: IdentityLink) => boolean,
  ): Promise<IdentityLink | null> {
    const removed = await stores.removedLinks.find(tenantId, linkId);
    if (!removed || !isTheirs(removed)) return null;
    await this.#deps.audit.linkRemoved(stores.audit, by, removed);
    return removed;
  }

  async #remove(
    stores: WriteStores,
    tenantId: string,
    linkId: string,
    by: Initiator,
    isTheirs: (link: IdentityLink) => boolean,
  ): Promise<IdentityLink> {
    const link = await stores.links.findById(tenantId, linkId);
    if (!link || !isTheirs(link)) throw new NotFoundError("There is no such link.");
    await stores.links.delete(tenantId, linkId);
    await this.#deps.audit.linkRemoved(stores.audit, by, link);
    return link;
  }
}
