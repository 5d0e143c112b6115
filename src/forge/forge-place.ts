import { PRODUCTS, type Product } from "../tenants/tenant.js";
import { ForgeJwtInvalidError } from "./forge-jwt-errors.js";

/** One product of one site, by what stays the same over reinstalls. */
export interface ForgePlace {
  readonly cloudId: string;
  readonly product: Product;
  /** Where Atlassian's API has it, without a trailing slash: `https://api.atlassian.com/ex/jira/<cloudId>`. */
  readonly apiBaseUrl: string;
}

interface ClaimedContexts {
  readonly contexts: readonly {
    readonly name: string;
    readonly apiBaseUrl: string;
    readonly cloudId?: string | undefined;
  }[];
  readonly apiBaseUrl: string;
  readonly cloudId: string | undefined;
}

const CLOUD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Where an installation is. Tokens go to these URLs, so signed or not, each is exactly Atlassian's address of that
 * product of that site, and all that the claims say of sites agrees. Throws ForgeJwtInvalidError.
 */
export function readForgePlaces(claimed: ClaimedContexts, apiUrl: string): readonly ForgePlace[] {
  const contexts = claimed.contexts.flatMap((context) => {
    const product = PRODUCTS.find((name) => name === context.name);
    // Of products that the app knows nothing of.
    return product === undefined ? [] : [{ ...context, product }];
  });
  if (!claimed.contexts.some(({ apiBaseUrl }) => apiBaseUrl === claimed.apiBaseUrl))
    throw new ForgeJwtInvalidError("The apiBaseUrl is none of the installation's.");
  const places = contexts.map(({ product, apiBaseUrl, cloudId: claimedId }): ForgePlace => {
    const prefix = `${apiUrl}/ex/${product}/`;
    const cloudId = apiBaseUrl.startsWith(prefix) ? apiBaseUrl.slice(prefix.length) : "";
    if (!CLOUD_ID.test(cloudId)) throw new ForgeJwtInvalidError("An apiBaseUrl isn't Atlassian's.");
    if (claimedId !== undefined && claimedId !== cloudId)
      throw new ForgeJwtInvalidError("The token names two sites.");
    return { cloudId, product, apiBaseUrl };
  });
  const cloudIds = new Set([
    ...places.map(({ cloudId }) => cloudId),
    ...(claimed.cloudId === undefined ? [] : [claimed.cloudId]),
  ]);
  if (cloudIds.size !== 1) throw new ForgeJwtInvalidError("The token names no site, or two.");
  return places;
}
