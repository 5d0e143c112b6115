import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import type { Logger } from "../logger.js";
import { RateLimit } from "../rate-limit.js";
import type { Database, WriteStores } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import type { Product, Tenant } from "../tenants/tenant.js";
import {
  endOfPrevious,
  findSigningKey,
  isNextDue,
  isPublished,
  latestToRenew,
  PUBLISHED_AHEAD_SECONDS,
  secondsAfter,
  type AssertionKey,
  type PublishedKey,
} from "./assertion-key.js";
import type { AssertionSigner } from "./assertion-signer.js";

interface Dependencies {
  readonly database: Database;
  readonly signer: AssertionSigner;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

// Each is audited for good.
export const KEY_ROTATIONS = { calls: 30, perSeconds: 3600 };

/** Each tenant's own keys (security rule 18): one that everybody shared would let any tenant speak for all others. */
export class AssertionKeys {
  readonly #database: Database;
  readonly #signer: AssertionSigner;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #rotations: RateLimit;

  constructor({ database, signer, audit, clock, logger }: Dependencies) {
    this.#database = database;
    this.#signer = signer;
    this.#audit = audit;
    this.#clock = clock;
    this.#logger = logger;
    this.#rotations = new RateLimit({ clock, ...KEY_ROTATIONS });
  }

  /** Makes the first key, and the next one in time. Throws `connect_jwt_invalid` for a tenant that is gone. */
  async getSigningKey(tenant: Tenant): Promise<AssertionKey> {
    const { assertionKeys } = this.#database.read;
    const now = this.#clock.now();
    const keys = await assertionKeys.list(tenant.id);
    const signing = findSigningKey(keys, now);
    const found = signing && !isNextDue(keys, now) ? await assertionKeys.find(tenant.id, signing.kid) : null;
    if (found) return found;
    // In the one writer: of all who come first at once, one makes the key.
    return this.#database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      return (await this.#renew(stores, tenant.id)) ?? this.#insert(stores, tenant.id, this.#clock.now());
    });
  }

  /** What anybody may know of the tenant that this site has proved; none where there is no such tenant. */
  async listPublished(site: string | null, product: Product): Promise<readonly PublishedKey[]> {
    const { tenants, assertionKeys } = this.#database.read;
    const now = this.#clock.now();
    const [tenant] = (await tenants.listEnabledOfSite(site ?? "", product)).filter(({ proven }) => proven);
    // As many queries for a site that nobody has heard of as for any other.
    const keys = await assertionKeys.list(tenant?.id ?? "");
    return keys.filter((key) => isPublished(key, now));
  }

  /**
   * At once: for whoever fears that a key is known to others. Whoever fetches the keys from now on refuses what the old ones
   * have signed; whoever has fetched them before believes it until they do so again (ADR 16).
   */
  async rotate(tenant: Tenant, by: Initiator): Promise<AssertionKey> {
    this.#rotations.consume(tenant.id);
    const key = await this.#database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      await stores.assertionKeys.deleteOfTenant(tenant.id);
      const made = await this.#insert(stores, tenant.id, this.#clock.now());
      await this.#audit.assertionKeysRotated(stores.audit, by, tenant, made.kid);
      return made;
    });
    await this.#database.overwriteDeleted();
    return key;
  }

  /** Also of tenants that nobody has asked for anything for long: their next key is to be known before it signs. */
  async renewDue(): Promise<void> {
    const due = await this.#database.read.assertionKeys.listTenantsToRenew(latestToRenew(this.#clock.now()));
    for (const tenantId of due) {
      await this.#database
        .write((stores) => this.#renew(stores, tenantId))
        .catch((error: unknown) =>
          this.#logger.warn({ err: error, tenant: tenantId }, "the next assertion key could not be made"),
        );
    }
  }

  /**
   * Whoever waited for the writer finds what another has made meanwhile; null when there is no key, as after an
   * uninstallation.
   */
  async #renew(stores: WriteStores, tenantId: string): Promise<AssertionKey | null> {
    const now = this.#clock.now();
    const keys = await stores.assertionKeys.list(tenantId);
    const signing = findSigningKey(keys, now);
    const current = signing && (await stores.assertionKeys.find(tenantId, signing.kid));
    if (current && isNextDue(keys, now)) {
      const signsFrom = secondsAfter(now, PUBLISHED_AHEAD_SECONDS);
      await stores.assertionKeys.expire(tenantId, endOfPrevious(signsFrom));
      await this.#insert(stores, tenantId, signsFrom);
    }
    return current;
  }

  async #insert(stores: WriteStores, tenantId: string, signsFrom: Date): Promise<AssertionKey> {
    const pair = await this.#signer.createKeyPair();
    const key: AssertionKey = { ...pair, createdAt: this.#clock.now(), signsFrom, expiresAt: null };
    await stores.assertionKeys.insert(tenantId, key);
    return key;
  }
}
