import { describe, expect, it } from "vitest";

import { ConfigError, parseConfig } from "./config.js";
import type { Env } from "./env.js";

const APP_UUID = "5f0c7a52-2b0e-4c1f-9d0a-6d3c2f1b7e90";
const KEY = Buffer.alloc(32, 7).toString("base64");

function findProblems(env: Env): readonly string[] {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("parseConfig", () => {
  it("needs nothing to start on a laptop", () => {
    expect(parseConfig({}).config).toMatchObject({
      isProduction: false,
      port: 3000,
      host: "0.0.0.0",
      baseUrl: "http://localhost:3000",
      basePath: "",
      databaseFile: "data/app.sqlite",
      connectAppKey: "access-for-atlassian-cloud",
      connectHosts: ["*.atlassian.net", "*.jira.com"],
      trustProxy: { kind: "hops", hops: 0 },
      logLevel: "info",
    });
  });

  it("counts an empty value as unset", () => {
    expect(parseConfig({ PORT: "", BASE_URL: " " }).config.baseUrl).toBe("http://localhost:3000");
  });

  it("mounts everything under the path of the public URL", () => {
    const { config } = parseConfig({ BASE_URL: "https://tools.acme.example/jira-access/" });
    expect(config).toMatchObject({
      baseUrl: "https://tools.acme.example/jira-access",
      basePath: "/jira-access",
    });
  });

  it("keeps secrets apart from the configuration", () => {
    const { config, secrets } = parseConfig({ ENCRYPTION_KEYS: KEY, METRICS_TOKEN: "hush" });
    expect(secrets.encryptionKeys).toEqual([Buffer.alloc(32, 7)]);
    expect(secrets.metricsToken).toBe("hush");
    expect(JSON.stringify(config)).not.toMatch(/hush|ENCRYPTION/);
  });

  it.each([
    ["PORT", "80a"],
    ["PORT", "65536"],
    ["BASE_URL", "tools.acme.example"],
    ["BASE_URL", "https://user:pass@acme.example"],
    ["BASE_URL", "https://acme.example/?x"],
    ["BASE_URL", "http://localhost:0"],
    ["BASE_URL", "https://acme.example/app:1"],
    ["BASE_URL", "https://acme.example/(app"],
    ["BASE_URL", "https://acme.example/a//b"],
    ["DATABASE_URL", "mysql://acme"],
    ["DATABASE_URL", "postgres://acme"],
    ["DATABASE_URL", "sqlite::memory:"],
    ["DATABASE_URL", "sqlite:"],
    ["ENCRYPTION_KEYS", "short"],
    ["ENCRYPTION_KEYS", `${KEY},`],
    ["CONNECT_APP_KEY", "no spaces"],
    ["CONNECT_HOSTS", "*.atlassian.net,*"],
    ["CONNECT_HOSTS", "https://acme.atlassian.net"],
    ["CONNECT_KEYS_CDN_URL", "nowhere"],
    ["FORGE_APP_ID", "access"],
    ["FORGE_APP_ID", "ari:cloud:ecosystem::app/access"],
    ["FORGE_APP_ID", `${APP_UUID},`],
    ["FORGE_ENVIRONMENT", "production"],
    ["FORGE_KEYS_URL", "nowhere"],
    ["FORGE_ISOLATED_KEYS_URL", "https://keys.example/jwks.json"],
    ["FORGE_ISOLATED_KEYS_URL", "https://{IC_LABEL}.example/{IC_LABEL}"],
    ["FORGE_ISOLATED_KEYS_URL", "https://keys.example/?cloud={IC_LABEL}"],
    ["FORGE_ISOLATED_KEYS_URL", "https://{IC_LABEL}@keys.example/"],
    ["FORGE_ISOLATED_KEYS_URL", "{IC_LABEL}://keys.example/"],
    ["FORGE_ISOLATED_KEYS_URL", "https://keys.example/{IC_LABEL}/{OTHER}"],
    ["ACCESS_ORIGIN_OVERRIDES", "acme=http://127.0.0.1:1"],
    ["ACCESS_ORIGIN_OVERRIDES", "acme.cloudflareaccess.com"],
    ["ACCESS_ORIGIN_OVERRIDES", "-acme.cloudflareaccess.com=http://127.0.0.1:1"],
    ["ACCESS_ORIGIN_OVERRIDES", "fed.cloudflareaccess.com=http://127.0.0.1:1"],
    ["TRUST_PROXY", "everybody"],
    ["TRUST_PROXY", "10.0.0.0/33"],
    ["TRUST_PROXY", "10.0.0.1,fe80::1%eth0"],
    ["METRICS_TOKEN", "two words"],
    ["METRICS_TOKEN", "hush\n"],
    ["LOG_LEVEL", "loud"],
  ])("refuses %s=%s, naming the variable", (name, value) => {
    const problems = findProblems({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
  });

  it("knows no Forge app until one is named, and takes its id alone for the whole", () => {
    expect(parseConfig({ FORGE_ENVIRONMENT: "STAGING" }).config.forge).toBeNull();
    const ari = `ari:cloud:ecosystem::app/${APP_UUID}`;
    expect(parseConfig({ FORGE_APP_ID: APP_UUID }).config.forge).toEqual({
      appIds: [ari],
      environment: "PRODUCTION",
      keysUrl: "https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json",
      isolatedKeysUrl: null,
    });
    const isolated = "https://keys.example/{IC_LABEL}/jwks.json";
    const env = { FORGE_APP_ID: `${ari}, ${APP_UUID}`, FORGE_ISOLATED_KEYS_URL: isolated };
    expect(parseConfig(env).config.forge).toMatchObject({ appIds: [ari, ari], isolatedKeysUrl: isolated });
  });

  it("takes any free port only under a public URL that is known", () => {
    expect(findProblems({ PORT: "0" })).toEqual([expect.stringMatching(/^BASE_URL: /)]);
    expect(findProblems({ PORT: "0", BASE_URL: "http://localhost:8080" })).toEqual([]);
  });

  it("names every problem at once and never repeats a secret", () => {
    const secrets = { ENCRYPTION_KEYS: "c2VjcmV0LXNlY3JldA==", METRICS_TOKEN: "hush hush" };
    const problems = findProblems({ PORT: "x", LOG_LEVEL: "y", ...secrets });
    expect(problems).toHaveLength(4);
    expect(problems.join()).not.toMatch(/c2VjcmV0|hush/);
  });

  it("reaches teams elsewhere by the form of their domain that is stored", () => {
    const { config } = parseConfig({
      ACCESS_ORIGIN_OVERRIDES:
        "Acme.cloudflareaccess.com=http://127.0.0.1:1, b.fed.cloudflareaccess.com=http://[::1]:2",
    });
    expect([...config.accessOriginOverrides]).toEqual([
      ["acme.cloudflareaccess.com", "http://127.0.0.1:1"],
      ["b.fed.cloudflareaccess.com", "http://[::1]:2"],
    ]);
  });

  it("trusts the proxies at addresses and networks", () => {
    const { config } = parseConfig({ TRUST_PROXY: "10.0.0.0/8, 2001:DB8::/32,127.0.0.1" });
    expect(config.trustProxy).toEqual({
      kind: "addresses",
      addresses: ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"],
    });
  });

  describe("in production", () => {
    const production = { NODE_ENV: "production", BASE_URL: "https://access.acme.example" };

    const URL_VARIABLES = [
      "BASE_URL",
      "CONNECT_KEYS_CDN_URL",
      "ATLASSIAN_OAUTH_URL",
      "ATLASSIAN_API_URL",
      "CONNECT_ALL_JS_URL",
    ];

    it("needs a public URL", () => {
      expect(findProblems(production)).toEqual([]);
      expect(findProblems({ NODE_ENV: "production" })).toEqual([expect.stringMatching("^BASE_URL: ")]);
    });

    it("takes http to this machine, where nobody can listen in, but not as the public URL", () => {
      const url = "http://127.0.0.1:4000";
      expect(findProblems({ ...production, CONNECT_KEYS_CDN_URL: url })).toEqual([]);
      expect(findProblems({ ...production, BASE_URL: url })).toHaveLength(1);
    });

    it.each(URL_VARIABLES)("takes https in %s, nothing else", (name) => {
      expect(findProblems({ ...production, [name]: " HTTPS://access.acme.example/x" })).toEqual([]);
      for (const url of ["http://access.acme.example", " ht\ntp://access.acme.example"]) {
        expect(findProblems({ [name]: url })).toEqual([]);
        expect(findProblems({ ...production, [name]: url })).toEqual([
          `${name}: must be a URL that starts with https:// when NODE_ENV=production.`,
        ]);
      }
    });

    it.each([
      [
        "ACCESS_ORIGIN_OVERRIDES",
        { ACCESS_ORIGIN_OVERRIDES: "acme.cloudflareaccess.com=http://127.0.0.1:1" },
      ],
      ["AC_OPTS", { AC_OPTS: "no-auth" }],
      ["AC_LOCAL_BASE_URL", { AC_LOCAL_BASE_URL: "https://evil.example" }],
    ])("refuses what is unsafe about %s", (name, overrides) => {
      expect(findProblems({ ...production, ...overrides })).toEqual([expect.stringMatching(`^${name}: `)]);
    });
  });
});
