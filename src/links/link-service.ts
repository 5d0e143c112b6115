import type { AuditLog, Initiator } from "../audit/audit-log.js";
import { CLOCK_TOLERANCE_SECONDS, epochSeconds, type Clock } from "../clock.js";
import { AppError, NotFoundError } from "../errors.js";
import { createId } from "../identifiers.js";
import { findPause } from "../services/require-usable.js";
import type { SettingsReader } from "../services/settings-store.js";
import { findLinkService, type Settings } from "../services/settings.js";
import type { Database, Page, PageRequest, WriteStores } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import { findDoubt, requireNoDoubt } from "../tenants/tenant-doubt.js";
import type { TenantMemory } from "../tenants/tenant-memory.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";
import type { AccessIdentity, IdentityLink } from "./identity-link.js";
import { judgeToken } from "./judge-token.js";
import { isLapsed } from "./link-proof.js";
import type { AccessJwtVerification } from "./verified-access-jwt.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly accessJwts: AccessJwtVerification;
  readonly memory: Pick<TenantMemory, "forgetAccount">;
  readonly clock: Clock;
}

export interface WrittenLink {
  readonly link: IdentityLink;
  readonly isNew: boolean;
  /** Whose account it was linked to until now; null when nobody lost it. */
  readonly ownerBefore: string | null;
}

/** security rule 9: an Access JWT that links must have been issued just now. */
const MAX_LINKING_TOKEN_AGE_SECONDS = 600;
const UNDO_SECONDS = 600;
const NOTHING_TO_UNDO =
  "This can't be undone any more: ten minutes are over, or the person has linked or unlinked since.";

/** Says why people of a tenant can't link right now; null when they can. */
export function findLinkingObstacle(tenant: Tenant, settings: Settings): AppError | null {
  const doubt = findDoubt(tenant);
  if (doubt) return doubt;
  const service = findLinkService(settings);
  if (settings.teamDomain === null || !service) {
    return new AppError("purpose_not_allowed", "An admin hasn't set up linking yet.");
  }
  const linkingPause = service.paused
    ? new AppError("paused", "An admin has paused linking on this site.")
    : null;
  return findPause(settings) ?? linkingPause;
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
      const { identity } = judgeToken(token, settings, clock, {
        purpose: "link",
        audience: null,
        serviceKey: null,
      });
      const obstacle = findLinkingObstacle(tenant, settings);
      if (obstacle) throw obstacle;
      if (epochSeconds(clock) - token.issuedAt > MAX_LINKING_TOKEN_AGE_SECONDS) {
        throw new AppError("token_too_old", "To link, the Access JWT must be at most ten minutes old.");
      }
      return identity;
    };
    await judge(database.read.settings);
    const written = await database.write(async (stores) => {
      // One token links one account (security rule 9), whatever tenant it is shown to afterwards.
      const use = `linked ${tenant.id} ${accountId}`;
      const acceptedUntil = new Date((token.expiresAt + CLOCK_TOLERANCE_SECONDS) * 1000);
      const bound = await stores.tokens.bind(token.hash, use, acceptedUntil);
      if (bound.use !== use)
        throw new AppError("already_linked", "This Access JWT has already linked an account.");
      // Settings may have changed while this waited for its turn to write.
      return this.writeProof(stores, user, await judge(stores.settings), by);
    });
    this.forgetOwnerBefore(written);
    return written;
  }

  /**
   * Writes what was proved, inside the caller's transaction, after which `forgetOwnerBefore` is called. Throws
   * `already_linked`, without naming the other account, when the identity is proved to be somebody else's (security
   * rule 10).
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
      return { link, isNew: true, ownerBefore: null };
    }
    const now = clock.now();
    const hasLapsed = isLapsed(existing, now);
    if (existing.method === "proof") {
      if (existing.accountId !== accountId) throw new AppError("already_linked");
      if (existing.email === identity.email && !hasLapsed)
        return { link: existing, isNew: false, ownerBefore: null };
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
    const ownerBefore = existing.accountId === accountId ? null : existing.accountId;
    return { link, isNew: ownerBefore !== null, ownerBefore };
  }

  /** After the write: what is got to act as somebody while it goes on counts as got before. */
  forgetOwnerBefore({ link, ownerBefore }: WrittenLink): void {
    if (ownerBefore !== null) this.#deps.memory.forgetAccount(link.tenantId, ownerBefore);
  }

  /**
   * Its account's owner stands by what an admin or an e-mail had linked (security rule 12). A proof can only be proved
   * again. Throws `not_found`, and `consent_changed` when the link's e-mail isn't the one that was shown.
   */
  async confirm(
    { tenant, accountId }: HostUser,
    linkId: string,
    email: string,
    by: Initiator,
  ): Promise<IdentityLink> {
    const { database, audit, clock } = this.#deps;
    requireNoDoubt(tenant);
    return database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const link = await stores.links.findById(tenant.id, linkId);
      if (link?.accountId !== accountId) throw new NotFoundError("There is no such link.");
      if (link.email !== email) throw new AppError("consent_changed");
      const now = clock.now();
      const holds = link.confirmedAt !== null && !isLapsed(link, now);
      if (link.method === "proof" || holds) return link;
      const confirmed = { ...link, confirmedAt: now };
      await stores.links.update(tenant.id, confirmed);
      await audit.linkConfirmed(stores.audit, by, confirmed);
      return confirmed;
    });
  }

  /** Also when an admin was faster: then it can't be brought back any more. */
  async removeOwn({ tenant, accountId }: HostUser, linkId: string, by: Initiator): Promise<void> {
    requireNoDoubt(tenant);
    const isTheirs = (link: IdentityLink) => link.accountId === accountId;
    const removed = await this.#deps.database.write(async (stores) => {
      const link =
        (await this.#confirmRemoval(stores, tenant.id, linkId, by, isTheirs)) ??
        (await this.#remove(stores, tenant.id, linkId, by, isTheirs));
      await stores.removedLinks.deleteOfIdentity(tenant.id, link.issuer, link.subject);
      return link;
    });
    this.#forgetOwner(removed);
  }

  /** The holder of the Access identity takes it back from an account that it is linked to. */
  async removeOfIdentity(
    tenantId: string,
    linkId: string,
    identity: AccessIdentity,
    by: Initiator,
  ): Promise<void> {
    const removed = await this.#deps.database.write(async (stores) => {
      const isTheirs = (link: IdentityLink) =>
        link.issuer === identity.issuer && link.subject === identity.subject;
      await stores.removedLinks.deleteOfIdentity(tenantId, identity.issuer, identity.subject);
      return this.#remove(stores, tenantId, linkId, by, isTheirs);
    });
    this.#forgetOwner(removed);
  }

  /** Counts at once, and can be undone for ten minutes: it is easily the wrong row. */
  async removeAsAdmin(tenantId: string, linkId: string, by: Initiator): Promise<void> {
    const { database, clock } = this.#deps;
    const removed = await database.write(async (stores) => {
      const link = await this.#remove(stores, tenantId, linkId, by, () => true);
      const undoUntil = new Date(clock.now().getTime() + UNDO_SECONDS * 1000);
      await stores.removedLinks.insert(tenantId, link, undoUntil);
      return link;
    });
    this.#forgetOwner(removed);
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

  /** After the write, like `forgetOwnerBefore`. */
  #forgetOwner({ tenantId, accountId }: IdentityLink): void {
    this.#deps.memory.forgetAccount(tenantId, accountId);
  }
}
