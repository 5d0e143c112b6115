import { AppError } from "../errors.js";
import { PRODUCT_PATHS } from "../tenants/site.js";
import type { Tenant } from "../tenants/tenant.js";
import type { ForgePlace } from "./forge-place.js";

/** A place with what the app may ask it by. */
export interface InstalledPlace extends ForgePlace {
  /** The app's own token there; null when there is none. It may have expired: nobody knows when the next one comes. */
  readonly systemToken: { readonly token: string; readonly expiresAt: Date } | null;
}

export interface InstalledPlaces {
  findPlace(tenantId: string): Promise<InstalledPlace | null>;
}

/** The product's base URL, as its tenant has it. */
export function createApiUrl({ apiBaseUrl, product }: ForgePlace): string {
  return `${apiBaseUrl}${PRODUCT_PATHS[product]}`;
}

/** Throws AppError `upstream_failed` when the tenant isn't there, or no longer. */
export async function getPlace(places: InstalledPlaces, tenant: Tenant): Promise<InstalledPlace> {
  const place = await places.findPlace(tenant.id);
  if (place === null || createApiUrl(place) !== tenant.baseUrl) {
    throw new AppError("upstream_failed", undefined, { reason: "The installation has changed meanwhile." });
  }
  return place;
}

/** The app's own token in a place, while it is good. */
export function findSystemToken({ systemToken }: InstalledPlace, now: Date): string | null {
  return systemToken !== null && systemToken.expiresAt > now ? systemToken.token : null;
}
