import { z } from "zod";

import type { Env } from "./env.js";
import { withoutEmpty } from "./env.js";
import { parseTrustProxy, type TrustProxy } from "./trust-proxy.js";
import * as values from "./values.js";

export interface Config {
  readonly isProduction: boolean;
  readonly port: number;
  readonly host: string;
  /** The app's public URL without a trailing slash: base of the descriptor, audience of install tokens. */
  readonly baseUrl: string;
  /** The path of `baseUrl`, under which everything is mounted: empty, or `/app`. */
  readonly basePath: string;
  /** File of the SQLite database. */
  readonly databaseFile: string;
  readonly connectAppKey: string;
  /** Host patterns that may install: `*.atlassian.net`, `*` standing for one label. */
  readonly connectHosts: readonly string[];
  readonly connectKeysUrls: readonly string[];
  readonly atlassianOauthUrl: string;
  readonly atlassianApiUrl: string;
  readonly connectAllJsUrl: string;
  /** Null when the app isn't deployed to Forge. */
  readonly forge: ForgeConfig | null;
  /** Team domain → origin at which it is reached instead; empty in production. */
  readonly accessOriginOverrides: ReadonlyMap<string, string>;
  readonly trustProxy: TrustProxy;
  readonly logLevel: values.LogLevel;
}

export interface ForgeConfig {
  /** ARIs of the apps that are deployed to Forge with this one as their back end. */
  readonly appIds: readonly [string, ...string[]];
  /** The one environment whose deployments count. */
  readonly environment: values.ForgeEnvironment;
  readonly keysUrl: string;
  /** With `{IC_LABEL}` once; null when no isolated cloud may use the app. */
  readonly isolatedKeysUrl: string | null;
}

export interface Secrets {
  /** Newest first, 32 bytes each; null when they are to be kept in a file beside the SQLite database. */
  readonly encryptionKeys: readonly Buffer[] | null;
  readonly metricsToken: string | null;
}

/** The environment can't be used. One sentence per problem, each naming its variable. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

function createSchema(isProduction: boolean) {
  const publicUrl = values.plainUrl({ needsHttps: isProduction, allowsLoopback: false });
  const plainUrl = values.plainUrl({ needsHttps: isProduction, allowsLoopback: true });
  return z.object({
    PORT: values.port.default(3000),
    HOST: z.string().default("0.0.0.0"),
    BASE_URL: publicUrl.refine(values.hasPlainPath, values.PLAIN_PATH_EXPLANATION).optional(),
    DATABASE_URL: values.sqliteUrl.default("data/app.sqlite"),
    ENCRYPTION_KEYS: values.encryptionKeys.optional(),
    CONNECT_APP_KEY: values.appKey.default("access-for-atlassian-cloud"),
    CONNECT_HOSTS: values.hostPatterns.default(["*.atlassian.net", "*.jira.com"]),
    CONNECT_KEYS_CDN_URL: plainUrl.optional(),
    ATLASSIAN_OAUTH_URL: plainUrl.default("https://oauth-2-authorization-server.services.atlassian.com"),
    ATLASSIAN_API_URL: plainUrl.default("https://api.atlassian.com"),
    CONNECT_ALL_JS_URL: plainUrl.default("https://connect-cdn.atl-paas.net/all.js"),
    FORGE_APP_ID: values.forgeAppIds.optional(),
    FORGE_ENVIRONMENT: values.forgeEnvironment.default("PRODUCTION"),
    FORGE_KEYS_URL: plainUrl.default("https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json"),
    FORGE_ISOLATED_KEYS_URL: values.urlTemplate("{IC_LABEL}", plainUrl).optional(),
    ACCESS_ORIGIN_OVERRIDES: values.originOverrides.default(new Map()),
    TRUST_PROXY: z.string().default("0").transform(parseTrustProxy),
    METRICS_TOKEN: values.metricsToken.optional(),
    LOG_LEVEL: values.logLevel.default("info"),
  });
}

// facts: ACE asks the first and falls back to the second since 11.5.0.
export const ATLASSIAN_INSTALL_KEYS_URLS = [
  "https://asap-distribution.us-west-2.prod.atl-asap.net",
  "https://connect-install-keys.atlassian.com",
];

const NO_PUBLIC_URL = "BASE_URL: must be set when PORT is 0: which port it will be isn't known before.";

/** Throws ConfigError. Touches nothing but its argument. */
export function parseConfig(rawEnv: Env): { config: Config; secrets: Secrets } {
  const env = withoutEmpty(rawEnv);
  const isProduction = env["NODE_ENV"] === "production";
  const parsed = createSchema(isProduction).safeParse(env);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])}: ${issue.message}`),
    ...(parsed.data?.PORT === 0 && !parsed.data.BASE_URL ? [NO_PUBLIC_URL] : []),
    ...(isProduction ? findProductionProblems(env) : []),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const variables = parsed.data;
  const baseUrl = variables.BASE_URL ?? `http://localhost:${variables.PORT}`;
  return {
    config: {
      isProduction,
      port: variables.PORT,
      host: variables.HOST,
      baseUrl,
      basePath: new URL(baseUrl).pathname.replace(/\/$/, ""),
      databaseFile: variables.DATABASE_URL,
      connectAppKey: variables.CONNECT_APP_KEY,
      connectHosts: variables.CONNECT_HOSTS,
      connectKeysUrls: variables.CONNECT_KEYS_CDN_URL
        ? [variables.CONNECT_KEYS_CDN_URL]
        : ATLASSIAN_INSTALL_KEYS_URLS,
      atlassianOauthUrl: variables.ATLASSIAN_OAUTH_URL,
      atlassianApiUrl: variables.ATLASSIAN_API_URL,
      connectAllJsUrl: variables.CONNECT_ALL_JS_URL,
      forge: variables.FORGE_APP_ID
        ? {
            appIds: variables.FORGE_APP_ID,
            environment: variables.FORGE_ENVIRONMENT,
            keysUrl: variables.FORGE_KEYS_URL,
            isolatedKeysUrl: variables.FORGE_ISOLATED_KEYS_URL ?? null,
          }
        : null,
      accessOriginOverrides: variables.ACCESS_ORIGIN_OVERRIDES,
      trustProxy: variables.TRUST_PROXY,
      logLevel: variables.LOG_LEVEL,
    },
    secrets: {
      encryptionKeys: variables.ENCRYPTION_KEYS ?? null,
      metricsToken: variables.METRICS_TOKEN ?? null,
    },
  };
}

function findProductionProblems(env: Env): string[] {
  const problems: string[] = [];
  if (!env["BASE_URL"]) {
    problems.push("BASE_URL: must be the app's public https:// URL when NODE_ENV=production.");
  }
  if (env["ACCESS_ORIGIN_OVERRIDES"]) {
    problems.push(
      "ACCESS_ORIGIN_OVERRIDES: is for development and tests; remove it when NODE_ENV=production.",
    );
  }
  // facts: AC_OPTS=no-auth switches ACE's authentication off, AC_LOCAL_BASE_URL and AC_APP_KEY beat its options.
  for (const name of Object.keys(env).filter((key) => key.startsWith("AC_"))) {
    problems.push(
      `${name}: variables of atlassian-connect-express are not obeyed here; remove it when NODE_ENV=production.`,
    );
  }
  return problems;
}
