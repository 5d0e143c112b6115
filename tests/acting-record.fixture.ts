import { expect, vi } from "vitest";

import { ADA, type Person } from "../sandbox/people.js";
import type { Activity } from "../src/gateway/member-sight.js";
import type { GatewayWorld } from "./gateway.fixture.js";

export interface AuditItem {
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly accountId: string };
  readonly target: { readonly type: string; readonly id: string };
  readonly before: null;
  readonly after: Readonly<Record<string, unknown>>;
  readonly ip: string;
  readonly reference: string;
}

export interface ServiceUse {
  readonly identified: number;
  readonly acted: number;
  readonly asserted: number;
  readonly people: number;
  readonly refusals: readonly { readonly code: string; readonly count: number; readonly lastAt: string }[];
  readonly lastUsedAt: string | null;
}

/** What the audit log tells an admin of acting calls, newest first. */
export async function listActed({ world }: GatewayWorld): Promise<readonly AuditItem[]> {
  const path = "/api/v1/audit?action=service.acted&limit=200";
  return ((await world.page(ADA).send("GET", path)).expect(200).body as { items: AuditItem[] }).items;
}

/** The one event of an answer or of whatever else had this reference. */
export async function findActed(scene: GatewayWorld, reference: unknown): Promise<AuditItem> {
  return vi.waitFor(async () => {
    const [event, ...others] = (await listActed(scene)).filter((each) => each.reference === reference);
    expect(others).toEqual([]);
    if (!event) throw new Error("There is no event yet.");
    return event;
  }, 5_000);
}

/** What an admin is shown of how a service is used. */
export async function readUse({ world }: GatewayWorld, label: string): Promise<ServiceUse> {
  const { body } = (await world.page(ADA).send("GET", "/api/v1/services")).expect(200);
  const { items } = body as { items: readonly { label: string; use: ServiceUse }[] };
  const { use } = items.find((each) => each.label === label) ?? {};
  if (!use) throw new Error(`There is no service called ${label}.`);
  return use;
}

/** How often calls of a service came to an outcome, by what the admin is shown. */
export async function countOutcome(scene: GatewayWorld, label: string, outcome: string): Promise<number> {
  const { identified, acted, refusals } = await readUse(scene, label);
  if (outcome === "identified") return identified;
  if (outcome === "acted") return acted;
  return refusals.find(({ code }) => code === outcome)?.count ?? 0;
}

/** A person's own calls, newest first, as the API tells them. */
export async function listActivity(
  { world }: GatewayWorld,
  person: Person,
  query = "",
): Promise<{ items: (Omit<Activity, "at"> & { at: string })[]; nextCursor: string | null }> {
  const reply = await world.page(person).send("GET", `/api/v1/me/activity${query}`);
  return reply.expect(200).body as Awaited<ReturnType<typeof listActivity>>;
}
