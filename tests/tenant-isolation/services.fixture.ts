import { expect } from "vitest";

import { PERSON } from "./cast.fixture.js";
import {
  digestOf,
  isAsking,
  type AccessToken,
  type Caller,
  type KnownKey,
  type KnownTenant,
} from "./known.fixture.js";
import type { Run } from "./run.fixture.js";

/** What an admin sees and does of services, each held against the model. */

const MOST_KEYS = 2;

export async function makeKey(run: Run, caller: Caller, serviceId: string): Promise<void> {
  const reply = await run.stage.ask(caller, "POST", `/api/v1/services/${serviceId}/keys`);
  if (run.wasRefused("make key", reply, run.model.refuseAdmin(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const service = tenant.settings.services.find(({ id }) => id === serviceId);
  const isFull = tenant.keys.filter((key) => key.serviceId === serviceId).length === MOST_KEYS;
  const refusal = !service ? "not_found" : isFull ? "validation_failed" : null;
  if (run.wasRefused("make key", reply, refusal) || !service) return;
  const text = expect.any(String) as unknown;
  run.expectAnswer("make key", reply, 201, { id: text, key: text, hint: text, createdAt: text });
  const made = reply.body as Pick<KnownKey, "id" | "key" | "hint">;
  for (const mine of [made.id, made.key]) run.own(mine, tenant.name);
  const key = { ...made, tenant: tenant.name, serviceId };
  tenant.keys.push(key);
  run.model.everyKey.push(key);
  await run.stage.plantKeyElsewhere(serviceId, key.id);
  noteKey(run, reply, tenant, caller, "created", key);
}

export async function removeKey(run: Run, caller: Caller, serviceId: string, keyId: string): Promise<void> {
  const reply = await run.stage.ask(caller, "DELETE", `/api/v1/services/${serviceId}/keys/${keyId}`);
  if (run.wasRefused("remove key", reply, run.model.refuseAdmin(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const key = tenant.keys.find((each) => each.id === keyId && each.serviceId === serviceId);
  if (run.wasRefused("remove key", reply, key ? null : "not_found") || !key) return;
  run.expectAnswer("remove key", reply, 204);
  tenant.keys = tenant.keys.filter((each) => each !== key);
  noteKey(run, reply, tenant, caller, "removed", key);
}

function noteKey(
  run: Run,
  reply: Parameters<Run["note"]>[1],
  tenant: KnownTenant,
  caller: Caller,
  change: "created" | "removed",
  { id, hint, serviceId }: KnownKey,
): void {
  const label = tenant.settings.services.find((service) => service.id === serviceId)?.label;
  run.note(tenant, reply, {
    action: `service_key.${change}`,
    actor: { type: "user", accountId: PERSON[caller.person].accountId },
    target: { type: "service", id: serviceId },
    [change === "created" ? "after" : "before"]: { label, id, hint },
  });
}

/** A key that a service of the tenant would show. */
export function keyOf({ model }: Run, tenant: KnownTenant | undefined, token: AccessToken): string | null {
  const service = tenant && model.findMeant(token, tenant);
  return tenant?.keys.findLast(({ serviceId }) => serviceId === service?.id)?.key ?? null;
}

interface Use {
  readonly identified: number;
  readonly acted: number;
  readonly asserted: number;
  readonly people: number;
  readonly refusals: readonly { readonly code: string; readonly count: number }[];
}

/** What isn't stored yet isn't counted yet; when everything is, it is all that there was. */
export async function listServices(run: Run, caller: Caller, isAllStored = false): Promise<void> {
  const reply = await run.stage.ask(caller, "GET", "/api/v1/services");
  if (run.wasRefused("list services", reply, run.model.refuseAdmin(caller))) return;
  const tenant = run.model.get(caller.tenant);
  const text = expect.any(String) as unknown;
  const { services } = tenant.settings;
  run.expectAnswer("list services", reply, 200, {
    items: services.map((service) => ({
      serviceId: service.id,
      label: service.label,
      consents: !isAsking(service)
        ? 0
        : tenant.consents.filter(
            ({ serviceId, state, digest }) =>
              serviceId === service.id && state === "agreed" && digest === digestOf(service),
          ).length,
      keys: tenant.keys
        .filter(({ serviceId }) => serviceId === service.id)
        .map(({ id, hint }) => ({
          ...{ id, hint, createdAt: text },
          lastUsedAt: tenant.shownKeys.has(id) ? (expect.toBeOneOf([null, text]) as unknown) : null,
        })),
      use: expect.objectContaining({ days: 30 }) as unknown,
    })),
    nextCursor: null,
  });
  for (const { serviceId, use } of (reply.body as { items: { serviceId: string; use: Use }[] }).items) {
    expectUse(use, tenant, serviceId, isAllStored);
  }
}

function expectUse(use: Use, tenant: KnownTenant, serviceId: string, isAllStored: boolean): void {
  const known = tenant.uses.get(serviceId);
  const told = new Map([
    ...(["identified", "acted", "asserted"] as const).map((name) => [name, use[name]] as const),
    ...use.refusals.map(({ code, count }) => [code, count] as const),
  ]);
  for (const outcome of new Set([...told.keys(), ...(known?.outcomes.keys() ?? [])])) {
    expectCount(told.get(outcome) ?? 0, known?.outcomes.get(outcome) ?? 0, isAllStored, outcome);
  }
  expectCount(use.people, known?.people.size ?? 0, isAllStored, "people");
}

export function expectCount(told: number, known: number, isAllStored: boolean, what: string): void {
  if (isAllStored) expect(told, what).toBe(known);
  else expect(told, what).toBeLessThanOrEqual(known);
}
