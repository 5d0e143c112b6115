import { z } from "zod";

import { isLoopbackHost } from "../ip-network.js";
import { parseTeamDomain } from "../team-domain.js";

export const port = z
  .string()
  .regex(/^\d{1,5}$/, "must be a port number from 0 to 65535.")
  .transform(Number)
  .refine((number) => number <= 65_535, "must be a port number from 0 to 65535.");

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const logLevel = z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}.`);

/**
 * A URL without credentials, query and fragment, kept without a trailing slash. With `needsHttps`, https alone, unless
 * `allowsLoopback` and the way doesn't leave this machine.
 */
export function plainUrl({ needsHttps, allowsLoopback }: { needsHttps: boolean; allowsLoopback: boolean }) {
  return z.string().transform((text, context) => {
    const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
    if (!url || !["http:", "https:"].includes(url.protocol)) {
      context.addIssue("must be a URL that starts with http:// or https://.");
    } else if (needsHttps && url.protocol !== "https:" && !(allowsLoopback && isLoopbackHost(url.hostname))) {
      context.addIssue("must be a URL that starts with https:// when NODE_ENV=production.");
    } else if (url.username || url.password || url.search || url.hash) {
      context.addIssue("must be a URL without user name, password, query and fragment.");
    } else if (url.port === "0") {
      context.addIssue("must be a URL with a real port; nothing can be reached at port 0.");
    } else {
      return url.href.replace(/\/+$/, "");
    }
    return z.NEVER;
  });
}

/** Express takes other characters of a path that things are mounted under for a pattern. */
export function hasPlainPath(url: string): boolean {
  return /^(?:\/[\w.~-]+)*\/?$/.test(new URL(url).pathname);
}
export const PLAIN_PATH_EXPLANATION =
  "may have a path of letters, digits, dots, hyphens, underscores and tildes only.";

/** `sqlite:<file>` → the file. */
export const sqliteUrl = z.string().transform((text, context) => {
  if (/^postgres(ql)?:/.test(text)) {
    context.addIssue("PostgreSQL can't be used yet; this version stores its data in sqlite:<file>.");
    return z.NEVER;
  }
  const file = /^sqlite:(?:\/\/(?=\/))?(?<file>.+)$/.exec(text)?.groups?.["file"];
  if (!file || file.includes(":memory:")) {
    context.addIssue("must be sqlite:<file>, for example sqlite:data/app.sqlite.");
    return z.NEVER;
  }
  return file;
});

export const appKey = z
  .string()
  // Connect's own rule for app keys, so that a typing error is found here and not at install time.
  .regex(/^[A-Za-z0-9._-]{1,64}$/, "may have letters, digits, dots, underscores and hyphens, 64 at most.");

export const hostPatterns = commaList(
  /^(?:\*|[a-z0-9-]+)(?:\.(?:\*|[a-z0-9-]+))+$/i,
  (pattern) => `"${pattern}" is not a host name such as *.atlassian.net.`,
);

export const encryptionKeys = z.string().transform((text, context) => {
  const keys = text.split(",").map((part) => part.trim());
  // The value itself is a secret: problems name its place in the list only.
  keys.forEach((key, index) => {
    if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(key) || Buffer.from(key, "base64").length !== 32) {
      context.addIssue(
        `key ${index + 1} of the list is not 32 bytes in base64 (make one: openssl rand -base64 32).`,
      );
    }
  });
  return keys.map((key) => Buffer.from(key, "base64"));
});

/** A secret: the problem doesn't repeat it. */
export const metricsToken = z.string().regex(/^\S+$/, "must not contain spaces.");

export const originOverrides = z.string().transform((text, context) => {
  const overrides = new Map<string, string>();
  for (const part of text.split(",").map((piece) => piece.trim())) {
    const [domain = "", ...rest] = part.split("=");
    const teamDomain = parseTeamDomain(domain);
    const origin = URL.canParse(rest.join("=")) ? new URL(rest.join("=")) : null;
    if (teamDomain === null || !/^https?:/.test(origin?.protocol ?? "")) {
      context.addIssue(`"${part}" is not of the form acme.cloudflareaccess.com=http://127.0.0.1:4001.`);
    } else if (origin) {
      overrides.set(teamDomain, origin.origin);
    }
  }
  return overrides;
});

const FORGE_ENVIRONMENTS = ["PRODUCTION", "STAGING", "DEVELOPMENT"] as const;
export type ForgeEnvironment = (typeof FORGE_ENVIRONMENTS)[number];
export const forgeEnvironment = z.enum(
  FORGE_ENVIRONMENTS,
  `must be one of ${FORGE_ENVIRONMENTS.join(", ")}.`,
);

const APP_ARI = "ari:cloud:ecosystem::app/";

/** As the manifests have them, or the UUIDs alone. */
export const forgeAppIds = commaList(
  /^(?:ari:cloud:ecosystem::app\/)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  (id) => `"${id}" is not the id of a Forge app: ${APP_ARI}<UUID>.`,
).transform((ids): readonly [string, ...string[]] => {
  const [first = "", ...others] = ids.map((id) => (id.startsWith(APP_ARI) ? id : APP_ARI + id));
  return [first, ...others];
});

/** A URL with a place for something that comes later. */
export function urlTemplate(place: string, url: z.ZodType<string, string>) {
  return z.string().transform((text, context) => {
    const [before = "", after, ...others] = text.split(place);
    const isUsable =
      after !== undefined && others.length === 0 && !/[{}]/.test(before + after) && before.includes("//");
    const parsed = url.safeParse(`${before}x${after ?? ""}`);
    if (isUsable && parsed.success) return text.trim();
    context.addIssue(`must be a URL that has ${place} once, in its host or path, and no query.`);
    return z.NEVER;
  });
}

function commaList(item: RegExp, explain: (item: string) => string) {
  return z.string().transform((text, context) => {
    const items = text.split(",").map((part) => part.trim().toLowerCase());
    for (const unusable of items.filter((candidate) => !item.test(candidate)))
      context.addIssue(explain(unusable));
    return items;
  });
}
