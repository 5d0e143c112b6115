export type Purpose = "link" | "identify" | "act" | "assert";
export type Matching = "proof" | "email";

export interface RequestPattern {
  readonly methods: readonly string[];
  readonly path: string;
}

export interface ServiceLimits {
  readonly requests: readonly RequestPattern[];
  /** Null means DEFAULT_MAX_TOKEN_AGE_SECONDS. */
  readonly maxTokenAgeSeconds: number | null;
  readonly ipAddresses: readonly string[];
  readonly consent: "required" | "given";
}

/** An AUD tag that an admin listed, with what it may be used for. */
export interface TrustedService {
  readonly id: string;
  readonly label: string;
  /** 64 hex characters, lower case. */
  readonly audience: string;
  readonly purposes: readonly Purpose[];
  readonly limits: ServiceLimits | null;
}

export interface Settings {
  /** `acme.cloudflareaccess.com`, or null before an admin has entered one. */
  readonly teamDomain: string | null;
  readonly services: readonly TrustedService[];
  /** `acme.com`, `*.acme.com`; none means no restriction. */
  readonly allowedEmailDomains: readonly string[];
  readonly matching: Matching;
  readonly paused: boolean;
  readonly version: number;
}

/** Security rule 13: how old an Access JWT may be that a service acts with, unless an admin says otherwise. */
export const DEFAULT_MAX_TOKEN_AGE_SECONDS = 24 * 3600;

export const FRESH_SETTINGS: Settings = {
  teamDomain: null,
  services: [],
  allowedEmailDomains: [],
  matching: "proof",
  paused: false,
  version: 0,
};

/** The one service through which people link: the app's own Access application. */
export function findLinkService(settings: Settings): TrustedService | null {
  return settings.services.find(({ purposes }) => purposes.includes("link")) ?? null;
}

/** The services that may act for people, within their limits. */
export function listActingServices(settings: Settings): TrustedService[] {
  return settings.services.filter(({ purposes }) => purposes.includes("act"));
}
