import type { AppPage, NewService } from "../sandbox/app-page.js";
import type { ServiceLimits } from "../src/services/settings.js";
import { SERVICES } from "../sandbox/world.js";

/** How a person stands to a service, as `GET /api/v1/me` tells them. */
export interface Standing {
  readonly serviceId: string;
  readonly label: string;
  readonly purposes: readonly string[];
  readonly requests: ServiceLimits["requests"];
  readonly maxTokenAgeSeconds: number;
  readonly standing: string;
  readonly digest: string;
  readonly decidedAt: string | null;
}

interface Mine {
  readonly consents: readonly unknown[];
  readonly services: readonly Standing[];
}

const LIMITS: ServiceLimits = {
  requests: [{ methods: ["GET"], path: "/rest/api/3/issue/*" }],
  maxTokenAgeSeconds: null,
  ipAddresses: [],
  consent: "required",
  liveCheckSeconds: null,
};

/** The demo service, as an admin enters it who lets it read issues as its visitors. */
export const READER = {
  ...SERVICES[1],
  purposes: ["identify", "act"],
  limits: LIMITS,
} as const satisfies NewService;

export function reader(changes: Partial<ServiceLimits>): NewService {
  return { ...READER, limits: { ...LIMITS, ...changes } };
}

export async function readMine(page: AppPage): Promise<Mine> {
  return (await page.send("GET", "/api/v1/me")).expect(200).body as Mine;
}

/** Of the one service that acts. */
export async function readStanding(page: AppPage): Promise<Standing> {
  const [service, ...others] = (await readMine(page)).services;
  if (!service || others.length > 0) throw new Error("There is no one service that may act.");
  return service;
}

export function consentPath(serviceId: string): string {
  return `/api/v1/me/consents/${serviceId}`;
}

/** As the account page does it: to what it shows. */
export async function agree(page: AppPage): Promise<void> {
  const { serviceId, digest } = await readStanding(page);
  (await page.send("PUT", consentPath(serviceId), { digest })).expect(204);
}

export async function withdraw(page: AppPage): Promise<void> {
  const { serviceId } = await readStanding(page);
  (await page.send("DELETE", consentPath(serviceId))).expect(204);
}
