import { isIPv4 } from "node:net";

export interface HostAddress {
  /** Host in lower case, with its port if it has one. */
  readonly site: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
}

export interface AllowedHosts {
  /** `*.atlassian.net`: `*` stands for exactly one label. */
  readonly patterns: readonly string[];
  /** For development: also localhost, by http too. */
  readonly allowsLoopback: boolean;
}

/** The base URL that an install event names; null when it is no plain https URL of a host that may install. */
export function parseHostBaseUrl(
  text: string,
  { patterns, allowsLoopback }: AllowedHosts,
): HostAddress | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isPlain =
    url.username === "" && url.password === "" && url.search === "" && url.hash === "" && !/[\\%]/.test(text);
  // `/wiki` for Confluence; nothing that would have to be normalised when paths are put behind it.
  if (!isPlain || !/^(?:\/[A-Za-z0-9_-]+)*\/?$/.test(url.pathname)) return null;
  const isAllowed =
    (allowsLoopback && isLoopback(url.hostname) && /^https?:$/.test(url.protocol)) ||
    (url.protocol === "https:" &&
      url.port === "" &&
      patterns.some((pattern) => matchesHost(pattern, url.hostname)));
  return isAllowed ? { site: url.host, baseUrl: url.href.replace(/\/+$/, "") } : null;
}

/** `{site}` of the service API: any case; null when it can't be a host. */
export function parseSite(text: string): string | null {
  const site = text.toLowerCase();
  return /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/.test(site) && site.length <= 255
    ? site
    : null;
}

function matchesHost(pattern: string, host: string): boolean {
  const wanted = pattern.split(".");
  const labels = host.split(".");
  return (
    wanted.length === labels.length &&
    wanted.every((label, index) => (label === "*" ? labels[index] !== "" : label === labels[index]))
  );
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."))
  );
}
