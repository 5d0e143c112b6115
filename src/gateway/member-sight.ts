import { z } from "zod";

import type { AuditLog } from "../audit/audit-log.js";
import type { Clock } from "../clock.js";
import type { IdentityLink } from "../links/identity-link.js";
import { RateLimit } from "../rate-limit.js";
import type { PersonalUse } from "../services/service-use-store.js";
import type { ServiceUses } from "../services/service-uses.js";
import type { Settings } from "../services/settings.js";
import type { Database, Page, PageRequest } from "../stores.js";
import { requireCurrentTenant } from "../tenants/require-current-tenant.js";
import { findDoubt, requireNoDoubt } from "../tenants/tenant-doubt.js";
import type { HostUser } from "../tenants/tenant.js";

interface Dependencies {
  readonly database: Database;
  readonly serviceUses: ServiceUses;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/** What a person is told once: what has been linked to them, and which service has acted for them for the first time. */
export type News =
  | { readonly type: "linked"; readonly at: Date; readonly linkId: string; readonly email: string }
  | { readonly type: "acted"; readonly at: Date; readonly serviceId: string; readonly label: string };

/** One call that a service made as a person. */
export interface Activity extends z.output<typeof actedCall> {
  readonly at: Date;
  readonly serviceId: string;
}

const actedCall = z.object({
  label: z.string(),
  method: z.string(),
  path: z.string(),
  status: z.int().nullable(),
  milliseconds: z.int(),
  code: z.string().nullable(),
});

// Each is a write to the disk.
export const NEWS_MARKS = { calls: 120, perSeconds: 3600 };

/** What people see of what services do for them. Nothing while there is doubt who speaks for the tenant. */
export class MemberSight {
  readonly #deps: Dependencies;
  readonly #marks: RateLimit;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#marks = new RateLimit({ clock: deps.clock, ...NEWS_MARKS });
  }

  async listUses({ tenant, accountId }: HostUser): Promise<readonly PersonalUse[]> {
    return findDoubt(tenant) ? [] : this.#deps.serviceUses.listOfAccount(tenant.id, accountId);
  }

  /** Newest first. What came since `asOf`, before the first of it all was read, is told the next time: some of it is missing. */
  async listNews(
    { tenant, accountId }: HostUser,
    { services }: Settings,
    { links, uses }: { readonly links: readonly IdentityLink[]; readonly uses: readonly PersonalUse[] },
    asOf: Date,
  ): Promise<readonly News[]> {
    const seenUntil = await this.#deps.database.read.newsMarks.findSeenUntil(tenant.id, accountId);
    const news: News[] = [
      ...links.toReversed().map(({ id, email, linkedAt }) => {
        return { type: "linked" as const, at: linkedAt, linkId: id, email };
      }),
      ...uses.flatMap(({ serviceId, knownAt }) => {
        const service = services.find(({ id }) => id === serviceId);
        return service ? [{ type: "acted" as const, at: knownAt, serviceId, label: service.label }] : [];
      }),
    ];
    return news
      .filter(({ at }) => at <= asOf && (seenUntil === null || at > seenUntil))
      .sort((one, other) => other.at.getTime() - one.at.getTime());
  }

  /** The person has been told what there was until then. */
  async markSeen({ tenant, accountId }: HostUser, until: Date): Promise<void> {
    const { database, clock } = this.#deps;
    requireNoDoubt(tenant);
    const now = clock.now();
    // Nobody has been told what is yet to come.
    const seenUntil = until > now ? now : until;
    await database.write(async (stores) => {
      await requireCurrentTenant(stores.tenants, tenant);
      const before = await stores.newsMarks.findSeenUntil(tenant.id, accountId);
      if (before !== null && before >= seenUntil) return;
      this.#marks.consume(`${tenant.id} ${accountId}`);
      await stores.newsMarks.put(tenant.id, accountId, seenUntil);
    });
  }

  /** Newest first. */
  async listActivity({ tenant, accountId }: HostUser, page: PageRequest): Promise<Page<Activity>> {
    if (findDoubt(tenant)) return { items: [], nextCursor: null };
    const filter = { kind: null, action: "service.acted", actor: accountId, from: null, to: null };
    const { items, nextCursor } = await this.#deps.audit.list(tenant.id, filter, page);
    return {
      items: items.map(({ at, target, after }) => ({
        at,
        serviceId: target?.id ?? "",
        ...actedCall.parse(after),
      })),
      nextCursor,
    };
  }
}
