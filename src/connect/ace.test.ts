import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createAce } from "./ace.js";
import { buildInstallation } from "./installation.fixture.js";

const OPTIONS = {
  appKey: "my-app",
  baseUrl: "https://app.example.com/base",
  findInstallation: () => Promise.resolve(buildInstallation()),
};

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("files in the working directory", () => {
  const back = process.cwd();
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "ace-"));
    process.chdir(directory);
  });
  afterEach(() => {
    process.chdir(back);
    rmSync(directory, { recursive: true });
  });

  it("don't change the descriptor", () => {
    writeFileSync("atlassian-connect.json", '{"key": "evil", "baseUrl": "https://evil.example"}');
    expect(createAce(OPTIONS).descriptor).toMatchObject({ key: "my-app", baseUrl: OPTIONS.baseUrl });
  });

  it("don't change how calls are made", () => {
    writeFileSync("config.json", '{"production": {"jwt": {"validityInMinutes": 600}, "userAgent": "evil"}}');
    const { config } = createAce(OPTIONS).hostClient("acme-client-key").addon;
    expect([config.jwt(), config.userAgent()]).toEqual([
      { validityInMinutes: 3 },
      expect.stringMatching(/^atlassian-connect-express/),
    ]);
  });
});

describe("the descriptor", () => {
  it("has the key and the base URL of the configuration", () => {
    expect(createAce(OPTIONS).descriptor).toMatchObject({
      key: "my-app",
      baseUrl: "https://app.example.com/base",
      links: { self: "https://app.example.com/base/atlassian-connect.json" },
    });
    expect(JSON.stringify(createAce(OPTIONS).descriptor)).not.toContain("{{");
  });

  it("has what signed installs, context tokens and the contract need", () => {
    expect(createAce(OPTIONS).descriptor).toMatchObject({
      authentication: { type: "jwt" },
      apiMigrations: { "signed-install": true, "context-qsh": true },
      scopes: ["READ", "WRITE", "DELETE", "ACT_AS_USER"],
      lifecycle: {
        installed: "/installed",
        uninstalled: "/uninstalled",
        enabled: "/enabled",
        disabled: "/disabled",
      },
      modules: {
        adminPages: [{ key: "admin", url: "/admin" }],
        configurePage: { key: "configure", url: "/admin" },
        generalPages: [{ key: "account", url: "/account" }],
      },
    });
  });

  it("isn't changed by the variables that beat ACE's options", () => {
    const plain = createAce(OPTIONS).descriptor;
    vi.stubEnv("AC_LOCAL_BASE_URL", "https://evil.example");
    vi.stubEnv("AC_APP_KEY", "evil-app");
    vi.stubEnv("AC_PRODUCT", "bitbucket");
    vi.stubEnv("AC_OPTS", "no-auth force-reg");
    expect(createAce(OPTIONS).descriptor).toEqual(plain);
  });
});

describe("what ACE does to the process", () => {
  it("leaves unhandled rejections to the app, and other listeners alone", async () => {
    const ours = vi.fn();
    process.on("unhandledRejection", ours);
    const before = process.listeners("unhandledRejection");
    createAce(OPTIONS);
    await new Promise(setImmediate);
    expect(process.listeners("unhandledRejection")).toEqual(before);
    process.off("unhandledRejection", ours);
  });

  it("prints nothing", async () => {
    const spies = (["log", "info", "warn", "error"] as const).map((method) => vi.spyOn(console, method));
    const ace = createAce({ ...OPTIONS, findInstallation: () => Promise.resolve(null) });
    await new Promise((resolve) => void ace.hostClient("unknown").get("/", resolve));
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});

describe("the store that ACE sees", () => {
  it("gives what signing a call needs, and no more", async () => {
    const { settings } = createAce(OPTIONS).hostClient("acme-client-key").addon;
    expect(await settings.get("clientInfo", "acme-client-key")).toEqual({
      key: "my-app",
      clientKey: "acme-client-key",
      sharedSecret: buildInstallation().sharedSecret,
      baseUrl: "https://acme.atlassian.net",
    });
    expect(await settings.get("bearer:x", "acme-client-key")).toBeNull();
  });

  it("refuses to write", async () => {
    const { settings } = createAce(OPTIONS).hostClient("acme-client-key").addon;
    await expect(settings.set("clientInfo", {}, "acme-client-key")).rejects.toThrow(/lifecycle events/);
    await expect(settings.del("clientInfo", "acme-client-key")).rejects.toThrow(/lifecycle events/);
    await expect(settings.deleteAssociation("x")).rejects.toThrow(/lifecycle events/);
  });
});
