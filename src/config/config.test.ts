import { describe, expect, it } from "vitest";

import { ConfigError, parseConfig } from "./config.js";
import type { Env } from "./env.js";

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
    ["ACCESS_ORIGIN_OVERRIDES", "acme=http://127.0.0.1:1"],
    ["ACCESS_ORIGIN_OVERRIDES", "acme.cloudflareaccess.com"],
    ["TRUST_PROXY", "everybody"],
    ["TRUST_PROXY", "10.0.0.0/33"],
    ["LOG_LEVEL", "loud"],
  ])("refuses %s=%s, naming the variable", (name, value) => {
    const problems = findProblems({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
  });

  it("takes any free port only under a public URL that is known", () => {
    expect(findProblems({ PORT: "0" })).toEqual([expect.stringMatching(/^BASE_URL: /)]);
    expect(findProblems({ PORT: "0", BASE_URL: "http://localhost:8080" })).toEqual([]);
  });

  it("names every problem at once and never repeats an encryption key", () => {
    const problems = findProblems({ PORT: "x", LOG_LEVEL: "y", ENCRYPTION_KEYS: "c2VjcmV0LXNlY3JldA==" });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain("c2VjcmV0");
  });

  describe("in production", () => {
    const production = { NODE_ENV: "production", BASE_URL: "https://access.acme.example" };

    it("takes an https public URL", () => {
      expect(findProblems(production)).toEqual([]);
    });

    it.each([
      ["BASE_URL", { BASE_URL: "http://access.acme.example" }],
      ["BASE_URL", { BASE_URL: undefined }],
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
