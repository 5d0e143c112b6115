export type Product = "jira" | "confluence";

export const PRODUCTS: readonly Product[] = ["jira", "confluence"];

/** Where Atlassian lets the app in. */
export type Door = "connect" | "forge";

/** One installation of the app, in one product of one site. */
export interface Tenant {
  readonly id: string;
  readonly product: Product;
  /** Only doors.ts and the outside worlds look at it: what the app does is the same through both. */
  readonly door: Door;
  /** Host of the Atlassian site in lower case, with its port if it has one: `acme.atlassian.net`. */
  readonly site: string;
  /** Where the product's REST API is reached, without a trailing slash: `https://acme.atlassian.net/wiki`. */
  readonly baseUrl: string;
  readonly state: "enabled" | "disabled" | "uninstalled";
  /** Grows whenever the shared secret or the base URL changes: what was learnt under another generation is void. */
  readonly generation: number;
  /** Whether the host itself has accepted the current base URL and secret in a call that we made (security rule 4). */
  readonly proven: boolean;
  /** The app moved to another host and no call has proved it there yet: settings and links don't count. */
  readonly suspended: boolean;
}

/** Who looks at a page of the app in Jira or Confluence, as the product vouched for in a signed token. */
export interface HostUser {
  readonly tenant: Tenant;
  readonly accountId: string;
}
