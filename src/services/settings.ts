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
  /** For how long Access' word that a session lasts counts (security rule 13); null when it isn't asked. */
  readonly liveCheckSeconds: number | null;
}

/** What a service sends along to show that it really is the service (security rule 17). */
export interface ServiceKey {
  readonly id: string;
  /** SHA-256 of the key, hex. */
  readonly hash: string;
  /** Its last characters, for an admin to tell it from another. */
  readonly hint: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** An AUD tag that an admin listed, with what it may be used for. */
export interface TrustedService {
  readonly id: string;
  readonly label: string;
  /** 64 hex characters, lower case. */
  readonly audience: string;
  readonly purposes: readonly Purpose[];
  readonly limits: ServiceLimits | null;
  readonly paused: boolean;
  /** Without any, whoever holds a person's token may call as the service. */
  readonly keys: readonly ServiceKey[];
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

/** A service as admins enter and read it: its keys have calls of their own. */
export type ListedService = Omit<TrustedService, "keys">;

export interface ListedSettings extends Omit<Settings, "services"> {
  readonly services: readonly ListedService[];
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

/** The services that people are asked about: those that may act for them, or that are told who looks at a page. */
export function listAskingServices(settings: Settings): TrustedService[] {
  return settings.services.filter(({ purposes }) => purposes.includes("act") || purposes.includes("assert"));
}

/** The document without the keys' hashes, which nobody needs to see. */
export function withoutKeys(settings: Settings): ListedSettings {
  return {
    ...settings,
    services: settings.services.map(({ id, label, audience, purposes, limits, paused }) => ({
      id,
      label,
      audience,
      purposes,
      limits,
      paused,
    })),
  };
}
