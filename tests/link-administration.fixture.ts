import { randomUUID } from "node:crypto";

import { ADA } from "../sandbox/people.js";
import type { Product } from "../src/tenants/tenant.js";
import { storedTime } from "./linking-database.fixture.js";
import type { Scene } from "./linking-scene.fixture.js";

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface Link {
  readonly id: string;
  readonly accountId: string;
  readonly email: string;
  readonly linkedAt: string;
}

export interface AuditItem {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly accountId: string | null };
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly ip: string | null;
  readonly reference: string | null;
}

export const LINKS = "/api/v1/links";
export const AUDIT = "/api/v1/audit";

export async function askAsAdmin<T>(
  scene: Scene,
  path: string,
  query: Record<string, string | number> = {},
): Promise<Page<T>> {
  return (await scene.page(ADA).send("GET", pathOf(path, query))).expect(200).body as Page<T>;
}

export function pathOf(path: string, query: Record<string, string | number>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  return search.size > 0 ? `${path}?${search.toString()}` : path;
}

/** Every page from the first to the last; `between` runs after each. */
export async function walk<T>(
  scene: Scene,
  path: string,
  query: Record<string, string | number>,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<readonly (readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await askAsAdmin<T>(scene, path, cursor === null ? query : { ...query, cursor });
    pages.push(page.items);
    cursor = page.nextCursor;
    await between();
  } while (cursor !== null && pages.length < 100);
  return pages;
}

interface StoredLink {
  readonly email?: string;
  readonly accountId?: string;
  readonly linkedAt?: Date;
}

/** Links as they stand after months, without walking every person through the popup. */
export async function storeLinks(
  scene: Scene,
  links: readonly StoredLink[],
  product: Product = "jira",
): Promise<string[]> {
  const ids: string[] = [];
  for (const { email = "somebody@acme.example", accountId = "account", linkedAt = new Date() } of links) {
    const id = randomUUID();
    await scene.database.execute(
      `INSERT INTO links (id, tenant_id, issuer, subject, email, account_id, method, linked_at)
       SELECT ?, id, ?, ?, ?, ?, 'proof', ? FROM tenants WHERE site = ? AND product = ?`,
      [id, scene.world.team.issuer, id, email, accountId, storedTime(linkedAt), scene.site.host, product],
    );
    ids.push(id);
  }
  return ids;
}
