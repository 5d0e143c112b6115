import type { KnownTenant, KnownUse } from "./known.fixture.js";
import type { Outcome } from "./model.fixture.js";

/** How services are used, as the model counts it. */

export function useOf({ uses }: KnownTenant, serviceId: string): KnownUse {
  const use = uses.get(serviceId) ?? { outcomes: new Map<string, number>(), people: new Map() };
  uses.set(serviceId, use);
  return use;
}

export function countOutcome({ tenant, serviceId, outcome }: Outcome): void {
  const { outcomes } = useOf(tenant, serviceId);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** Of a service that was let in, whatever became of its call. */
export function noteShownKey({ keys, shownKeys }: KnownTenant, shown: string | null): void {
  const key = keys.find((each) => each.key === shown);
  if (key) shownKeys.add(key.id);
}

/** The service has done something as this person. */
export function countPerson(tenant: KnownTenant, serviceId: string, accountId: string): void {
  const { people } = useOf(tenant, serviceId);
  const use = people.get(accountId) ?? { calls: 0, knownAt: null };
  use.calls += 1;
  people.set(accountId, use);
}
