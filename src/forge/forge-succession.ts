import type { AuditLog, Initiator } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import { AppError } from "../errors.js";
import type { Database, ReadStores, WriteStores } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import { noPredecessor, type Predecessor, type Succession } from "../tenants/succession.js";
import type { HostUser, Tenant } from "../tenants/tenant.js";

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** Asked through the predecessor's own door. */
  readonly isAdminThere: (predecessor: Tenant, accountId: string) => Promise<boolean>;
  /** Whether the site is the tenant's own by now. */
  readonly prove: (tenant: Tenant) => Promise<boolean>;
}

/**
 * From Connect to Forge: the installation of the second door gets the tenant that the site's services, links and
 * consents belong to. That tenant stays what it is, but for the door that it is reached through.
 */
export class ForgeSuccession implements Succession {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #isAdminThere: Dependencies["isAdminThere"];
  readonly #prove: Dependencies["prove"];

  constructor({ database, audit, clock, isAdminThere, prove }: Dependencies) {
    this.#database = database;
    this.#audit = audit;
    this.#clock = clock;
    this.#isAdminThere = isAdminThere;
    this.#prove = prove;
  }

  async findPredecessor({ tenant, accountId }: HostUser): Promise<Predecessor | null> {
    // One that its own product has forgotten meanwhile is nobody's predecessor, and couldn't be asked either.
    if (await this.#prove(tenant)) return null;
    const { read } = this.#database;
    const predecessor = await findPredecessorOf(read, tenant);
    if (!predecessor || !(await this.#isAdminThere(predecessor, accountId))) return null;
    const [installedAt, settings, links] = await Promise.all([
      read.tenants.findCreationTime(predecessor.id),
      read.settings.get(predecessor.id),
      read.links.count(predecessor.id),
    ]);
    return installedAt && { installedAt, services: settings.services.length, links };
  }

  async takeOver({ tenant, accountId }: HostUser, version: number, by: Initiator): Promise<Tenant> {
    const seen = await findPredecessorOf(this.#database.read, tenant);
    if (!seen) throw noPredecessor();
    if (!(await this.#isAdminThere(seen, accountId))) {
      throw new AppError(
        "not_admin",
        "You must be an admin in the eyes of the other installation, too. It says that you are none.",
      );
    }
    const successor = await this.#database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const predecessor = await findPredecessorOf(stores, tenant);
      // Another one, or with another secret: nobody has asked that one who its admins are.
      if (predecessor?.id !== seen.id || predecessor.generation !== seen.generation) throw noPredecessor();
      return this.#merge(stores, { tenant, predecessor, version, by });
    });
    // The secret.
    await this.#database.overwriteDeleted();
    return successor;
  }

  async #merge(stores: WriteStores, { tenant, predecessor, version, by }: Merger): Promise<Tenant> {
    const dropped = await stores.settings.get(tenant.id);
    if (dropped.version !== version) throw new AppError("version_conflict");
    const installation = await stores.forgeInstallations.findByTenant(tenant.id);
    if (!installation) throw new Error("A tenant of this door has an installation.");
    const successor: Tenant = {
      ...predecessor,
      door: tenant.door,
      baseUrl: tenant.baseUrl,
      // What was learnt through the other door is void.
      generation: predecessor.generation + 1,
    };
    const at = this.#clock.now();
    const services = (await stores.settings.get(predecessor.id)).services.length;
    const links = await stores.links.count(predecessor.id);
    await stores.forgeInstallations.update({ ...installation, tenantId: successor.id }, at);
    await stores.audit.moveAll(tenant.id, successor.id);
    await stores.tenants.delete(tenant.id);
    await stores.tenants.changeDoor(successor, at);
    await this.#audit.settingsTakenOver(stores.audit, by, {
      ...{ before: predecessor, after: successor, services, links },
      dropped: { tenantId: tenant.id, settings: dropped },
    });
    return successor;
  }
}

interface Merger {
  readonly tenant: Tenant;
  readonly predecessor: Tenant;
  readonly version: number;
  readonly by: Initiator;
}

/** There is one proven tenant of a product of a site at most. */
async function findPredecessorOf(
  { tenants, links }: Pick<ReadStores, "tenants" | "links">,
  { id, site, product, door }: Tenant,
): Promise<Tenant | null> {
  const others = await tenants.listEnabledOfSite(site, product);
  const predecessor = others.find((other) => other.proven && other.door !== door) ?? null;
  // People who have linked here, while the site was this one's, would lose that without being told.
  return predecessor && (await links.count(id)) === 0 ? predecessor : null;
}
